"""Signing in: passwords, links in mails, and the way to other identity providers."""
