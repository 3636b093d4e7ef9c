"""A column profile: which column of a table is what, as plain data that is kept and replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from bridge.connectors.booking.dates import Order
from bridge.connectors.booking.words import OUTCOME_NAMES, STATE_NAMES, Words, folded
from bridge.domain.records import AttendanceState, Status

ATTENDANCE: Final = "attendance"
COMPLETIONS: Final = "completions"

#: What a column may be. Columns that a profile does not name are never kept.
FIELDS: Mapping[str, str] = {
    "event_title": "the title of the event or course",
    "event_id": "the number of the event or course",
    "event_code": "the code of the event or course",
    "event_date": "the day of the event, with its time or without",
    "event_end": "when the event ends",
    "start_time": "the time of day when it starts",
    "end_time": "the time of day when it ends",
    "session": "which session of the event",
    "session_date": "the day of that session",
    "name": "the person's whole name",
    "first_name": "the person's first name",
    "last_name": "the person's surname",
    "email": "the person's email address",
    "staff_number": "the person's staff number",
    "username": "the person's user name",
    "employer": "the person's organisation",
    "reference": "the number of the booking",
    "role": "delegate or trainer",
    "status": "where the booking stands, or what was completed",
    "attended": "whether they came",
    "partly": "whether they came for a part",
    "missed": "whether they did not come",
    "cancelled": "whether, or when, it was cancelled",
    "waitlisted": "whether they wait for a place",
    "check_in": "whether, or when, they checked in",
    "check_out": "when they checked out",
    "minutes": "how many minutes they attended",
    "hours": "how many hours they attended",
    "planned_minutes": "how many minutes the event lasts",
    "attendance": "how much of it they attended, in percent",
    "evaluated": "whether, or when, the evaluation was handed in",
    "score": "the score or grade",
    "completed_on": "the day of completion",
    "started_on": "the day of enrolment or start",
    "trainer": "the trainer's name",
    "trainer_email": "the trainer's email address",
}
ACTIVITY_FIELDS = ("event_id", "event_code", "event_title")
#: What makes a row itself, beside any column: what the event, day, person and session come to.
KEY_PARTS = ("event", "date", "person", "session")
TICKS: Mapping[str, bool | None] = {"yes": True, "no": False, "no mark": None}


@dataclass(frozen=True, slots=True)
class SessionColumn:
    """A column that says of one session of the row's event who came. `day` is that session's."""

    column: str
    name: str
    day: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the columns of one supplier's tables are.

    `columns` gives the heading of each field (a second column of the same heading is "Email #2").
    `above` gives the label, over the table, beside which a field stands, and `fixed` what no
    part of the file says. `dates` is there where a date could be two. `when_silent` is the
    status of a row where no column says one. `key` names what makes a row itself. `complete`:
    a file is the whole, so that a row missing from it is gone.
    """

    name: str
    kind: str = ATTENDANCE
    title: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    sessions: Sequence[SessionColumn] = ()
    above: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    dates: Order | None = None
    timezone: str = "Europe/London"
    encoding: str = ""
    separator: str = ""
    sheet: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    when_silent: str = ""
    key: Sequence[str] = ()
    complete: bool = False
    score_max: float = 100.0
    full_from: float = 0.8

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Profile:
        """From a profile file's data, which has been checked against its schema."""
        return Profile(
            name=data["profile"],
            kind=data.get("kind", ATTENDANCE),
            title=data.get("title", ""),
            columns=dict(data.get("columns", {})),
            sessions=tuple(
                SessionColumn(each["column"], each.get("name", each["column"]), each.get("day", ""))
                for each in data.get("sessions", ())
            ),
            above=dict(data.get("above", {})),
            fixed=dict(data.get("fixed", {})),
            dates=Order(data["dates"]) if "dates" in data else None,
            timezone=data.get("timezone", "Europe/London"),
            encoding=data.get("encoding", ""),
            separator=data.get("separator", ""),
            sheet=data.get("sheet", ""),
            words=dict(data.get("words", {})),
            when_silent=data.get("when_silent", ""),
            key=tuple(data.get("key", ())),
            complete=data.get("complete", False),
            score_max=float(data.get("score_max", 100)),
            full_from=float(data.get("full_from", 0.8)),
        )

    def to_data(self) -> dict[str, Any]:
        """The same as data, without what goes without saying; `from_data` turns it back."""
        data: dict[str, Any] = {"profile": self.name, "kind": self.kind}
        if self.title:
            data["title"] = self.title
        data["columns"] = dict(self.columns)
        if self.sessions:
            data["sessions"] = [
                {"column": s.column, "name": s.name} | ({"day": s.day} if s.day else {})
                for s in self.sessions
            ]
        for key, value in (
            ("above", dict(self.above)),
            ("fixed", dict(self.fixed)),
            ("dates", self.dates.value if self.dates else ""),
            ("timezone", self.timezone if self.timezone != "Europe/London" else ""),
            ("encoding", self.encoding),
            ("separator", self.separator),
            ("sheet", self.sheet),
            ("words", dict(self.words)),
            ("when_silent", self.when_silent),
            ("key", list(self.key)),
            ("complete", self.complete),
            ("score_max", self.score_max if self.score_max != 100 else None),
            ("full_from", self.full_from if self.full_from != 0.8 else None),
        ):
            if value:
                data[key] = value
        return data

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of times that name none."""
        return ZoneInfo(self.timezone)

    @property
    def meanings(self) -> Words:
        """What this supplier's own words mean."""
        states: dict[str, AttendanceState | None] = {}
        outcomes: dict[str, Status | None] = {}
        for word, meaning in self.words.items():
            if meaning in STATE_NAMES:
                states[folded(word)] = STATE_NAMES[meaning]
            if meaning in OUTCOME_NAMES:
                outcomes[folded(word)] = OUTCOME_NAMES[meaning]
        return Words(states, outcomes)

    @property
    def ticks(self) -> dict[str, bool | None]:
        """What this supplier's own ticks mean, by folded text."""
        return {folded(w): TICKS[m] for w, m in self.words.items() if m in TICKS}

    def row_key(self) -> tuple[str, ...]:
        """What makes a row itself, spelled out where the profile leaves it to us."""
        if self.key:
            return tuple(self.key)
        if self.kind == COMPLETIONS:
            return ("person", "event", "date")
        if "reference" in self.columns:
            return ("reference", "person", "session")
        return ("event", "date", "person", "session")
