"""The practitioner's pages: where I stand, my drafts, my log."""
