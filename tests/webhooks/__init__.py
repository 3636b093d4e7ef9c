"""What other systems send: recognised, noted, answered at once, and then looked up."""
