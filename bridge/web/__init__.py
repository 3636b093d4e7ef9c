"""What a browser sees, by Flask."""
