"""Tests of our own xAPI endpoint, over HTTP, on both kinds of database."""
