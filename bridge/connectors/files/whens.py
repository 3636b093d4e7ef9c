"""When a row says it was: days, times of day and lengths, from whichever columns tell them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from bridge.connectors.booking.dates import (
    Ambiguous,
    BadDate,
    Order,
    Read,
    moment,
    parse,
    parse_clock,
    parse_span,
)
from bridge.connectors.files.cells import Fault
from bridge.connectors.files.profile import Profile
from bridge.domain.records import Precision

Get = Callable[[str], str]
#: So many different times are remembered before they are forgotten.
_REMEMBERED = 20_000


class Whens:
    """Reads the times of one supplier's rows; the same times come again and again."""

    def __init__(self, profile: Profile) -> None:
        self._zone = profile.zone
        self._order = profile.dates
        self._known: dict[tuple[str, ...], tuple[datetime, Precision, float | None]] = {}
        self._days: dict[str, str] = {}
        self._several = bool(profile.sessions)
        self._session_days = [self._session_day(s.day) for s in profile.sessions]

    def _session_day(self, text: str) -> tuple[datetime, Precision] | None:
        return moment(self.read_date("session_date", text), self._zone) if text else None

    def when(self, get: Get, session: int) -> tuple[datetime, Precision, float | None]:
        """When it was, how finely that is known, and how many minutes it was to last.

        `session` is the number of a session column, or -1. Raises Fault.
        """
        told = (
            get("session_date") or get("event_date") or get("check_in"),
            get("start_time"), get("end_time"), get("event_end"), str(session),
        )  # fmt: skip
        found = self._known.get(told)
        if found is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            found = self._known[told] = self._work_out(told, session)
        return found

    def moment_on(self, text: str) -> tuple[datetime, Precision]:
        """The instant of a day of completion. Raises Fault."""
        return moment(self.read_date("completed_on", text), self._zone)

    def day(self, text: str) -> str:
        """A day and its time, for a key. Raises Fault."""
        if not text:
            return ""
        found = self._days.get(text)
        if found is None:
            read = self.read_date("event_date", text)
            if len(self._days) > _REMEMBERED:
                self._days.clear()
            found = self._days[text] = f"{read.day.isoformat()} {read.clock or ''}"
        return found

    def moment_of(self, field: str, text: str, day: str) -> datetime | None:
        """When somebody came or went: a date and time, or a time on the day of the event.

        Raises BadDate.
        """
        try:
            return moment(parse(text, self._order), self._zone)[0]
        except BadDate:
            pass
        clock = parse_clock(text)
        if clock is None:
            return None
        return moment(Read(parse(day, self._order).day, clock), self._zone)[0]

    def is_date(self, text: str) -> bool:
        """Whether a text is a date."""
        try:
            parse(text, self._order)
        except BadDate:
            return False
        return True

    def _work_out(
        self, told: tuple[str, ...], session: int
    ) -> tuple[datetime, Precision, float | None]:
        day, start, end, event_end, _ = told
        if session >= 0 and (own := self._session_days[session]) is not None:
            return (*own, None)
        if not day:
            raise Fault("no-date", "event_date", "There is no date.")
        read = self.read_date("event_date", day)
        if start and (span := parse_span(start)):
            read = Read(read.day, *span, read.offset)
        elif start:
            clock = self._read_clock("start_time", start)
            read = Read(read.day, clock or read.clock, read.until, read.offset)
        until = read.until
        if end:
            until = self._read_clock("end_time", end) or until
        occurred, precision = moment(read, self._zone)
        planned: float | None = None
        if until is not None and read.clock is not None:
            planned = _minutes_between(read.clock, until)
            last, how = moment(Read(read.day, until, None, read.offset), self._zone)
            if planned and Precision.DAY not in (precision, how):
                # An hour less or more in the nights when the clocks change.
                planned = (last - occurred).total_seconds() / 60
        elif event_end and read.clock is not None and not self._several:
            finish = self._read_end(event_end, read)
            if finish is not None:
                last, how = moment(finish, self._zone)
                length = (last - occurred).total_seconds() / 60
                if how is not Precision.DAY and 0 < length <= 24 * 60:
                    planned = length
        return occurred, precision, planned

    def _read_end(self, text: str, start: Read) -> Read | None:
        try:
            return self.read_date("event_end", text)
        except Fault:
            clock = self._read_clock("event_end", text)
            return Read(start.day, clock, None, start.offset) if clock else None

    def read_date(self, field: str, text: str) -> Read:
        """A date by the profile's order. Raises Fault."""
        try:
            return parse(text, self._order)
        except Ambiguous as error:
            raise Fault(
                "ambiguous-date", field,
                f"{error} Say dates: {Order.DAY_FIRST} or {Order.MONTH_FIRST} in the profile.",
            ) from None  # fmt: skip
        except BadDate as error:
            raise Fault("bad-date", field, str(error)) from None

    def _read_clock(self, field: str, text: str) -> time | None:
        try:
            return parse_clock(text)
        except BadDate:
            pass
        try:
            return parse(text, self._order).clock
        except BadDate as error:
            raise Fault("bad-time", field, str(error)) from None


def _minutes_between(start: time, end: time) -> float | None:
    day = date(2000, 1, 1)
    length = datetime.combine(day, end) - datetime.combine(day, start)
    return length / timedelta(minutes=1) if length > timedelta(0) else None
