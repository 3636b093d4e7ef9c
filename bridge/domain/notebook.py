"""The practitioner's notebook: their own evidence in piles, their log, and what they have typed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from bridge.domain.claims import ClaimState
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Evidence
from bridge.domain.records import Status
from bridge.domain.vanishing import Gone
from bridge.domain.vault import Vault


class Pile(StrEnum):
    """On which pile a piece of evidence lies: whose turn it is."""

    RETURNED = "returned"
    DRAFT = "draft"
    WAITING = "waiting"
    DONE = "verified"
    ASIDE = "set aside"


@dataclass(frozen=True, slots=True)
class Slip:
    """One piece of one's own evidence, as a list shows it."""

    id: int
    title: str
    occurred_on: date
    origin: str
    learning_activity: str | None
    level: str | None
    late: bool
    pile: Pile
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piles:
    """The top of each pile, newest activity first, and how high each is."""

    slips: Mapping[Pile, tuple[Slip, ...]]
    counts: Mapping[Pile, int]


@dataclass(frozen=True, slots=True)
class Put:
    """A claim, and before whom it was last put, when that was.

    `asked` is what the verifier asked when they returned it, `asked_by` who that was.
    """

    claim_id: int
    evidence_id: int
    ref: CompetencyRef
    text: str
    state: ClaimState
    origin: str
    rule_id: int | None
    suggested: bool
    contested: bool
    verifier: int | None
    verifier_name: str | None
    submitted_at: datetime | None
    asked: str = ""
    asked_by: str = ""


@dataclass(frozen=True, slots=True)
class Support:
    """A learning record behind a piece of evidence. `gone`: its source no longer shows it, since
    `gone_at` and for the reason `gone_because` (`bridge.domain.vanishing.Gone`).

    `counts`: the rules in force count it; `said` and what follows are a booking system's.
    `assessors` are the (canonical) people who trained at its event, where its rule says that they
    assess.
    """

    record_id: int
    evidence_id: int
    source_key: str
    source_kind: str
    called: str
    status: Status
    occurred_at: datetime
    score: float | None
    gone: bool
    counts: bool = True
    said: str = ""
    minutes: float | None = None
    planned: float | None = None
    evaluated: bool | None = None
    session: str = ""
    sessions: int | None = None
    assessors: tuple[int, ...] = ()
    gone_at: datetime | None = None
    gone_because: str = ""

    @property
    def gone_words(self) -> str:
        """What happened to it at its source; nothing while it is there."""
        return Gone(self.gone_because).words if self.gone_because else ""


@dataclass(frozen=True, slots=True)
class RuleReason:
    """The published rule that suggested something: its words, its mapping, who published it.

    `publisher` is that person's name, where it was a person.
    """

    rule_id: int
    key: str
    title: str
    mapping: str
    version: int
    published_at: datetime
    published_by: str
    publisher: str | None
    comment: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody has typed and ticked on a draft; `saved_at` tells one save from the next."""

    reflection: str
    used: str
    ticks: tuple[CompetencyRef, ...]
    verifier: int | None
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Sheet:
    """A piece of one's own evidence with what one typed on it, and a preference of theirs."""

    evidence: Evidence
    typed: Typed | None
    preference: str | None


@dataclass(frozen=True, slots=True)
class Weight:
    """How many claims for a competency are alike: state, kind of learning and its delivery."""

    ref: CompetencyRef
    state: ClaimState
    learning_activity: str | None
    delivery: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Waiver:
    """A manager's decision that a competency does not apply to somebody, with the reason (R7)."""

    ref: CompetencyRef
    reason: str
    by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A claim of one's own for a competency, with the last decision on it, if there is one."""

    evidence_id: int
    title: str
    occurred_on: date
    learning_activity: str | None
    state: ClaimState
    contested: bool
    late: bool
    decision: str | None
    method: str | None
    by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Past:
    """A learning record that supports nothing: older than can be recorded, or not counting."""

    record_id: int
    called: str
    status: Status
    occurred_at: datetime
    source_key: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file beside a piece of evidence; `size` is in bytes."""

    id: int
    evidence_id: int
    name: str
    media_type: str
    size: int
    added_by: int
    added_at: datetime


class FileRepository(Protocol):
    """Files beside evidence. The caller has made sure who looks."""

    def add(self, facts: FileFacts, body: bytes, vault: Vault) -> int: ...
    def of(self, evidence_id: int) -> list[FileFacts]: ...
    def of_each(self, evidence_ids: Collection[int]) -> dict[int, list[FileFacts]]: ...
    def get(
        self, evidence_id: int, file_id: int, vault: Vault
    ) -> tuple[FileFacts, bytes] | None: ...
    def remove(self, file_id: int, now: datetime) -> None: ...


class NotebookRepository(Protocol):
    """A (canonical) person's own pages. The caller has made sure that it is they who look."""

    def piles(self, person: int, limit: int) -> Piles: ...
    def pile(self, person: int, pile: Pile, limit: int, offset: int) -> list[Slip]: ...
    def puts(self, evidence_ids: Collection[int], vault: Vault) -> dict[int, list[Put]]: ...
    def support(self, evidence_ids: Collection[int]) -> dict[int, list[Support]]: ...
    def reasons(self, rule_ids: Collection[int]) -> dict[int, RuleReason]: ...
    def sheet(
        self, evidence_id: int, person: int, preference: str, vault: Vault
    ) -> Sheet | None: ...
    def typed(self, evidence_id: int, vault: Vault) -> Typed | None: ...
    def keep_typed(self, evidence_id: int, author: int, vault: Vault, typed: Typed) -> None: ...
    def forget_typed(self, evidence_id: int) -> None: ...
    def prefer(self, person: int, name: str, value: str) -> None: ...
    def weights(self, person: int) -> list[Weight]: ...
    def waivers(self, person: int) -> list[Waiver]: ...
    def entries(self, person: int, competency_id: int, limit: int, offset: int) -> list[Entry]: ...
    def too_old(self, person: int, limit: int, offset: int) -> list[Past]: ...
    def not_counting(self, person: int, rule_ids: Collection[int], limit: int) -> list[Past]: ...
