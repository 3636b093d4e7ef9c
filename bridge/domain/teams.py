"""Teams as the services handle them: who leads whom, deputies, agreements, what waits; and logs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Evidence, Person
from bridge.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class Ask:
    """What a post asks of its holder: target groups, further competencies, a London level."""

    target_groups: tuple[str, ...]
    extra_competencies: tuple[str, ...]
    london_level: str | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed for a post, with whom and when; the newest is in force."""

    post_id: int
    ask: Ask
    agreed_by: str
    agreed_at: datetime


@dataclass(frozen=True, slots=True)
class Deputy:
    """Who stands in for a manager, both days included; no end means until it is ended."""

    id: int
    manager: int
    manager_name: str
    deputy: int
    deputy_name: str
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        """Whether they stand in on that day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Submitted(NamedTuple):
    """A claim that waits for a verifier's decision. `reciprocal`: its learner has verified
    something of the verifier's."""

    evidence: Evidence
    claim_id: int
    reflection_id: int
    submitted_at: datetime
    reciprocal: bool


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A verified claim whose ground is in doubt (R6), and who decided on it."""

    claim_id: int
    ref: CompetencyRef
    text: str
    reason: str
    since: datetime
    evidence_id: int
    title: str
    learner: int
    learner_name: str
    verifier: int
    verifier_name: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A verified claim that stands: whose, for what, who decided it, how and when."""

    claim_id: int
    ref: CompetencyRef
    text: str
    title: str
    learner: int
    learner_name: str
    verifier: int
    verifier_name: str
    method: str | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """A submission that has waited too long for its verifier: whose, with whom, since when."""

    submission_id: int
    evidence_id: int
    title: str
    learner: int
    learner_name: str
    verifier: int
    verifier_name: str
    since: datetime
    claims: int


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A competency that a manager said does not apply to somebody, and why."""

    id: int
    person: int
    ref: CompetencyRef
    text: str
    reason: str
    decided_by: str
    decided_at: datetime


class TeamRepository(Protocol):
    """Who leads whom, what was agreed, who stands in, and what waits for whom."""

    def led_by(self, managers: Collection[int], day: date) -> list[Person]: ...
    def stands_in_for(self, deputy: int, day: date) -> list[Person]: ...
    def deputies_of(self, managers: Collection[int]) -> list[Deputy]: ...
    def deputy(self, deputy_id: int) -> Deputy: ...
    def add_deputy(
        self, manager: int, deputy: int, start: date, end: date | None, by: str, now: datetime
    ) -> int: ...
    def end_deputy(self, deputy_id: int, last_day: date) -> None: ...
    def agreements(self, post_ids: Collection[int]) -> list[Agreement]: ...
    def agree(self, post_id: int, ask: Ask, by: int, now: datetime) -> None: ...
    def submitted_to(self, verifier: int) -> list[Submitted]: ...
    def overdue(
        self, scope: Scope, before: datetime, verifiers: Collection[int] | None, limit: int
    ) -> list[Overdue]: ...
    def in_doubt(
        self, scope: Scope, day: date, deciders: Collection[int] | None, limit: int
    ) -> list[InDoubt]: ...
    def verified(
        self, decider: int, day: date, limit: int, claim_id: int | None = None
    ) -> list[Verified]: ...
    def not_applicable(self, person: int) -> list[NotApplicable]: ...
    def end_not_applicable(self, row_id: int, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Log:
    """A person's log of 12 months; the next one opens on `ends_on` (R4)."""

    id: int
    person: int
    person_name: str
    starts_on: date
    ends_on: date
    signed_at: datetime | None
    signed_by: int | None
    signed_by_name: str | None


class Sealed(NamedTuple):
    """A text that the vault encrypted, and the id of the key that opens it."""

    ciphertext: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class SealedAddendum:
    """What was added to a signed log; `ordinal` counts from 0."""

    ordinal: int
    author: str
    written_at: datetime
    sealed: Sealed


class LogRepository(Protocol):
    """Logs, their sign-off, and what was added afterwards (R4)."""

    def of(self, person: int) -> list[Log]: ...
    def get(self, log_id: int) -> Log: ...
    def open(self, person: int, starts_on: date, ends_on: date) -> int: ...
    def evidence(self, log_id: int) -> list[Evidence]: ...
    def sign(self, log_id: int, by: int, words: Sealed, now: datetime) -> bool: ...
    def words(self, log_id: int) -> Sealed | None: ...
    def addenda(self, log_id: int) -> list[SealedAddendum]: ...
    def add(self, log_id: int, author: int, words: Sealed, now: datetime) -> None: ...
