"""What the training team and the LMS administrator look at, a page at a time, and its port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bridge.domain.model import Quarantined, Run, TrailEntry
from bridge.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class AccountLink:
    """An account and how it was joined to a person. `until` None: it is theirs now.

    `person` is whose link it is, which after a merge may be one of several entries of one human.
    """

    account_id: int
    source_key: str
    value: str
    display_name: str | None
    email: str | None
    suspended: bool
    person: int
    rule: str
    proof: str
    since: datetime
    until: datetime | None
    by: str
    ended_reason: str | None
    parted: bool
    suspended_at: datetime | None = None
    gone_at: datetime | None = None
    gone_because: str = ""

    @property
    def there(self) -> str:
        """How it is called at its source, or was while it had the number."""
        return self.display_name or self.value.split("~", 1)[0]


@dataclass(frozen=True, slots=True)
class Merge:
    """Two entries that are one human being: `person` goes with `into`."""

    person: int
    person_name: str
    into: int
    into_name: str
    reason: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Approval:
    """That somebody may verify as an assessor or a peer; one from outside has an organisation."""

    id: int
    kind: str
    since: datetime
    by: str
    organisation: str | None


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One published version of a mapping file. `retired_at` None: it is in force."""

    id: int
    mapping: str
    version: int
    published_at: datetime
    published_by: str
    comment: str
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class BadgeVersion:
    """A badge in force: its definition as its file has it, and the competency ids it asks for."""

    key: str
    version: int
    definition: dict[str, object]
    published_at: datetime
    required: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Somebody without a present post, or a post without a manager; `id` is that one's row."""

    id: int
    person: int
    name: str
    post: str
    organisation: str
    since: date | None


@dataclass(frozen=True, slots=True)
class SetAside:
    """What waits in quarantine for one reason."""

    source_key: str
    code: str
    count: int
    example: str


class DeskRepository(Protocol):
    """Lists for the training team's desk, in pages: `after` and `before` are row ids."""

    def links_of(self, person: int) -> list[AccountLink]: ...
    def merges_of(self, person: int) -> list[Merge]: ...
    def approvals(self, person: int) -> list[Approval]: ...
    def end_approval(self, approval_id: int, now: datetime) -> int | None: ...
    def organisations(self) -> list[tuple[str, str]]: ...
    def versions(self, before: int | None, limit: int) -> list[MappingVersion]: ...
    def version_source(self, version_id: int) -> tuple[MappingVersion, bytes] | None: ...
    def badges(self) -> list[BadgeVersion]: ...
    def trail(self, subject: str | None, before: int | None, limit: int) -> list[TrailEntry]: ...
    def runs(self, source: str | None, before: int | None, limit: int) -> list[tuple[int, Run]]: ...
    def set_aside(self) -> list[SetAside]: ...
    def quarantined(
        self, source: str | None, after: int, limit: int
    ) -> list[tuple[int, Quarantined]]: ...
    def quarantined_item(self, received_id: int) -> Quarantined | None: ...
    def without_post(
        self, scope: Scope, day: date, after: int, limit: int
    ) -> Sequence[Unplaced]: ...
    def without_manager(
        self, scope: Scope, day: date, after: int, limit: int
    ) -> Sequence[Unplaced]: ...
