"""The bridge's plugin as the stand-in Moodle has it installed, or not: an outbox, functions."""
