"""The mail connector against real local servers."""
