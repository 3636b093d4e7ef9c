"""Reads the cells of a custom report: dates, links, grades and text, as Moodle writes them."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september",
         "october", "november", "december"), start=1)
}  # fmt: skip
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?: ?([AP])M)?", re.IGNORECASE)
_TAGS = re.compile(r"<[^>]*>")
_LINK = r'\s*<a\b[^>]*?\bhref="[^"]*{path}\?(?:[^"]*?[&;])?id=(\d{{1,18}})(?:[&#][^"]*)?"'
_USER = re.compile(_LINK.format(path=r"/user/(?:profile|view)\.php"))
_COURSE = re.compile(_LINK.format(path=r"/course/view\.php"))
_BADGE = re.compile(_LINK.format(path=r"/badges/(?:overview|badgeclass)\.php"))


class BadDate(ValueError):
    """A date that is there and cannot be read."""


class AmbiguousDate(ValueError):
    """A local time that came twice, in the hour that autumn repeats."""


def text_of(cell: str) -> str:
    """The text of a cell, markup removed and entities read."""
    if "\0" in cell:
        # JSON can carry it and PostgreSQL cannot; the bytes are kept as they came.
        cell = cell.replace("\0", "")
    if "<" not in cell and "&" not in cell:
        return cell.strip()
    return _text_of_markup(cell)


@lru_cache(maxsize=8192)
def _text_of_markup(cell: str) -> str:
    return " ".join(html.unescape(_TAGS.sub("", cell)).split())


def user_id(cell: str) -> int | None:
    """The user id in "Full name with link", from the link that the cell begins with."""
    return _id_of(_USER, cell)


@lru_cache(maxsize=4096)
def course_id(cell: str) -> int | None:
    """The course id in "Course full name with link"."""
    return _id_of(_COURSE, cell)


@lru_cache(maxsize=1024)
def badge_id(cell: str) -> int | None:
    """The badge id in "Name with link" of a badges report."""
    return _id_of(_BADGE, cell)


def _id_of(pattern: re.Pattern[str], cell: str) -> int | None:
    found = pattern.match(cell)
    return int(found[1]) if found else None


def moment_of(cell: str, zone: ZoneInfo | None = None) -> datetime | None:
    """The instant of a date like `Thursday, 13 July 2023, 9:18 PM`, in UTC; None if there is none.

    Empty, a dash and the epoch (how a zero is shown) mean that there is no date. `zone` is the
    zone Moodle wrote it in, or None for UTC. Raises BadDate, and AmbiguousDate in the hour that
    autumn repeats.
    """
    day_text, comma, clock_text = cell.rpartition(",")
    if not comma:
        if cell.strip() in ("", "-"):
            return None
        raise BadDate(cell)
    midnight, since_midnight = _day(day_text), _clock(clock_text)
    if midnight is None or since_midnight is None:
        raise BadDate(cell)
    moment = midnight + since_midnight
    if zone is not None:
        moment = _in_zone(moment, zone, cell)
    return moment if moment.year > 1970 else None


def _in_zone(moment: datetime, zone: ZoneInfo, cell: str) -> datetime:
    early = moment.replace(tzinfo=zone, fold=0)
    if early.utcoffset() != early.replace(fold=1).utcoffset():
        raise AmbiguousDate(cell)
    return early.astimezone(UTC)


@lru_cache(maxsize=16384)
def _day(text: str) -> datetime | None:
    """Midnight of `Thursday, 13 July 2023`; the name of the weekday may be missing."""
    words = text.rpartition(",")[2].split()
    if len(words) != 3 or not (words[0].isdecimal() and words[2].isdecimal()):
        return None
    month = _MONTHS.get(words[1].lower())
    if month is None:
        return None
    try:
        return datetime(int(words[2]), month, int(words[0]), tzinfo=UTC)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _clock(text: str) -> timedelta | None:
    """The time of day in `9:18 PM` or `21:18`."""
    found = _CLOCK.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2]), (found[3] or "").upper()
    if minute > 59 or hour > 23 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + (12 if half == "P" else 0)
    return timedelta(hours=hour, minutes=minute)


def score_of(cell: str, highest: float) -> float | None:
    """A grade as a fraction from 0 to 1, or None where there is none or it is no number."""
    text = text_of(cell)
    percent = text.endswith("%")
    try:
        value = float(text.rstrip("% ")) / (100.0 if percent else highest)
    except ValueError:
        return None
    return round(value, 6) if 0.0 <= value <= 1.0 else None
