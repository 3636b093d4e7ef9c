"""What stands beside bookings: joined activities, trainers, accounts in doubt; and their port."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from bridge.domain.lists import ListPage
from bridge.domain.model import Account

#: Who ends what a mapping's rule joined, once it says so no more.
BY_MAPPING = "the mappings"
#: Why an account is in doubt: its address is seen on several names, several people have it, or the
#: booking names somebody else than whose address it is.
SEVERAL_NAMES = "several-names"
SEVERAL_PEOPLE = "several-people"
ANOTHER_NAME = "another-name"
#: Its number at the source carries somebody else's particulars; what came before stays theirs.
ANOTHER_HOLDER = "another-holder"
#: What the source says of it by now is known of somebody else.
POINTS_ELSEWHERE = "points-elsewhere"
#: The kind of accounts that a booking makes: whoever books types the address and the name.
BOOKING_KIND = "booking"


#: A source's name for an event, and its London date; None: whenever it was.
Held = tuple[int, date | None]


class Holder(NamedTuple):
    """An account with an address, the name on it, and the rule by which it is somebody's."""

    account_id: int
    address: str
    name: str | None
    rule: str | None


@dataclass(frozen=True, slots=True)
class Join:
    """That two activities are one. `rule` is the mapping's rule that says so; None: a person."""

    id: int
    activity: int
    activity_title: str
    into: int
    into_title: str
    rule: str | None
    reason: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Name:
    """One source's name for an activity. `own` is the activity it would be without any join.

    `no_longer_there` of its `records` are not shown by the source any more, and since `gone_at` the
    activity itself is not.
    """

    alias_id: int
    own: int
    source_key: str
    title: str
    value: str
    records: int
    gone_at: datetime | None = None
    gone_because: str = ""
    no_longer_there: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """A canonical activity with all its names, and whoever trains at it."""

    id: int
    title: str
    names: tuple[Name, ...]
    trainers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """An account that is somebody's by an address which is seen to be shared."""

    id: int
    account: Account
    source_key: str
    code: str
    person: int
    person_name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """An account that somebody has said is none of those shown."""

    account: Account
    source_key: str
    refused: tuple[int, ...]
    reason: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Namesake:
    """A person with a similar name: a hint, and never a match. `addresses` are their domains."""

    person: int
    name: str
    domains: frozenset[str]
    organisations: tuple[str, ...]


class BookingRepository(Protocol):
    """Joins, trainers, doubts, answers and splits. By system eyes, or the training team's."""

    # activities that are one
    def rule_joins(self) -> list[tuple[int, int, int, str]]: ...
    def ended_by_hand(self) -> set[tuple[int, str]]: ...
    def joins_of(self, activity: int) -> list[Join]: ...
    def join(self, activity: int, into: int, rule: str | None, reason: str, by: str,
             now: datetime) -> list[int]: ...  # fmt: skip
    def end_join(self, join_id: int, by: str, now: datetime) -> list[int] | None: ...
    def own_activities(self, alias_ids: Collection[int]) -> dict[int, int]: ...
    def activity(self, activity: int) -> Activity | None: ...
    def activities(
        self, text: str, after: str | None, limit: int, *, joined: bool
    ) -> ListPage[Activity]: ...

    # who trained
    def set_trainers(
        self, by_event: Mapping[Held, Collection[int]], now: datetime
    ) -> tuple[int, int]: ...
    def end_trainers(self, source_id: int, keep: Collection[Held], now: datetime) -> int: ...
    def trained(self, evidence_ids: Collection[int]) -> list[tuple[int, int, dict[str, Any]]]: ...

    # whose accounts
    def holders(self, source_id: int, addresses: Collection[str]) -> list[Holder]: ...
    def shared_by_people(self) -> list[int]: ...
    def doubt(self, account_ids: Collection[int], code: str, now: datetime) -> int: ...
    def doubts(self, after: int, limit: int) -> list[Doubt]: ...
    def end_doubts(self, account_id: int, by: str, now: datetime) -> bool: ...
    def refused(self, account_ids: Collection[int]) -> set[tuple[int, int]]: ...
    def answer(
        self, account_id: int, refused: Sequence[int], reason: str, by: str, now: datetime
    ) -> None: ...
    def end_answer(self, account_id: int, by: str, now: datetime) -> bool: ...
    def answered(self, after: int, limit: int) -> list[Answered]: ...
    def namesakes(self, surnames: Collection[str]) -> list[Namesake]: ...

    # what people took apart, and what they worked on
    def note_split(self, record_id: int, evidence_id: int, now: datetime) -> None: ...
    def split_off(self, record_ids: Collection[int]) -> set[int]: ...
    def kept(self, evidence_ids: Collection[int]) -> tuple[set[int], set[int]]: ...
