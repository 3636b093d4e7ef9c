"""How other systems are spoken with: who is left in peace until when, and sweeps that go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from bridge.domain.errors import InMaintenance, TryLater
from bridge.domain.times import LONDON

MAINTENANCE, BUSY = "maintenance", "busy"


@dataclass(frozen=True, slots=True)
class Rest:
    """A peer that could not be spoken with, `since` then; it is tried again at `until`.

    `kind` is "maintenance" or "busy" (too many requests, out of reach, too slow).
    """

    peer: str
    kind: str
    since: datetime
    until: datetime
    attempts: int
    words: str

    def said(self, now: datetime) -> str:
        """For people, in London time."""
        what = "In maintenance" if self.kind == MAINTENANCE else "Out of reach or too busy"
        return f"{what} since {_at(self.since, now)}, tried again at {_at(self.until, now)}."


def kind_of(error: TryLater) -> str:
    """Which kind of rest an error asks for."""
    return MAINTENANCE if isinstance(error, InMaintenance) else BUSY


def _at(moment: datetime, now: datetime) -> str:
    there, today = moment.astimezone(LONDON), now.astimezone(LONDON)
    return f"{there:%H:%M}" if there.date() == today.date() else f"{there:%-d %B, %H:%M}"


class SweepPart(NamedTuple):
    """What a page of a full pull showed, as eight-byte hashes of keys, and where to go on."""

    started_at: datetime
    mark: str
    seen: bytes


class PeerRepository(Protocol):
    """Rests, and full pulls that are not at their end."""

    def rest(self, peer: str) -> Rest | None: ...
    def rests(self) -> dict[str, Rest]: ...
    def put_rest(self, rest: Rest) -> None: ...
    def end_rest(self, peer: str) -> bool: ...
    def sweeps_begun(self) -> dict[int, datetime]: ...
    def sweep_parts(self, source_id: int) -> Sequence[SweepPart]: ...
    def add_sweep_part(self, source_id: int, part: SweepPart) -> None: ...
    def forget_sweep(self, source_id: int) -> None: ...
