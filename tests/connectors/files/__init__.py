"""Tests of tables: learning their columns, and loading their files."""
