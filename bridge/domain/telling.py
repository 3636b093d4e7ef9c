"""Telling a Learning Record Store what was verified: the settings, what goes out, and the ports.

A decision is queued in the transaction that makes it, as its number alone, and written when it is
sent. No text that anybody wrote is ever in it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID, uuid5

from bridge.domain.errors import PeerError
from bridge.domain.identity import IdentifierKind
from bridge.domain.ports import Finding
from bridge.domain.times import london_date


class KnownAs(StrEnum):
    """What an LRS is told of who somebody is. `OPAQUE`: a name that tells nothing, another for
    each LRS, the same for one person each time."""

    OPAQUE = "opaque"
    STAFF_NUMBER = "staff-number"
    EMAIL = "email"


class Withdraw(StrEnum):
    """How an LRS is told that a verification was revoked: by voiding the statement that told of
    it, or by a further statement, which leaves both to be read."""

    VOID = "void"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Telling:
    """What one LRS is told. Decisions before `since`, a London day, only when somebody asks for it.

    `home` is the bridge's address as it stands in accounts, competencies and verbs, for good;
    `staff_home` that of staff numbers. At most `batch` statements go at once.
    """

    target: str
    since: date
    home: str
    learner: KnownAs = KnownAs.OPAQUE
    assessor: KnownAs = KnownAs.OPAQUE
    staff_home: str = ""
    withdraw: Withdraw = Withdraw.VOID
    batch: int = 50

    def begun(self, decided_at: datetime) -> bool:
        """Whether a decision of then is told by itself."""
        return london_date(decided_at) >= self.since


# --- who --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody as a statement names them: an account, or an address."""

    home: str = ""
    name: str = ""
    email: str = ""


def opaque_name(key: bytes, target: str, person: int) -> str:
    """What one LRS knows a (canonical) person by: it cannot be guessed, turned back into a person,
    or joined with what another LRS knows them by."""
    told = hmac.new(key, f"{target}:{person}".encode(), hashlib.sha256).hexdigest()
    return f"p-{told[:32]}"


def agent(
    telling: Telling,
    known_as: KnownAs,
    person: int,
    identifiers: Mapping[IdentifierKind, str],
    key: bytes,
) -> Agent:
    """A (canonical) person as they are to be named there.

    Who lacks what is configured goes by the opaque name: their verification is told all the same.
    """
    if known_as is KnownAs.STAFF_NUMBER and IdentifierKind.STAFF_NUMBER in identifiers:
        return Agent(telling.staff_home, identifiers[IdentifierKind.STAFF_NUMBER])
    if known_as is KnownAs.EMAIL and IdentifierKind.EMAIL in identifiers:
        return Agent(email=identifiers[IdentifierKind.EMAIL])
    return Agent(telling.home, opaque_name(key, telling.target, person))


# --- what -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as the database has it. People are canonical; `revokes` is the decision that it
    takes back."""

    id: int
    claim_id: int
    decision: str
    method: str | None
    decided_at: datetime
    revokes: int | None
    decider: int
    learner: int
    evidence_id: int
    occurred_on: date
    edition: str
    code: str
    text: str


class Act(StrEnum):
    """What a statement says."""

    VERIFIED = "verified"
    REVOKED = "revoked"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class NewStatement:
    """One statement to send. `key` is our own number of it, `about` the statement that it voids.

    `framework` and `edition` are keys, `title` is the edition's; `method_key` is one of its
    methods, `method` that in words.
    """

    key: int
    id: UUID
    act: Act
    actor: Agent
    learner: Agent
    decided_at: datetime
    home: str
    framework: str
    edition: str
    title: str
    language: str
    code: str
    text: str
    occurred_on: date
    method_key: str
    method: str
    evidence: int
    about: UUID | None = None


def statement_id(key: bytes, target: str, decided: Decided) -> UUID:
    """The id of the statement that tells one LRS of one decision: however often it is sent, it is
    that statement, and nobody else can have made it. `key` is 32 bytes.

    When it was decided is in it, so that a number which is given anew after a backup was put
    back makes another statement.
    """
    name = f"{target}:{decided.id}:{decided.claim_id}:{decided.decided_at.isoformat()}"
    return uuid5(UUID(bytes=key[:16]), name)


# --- the queue --------------------------------------------------------------------------------
class Waits(NamedTuple):
    """A queued decision that was taken to be sent."""

    id: int
    verification: int
    attempts: int
    fence: int


@dataclass(frozen=True, slots=True)
class OpenTelling:
    """One that is not done, for whoever looks after the queue."""

    id: int
    target: str
    verification: int
    decision: str
    created_at: datetime
    next_at: datetime | None
    attempts: int
    needs_you: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class TellingCounts:
    """How one LRS's queue stands: to be sent, failed and tried again, needing a person; `told_at`
    is when it last took one, `reasons` why those that need somebody do."""

    target: str
    waiting: int = 0
    failing: int = 0
    needs_you: int = 0
    told_at: datetime | None = None
    reasons: tuple[str, ...] = ()


class TellingRepository(Protocol):
    """What LRSs are to be told."""

    def put(self, target: str, verifications: Sequence[int], now: datetime) -> int: ...
    def queued(self, target: str, verifications: Collection[int]) -> set[int]: ...
    def missing(self, target: str, since: datetime, limit: int) -> list[int]: ...
    def any_due(self, target: str, now: datetime) -> bool: ...
    def take_due(self, target: str, now: datetime, until: datetime, limit: int) -> list[Waits]: ...
    def stages(self, target: str, verifications: Collection[int]) -> dict[int, Stage]: ...
    def finish(self, waits: Waits, now: datetime, reason: str | None) -> bool: ...
    def put_off(
        self,
        waits: Waits,
        next_at: datetime,
        error: str | None,
        *,
        needs_you: bool = False,
    ) -> bool: ...
    def put_off_rest(self, target: str, now: datetime, until: datetime) -> None: ...
    def release(self, target: str, now: datetime) -> int: ...
    def open_tellings(self, *, limit: int, after: int = 0) -> list[OpenTelling]: ...
    def counts(self, targets: Collection[str]) -> list[TellingCounts]: ...
    def decisions(self, verifications: Collection[int]) -> dict[int, Decided]: ...
    def identifiers(self, people: Collection[int]) -> dict[int, dict[IdentifierKind, str]]: ...


class Stage(NamedTuple):
    """How far telling of a decision has come: `told`, or not told for good (`dropped`), or still
    to be sent, not before `next_at`."""

    told: bool
    dropped: bool
    next_at: datetime | None


# --- who carries it ---------------------------------------------------------------------------
@dataclass(slots=True)
class Told:
    """How sending some statements went, by their keys. What is in none of these was not tried to
    its end, because of `error`.

    `refused` is what the LRS does not take as it is, with its words.
    """

    told: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    error: PeerError | None = None


class Teller(Protocol):
    """An LRS that is told. `key` is its configured name."""

    @property
    def key(self) -> str:
        """The configured name."""
        ...

    def tell(self, statements: Sequence[NewStatement]) -> Told:
        """Send these; what it has already counts as told. Raises nothing that a peer can cause."""
        ...

    def doctor(self) -> list[Finding]:
        """Whether statements can go: as harmless as can be, and what to do where not."""
        ...
