"""Stand-ins for the systems the bridge talks to, and sample data: for the demo and for tests."""
