"""What statements take back, what tells of no learning, accounts by an LMS's address: stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from bridge.domain.model import Account
from bridge.domain.records import Status

#: The kind of every source whose items are statements: an LRS, or a sender of statements to us.
STATEMENTS = "xapi"

#: What a failure, or an "uncompleted", speaks against; having been there stays true.
CAN_BE_TAKEN_BACK = frozenset({Status.COMPLETED, Status.PASSED})

#: (account, alias): what one account did of one activity.
Pair = tuple[int, int]


class NewRetraction(NamedTuple):
    """A row of `retractions`: by a key, or by account, alias and time."""

    received_id: int
    source_id: int
    voids: str | None = None
    account_id: int | None = None
    alias_id: int | None = None
    at: datetime | None = None
    days: int | None = None


class SameCourse(NamedTuple):
    """Two activities, as first seen, that are one by their address: a course of an LMS, or what two
    sources of statements name."""

    told: int
    course: int
    address: str


class ToldOf(NamedTuple):
    """What became of one received item of a statement.

    It has a record, or is set aside (`held` says why), or tells of no learning (`reason`).
    `taken_back_by` is the key of the statement that took its record back. `body` is None where the
    bytes are kept no more.
    """

    source_key: str
    natural_key: str
    received_at: datetime
    body: bytes | None
    record_id: int | None
    held: str | None
    reason: str | None
    taken_back_by: str | None


class StatementRepository(Protocol):
    """What only sources of statements need."""

    def add_no_records(self, rows: Sequence[tuple[int, str]]) -> None: ...
    def no_records_among(self, received_ids: Collection[int]) -> set[int]: ...
    def set_no_record(self, received_id: int, reason: str) -> bool: ...
    def drop_no_record(self, received_id: int) -> bool: ...
    def add_retractions(self, rows: Sequence[NewRetraction]) -> None: ...
    def voided_among(self, source_id: int, keys: Collection[str]) -> set[str]: ...
    def retracted_among(self, pairs: Collection[Pair]) -> set[Pair]: ...
    def settle_voids(self, source_id: int, keys: Collection[str]) -> set[Pair]: ...
    def settle_pairs(self, pairs: Collection[Pair]) -> None: ...
    def set_addresses(self, sites: Mapping[str, str]) -> None: ...
    def waiting_accounts(self, source_id: int) -> list[Account]: ...
    def told_of(self, key: str) -> list[ToldOf]: ...
    def same_courses(self, source_id: int) -> list[SameCourse]: ...
