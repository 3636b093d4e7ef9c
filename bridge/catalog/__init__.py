"""Reads the files that people edit (frameworks, mappings) into the domain's words."""
