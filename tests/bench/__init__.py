"""Measures the intake against the floor of its database: `python -m tests.bench ingest`."""
