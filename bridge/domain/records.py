"""Learning records: what a source says about an account and an activity, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import NamedTuple

from bridge.domain.times import aware

SAME_CYCLE = timedelta(minutes=1)
#: In place of a cycle, in the natural key of what has no date.
UNDATED = "undated"


class Status(StrEnum):
    """What the source says happened. Attending is participation only.

    `UNKNOWN`: there was a booking, and nobody marked who came; that is never a no-show.
    """

    COMPLETED = "completed"
    PASSED = "passed"
    FAILED = "failed"
    ATTENDED = "attended"
    PARTLY_ATTENDED = "partly attended"
    MISSED = "missed"
    BOOKED = "booked"
    WAITLISTED = "waitlisted"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def achieved(self) -> bool:
        """Whether it says that something was done, rather than failed, missed or only booked."""
        return self in (Status.COMPLETED, Status.PASSED, Status.ATTENDED)


class AttendanceState(IntEnum):
    """Where a booking stands, by the codes of Moodle's facetoface and Totara's seminars."""

    USER_CANCELLED = 10
    SESSION_CANCELLED = 20
    DECLINED = 30
    REQUESTED = 40
    APPROVED = 50
    WAITLISTED = 60
    BOOKED = 70
    NO_SHOW = 80
    PARTIALLY_ATTENDED = 90
    FULLY_ATTENDED = 100

    @property
    def status(self) -> Status:
        """What that says of the record."""
        return _STATUS_OF[self]


_STATUS_OF = {
    AttendanceState.USER_CANCELLED: Status.CANCELLED,
    AttendanceState.SESSION_CANCELLED: Status.CANCELLED,
    AttendanceState.DECLINED: Status.CANCELLED,
    AttendanceState.REQUESTED: Status.BOOKED,
    AttendanceState.APPROVED: Status.BOOKED,
    AttendanceState.WAITLISTED: Status.WAITLISTED,
    AttendanceState.BOOKED: Status.BOOKED,
    AttendanceState.NO_SHOW: Status.MISSED,
    AttendanceState.PARTIALLY_ATTENDED: Status.PARTLY_ATTENDED,
    AttendanceState.FULLY_ATTENDED: Status.ATTENDED,
}


class Precision(StrEnum):
    """How finely a source tells the time."""

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"


class Disposition(StrEnum):
    """What became of a record; exactly one, decided in this order (DESIGN 5.3)."""

    QUARANTINED = "quarantined"
    UNMAPPED = "unmapped"
    NOT_COUNTING = "not counting"
    UNMATCHED = "unmatched"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """How a source names a person, and what else it says of them.

    `kind` and `value` are the key within the source ("moodle-user", "42"). `deleted`: the source
    says that the account is no more; what else it says of it then is not to be believed.
    """

    kind: str
    value: str
    email: str | None = None
    staff_number: str | None = None
    username: str | None = None
    display_name: str | None = None
    suspended: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ActivityFacts:
    """How a source names a course, event or module; every name is one a mapping may match.

    An activity inside a course (a quiz) has a `module`, its own name. Its `title` is then "Course:
    module", its `value` "COURSE/MODULE" by their ids, its `idnumber` its own, and the names of
    the course that it is a part of are in `course_idnumber` and `course_shortname`.
    """

    kind: str
    value: str
    title: str | None = None
    idnumber: str | None = None
    shortname: str | None = None
    category: str | None = None
    iri: str | None = None
    module: str | None = None
    course_idnumber: str | None = None
    course_shortname: str | None = None
    #: The source tells now more of it and now less: what it leaves out still holds.
    partial: bool = field(default=False, compare=False)

    @property
    def course_title(self) -> str | None:
        """The title of the course as a whole."""
        if self.module is None or self.title is None:
            return self.title
        return self.title.removesuffix(f": {self.module}")

    @property
    def course_id(self) -> str:
        """The source's own id of the course."""
        return self.value if self.module is None else self.value.partition("/")[0]

    @property
    def cmid(self) -> str | None:
        """The source's own id of an activity inside a course."""
        return None if self.module is None else self.value.partition("/")[2]

    def after(self, known: ActivityFacts) -> ActivityFacts:
        """What is known of it once this has been told."""
        if not self.partial:
            return self
        told = {name: getattr(self, name) or getattr(known, name) for name in _NAMES}
        # Under how many courses it is told of makes no difference: the first stands.
        told["category"] = known.category or self.category
        return replace(self, **told)


_NAMES = ("title", "idnumber", "shortname", "category", "iri", "module", "course_idnumber",
          "course_shortname")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Booking:
    """What a booking system says beside the status, as far as it says it.

    `state` is None where a past event has no mark. `said` is the word the source used. `minutes`
    were attended, out of `planned` minutes. `evaluated` says whether the evaluation was handed
    in. `session` names the part of a multi-session event that this is about ("" for the whole),
    and `sessions` how many parts there are.
    """

    state: AttendanceState | None = None
    said: str = ""
    minutes: float | None = None
    planned: float | None = None
    evaluated: bool | None = None
    session: str = ""
    sessions: int | None = None


class LearningFact(NamedTuple):
    """One normalised fact: this account did that activity, then, with this result.

    `score` and `attendance` are fractions from 0 to 1, or None where the source does not say.
    `occurred_at` is aware; `precision` says how much of it to believe. `takes_back_days`: what the
    same account achieved of the same activity in so many days before it is not to be believed any
    more (a failure that corrects a pass).
    """

    account: AccountFacts
    activity: ActivityFacts
    status: Status
    occurred_at: datetime
    precision: Precision = Precision.SECOND
    score: float | None = None
    attendance: float | None = None
    booking: Booking | None = None
    takes_back_days: int = 0


@dataclass(frozen=True, slots=True)
class NoRecord:
    """What was received and tells of no learning: it is kept, and does not count.

    `code` is a short stable word ("nothing-done"). It may take back what was told before: the item
    whose natural key is `voids` (or begins with it and a "#"), or what `account` achieved of
    `activity` in the `days` up to `at`.
    """

    code: str
    voids: str = ""
    account: AccountFacts | None = None
    activity: ActivityFacts | None = None
    at: datetime | None = None
    days: int = 0

    @property
    def words(self) -> str:
        """Why it is no fact, in short."""
        return self.code


@dataclass(frozen=True, slots=True)
class Trainer:
    """Somebody whom a booking system names as having trained at an event.

    It makes them an assessor for that event only, and only where a rule says `assessed: true`.
    `on` is its London date, where the activity is a course that may be held again under the same
    name; None: whenever it was.
    """

    account: AccountFacts
    activity: ActivityFacts
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why an item could not be read or placed; it waits whole in quarantine.

    `code` is a short stable word ("no-date"); `message` says what, where, why and what to do.
    """

    code: str
    message: str

    @property
    def words(self) -> str:
        """Why it is no fact, for a person."""
        return self.message


Fact = LearningFact | Unreadable | NoRecord


class Pulled(NamedTuple):
    """One item as a source gave it: its natural key, its bytes, and what was read from them."""

    natural_key: str
    body: bytes
    fact: Fact


@dataclass(frozen=True, slots=True)
class Page:
    """Some items, and the context ("envelope") without which their bytes cannot be read again.

    `last` marks the end of a complete run: only then may a bookmark move. `bookmark` is the
    instant up to which the run, once complete, has seen everything the source would show.

    On the last page, `whole` says that the run's items are all that there is (so that what is
    missing is gone), or that they are not, or None: they are if the run was a full one. `note`
    is what a person must see to, although the run is complete.

    `absent` are stems of natural keys ("completion:42:7:") of which the source said expressly that
    it now holds nothing but what the same page shows: stored items under them are gone from there.
    A part of one may be "*", for any: "completion:*:7:" is a whole course.

    `resume`: where a full run that ends after this page can go on (`bridge.domain.ports.GoesOn`).

    `accounts` and `activities` are facts that came without an item: what is known of them already
    is brought up to date. `coarser` says that the page came by a road that tells less than others
    of the same source, so that its items never replace a finer reading of the same thing.

    Of a last page, `full` says that the run saw all there is although only changes were asked for;
    `spans` are the beginnings of the natural keys that a full run has seen all of (none: of every
    key); `mark` is a word of the source's own that the next run is handed with the bookmark.
    """

    items: tuple[Pulled, ...]
    envelope: bytes
    last: bool = False
    bookmark: datetime | None = None
    expected: int | None = None
    trainers: tuple[Trainer, ...] = ()
    whole: bool | None = None
    note: str = ""
    absent: tuple[str, ...] = ()
    resume: str = ""
    accounts: tuple[AccountFacts, ...] = ()
    activities: tuple[ActivityFacts, ...] = ()
    coarser: bool = False
    full: bool = False
    spans: tuple[str, ...] = ()
    mark: str = ""


def cycle_of(occurred_at: datetime) -> str:
    """The name of the attempt that ended then: the UTC minute, which every source can tell.

    Re-taking a course gives a new instant and so a new cycle. Moodle's report tells minutes and
    a plugin seconds; both fall in the same minute (DESIGN 5.1).
    """
    return _cycle(aware(occurred_at))


# Key, neighbours and row of a record each ask for it. Only UTC may be remembered: elsewhere two
# instants of the hour that autumn repeats are equal.
@lru_cache(maxsize=8192)
def _cycle(utc: datetime) -> str:
    # As strftime("%Y%m%dT%H%M"), in half its time.
    return utc.isoformat()[:16].replace("-", "").replace(":", "")


def neighbouring_cycles(occurred_at: datetime) -> tuple[str, ...]:
    """The other cycles in which an instant less than a minute from `occurred_at` may lie.

    The next minute begins a whole minute after one that is told without seconds.
    """
    before = cycle_of(occurred_at - SAME_CYCLE)
    if occurred_at.second == occurred_at.microsecond == 0:
        return (before,)
    return before, cycle_of(occurred_at + SAME_CYCLE)


def same_cycle(one: datetime, other: datetime) -> bool:
    """Whether two instants less than a minute apart tell of one attempt (DESIGN 5.1)."""
    return abs(aware(one) - aware(other)) < SAME_CYCLE


def from_epoch(seconds: float) -> datetime:
    """An aware instant from a Unix time, as Moodle and JWTs give it."""
    return datetime.fromtimestamp(seconds, UTC)


Counts = Mapping[Disposition, int]
