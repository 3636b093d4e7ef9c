"""Mail: its kinds and when each may go, what a letter holds, and the ports to queue and send it.

A mail is queued in the transaction of the act that it tells of, as ids alone, and written when it
is sent: so it says what is true then, and a draft already dealt with is not mailed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, Protocol

from bridge.domain.errors import PeerError
from bridge.domain.ports import Finding
from bridge.domain.times import LONDON


class MailKind(StrEnum):
    """What a mail is about. The values are stored, and stand in unsubscribe links."""

    DRAFTS = "drafts"
    REMINDER = "reminder"
    RETURNED = "returned"
    WAITING = "waiting"
    OVERDUE = "overdue"
    REVIEW = "review"
    AWARDED = "awarded"
    WITHDRAWN = "withdrawn"
    CONTESTED = "contested"
    CORRECTED = "corrected"
    SIGN_IN = "sign-in"
    VERIFIER_LINK = "verifier-link"

    @property
    def stored(self) -> str:
        """How the outbox, which carries more than mail, names it."""
        return f"mail:{self.value}"

    @property
    def switchable(self) -> bool:
        """Whether people may switch it off. Links are asked for, so they always come."""
        return self not in LINKS


#: Mails that carry a link somebody waits for: sent before all others, and at any time.
LINKS = frozenset({MailKind.SIGN_IN, MailKind.VERIFIER_LINK})
#: Mails that come in the morning of a working day, everything of a kind in one.
DIGESTS = frozenset({MailKind.DRAFTS, MailKind.REMINDER, MailKind.OVERDUE, MailKind.REVIEW,
                     MailKind.CONTESTED, MailKind.CORRECTED})  # fmt: skip
#: How each kind is called where people choose what mail they get.
TITLES: Mapping[MailKind, str] = {
    MailKind.DRAFTS: "New drafts to reflect on",
    MailKind.REMINDER: "A reminder while it is fresh",
    MailKind.RETURNED: "Something came back with a question",
    MailKind.WAITING: "Evidence waits for you to verify",
    MailKind.OVERDUE: "Evidence has waited longer than 28 days",
    MailKind.REVIEW: "A yearly review is due",
    MailKind.AWARDED: "You earned a badge",
    MailKind.WITHDRAWN: "A badge was withdrawn",
    MailKind.CONTESTED: "Verified evidence is in doubt",
    MailKind.CORRECTED: "A record behind your evidence was corrected",
    MailKind.SIGN_IN: "Sign-in links that you ask for",
    MailKind.VERIFIER_LINK: "Links to verify without an account",
}

REMIND_AFTER = timedelta(days=7)
#: A draft that came late is not reminded of right after the digest that told of it.
REMIND_AFTER_DRAFT = timedelta(days=3)
#: After that many days it is no longer fresh.
FRESH = timedelta(days=28)
REVIEW_AHEAD = timedelta(days=30)
SATURDAY = 5


def next_digest(now: datetime, hour: int) -> datetime:
    """The next London weekday at `hour` o'clock, after `now`; UTC. Bank holidays count as days."""
    return digest_on(now.astimezone(LONDON).date(), hour, after=now)


def digest_on(day: date, hour: int, *, after: datetime) -> datetime:
    """The first London weekday from `day` on at `hour` o'clock that comes after `after`; UTC."""
    while True:
        moment = datetime.combine(day, time(hour), LONDON).astimezone(UTC)
        if day.weekday() < SATURDAY and moment > after:
            return moment
        day += timedelta(days=1)


def due_at(kind: MailKind, now: datetime, hour: int) -> datetime:
    """When a mail that is queued now goes: links at once, digests next morning, and the others
    some minutes later, so that what is done in one sitting arrives as one mail."""
    if kind in LINKS:
        return now
    if kind in DIGESTS:
        return next_digest(now, hour)
    minutes = 60 if kind is MailKind.WAITING else 5
    step = timedelta(minutes=minutes).total_seconds()
    return datetime.fromtimestamp((now.timestamp() // step + 1) * step, UTC)


def reminder_at(occurred_on: date, now: datetime, hour: int) -> datetime | None:
    """When to remind of a draft that was made now; None where it would not be fresh any more."""
    told = next_digest(now, hour).astimezone(LONDON).date()
    day = max(occurred_on + REMIND_AFTER, told + REMIND_AFTER_DRAFT)
    moment = digest_on(day, hour, after=now)
    fresh = moment.astimezone(LONDON).date() <= occurred_on + FRESH
    return moment if fresh else None


# --- the queue ------------------------------------------------------------------------------
class NewMail(NamedTuple):
    """A mail to queue: for whom, of what (ids only), and not before when."""

    kind: MailKind
    dedupe_key: str
    person: int
    payload: Mapping[str, int | str]
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Queued:
    """A queued mail. `person` is canonical.

    Open with `needs_you`: it waits for a person; with `next_at` too, it is tried again meanwhile.
    Done with an `error`: it was not sent, for that reason. `again`: a sender held it before and
    never let go of it, so that it may have gone out.
    """

    id: int
    kind: MailKind
    dedupe_key: str
    person: int
    payload: Mapping[str, int | str]
    created_at: datetime
    attempts: int
    next_at: datetime | None
    done_at: datetime | None
    needs_you: bool
    error: str | None
    fence: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class MailCounts:
    """How the queue stands: open and due later, open and failing, needing a person, sent."""

    waiting: int = 0
    failing: int = 0
    needs_you: int = 0
    sent: int = 0


class OutboxRepository(Protocol):
    """The queue of mails, and what the sender must know about people."""

    def put(self, mails: Sequence[NewMail], now: datetime) -> None: ...
    def any_due(self, now: datetime) -> bool: ...
    def take_due(self, now: datetime, until: datetime) -> list[Queued]: ...
    def finish(self, mails: Sequence[Queued], now: datetime, reason: str | None) -> bool: ...
    def put_off(
        self,
        mails: Sequence[Queued],
        next_at: datetime | None,
        error: str | None,
        *,
        needs_you: bool = False,
        together: bool = False,
    ) -> bool: ...
    def sent_since(self, person: int, kind: MailKind, since: datetime) -> bool: ...
    def release(self, mail_id: int, now: datetime) -> bool: ...
    def open_mails(self, *, stuck: bool, limit: int, after: int = 0) -> list[Queued]: ...
    def counts(self) -> MailCounts: ...
    def address_of(self, person: int) -> str | None: ...
    def off_kinds(self, person: int) -> set[MailKind]: ...
    def set_off(self, person: int, kinds: set[MailKind], now: datetime) -> None: ...
    def organisation_of(self, evidence_id: int) -> int | None: ...


# --- a letter, and who carries it -------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LetterLine:
    """One thing that a letter tells of, and the page where it is dealt with."""

    text: str
    detail: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """The facts of one mail; its words are the renderer's.

    `lines` are the first of `count` things; `url` is the page of the one button. No reflection
    and no note is ever in it. `message_id` is the same whenever the same letter is sent again;
    `minutes` is how long a link in it is good for.
    """

    kind: MailKind
    to: str
    name: str
    lines: tuple[LetterLine, ...]
    count: int
    url: str = field(repr=False)
    message_id: str
    written_at: datetime
    choices_url: str = ""
    unsubscribe_url: str | None = None
    minutes: int = 0


class AddressRefused(PeerError):
    """The mail server refuses this recipient for good; it will not work until that changes."""


class Mailer(Protocol):
    """Sends letters. `host` is the domain of message ids."""

    @property
    def host(self) -> str:
        """The domain that message ids end with."""
        ...

    def send(self, letter: Letter) -> None:
        """Hand one letter over.

        Raises AddressRefused, TryLater (it was not taken), NeedsAdministrator (nothing goes until
        a setting changes), or BadAnswer where the answer was lost: it may have been taken.
        """
        ...

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        ...

    def doctor(self) -> Finding:
        """Whether letters can go: a harmless try, and what to do where not."""
        ...


def message_id(dedupe_keys: Sequence[str], host: str) -> str:
    """The Message-ID of the letter that these queued mails make together: never another."""
    joined = "\n".join(sorted(dedupe_keys))
    return f"<{sha256(joined.encode()).hexdigest()[:40]}@{host}>"
