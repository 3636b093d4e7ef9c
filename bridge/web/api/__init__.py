"""The API for programs: the same use cases as the pages, as JSON, with personal tokens."""
