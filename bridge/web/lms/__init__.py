"""The LMS administrator's pages: badges, desired against observed, platforms."""
