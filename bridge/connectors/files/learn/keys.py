"""Chooses what makes a row itself: the fewest columns by which every row of the file differs."""

from __future__ import annotations

from itertools import islice

from bridge.connectors.files.cells import Fault
from bridge.connectors.files.loading import Sheet
from bridge.connectors.files.opening import Opened
from bridge.connectors.files.profile import COMPLETIONS, Profile
from bridge.domain.errors import BridgeError

#: So many rows are compared.
COMPARED = 20_000


def choose_key(profile: Profile, table: Opened) -> tuple[str, ...]:
    """The first key, from the plainest, by which no two different rows are one.

    The profile's own default where none does, or where rows cannot be read yet.
    """
    session = tuple(f for f in ("session",) if f in profile.columns or "session_date" in
                    profile.columns)  # fmt: skip
    if profile.kind == COMPLETIONS:
        return ("person", "event", "date")
    candidates = [("event", "date", "person", *session)]
    if "reference" in profile.columns:
        candidates = [
            ("reference", *session),
            ("reference", "person", *session),
            ("reference", "event", "date", "person", *session),
            *candidates,
        ]
    try:
        sheet = Sheet(table, profile)
        rows = [cells for _, cells in islice(sheet.rows(), COMPARED)]
    except BridgeError:
        return candidates[0]
    for key in candidates:
        if _tells_apart(sheet, key, rows):
            return key
    return candidates[-1]


def _tells_apart(sheet: Sheet, key: tuple[str, ...], rows: list[list[str]]) -> bool:
    seen: dict[str, list[str]] = {}
    for cells in rows:
        try:
            name = sheet.reader.key_of(cells, key)
        except Fault as fault:
            if fault.code == "no-key":
                return False
            continue
        if seen.setdefault(name, cells) != cells:
            return False
    return True
