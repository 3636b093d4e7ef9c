"""Connectors to peer systems: one folder each, reading and writing side by side."""
