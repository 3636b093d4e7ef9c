"""Every page of the training team: importing this adds them to the blueprint."""

from __future__ import annotations

from bridge.web.training import (
    accounts,
    activities,
    desk,
    mappings,
    people,
    person,
    queues,
    staff,
    stuck,
    tables,
    trail,
)
from bridge.web.training.blueprint import training

__all__ = [
    "accounts",
    "activities",
    "desk",
    "mappings",
    "people",
    "person",
    "queues",
    "staff",
    "stuck",
    "tables",
    "trail",
    "training",
]
