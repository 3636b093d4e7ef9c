"""The use cases of our own xAPI endpoint."""
