"""Single cells: a fault in one, and the numbers that exports write."""

from __future__ import annotations

from bridge.connectors.booking.words import folded
from bridge.domain.problems import BadFile

#: Three years, without a break.
MOST_MINUTES = 1_576_800


class Fault(Exception):
    """A cell that cannot be read: `code` is a short stable word, `field` the column at fault."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message = code, field, message


class HalfFile(BadFile):
    """A file that breaks off: it may be on its way still, and whole in a minute."""


def minutes_of(text: str, unit: float = 1.0) -> float | None:
    """Minutes from "330", "330 mins", "5h 30m", "5:30" or "05:30:00"; None for anything else.

    A bare number counts as many minutes as `unit` says. So is what is below nought, or more than
    anybody ever attended.
    """
    found = _minutes(text, unit)
    return found if found is not None and 0 <= found <= MOST_MINUTES else None


def _minutes(text: str, unit: float) -> float | None:
    plain = folded(text).replace(" ", "").replace(",", "")
    for long, short in (("minutes", "m"), ("mins", "m"), ("min", "m"), ("hours", "h"),
                        ("hour", "h"), ("hrs", "h"), ("hr", "h")):  # fmt: skip
        plain = plain.replace(long, short)
    try:
        if ":" in plain:
            hours, minutes, *_ = plain.split(":")
            return float(int(hours) * 60 + int(minutes))
        hours, h, minutes = plain.partition("h")
        if h:
            return float(hours) * 60 + float(minutes.rstrip("m") or 0)
        return float(plain.rstrip("m")) * (1.0 if plain.endswith("m") else unit)
    except (ValueError, OverflowError):
        return None


def share_of(text: str, most: float) -> float | None:
    """A fraction from 0 to 1 from "85%", "17/20" or a number out of `most`; None where empty.

    Raises ValueError, in words.
    """
    if not text or folded(text) in ("-", "n/a", "na", "none", "not graded"):
        return None
    plain = text.replace(" ", "").replace(",", "")
    try:
        if plain.endswith("%"):
            share = float(plain[:-1]) / 100
        elif "/" in plain:
            part, _, whole = plain.partition("/")
            share = float(part) / float(whole)
        else:
            share = float(plain) / most
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"'{text}' is no score or percentage.") from None
    if not 0 <= share <= 1.0001:
        raise ValueError(f"'{text}' lies outside 0 to {most:g}.")
    return min(1.0, round(share, 6))
