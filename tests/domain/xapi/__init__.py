"""Statements: which are valid, and what they say."""
