"""Competency Bridge: learning records in, draft evidence, two people's word, badges out."""

__version__ = "0.1.0"
