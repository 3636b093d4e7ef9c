"""How long the endpoint keeps what it received, what is forgotten in time, and the port for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how many days statements, and documents that nobody changes, are kept; 0: for ever."""

    statements: int = 0
    documents: int = 0


class Needed(StrEnum):
    """Why the bytes of an old statement are kept all the same."""

    QUARANTINED = "quarantined"
    UNDECIDED = "undecided"


class Old(NamedTuple):
    """A statement that is old enough. `row` is its row's number, `stored` in microseconds."""

    row: int
    id: str
    source_id: int
    stored: int
    natural_key: str
    body: bytes


class ForgettingRepository(Protocol):
    """What is left of statements whose bytes are kept no longer: that they came, and their records.

    A record, and whatever rests on it, is never touched.
    """

    def old(self, before: int, after: tuple[int, int], limit: int) -> list[Old]:
        """Statements stored before then that are not forgotten, oldest first, after the given
        instant and row; fewer where they are large."""
        ...

    def rows_of(self, source_id: int, keys: Collection[str]) -> dict[str, int]:
        """The received items of a source by these natural keys."""
        ...

    def needed(self, rows: Collection[int]) -> dict[int, Needed]:
        """Those of these received items whose bytes are needed still, and why: they wait in
        quarantine, or a draft that rests on them is not decided on."""
        ...

    def drop_files(self, rows: Collection[int]) -> int:
        """Files that came with these statements and with no other that is kept; how many went.

        Call it before the statements are touched: who sends them takes locks in that order.
        """
        ...

    def drop_terms(self, terms: Collection[tuple[int, int, int]]) -> None:
        """(term, stored, row): no statement is found by these any more."""
        ...

    def drop_references(self, references: Collection[tuple[str, int]]) -> None:
        """(id that was referred to, row of the statement that did)."""
        ...

    def named(self, terms: Collection[int]) -> set[int]:
        """Those of these terms by which some statement is found."""
        ...

    def drop_definitions(self, iris: Collection[str]) -> int:
        """What was said of these activities; how many sources had said something."""
        ...

    def drop_bytes(self, rows: Collection[int], items: Collection[int], now: datetime) -> None:
        """Statements by their rows, and the received items read from them."""
        ...

    def stock(self) -> tuple[int, int | None]:
        """How many statements are kept whole, and when the oldest was stored, in microseconds."""
        ...


class Batch(NamedTuple):
    """Statements that can be forgotten together, with all received items that were read of each."""

    statements: Sequence[Old]
    items: Sequence[int]
