"""The practitioner's pages, put together: home, drafts, own evidence, the log, files."""

from __future__ import annotations

from bridge.web.practitioner import draft, home, logbook, own
from bridge.web.practitioner.blueprint import practitioner

__all__ = ["draft", "home", "logbook", "own", "practitioner"]
