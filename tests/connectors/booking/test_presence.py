"""From scans at the door to minutes: the rules by property, and the cases people ask about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectors.booking.presence import Presence, Scan, presence, state_of_presence
from bridge.domain.records import AttendanceState

START = datetime(2026, 11, 12, 9, 30, tzinfo=UTC)
END = START + timedelta(hours=6)
scans = st.lists(
    st.builds(
        Scan, st.integers(-120, 480).map(lambda m: START + timedelta(minutes=m)), st.booleans()
    ),
    max_size=8,
)


def at(*moments: str) -> list[Scan]:
    """Scans as "+09:30" (in) and "-12:00" (out), on the day."""
    return [
        Scan(datetime.fromisoformat(f"2026-11-12T{text[1:]}:00+00:00"), text[0] == "+")
        for text in moments
    ]


@pytest.mark.parametrize(
    ("told", "end", "expected"),
    [
        ([], END, Presence(False)),
        (["+09:25"], END, Presence(True)),
        (["+09:25", "-15:30"], END, Presence(True, 360)),
        (["+09:25", "-12:30"], END, Presence(True, 180)),
        (["+09:30", "-12:30", "+13:00", "-15:30"], END, Presence(True, 330)),
        (["+09:30", "-12:30", "+13:00"], END, Presence(True, 330)),
        (["+09:30", "-12:30", "+13:00"], None, Presence(True)),
        (["+09:30", "+09:31", "-12:30"], END, Presence(True, 180)),
        (["-12:30"], END, Presence(True, 180)),
        (["+08:00", "-19:00"], END, Presence(True, 360)),
        (["+09:30", "-12:30", "-12:31"], END, Presence(True, 180)),
        (["+16:00", "-17:00"], END, Presence(True, 0)),
    ],
)
def test_what_the_scans_say(told: list[str], end: datetime | None, expected: Presence) -> None:
    assert presence(at(*told), START, end) == expected


@given(scans, st.integers())
def test_minutes_lie_within_the_session_and_the_order_of_scans_is_no_matter(
    told: list[Scan], seed: int
) -> None:
    found = presence(told, START, END)
    assert found.came is bool(told)
    assert found.minutes is None or 0 <= found.minutes <= 360
    mixed = list(told)
    Random(seed).shuffle(mixed)  # noqa: S311
    assert presence(mixed, START, END) == found


@given(st.one_of(st.none(), st.floats(0, 600)), st.one_of(st.none(), st.floats(0, 600)))
def test_partial_needs_minutes_and_a_plan(minutes: float | None, planned: float | None) -> None:
    state = state_of_presence(minutes, planned, 0.8)
    if minutes is None or not planned:
        assert state is AttendanceState.FULLY_ATTENDED
    else:
        assert (state is AttendanceState.FULLY_ATTENDED) == (minutes >= planned * 0.8)
