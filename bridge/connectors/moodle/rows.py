"""Turns the rows of a completions report into learning facts, or says why one cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
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
)

USER_KIND, COURSE_KIND = "moodle-user", "moodle-course"

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


_decode_row = msgspec.json.Decoder(_Row).decode


class RowReader:
    """Reads rows of one shape of report. `envelope` must have the columns of REQUIRED."""

    def __init__(self, envelope: Envelope) -> None:
        self.columns = columns_of(envelope.headings)
        self._width = len(envelope.headings)
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
        return self._read_cells(body, cells)

    def _read_cells(self, body: bytes, cells: Sequence[str | None]) -> Pulled | None:
        if self._cell(cells, "completed") == "No":
            return None
        user_cell = cells[self.columns["user"]] or ""
        course_cell = cells[self.columns["course"]] or ""
        user, course = user_id(user_cell), course_id(course_cell)
        if user is None:
            return _unreadable(
                body,
                "no-user",
                f"{user_cell!r} holds no link to a user's profile, so it is not "
                "known whose completion this is.",
            )
        if course is None:
            return _unreadable(
                body,
                "no-course",
                f"{course_cell!r} holds no link to a course, so it is not known "
                "what was completed.",
            )
        date = cells[self.columns["completed_at"]] or ""
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
            return undated(user, course, body)
        fact = LearningFact(
            account=AccountFacts(
                kind=USER_KIND,
                value=str(user),
                email=self._cell(cells, "email"),
                staff_number=self._cell(cells, "idnumber"),
                username=self._cell(cells, "username"),
                display_name=text_of(user_cell) or None,
                suspended=self._cell(cells, "suspended") == "Yes",
            ),
            activity=_activity(
                course,
                self._cell(cells, "title") or text_of(course_cell) or None,
                self._cell(cells, "course_idnumber"),
                self._cell(cells, "shortname"),
                self._cell(cells, "category"),
            ),
            status=Status.COMPLETED,
            occurred_at=moment,
            precision=Precision.MINUTE,
            score=score_of(self._cell(cells, "grade") or "", self._grade_max),
        )
        return Pulled(completion_key(user, course, moment), body, fact)

    def _cell(self, cells: Sequence[str | None], role: str) -> str | None:
        """The text of an optional column; None where it is missing or empty."""
        position = self.columns.get(role)
        cell = cells[position] if position is not None else None
        return text_of(cell) or None if cell else None


@lru_cache(maxsize=4096)
def _activity(
    course: int,
    title: str | None,
    idnumber: str | None,
    shortname: str | None,
    category: str | None,
) -> ActivityFacts:
    """One object for one course: a page names the same few courses again and again."""
    return ActivityFacts(COURSE_KIND, str(course), title, idnumber, shortname, category)


def completion_key(user: int, course: int, moment: datetime) -> str:
    """The natural key of a completion (DESIGN 5.1): the same by every route."""
    return f"completion:{user}:{course}:{cycle_of(moment)}"


def undated(user: int, course: int, body: bytes) -> Pulled:
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
