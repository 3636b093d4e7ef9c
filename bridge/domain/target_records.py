"""What is kept of targets beside awards, as the services handle it, and the ports that keep it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bridge.domain.lists import ListPage
from bridge.domain.targets import ByHand, Prepared, Seen, StatusLine


@dataclass(frozen=True, slots=True)
class Stray:
    """A badge of ours on an account for which no award is held.

    `person` and `name` are whose account that is now, None and "" where it is nobody's. `state`:
    "open" (somebody should decide), "left" (it may stay), "taking" (it is to be taken away; `said`
    tells what keeps it) or "gone".
    """

    id: int
    target_key: str
    seen: Seen
    person: int | None
    name: str
    first_seen_at: datetime
    seen_at: datetime
    state: str
    said: str
    decided_at: datetime | None
    decided_by: str | None


class StrayRepository(Protocol):
    """Badges seen where no award is held. Every read is by system eyes."""

    def note(
        self, target: str, seen: Sequence[Seen], now: datetime, shows: Callable[[str], bool] = ...
    ) -> int: ...
    def listed(
        self, target: str | None, open_only: bool, after: str | None, limit: int
    ) -> ListPage[Stray]: ...
    def get(self, stray_id: int) -> Stray: ...
    def waiting(self, target: str) -> list[Stray]: ...
    def decide(self, stray_id: int, state: str, by: str, now: datetime) -> None: ...
    def record(self, stray_id: int, state: str, said: str, now: datetime) -> None: ...
    def open_count(self) -> dict[str, int]: ...


@dataclass(frozen=True, slots=True)
class Preparation:
    """How far the badge of a period is ready on a target. `ready_at` None: something is left."""

    target_key: str
    badge_key: str
    period: str
    title: str
    settings: Mapping[str, str]
    left: tuple[ByHand, ...]
    made: tuple[str, ...]
    seen: bool | None
    looked_at: datetime
    ready_at: datetime | None


class PreparationRepository(Protocol):
    """What is made ready ahead of the first award of a period."""

    def all(self, target: str | None = None) -> list[Preparation]: ...
    def put(
        self,
        target: str,
        badge: tuple[str, str],
        title: str,
        settings: Mapping[str, str],
        found: Prepared,
        now: datetime,
    ) -> None: ...
    def seen_held(self, target: str) -> set[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class StatusHolder:
    """An account whose profile shows, or is to show, a status; `person` is whose it is now, and
    `chosen` whether of that person's accounts there it is the one to show it."""

    target_key: str
    account_id: int
    account: str
    person: int | None
    chosen: bool
    row: int | None


@dataclass(frozen=True, slots=True)
class StatusState:
    """A status to send, claimed under a fence."""

    id: int
    account: str
    sha256: str
    lines: tuple[StatusLine, ...]
    updated_at: datetime
    attempts: int
    fence: int


@dataclass(frozen=True, slots=True)
class StatusSum:
    """How many profiles of a target show what they should, and how many wait; the last error."""

    target_key: str
    shown: int
    waiting: int
    error: str


class StatusRepository(Protocol):
    """What profiles should show of people, and what was sent."""

    def take_pending(self, limit: int) -> list[int]: ...
    def mark_changing(self, today: date) -> None: ...
    def holders(self, people: Collection[int], targets: Collection[str]) -> list[StatusHolder]: ...
    def put(
        self,
        holder: StatusHolder,
        person: int,
        lines: Sequence[StatusLine],
        changes_on: date | None,
        now: datetime,
    ) -> None: ...
    def shows(self) -> list[str]: ...
    def begin(self, target: str) -> None: ...
    def end(self, target: str, now: datetime) -> None: ...
    def take_due(
        self, target: str, holder: str, now: datetime, until: datetime, limit: int
    ) -> list[StatusState]: ...
    def record(
        self, state: StatusState, sent: bool, now: datetime, next_at: datetime | None,
        error: str | None,
    ) -> bool: ...  # fmt: skip
    def sums(self) -> list[StatusSum]: ...
