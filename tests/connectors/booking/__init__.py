"""Tests of what every booking connector shares."""
