"""Statements as the endpoint keeps them, the questions it answers, and the port that keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from bridge.domain.errors import BridgeError


class AnotherStatement(BridgeError):
    """A statement of this id is known, and says something else. `statement_id` is that id."""

    def __init__(self, statement_id: str) -> None:
        super().__init__(
            f"Another statement with the id {statement_id} is kept already, and says something "
            "else. A statement is never changed: void it, and send the new one under a new id."
        )
        self.statement_id = statement_id


def hyphenated(digits: str) -> str:
    """A UUID as it is written, of its 32 hexadecimal digits."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class NewStatement(NamedTuple):
    """A statement to be kept. `id` is a UUID in 32 hexadecimal digits; `voids` likewise, or None.

    `natural_key` is what it is known by in its source, `moment` whether it names its own.
    """

    id: str
    natural_key: str
    sha256: bytes
    body: bytes
    moment: bool
    voids: str | None = None


class Kept(NamedTuple):
    """A statement that is kept. `row` is its row's number, `stored` in microseconds since 1970."""

    row: int
    id: str
    source_id: int
    stored: int
    body: bytes | None
    envelope: bytes
    voided: bool


class Waiting(NamedTuple):
    """A request's statements that wait for work: a row of the queue, and theirs."""

    id: int
    source_id: int
    rows: tuple[int, ...]


class Attachment(NamedTuple):
    """A file beside a statement; `sha2` in lower-case hexadecimal."""

    sha2: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader asks for: each of `terms` is a choice, of which a statement has at least one.

    `since` (later than) and `until` (no later) are instants in microseconds since 1970; `after` is
    the last statement of the page before: its instant and its row.
    """

    terms: tuple[tuple[int, ...], ...] = ()
    since: int | None = None
    until: int | None = None
    ascending: bool = False
    limit: int = 100
    after: tuple[int, int] | None = None


class Work:
    """What statements wait for after they were received."""

    DRAIN = "drain"
    INDEX = "index"


class LrsRepository(Protocol):
    """Statements received by the endpoint."""

    def begin_receiving(self, count: int) -> Sequence[int]:
        """Rows for so many statements; from here on readers know that something comes.

        Call it first in the transaction, and take the instant of storing after it.
        """
        ...

    def add(
        self,
        source_id: int,
        statements: Sequence[tuple[int, NewStatement]],
        stored: datetime,
        envelopes: tuple[bytes, bytes],
    ) -> bool:
        """Keep statements by their rows; False, and nothing else works any more in this
        transaction, where one of them is known.

        `envelopes` are for those that name their moment, and for those that do not.
        """
        ...

    def known(self, source_id: int, statements: Sequence[NewStatement]) -> dict[str, Kept]:
        """Those that are kept already, by the id of the given one."""
        ...

    def rename(self, row: int, statement_id: str) -> None:
        """Let a kept statement go by another id: the one it came with is another's."""
        ...

    def one(self, statement_id: str) -> Kept | None: ...

    def find(self, query: Query) -> tuple[list[Kept], bool]:
        """What is asked for, up to the limit, and whether there is more; nothing that was voided.

        A page may be shorter than was asked, where its statements are large.
        """
        ...

    def rows(self, ids: Sequence[int]) -> list[Kept]:
        """Kept statements by their rows, in that order."""
        ...

    def through(self, now: datetime) -> int:
        """Up to which instant everything that was stored can be seen, in microseconds; take `now`
        before."""
        ...

    # --- what waits -------------------------------------------------------------------------
    def waiting(self, work: str, limit: int) -> list[Waiting]:
        """Requests whose statements wait, oldest first, with about `limit` statements in all;
        nobody else gets them in this transaction."""
        ...

    def coming(self, work: str, after: int, limit: int) -> list[Waiting]:
        """Requests that will wait once those up to the row `after` are done, for reading ahead."""
        ...

    def oldest_waiting(self, work: str) -> int | None:
        """When the oldest that waits was stored, in microseconds; None where nothing waits."""
        ...

    def count_waiting(self, work: str) -> dict[str, int]:
        """How many statements of each source, by its key, wait."""
        ...

    def done(self, waiting: Sequence[Waiting]) -> None: ...

    def shorten(self, waiting: Waiting) -> None:
        """The first of a request's statements waits no more."""
        ...

    # --- the index --------------------------------------------------------------------------
    def add_terms(self, rows: Collection[tuple[int, int, int]]) -> None:
        """(term, stored, row); what is there already stays."""
        ...

    def add_references(self, rows: Collection[tuple[str, int, bool]]) -> None:
        """(id that is referred to, row that refers to it, whether it voids)."""
        ...

    def references_to(self, ids: Collection[str]) -> list[tuple[str, int, bool]]: ...

    def missing_terms(self, row: int, stored: int, terms: Collection[int]) -> set[int]:
        """Those of the terms that a statement is not found by yet."""
        ...

    def void(self, row: int, by: int) -> None:
        """Mark a statement as voided by another; rows of both."""
        ...

    def define(self, source_id: int, definitions: Mapping[str, Any], now: datetime) -> None:
        """What a source says of activities, by their ids; it is laid over what it said before."""
        ...

    def definitions(self, source_ids: Sequence[int] | None, ids: Collection[str]) -> dict[str, Any]:
        """What is known of activities, of one of these sources or of any."""
        ...

    # --- attachments --------------------------------------------------------------------------
    def add_attachments(self, attachments: Sequence[Attachment], now: datetime) -> None:
        """Keep files, each once by its hash. `attach` says in the same transaction whose they are;
        until it ends, nobody forgets them."""
        ...

    def attach(self, source_id: int, files: Collection[tuple[str, int]]) -> None:
        """(hash, row) of files and the statements of this source that brought them."""
        ...

    def attachment_sizes(self, hashes: Collection[str], source_id: int | None) -> dict[str, int]:
        """How large files are, in bytes, by their hashes: those that this source brought, or (None)
        any."""
        ...

    def attachments(self, hashes: Collection[str], source_id: int | None) -> list[Attachment]:
        """Files by their hashes: those that this source brought, or (None) any."""
        ...
