"""The HTTP doorstep: receivers of what other systems send, and what is set up on their side."""
