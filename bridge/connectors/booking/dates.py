"""Reads dates and times as exports write them; which of day and month comes first is never guessed.

Three questions are kept apart: which orders a text could be in (`orders_of`), which one a whole
column can be in (`settle`), and what instant a text is, once the order is known (`parse`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from bridge.domain.records import Precision
from bridge.domain.times import LONDON

#: Outside of these a date is a slip, and soon none that can be reckoned with.
YEARS = range(1900, 2200)


class Order(StrEnum):
    """Which number of 03/04/2026 is the day. The UK writes the day first."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class BadDate(ValueError):
    """The text is no date. The message says what was found; whose cell it is, the caller knows."""


class Ambiguous(BadDate):
    """The text is two dates, depending on the order, and nobody has said which order it is."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a text says. `clock` is None where it has no time of day; `until` ends a span of one
    day ("09:30 - 16:30"). `zone` is there where the text itself names its offset from UTC."""

    day: date
    clock: time | None = None
    until: time | None = None
    offset: timedelta | None = None


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sep sept", "october oct", "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip

_CLOCK = (
    r"(?:\d{1,2}(?:[:.]\d{2}){1,2}(?:\.\d+)?\s*(?:[ap]\.?m\.?)?|\d{1,2}\s*(?:[ap]\.?m\.?)|noon)"
)
_TIMES = re.compile(
    rf"(?:[T,@ ]|\bat\b|\bfrom\b|[-–—])*\s*(?P<clock>{_CLOCK})"
    rf"(?:\s*(?:-|–|—|\bto\b|\buntil\b|\btill\b)\s*(?P<until>{_CLOCK}))?"
    r"\s*(?P<zone>Z|UTC|GMT|BST|[+-]\d{2}:?\d{2})?\s*$",
    re.I,
)
_ISO = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?=$|[T ,])")
_COMPACT = re.compile(r"^(19\d\d|20\d\d)(\d\d)(\d\d)(?=$|T)")
_NUMBERS = re.compile(r"^(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})(?=$|[\sT,@-])")
_DAY_MONTH = re.compile(
    r"^(\d{1,2})(?:st|nd|rd|th)?(?:\s+of)?[-\s/.]*([a-z]{3,9})\.?,?[-\s/.]*'?(\d{4}|\d{2})(?=$|[\s,@-])",
    re.I,
)
_MONTH_DAY = re.compile(
    r"^([a-z]{3,9})\.?[-\s]*(\d{1,2})(?:st|nd|rd|th)?,?[-\s]+(\d{4})(?=$|[\s,@-])", re.I
)
_WEEKDAY = re.compile(
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b[.,]?\s*", re.I
)
_SERIAL = re.compile(r"^\d{5}(?:\.\d+)?$")
_EXCEL_EPOCH = date(1899, 12, 30)
#: Serial numbers of 1990 to 2099; five digits outside it are somebody's number.
_SERIALS = range(32_874, 73_051)
_EPOCH = re.compile(r"^1\d{9}$")
_OFFSETS = {"z": 0, "utc": 0, "gmt": 0, "bst": 60}


def _tidy(text: str) -> str:
    return _WEEKDAY.sub("", " ".join(text.replace("\u00a0", " ").split()))


def _numbers(text: str) -> tuple[int, int, int] | None:
    """The three numbers of 03/04/2026, if that is how it is written."""
    found = _NUMBERS.match(_tidy(text))
    if not found:
        return None
    return int(found[1]), int(found[3]), _year(found[4])


def _year(text: str) -> int:
    number = int(text)
    return number if len(text) == 4 else number + (2000 if number < 70 else 1900)


@lru_cache(maxsize=4096)
def orders_of(text: str) -> frozenset[Order] | None:
    """The orders in which a text of three numbers is a date (both, one or none of them).

    None for any other text: its order needs no settling, or it is no date at all.
    """
    found = _numbers(text)
    if found is None:
        return None
    first, second, year = found
    orders = set()
    for order, day, month in (
        (Order.DAY_FIRST, first, second),
        (Order.MONTH_FIRST, second, first),
    ):
        try:
            date(year, month, day)
        except ValueError:
            continue
        orders.add(order)
    if first == second and len(orders) == 2:
        return None  # 04/04/2026 is one day in any order
    return frozenset(orders)


def settle(texts: Iterable[str]) -> frozenset[Order]:
    """The orders in which every one of these texts is a date: one settles it, both is ambiguous,
    none means that the column mixes them (or holds what is no date)."""
    left = frozenset(Order)
    for text in texts:
        orders = orders_of(text)
        if orders is not None:
            left &= orders
    return left


@lru_cache(maxsize=16384)
def parse(text: str, order: Order | None = None) -> Read:
    """What a text says. Without an order, a text that could be two dates raises Ambiguous.

    Raises BadDate for anything that is no date.
    """
    plain = _tidy(text)
    day, rest = _day(plain, order, text)
    if day is None:
        return _serial(plain, text)
    if day.year not in YEARS:
        raise BadDate(f"'{text}' is no day on which anybody here was trained.")
    if not rest.strip(" ,"):
        return Read(day)
    found = _TIMES.fullmatch(rest)
    if not found:
        raise BadDate(f"'{text}' is no date and time that is known here.")
    offset = _offset(found["zone"])
    until = _clock(found["until"], text) if found["until"] else None
    return Read(day, _clock(found["clock"], text), until, offset)


def _day(plain: str, order: Order | None, text: str) -> tuple[date | None, str]:
    """The day that a text begins with, and what comes after it."""
    try:
        if found := _ISO.match(plain) or _COMPACT.match(plain):
            return date(int(found[1]), int(found[2]), int(found[3])), plain[found.end() :]
        if found := _DAY_MONTH.match(plain):
            month = _MONTHS.get(found[2].casefold())
            if month:
                return date(_year(found[3]), month, int(found[1])), plain[found.end() :]
        if found := _MONTH_DAY.match(plain):
            month = _MONTHS.get(found[1].casefold())
            if month:
                return date(int(found[3]), month, int(found[2])), plain[found.end() :]
        if found := _NUMBERS.match(plain):
            first, second, year = int(found[1]), int(found[3]), _year(found[4])
            if first != second and order is None:
                possible = orders_of(plain) or frozenset()
                if len(possible) == 2:
                    raise Ambiguous(f"'{text}' is two dates: nobody says if the day comes first.")
                order = next(iter(possible), Order.DAY_FIRST)
            if order is Order.MONTH_FIRST:
                first, second = second, first
            return date(year, second, first), plain[found.end() :]
    except Ambiguous:
        raise
    except ValueError:
        raise BadDate(f"'{text}' is not a day of any calendar.") from None
    return None, plain


def _serial(plain: str, text: str) -> Read:
    """Excel's count of days, with the time as the fraction; or a Unix time in seconds."""
    if _SERIAL.match(plain) and int(float(plain)) in _SERIALS:
        days, _, fraction = plain.partition(".")
        day = _EXCEL_EPOCH + timedelta(days=int(days))
        seconds = round(float(f"0.{fraction or 0}") * 86_400)
        return Read(day, _seconds(seconds) if fraction.strip("0") and seconds < 86_400 else None)
    if _EPOCH.match(plain):
        moment = datetime.fromtimestamp(int(plain), UTC)
        return Read(moment.date(), moment.time(), None, timedelta(0))
    raise BadDate(f"'{text}' is no date." if plain else "There is no date.")


def _seconds(count: int) -> time:
    return time(count // 3600, count // 60 % 60, count % 60)


def _offset(zone: str | None) -> timedelta | None:
    if not zone:
        return None
    if zone.casefold() in _OFFSETS:
        return timedelta(minutes=_OFFSETS[zone.casefold()])
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return timedelta(minutes=-minutes if zone[0] == "-" else minutes)


@lru_cache(maxsize=4096)
def parse_clock(text: str) -> time | None:
    """A time of day alone ("9.30am", "16:30", 0.6875 as Excel has it); None where empty.

    Raises BadDate.
    """
    plain = " ".join(text.split())
    if not plain:
        return None
    if re.fullmatch(r"0?\.\d+", plain):
        seconds = round(float(plain) * 86_400)
        if seconds < 86_400:
            return _seconds(seconds)
    if not re.fullmatch(_CLOCK, plain, re.I):
        raise BadDate(f"'{text}' is no time of day.")
    return _clock(plain, text)


def parse_span(text: str) -> tuple[time, time] | None:
    """Two times of day with a dash between them ("09:30 - 16:30"); None for anything else."""
    found = re.fullmatch(rf"({_CLOCK})\s*(?:-|–|—|\bto\b)\s*({_CLOCK})", text.strip(), re.I)
    return (_clock(found[1], text), _clock(found[2], text)) if found else None


def _clock(part: str, text: str) -> time:
    plain = part.casefold().replace(" ", "").replace("a.m.", "am").replace("p.m.", "pm")
    if plain == "noon":
        return time(12)
    half = plain[-2:] if plain.endswith(("am", "pm")) else ""
    numbers = re.split(r"[:.]", plain.removesuffix(half))
    try:
        hour, minute, second = (int(n) for n in (*numbers, "0", "0")[:3])
        if half:
            if not 1 <= hour <= 12:
                raise ValueError
            hour = hour % 12 + (12 if half == "pm" else 0)
        return time(hour, minute, second)
    except ValueError:
        raise BadDate(f"'{text}' has no such time of day.") from None


@lru_cache(maxsize=16384)
def moment(read: Read, zone: ZoneInfo = LONDON) -> tuple[datetime, Precision]:
    """The instant, in UTC, and how much of it to believe.

    A day without a time begins at midnight there. In the hour that autumn repeats a local time is
    two instants: then only the day is believed.
    """
    if read.clock is None:
        return datetime.combine(read.day, time(), zone).astimezone(UTC), Precision.DAY
    if read.offset is not None:
        instant = datetime.combine(read.day, read.clock, UTC) - read.offset
        return instant, Precision.SECOND if read.clock.second else Precision.MINUTE
    local = datetime.combine(read.day, read.clock, zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        return datetime.combine(read.day, time(), zone).astimezone(UTC), Precision.DAY
    return local.astimezone(UTC), Precision.SECOND if read.clock.second else Precision.MINUTE
