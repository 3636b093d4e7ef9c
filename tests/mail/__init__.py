"""Mail: what is told to whom, sent once, in words that are true when they are read."""
