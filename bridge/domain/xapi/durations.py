"""Durations of ISO 8601 as minutes, where they say how many minutes that is."""

from __future__ import annotations

import re

_PARTS = re.compile(
    r"P(?:([\d.,]+)W)?(?:([\d.,]+)Y)?(?:([\d.,]+)M)?(?:([\d.,]+)D)?"
    r"(?:T(?:([\d.,]+)H)?(?:([\d.,]+)M)?(?:([\d.,]+)S)?)?",
    re.ASCII,
)
_MINUTES = (7 * 24 * 60, None, None, 24 * 60, 60, 1, 1 / 60)
#: Longer than any course: ten years, in minutes.
_LONGEST = 10 * 366 * 24 * 60


def minutes_of(duration: str) -> float | None:
    """Minutes; None for what has years or months, which differ in length, or is beyond belief."""
    found = _PARTS.fullmatch(duration)
    if found is None:
        return None
    total = 0.0
    for text, each in zip(found.groups(), _MINUTES, strict=True):
        if text is None:
            continue
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            return None
        if each is None:
            if number:
                return None
            continue
        total += number * each
    return total if total <= _LONGEST else None
