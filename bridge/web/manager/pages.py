"""The pages of managers, assessors and their deputies, each group of them in its file."""

from __future__ import annotations

from bridge.web.manager import linked, team, waiting
from bridge.web.manager.blueprint import manager

__all__ = ["linked", "manager", "team", "waiting"]
