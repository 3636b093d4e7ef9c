"""How well what a column holds fits what its heading says: from 0 (it cannot be) to 1."""

from __future__ import annotations

from collections.abc import Callable

from bridge.connectors.booking.words import folded
from bridge.connectors.files.learn.contents import Column
from bridge.domain.records import AttendanceState

_HONORIFICS = frozenset(
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "cllr", "professor"]
)


def _email(c: Column) -> float:
    return 1.0 if c.emails > 0.6 else 0.0


def _date(c: Column) -> float:
    if c.dates <= 0.7:
        return 0.0
    # Bare numbers are dates only by accident, unless the heading says so.
    return 0.97 if c.plain_numbers > 0.7 else 1.0


def _clock(c: Column) -> float:
    return 1.0 if c.clocks > 0.7 else 0.0


def _text(c: Column) -> float:
    return 1.0 if c.words and not (c.emails > 0.3 or c.dates > 0.5) else 0.0


def _event(c: Column) -> float:
    if not _text(c) or c.ticks > 0.7:
        return 0.0
    if c.names > 0.8 and c.variety > 0.3:
        return 0.6
    if {folded(text) for text in c.distinct} <= _HONORIFICS:
        return 0.0
    return 1.0 if c.variety < 0.9 or c.rows < 8 else 0.9


def _person(c: Column) -> float:
    if not _text(c):
        return 0.0
    if c.names > 0.6:
        return 1.0
    return 0.3 if c.names > 0.3 else 0.0


def _one_name(c: Column) -> float:
    return 1.0 if _text(c) and c.one_names > 0.7 else 0.0


def _state(c: Column) -> float:
    if c.dates > 0.7 or c.emails > 0.1 or c.average_length > 40:
        return 0.0
    if 0.3 < c.ticks < 0.95 and c.marks > 0.9:
        return 0.5
    if c.states > 0.6 or c.outcomes > 0.6:
        return 1.0 if not (c.ticks > 0.95 or c.numbers > 0.5) else 0.5
    if c.numbers > 0.5 or c.ticks > 0.7 or len(c.distinct) > 15:
        return 0.0
    return 0.8 if c.variety < 0.5 or c.rows < 12 else 0.3


def _tick(c: Column) -> float:
    if c.ticks > 0.8:
        return 1.0
    if c.states > 0.8 and c.says_who_came:
        return 0.9
    if c.ticks > 0.3 and c.marks > 0.9:
        return 0.95
    return 0.7 if c.ticks > 0.4 and len(c.distinct) < 12 else 0.0


def _tick_or_day(c: Column) -> float:
    if c.dates > 0.7:
        return 1.0
    return _tick(c)


def _flag(*states: AttendanceState) -> Callable[[Column], float]:
    """A column that marks one state and no other: by ticks, days, or its own words."""

    def fits(c: Column) -> float:
        if c.ticks < 0.8 and c.dates < 0.7 and c.told_states - {None, *states}:
            return 0.0
        return _tick_or_day(c) or (0.9 if c.states > 0.9 else 0.0)

    return fits


def _username(c: Column) -> float:
    if c.emails > 0.6:
        return 1.0
    # Nobody signs in with a blank in their name, or by a name that many share.
    if c.spaced > 0.1 or (c.variety < 0.2 and c.rows > 10):
        return 0.0
    return _person_number(c)


def _moment(c: Column) -> float:
    if c.clocks > 0.7 or c.timed > 0.7 or (c.dates > 0.7 and c.plain_numbers < 0.5):
        return 1.0
    return 0.9 if c.ticks > 0.8 or (c.states > 0.8 and not c.dates) else 0.0


def _number(c: Column) -> float:
    return 1.0 if c.numbers > 0.7 and c.dates < 0.5 else 0.0


def _percent(c: Column) -> float:
    if c.percents > 0.7:
        return 1.0
    return 0.95 if c.numbers > 0.9 and c.dates < 0.5 and c.ticks < 0.8 else 0.0


def _length(c: Column) -> float:
    return 1.0 if c.durations > 0.7 and c.dates < 0.5 and c.percents < 0.3 else 0.0


def _identifier(c: Column) -> float:
    if c.plain_numbers > 0.9:
        return 1.0 if c.ticks < 0.8 else 0.0
    if c.emails > 0.5 or c.dates > 0.5 or c.ticks > 0.8:
        return 0.0
    return 1.0 if c.average_length < 40 and c.names < 0.5 else 0.0


def _booking(c: Column) -> float:
    if c.plain_numbers > 0.9 and c.emails == 0 and c.variety > 0.5:
        return 1.0
    return _identifier(c) if c.variety > 0.2 or c.rows < 5 else 0.3


def _person_number(c: Column) -> float:
    if c.plain_numbers > 0.9:
        return 1.0 if c.ticks < 0.8 else 0.0
    return _identifier(c)


def _session(c: Column) -> float:
    if c.dates > 0.7 and c.plain_numbers < 0.7:
        return 0.0
    return 0.9 if c.variety < 0.9 or c.rows < 8 else 0.3


def _role(c: Column) -> float:
    # Lecturers and tutors alone are what delegates work as: nobody who came would be left.
    return 1.0 if c.roles > 0.9 and c.trainers < 0.5 else 0.0


def _any(c: Column) -> float:
    return 1.0 if _text(c) else 0.0


_FITS: dict[str, Callable[[Column], float]] = {
    "event_title": _event,
    "event_id": _identifier,
    "event_code": _identifier,
    "event_date": _date,
    "event_end": _date,
    "start_time": _clock,
    "end_time": _clock,
    "session": _session,
    "session_date": _date,
    "name": _person,
    "first_name": _one_name,
    "last_name": _one_name,
    "email": _email,
    "staff_number": _person_number,
    "username": _username,
    "employer": _any,
    "reference": _booking,
    "role": _role,
    "status": _state,
    "attended": _tick,
    "partly": _flag(AttendanceState.PARTIALLY_ATTENDED),
    "missed": _flag(AttendanceState.NO_SHOW),
    "cancelled": _flag(AttendanceState.USER_CANCELLED, AttendanceState.SESSION_CANCELLED),
    "waitlisted": _flag(AttendanceState.WAITLISTED),
    "check_in": _moment,
    "check_out": lambda c: 0.0 if c.ticks > 0.8 else _moment(c),
    "minutes": _length,
    "hours": _length,
    "planned_minutes": _length,
    "attendance": _percent,
    "evaluated": lambda c: max(_tick_or_day(c), 0.9 if _state(c) >= 0.8 else 0.0),
    "score": _percent,
    "completed_on": _date,
    "started_on": _date,
    "trainer": lambda c: 1.0 if c.names > 0.5 else 0.0,
    "trainer_email": _email,
}

#: What an empty column may still be: nothing in it speaks against its heading.
EMPTY = 0.8


def fit(field: str, column: Column) -> float:
    """How well the cells fit the field."""
    return EMPTY if column.empty else _FITS[field](column)
