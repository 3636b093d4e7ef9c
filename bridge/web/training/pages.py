"""Every page of the training team: importing this adds them to the blueprint."""

from __future__ import annotations

from bridge.web.training import desk, mappings, people, person, queues, staff, stuck, tables, trail
from bridge.web.training.blueprint import training

__all__ = [
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
