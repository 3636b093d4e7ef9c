"""Stored things as the services handle them: small, frozen, and free of any database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from bridge.domain.claims import ClaimState
from bridge.domain.mapping import CompetencyRef
from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    Booking,
    Disposition,
    Precision,
    Status,
)


# --- what a pull writes in bulk: one tuple a row, in the order of the table's columns ---------
class NewReceived(NamedTuple):
    """A row of `received`."""

    id: int
    source_id: int
    natural_key: str
    sha256: bytes
    body: bytes
    envelope_id: int
    received_at: datetime


class NewRecord(NamedTuple):
    """A row of `learning_records`."""

    id: int
    received_id: int
    ordinal: int
    account_id: int
    alias_id: int
    status: str
    occurred_at: datetime
    precision: str
    cycle: str
    score: float | None
    attendance: float | None
    disposition: str
    reason: str
    rule_id: int | None
    pending: bool
    booking_state: int | None = None
    said: str | None = None
    minutes: float | None = None
    planned: float | None = None
    evaluated: bool | None = None
    session: str | None = None
    sessions: int | None = None


class NewEvidence(NamedTuple):
    """A row of `evidence` that a record gave rise to."""

    id: int
    person_id: int
    organisation_id: int | None
    origin: str
    activity_id: int | None
    title: str
    learning_activity: str | None
    delivery: str | None
    level: str | None
    verification: str | None
    occurred_at: datetime
    occurred_on: date
    created_at: datetime
    late: bool


class NewSupport(NamedTuple):
    """A row of `evidence_records`: this record supports that evidence."""

    record_id: int
    evidence_id: int


class NewClaim(NamedTuple):
    """A row of `claims`, born a suggestion."""

    id: int
    evidence_id: int
    competency_id: int
    state: str
    origin: str
    rule_id: int | None
    suggested: bool


class NewQuarantine(NamedTuple):
    """A row of `quarantine`."""

    id: int
    received_id: int
    code: str
    message: str
    since: datetime


# --- what is read back ------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class SourceRow:
    """A configured source as the database knows it."""

    id: int
    key: str
    kind: str
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a source has been read. `position`: everything before it has been seen once.

    `mark` is the source's own word of where it stood, which only its connector understands.
    """

    position: datetime | None = None
    last_full_at: datetime | None = None
    mark: str = ""


class Reading(NamedTuple):
    """What a stored record says of its item, as far as another reading is compared with it."""

    status: Status
    precision: Precision
    score: float | None
    envelope_id: int


class Known(NamedTuple):
    """An item that a source gave before."""

    id: int
    sha256: bytes
    gone: bool


class Happened(NamedTuple):
    """When the record of an item happened, and whose and what it is, by row and by number there.

    `account_gone` says why its account is gone, and is empty where it is not.
    """

    at: datetime
    account_id: int
    alias_id: int
    account: str
    account_gone: str
    activity: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account, and the (canonical) person it belongs to, if that is known."""

    id: int
    facts: AccountFacts
    person: int | None


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """An account of a source, and why it is whose it is; no texts where it is nobody's."""

    account: Account
    source_key: str
    name: str
    rule: str
    proof: str


@dataclass(frozen=True, slots=True)
class Alias:
    """One source's name for an activity. `activity_id` is canonical: what it is joined to.

    `trusted`: nobody but whom the partnership trusts writes to that source.
    """

    id: int
    activity_id: int
    source_key: str
    source_kind: str
    facts: ActivityFacts
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """A learning record with what deciding on it takes.

    `gone`: its source took its word back, or (`voided`) a later statement did. Since `gone_at` it
    is not there any more, which may have other reasons (`bridge.domain.vanishing.Gone`).
    """

    id: int
    received_id: int
    source_key: str
    natural_key: str
    account_id: int
    person: int | None
    alias: Alias
    status: Status
    occurred_at: datetime
    score: float | None
    attendance: float | None
    disposition: Disposition
    reason: str
    rule_id: int | None
    gone: bool
    evidence_id: int | None
    evidence_person: int | None
    evidence_activity: int | None
    evidence_on: date | None
    booking: Booking | None = None
    gone_at: datetime | None = None
    gone_because: str = ""
    voided: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """A piece of evidence. `person` is canonical; `person_id` as it was recorded."""

    id: int
    person_id: int
    person: int
    person_name: str
    origin: str
    activity_id: int | None
    title: str
    learning_activity: str | None
    delivery: str | None
    level: str | None
    verification: str | None
    occurred_at: datetime
    occurred_on: date
    reference: str | None
    late: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: this evidence shows that competency. The claim is what is decided."""

    id: int
    evidence_id: int
    competency_id: int
    ref: CompetencyRef
    text: str
    state: ClaimState
    origin: str
    rule_id: int | None
    suggested: bool
    touched: bool
    contested: bool
    contested_reason: str | None


@dataclass(frozen=True, slots=True)
class Submission:
    """Evidence put before one verifier."""

    id: int
    evidence_id: int
    reflection_id: int
    verifier: int
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Verification:
    """A person's decision on a claim. `decision`: verified, returned, revoked or upheld."""

    id: int
    claim_id: int
    verifier: int
    decision: str
    method: str | None
    authority: str
    channel: str
    decided_at: datetime
    revokes_id: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """A person; `canonical` is another's id after a merge."""

    id: int
    name: str
    canonical: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What a staff list asks of a post, where something else was agreed for it."""

    target_groups: tuple[str, ...]
    extra_competencies: tuple[str, ...]
    london_level: str | None


@dataclass(frozen=True, slots=True)
class Post:
    """A dated job in an organisation. What was agreed for it goes before the staff list, which
    then stands in `listed`."""

    id: int
    person: int
    organisation_id: int
    organisation_key: str
    exempt: bool
    other_framework: str | None
    title: str
    target_groups: tuple[str, ...]
    extra_competencies: tuple[str, ...]
    london_level: str | None
    manager: int | None
    valid_from: date
    valid_to: date | None
    listed: Listed | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the post is held on that day, both ends included."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Employment(NamedTuple):
    """In which organisation a post is held, and when; all that a draft takes from it."""

    organisation_id: int
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        """Whether the post is held on that day, both ends included."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class PublishedRule:
    """A rule of a published mapping version that is in force."""

    id: int
    mapping: str
    version: int
    key: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on something for a while; writes count only while the fence holds."""

    name: str
    holder: str
    fence: int


@dataclass(frozen=True, slots=True)
class PostDetails:
    """A post as a staff list gives it. `organisation_key` names the organisation."""

    organisation_key: str
    title: str
    target_groups: tuple[str, ...]
    extra_competencies: tuple[str, ...]
    london_level: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class BadgeInForce:
    """A published badge version. `required` are competency ids; `targets` settings by target.

    `levels` are the (edition, level) pairs that it asks for: only of a level's statements can a
    manager say that one does not apply (R7).
    """

    id: int
    key: str
    version: int
    title: str
    required: tuple[int, ...]
    targets: tuple[tuple[str, dict[str, str]], ...]
    levels: tuple[tuple[str, str], ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Grounds:
    """A verification in force, as a ground for an award. `person` is the canonical learner."""

    person: int
    claim_id: int
    competency_id: int
    verification_id: int
    decided_at: datetime
    contested: bool


@dataclass(frozen=True, slots=True)
class Award:
    """One person holding one badge for one period. `basis` are the verifications it rests on."""

    id: int
    badge_version_id: int
    badge_key: str
    person: int
    period: str
    status: str
    awarded_on: date
    expires_on: date
    basis: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetState:
    """What a target should hold of an award, and what it was seen to hold.

    `road` is the way it goes there, "" before that was decided. `moved`: it goes by another road
    now, and this is what is left of the old one; another state has its place.
    `account_gone`: the account that it went to is no more there, and nothing can be taken from it.
    """

    id: int
    award_id: int
    target_key: str
    badge_key: str
    badge_title: str
    person: int
    person_name: str
    period: str
    settings: dict[str, str]
    account_id: int | None
    account: str | None
    desired: str
    observed: str | None
    observed_at: datetime | None
    url: str | None
    attempts: int
    next_at: datetime | None
    error: str | None
    needs_you: str | None
    fence: int
    expires_on: date
    road: str = ""
    moved: bool = False
    description: str = ""
    image: str | None = None
    account_gone: bool = False

    @property
    def in_step(self) -> bool:
        """Whether it was last seen as it should be."""
        return self.observed == self.desired


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How many of a target's states are alike: no names, for counting only.

    `stuck`: an administrator is needed; `account`: an account was known when it was last tried.
    """

    target_key: str
    desired: str
    in_step: bool
    stuck: bool
    account: bool
    count: int


@dataclass(frozen=True, slots=True)
class Run:
    """One pull in the run history."""

    source_key: str
    kind: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    message: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An item that could not be read or placed, whole, with its reason."""

    received_id: int
    source_key: str
    natural_key: str
    code: str
    message: str
    since: datetime
    gone: bool
    body: bytes | None
    envelope: bytes


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One line of the audit trail.

    `reason` is what the actor gave as one. It stands with the merge or the link that the line names
    by its number, because the trail itself holds no text.
    """

    id: int
    at: datetime
    actor: str
    channel: str
    os_user: str
    act: str
    subject: str
    detail: dict[str, object]
    reason: str = ""
