"""Tests of the jobs and of the process that runs them."""
