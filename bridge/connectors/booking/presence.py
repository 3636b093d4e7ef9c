"""From scans at the door to minutes attended, and from those to an attendance state: pure rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bridge.domain.records import AttendanceState


class Scan(NamedTuple):
    """One scan at the door: when, and whether it was on the way in."""

    at: datetime
    entry: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether somebody came, and for how many minutes where that can be told."""

    came: bool
    minutes: float | None = None


def presence(scans: Iterable[Scan], start: datetime, end: datetime | None) -> Presence:
    """What the scans of one person at one session say; instants are aware.

    Minutes are told only where somebody was scanned on the way out, and lie between `start` and
    `end`. Two entries in a row are one stay (a second door); an exit without an entry began at
    `start`; a stay without an exit lasts until `end`, and is not measured where that is unknown.
    """
    # At the same instant one leaves before one comes again.
    ordered = sorted(scans, key=lambda scan: (scan.at, scan.entry))
    if not ordered:
        return Presence(False)
    if all(scan.entry for scan in ordered):
        return Presence(True)
    total, inside, begun = 0.0, False, start
    for scan in ordered:
        if scan.entry:
            begun, inside = (begun if inside else scan.at), True
        elif inside or scan is ordered[0]:
            total += _minutes(begun, scan.at, start, end)
            inside = False
    if inside:
        if end is None:
            return Presence(True)
        total += _minutes(begun, end, start, end)
    return Presence(True, total)


def _minutes(begun: datetime, left: datetime, start: datetime, end: datetime | None) -> float:
    first = max(begun, start)
    last = left if end is None else min(left, end)
    return max(0.0, (last - first).total_seconds() / 60)


def state_of_presence(
    minutes: float | None, planned: float | None, full_from: float
) -> AttendanceState:
    """Full or partial, for somebody who came. `full_from` of the planned minutes is full.

    Where minutes or plan are unknown there is nothing to call partial.
    """
    if minutes is None or not planned or minutes >= planned * full_from:
        return AttendanceState.FULLY_ATTENDED
    return AttendanceState.PARTIALLY_ATTENDED
