"""Telling Learning Record Stores what was verified."""
