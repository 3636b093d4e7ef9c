"""What is read to say where people stand: few queries, however many people."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Protocol

from bridge.domain.claims import ClaimState


class ClaimCount(NamedTuple):
    """How many claims of one (canonical) person for one competency are alike."""

    person: int
    competency_id: int
    state: ClaimState
    contested: bool
    number: int


class StandingRepository(Protocol):
    """Sums over the claims, verifications and records of several people, by system eyes."""

    def names(self, people: Collection[int]) -> dict[int, str]: ...
    def claim_counts(self, people: Collection[int]) -> list[ClaimCount]: ...
    def verified_at(self, people: Collection[int]) -> list[tuple[int, int, datetime]]: ...
    def last_attended(self, people: Collection[int]) -> dict[int, datetime]: ...
