"""The instants of statements: RFC 3339, and what else of ISO 8601 xAPI 1.0.x lets through."""

from __future__ import annotations

import re
from datetime import UTC, datetime

#: RFC 3339, which 2.0 asks for; without an offset that says nothing (-00:00).
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](?:([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60))(?:\.(\d++))?"
    r"([Zz]|(?!-00:00)[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
#: What ISO 8601 allows besides, for 1.0.x: the basic form, less than seconds, a decimal comma, an
#: offset of hours alone, or none.
_ISO8601 = re.compile(
    r"(\d{4}-\d\d-\d\d|\d{8})T([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(?:[.,](\d++))?)?)?"
    r"(Z|(?!-00(?::?00)?\Z)[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?",
    re.ASCII,
)


#: The form in which almost all come, of which Python reads what is a date and a time at once.
_COMMON = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)


def read_instant(text: str, *, second: bool) -> datetime | None:
    """The instant that a timestamp names, aware and in UTC; None where it is no valid one.

    `second`: by the second edition, which takes RFC 3339 alone. By the first, ISO 8601's calendar
    dates in full and their times in any form are valid too; one without an offset is taken for UTC,
    as every LRS gives it. What is finer than a microsecond is cut off, and a leap second is the
    second before it.
    """
    if _COMMON.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # A leap second, or no time at all.
    found = (_RFC3339 if second else _ISO8601).fullmatch(text)
    if found is None and not second:
        found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    day, hour, minute, seconds, fraction, offset = found.groups()
    if "-" not in day:
        day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    whole = f"{day}T{hour}:{minute or '00'}:{_second(seconds)}.{(fraction or '0')[:6]:0<6}"
    try:
        return datetime.fromisoformat(whole + _offset(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _second(text: str | None) -> str:
    return "59" if text == "60" else text or "00"


def _offset(text: str | None) -> str:
    if text is None or text in "Zz":
        return "+00:00"
    digits = text[1:].replace(":", "")
    return f"{text[0]}{digits[:2]}:{digits[2:] or '00'}"
