"""Receivers: whoever comes is recognised, what is to be looked at is noted, the answer is 202."""
