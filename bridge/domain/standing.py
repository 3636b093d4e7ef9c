"""What is read to say where people stand: few queries, however many people."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from bridge.domain.claims import ClaimState


class ClaimCount(NamedTuple):
    """How many claims of one (canonical) person for one competency are alike."""

    person: int
    competency_id: int
    state: ClaimState
    contested: bool
    number: int


@dataclass(frozen=True, slots=True)
class WaitsForMe:
    """What waits for somebody who verifies and manages, counted.

    Pieces of evidence to verify, and how many of them are late; what is late with those whom they
    manage or stand in for; contested claims to decide on; posts they manage with nothing agreed.
    """

    to_verify: int
    late: int
    late_with_others: int
    in_doubt: int
    without_agreement: int

    def __bool__(self) -> bool:
        return any((self.to_verify, self.late_with_others, self.in_doubt, self.without_agreement))


class StandingRepository(Protocol):
    """Sums over the claims, verifications and records of several people, by system eyes."""

    def names(self, people: Collection[int]) -> dict[int, str]: ...
    def claim_counts(self, people: Collection[int]) -> list[ClaimCount]: ...
    def verified_at(self, people: Collection[int]) -> list[tuple[int, int, datetime]]: ...
    def last_attended(self, people: Collection[int]) -> dict[int, datetime]: ...
    def waits_for(self, person: int, day: date, before: datetime) -> WaitsForMe: ...
