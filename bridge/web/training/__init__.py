"""The training team's desk: health, unmapped, unmatched, mappings, roles."""
