"""When work runs. Jobs say when, tables say what: a lost or doubled job changes nothing."""
