"""Turns the rows of a completions report into learning facts, or says why one cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from bridge.connectors.moodle.cells import (
    AmbiguousDate,
    BadDate,
    course_id,
    moment_of,
    score_of,
    text_of,
    user_id,
)
from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    LearningFact,
    Precision,
    Pulled,
    Status,
    Unreadable,
    cycle_of,
    from_epoch,
)

USER_KIND, COURSE_KIND = "moodle-user", "moodle-course"
#: Unix seconds of 2100: what a Moodle tells of later than that is no date, but milliseconds.
LATEST = 4_102_444_800

# The headings of Moodle's own columns in English, and the plainer names people give them. The
# report may have them in any order, and others besides.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "user": (
        "full name with link",
        "full name with picture and link",
        "user full name with link",
    ),
    "course": (
        "course full name with link",
        "course short name with link",
        "course id number with link",
    ),
    "completed_at": ("time completed", "date completed", "completion date", "completed on"),
    "idnumber": ("id number", "user id number", "staff number"),
    "email": ("email address", "email", "e-mail address"),
    "username": ("username", "user name"),
    "suspended": ("suspended",),
    "completed": ("completed",),
    "grade": ("grade", "course grade", "final grade"),
    "title": ("course full name", "course name"),
    "shortname": ("course short name",),
    "course_idnumber": ("course id number",),
    "category": ("category name", "course category", "category name with link"),
}
REQUIRED: Mapping[str, str] = {
    "user": "Full name with link (under User)",
    "course": "Course full name with link (under Course)",
    "completed_at": "Time completed (under Completion)",
}

Columns = Mapping[str, int]


def columns_of(headings: Sequence[str]) -> dict[str, int]:
    """Where each known column stands; the first one counts where two have the same heading."""
    known = {heading: role for role, names in HEADINGS.items() for heading in names}
    columns: dict[str, int] = {}
    for position, heading in enumerate(headings):
        role = known.get(" ".join(text_of(heading).lower().split()))
        if role is not None:
            columns.setdefault(role, position)
    return columns


class Envelope(msgspec.Struct, frozen=True):
    """What must be known to read a row again: stored once for all rows of the same shape."""

    base: str
    report: int
    headings: list[str]
    zone: str = "UTC"
    grade_max: float = 100.0
    route: str = "report"

    def encode(self) -> bytes:
        """The same bytes for the same context, always."""
        return msgspec.json.encode(self)


class _Row(msgspec.Struct):
    columns: list[str | None]


class _Cells(NamedTuple):
    """The cells of a row by their roles in HEADINGS; None where the report has no such column."""

    user: str | None
    course: str | None
    completed_at: str | None
    idnumber: str | None
    email: str | None
    username: str | None
    suspended: str | None
    completed: str | None
    grade: str | None
    title: str | None
    shortname: str | None
    course_idnumber: str | None
    category: str | None


_decode_row = msgspec.json.Decoder(_Row).decode


class RowReader:
    """Reads rows of one shape of report. `envelope` must have the columns of REQUIRED."""

    def __init__(self, envelope: Envelope) -> None:
        columns = columns_of(envelope.headings)
        self._width = len(envelope.headings)
        # A missing column is read from the None that is put behind each row.
        self._pick = itemgetter(*(columns.get(role, self._width) for role in _Cells._fields))
        self._grade_max = envelope.grade_max
        # Arithmetic in UTC needs no zone, and that is how it nearly always comes.
        self._zone = None if envelope.zone == "UTC" else ZoneInfo(envelope.zone)
        self._zone_name = envelope.zone

    def read(self, body: bytes) -> Pulled | None:
        """One row as it came; None for one that says itself that nothing was completed."""
        try:
            cells = _decode_row(body).columns
        except msgspec.MsgspecError as error:
            return _unreadable(body, "bad-row", f"The row is not a list of texts: {error}.")
        if len(cells) != self._width:
            return _unreadable(
                body,
                "bad-row",
                f"The row has {len(cells)} columns where the report has {self._width}; pull again.",
            )
        return self._read_cells(body, _Cells(*self._pick([*cells, None])))

    def _read_cells(self, body: bytes, cells: _Cells) -> Pulled | None:
        if _text(cells.completed) == "No":
            return None
        account = _account(cells.user, cells.email, cells.idnumber, cells.username, cells.suspended)
        if account is None:
            return _unreadable(
                body,
                "no-user",
                f"{cells.user or ''!r} holds no link to a user's profile, so it is not "
                "known whose completion this is.",
            )
        activity = _activity(
            cells.course, cells.title, cells.course_idnumber, cells.shortname, cells.category
        )
        if activity is None:
            return _unreadable(
                body,
                "no-course",
                f"{cells.course or ''!r} holds no link to a course, so it is not known "
                "what was completed.",
            )
        date = cells.completed_at or ""
        try:
            moment = moment_of(date, self._zone)
        except AmbiguousDate:
            return _unreadable(
                body,
                "ambiguous-date",
                f"{date!r} came twice in {self._zone_name}, when the "
                "clocks went back. Let Moodle show dates in UTC, then pull again.",
            )
        except BadDate:
            return _unreadable(
                body,
                "bad-date",
                f"{date!r} is no date like 'Thursday, 13 July 2023, 9:18 PM'. "
                "Set the service user's language in Moodle to English.",
            )
        if moment is None:
            return undated(account.value, activity.value, body)
        fact = LearningFact(
            account,
            activity,
            Status.COMPLETED,
            moment,
            Precision.MINUTE,
            score_of(cells.grade, self._grade_max) if cells.grade else None,
        )
        return Pulled(completion_key(account.value, activity.value, moment), body, fact)


def _text(cell: str | None) -> str | None:
    """The text of a cell; None where it is missing or empty."""
    return (text_of(cell) or None) if cell else None


# The same people and courses are named again and again, in the same words: each is read once.
@lru_cache(maxsize=8192)
def _account(
    user: str | None,
    email: str | None,
    staff_number: str | None,
    username: str | None,
    suspended: str | None,
) -> AccountFacts | None:
    """The account that these cells tell of; None where no link says which."""
    number = user_id(user or "")
    if number is None:
        return None
    return AccountFacts(
        kind=USER_KIND,
        value=str(number),
        email=_text(email),
        staff_number=_text(staff_number),
        username=_text(username),
        display_name=_text(user),
        suspended=_text(suspended) == "Yes",
    )


@lru_cache(maxsize=4096)
def _activity(
    course: str | None,
    title: str | None,
    idnumber: str | None,
    shortname: str | None,
    category: str | None,
) -> ActivityFacts | None:
    """The course that these cells tell of; None where no link says which."""
    number = course_id(course or "")
    if number is None:
        return None
    return ActivityFacts(
        kind=COURSE_KIND,
        value=str(number),
        title=_text(title) or _text(course),
        idnumber=_text(idnumber),
        shortname=_text(shortname),
        category=_text(category),
    )


def completion_key(user: str, course: str, moment: datetime) -> str:
    """The natural key of a completion (DESIGN 5.1): the same by every route."""
    return f"completion:{user}:{course}:{cycle_of(moment)}"


def instant_of(seconds: float) -> datetime | None:
    """The instant of a Unix time; None for 0 and for what is no moment of Moodle's, as where an
    import wrote milliseconds."""
    return from_epoch(seconds) if 0 < seconds < LATEST else None


def undated(user: str, course: str, body: bytes) -> Pulled:
    """A completion without a date; re-read when Moodle gives it one."""
    return Pulled(
        f"completion:{user}:{course}:undated",
        body,
        Unreadable(
            "no-date",
            f"Moodle says that user {user} completed course {course}, but not when, as after an "
            "import. Without a date it cannot count; set the completion date in Moodle.",
        ),
    )


def _unreadable(body: bytes, code: str, message: str) -> Pulled:
    """Kept whole, under a key that follows from its bytes alone."""
    return Pulled(f"unreadable:{hashlib.sha256(body).hexdigest()}", body, Unreadable(code, message))
