"""What a page was asked for: numbers and words of its address or form, read with care."""

from __future__ import annotations

from flask import request

#: Larger numbers are nobody's row, and SQLite cannot hold them.
LARGEST = 2**62


def number(name: str) -> int | None:
    """A row id in the page's address; None where there is none, or it is no number."""
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        return None
    return min(int(text), LARGEST)


def words(name: str, longest: int = 200) -> str:
    """A word in the page's address, without blanks at its ends; empty where there is none."""
    return request.args.get(name, "").replace("\x00", "").strip()[:longest]


def row_number(text: str) -> int:
    """A row id as a form sends it. Raises ValueError for what is none."""
    value = int(text)
    if not 0 <= value <= LARGEST:
        raise ValueError
    return value
