"""What the bridge does: one use case a function, one transaction each, knowing the domain alone."""
