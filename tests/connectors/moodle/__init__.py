"""Tests of the connectors moodle."""
