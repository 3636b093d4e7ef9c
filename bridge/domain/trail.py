"""The port of the audit trail: what every human decision and every reading is added to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bridge.domain.model import TrailEntry
from bridge.domain.scope import Actor


class TrailRepository(Protocol):
    """The append-only audit trail."""

    def add(
        self, actor: Actor, act: str, subject: str, detail: Mapping[str, object], now: datetime
    ) -> None: ...
    def add_each(self, actor: Actor, act: str, subjects: Sequence[str], now: datetime) -> None: ...
    def of(self, subject: str) -> list[TrailEntry]: ...
    def latest(self, limit: int) -> list[TrailEntry]: ...
