"""LRSs: the stand-in always, a real one where the environment names it."""
