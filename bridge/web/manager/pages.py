"""The pages of managers, assessors and their deputies, each group of them in its file."""

from __future__ import annotations

from bridge.web.manager import agreement, deputies, doubts, linked, logs, sittings, team, waiting
from bridge.web.manager.blueprint import manager

__all__ = [
    "agreement", "deputies", "doubts", "linked", "logs", "manager", "sittings", "team", "waiting",
]  # fmt: skip
