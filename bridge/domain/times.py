"""Time as the rules mean it: aware UTC instants, London dates, calendar months."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def aware(moment: datetime) -> datetime:
    """`moment` in UTC. Raises ValueError for a naive one: nobody knows which instant it is."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; give an aware datetime")
    return moment.astimezone(UTC)


def london_date(moment: datetime) -> date:
    """The date on a London wall when `moment` happened: what a working day means here."""
    return aware(moment).astimezone(LONDON).date()


def end_of_london_day(day: date) -> datetime:
    """The last whole second of a London day, in UTC: what is current "until" it ends then."""
    after = datetime.combine(day + timedelta(days=1), time(), LONDON)
    return after.astimezone(UTC) - timedelta(seconds=1)


@lru_cache(maxsize=1024)
def add_months(day: date, months: int) -> date:
    """`day` moved by calendar months; 31 January plus one month is the last of February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def next_london(now: datetime, at: str) -> datetime:
    """The next instant after `now` at which a London wall clock shows `at` ("HH:MM").

    There is exactly one for each date: a time that the clocks jump over in spring comes as long
    after the jump, and of one that autumn repeats the first is meant.
    """
    hour, minute = map(int, at.split(":"))
    today = london_date(now)
    for day in (today, today + timedelta(days=1)):
        moment = datetime.combine(day, time(hour, minute), LONDON).astimezone(UTC)
        if moment > now:
            return moment
    raise AssertionError("tomorrow's is after now")
