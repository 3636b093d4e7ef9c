"""Cells of a report: dates in every form and zone, ids from links, grades, text."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectors.moodle.cells import (
    AmbiguousDate,
    BadDate,
    badge_id,
    course_id,
    moment_of,
    score_of,
    text_of,
    user_id,
)

LONDON = ZoneInfo("Europe/London")


def as_moodle_writes(local: datetime) -> str:
    """`strftimedaydatetime` of the English language pack."""
    time = f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"
    return f"{local:%A}, {local.day} {local:%B} {local.year}, {time}"


minutes = st.datetimes(datetime(1971, 1, 1), datetime(2199, 12, 31)).map(
    lambda each: each.replace(second=0, microsecond=0, tzinfo=UTC)
)


@given(minutes)
def test_every_minute_that_moodle_writes_reads_back(moment: datetime) -> None:
    assert moment_of(as_moodle_writes(moment)) == moment


@given(minutes, st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata"]))
def test_a_local_time_reads_back_or_says_that_it_came_twice(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    try:
        assert moment_of(as_moodle_writes(moment.astimezone(zone)), zone) == moment
    except AmbiguousDate:
        local = moment.astimezone(zone).replace(tzinfo=None)
        offsets = {local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
        assert len(offsets) == 2


@pytest.mark.parametrize("cell", ["", " ", "-", "Thursday, 1 January 1970, 12:00 AM"])
def test_no_date_is_none(cell: str) -> None:
    assert moment_of(cell) is None


@pytest.mark.parametrize(
    "cell",
    [
        "jeudi 13 juillet 2023, 21:18",
        "Donnerstag, 13. Juli 2023, 21:18",
        "Thursday, 31 February 2023, 9:18 PM",
        "Thursday, 13 July 2023, 21:18 PM",
        "Thursday, 13 July 2023, 9:61 PM",
        "13/07/2023",
        "yesterday, noon",
        "<b>x</b>",
    ],
)
def test_what_is_no_english_date_is_not_guessed(cell: str) -> None:
    with pytest.raises(BadDate):
        moment_of(cell)


def test_both_clocks_and_the_ends_of_the_day() -> None:
    assert moment_of("Thursday, 13 July 2023, 21:18") == datetime(2023, 7, 13, 21, 18, tzinfo=UTC)
    assert moment_of("13 July 2023, 12:00 AM") == datetime(2023, 7, 13, 0, 0, tzinfo=UTC)
    assert moment_of("13 July 2023, 12:00 PM") == datetime(2023, 7, 13, 12, 0, tzinfo=UTC)


def test_london_time_is_an_hour_ahead_in_summer_and_the_autumn_hour_is_flagged() -> None:
    assert moment_of("13 July 2023, 9:18 PM", LONDON) == datetime(2023, 7, 13, 20, 18, tzinfo=UTC)
    with pytest.raises(AmbiguousDate):
        moment_of("Sunday, 30 October 2022, 1:30 AM", LONDON)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<a href="https://m.example/user/profile.php?id=27">Aisha</a>', 27),
        ('<a href="https://m.example/user/view.php?id=27&amp;course=3">Aisha</a>', 27),
        ('<a href="https://m.example/user/view.php?course=3&amp;id=27">Aisha</a>', 27),
        ('<a class="x" href="/learn/user/profile.php?id=27"><img src="a.png">Aisha</a>', 27),
        ('<a href="https://m.example/course/view.php?id=27">Aisha</a>', None),
        ('<a href="https://m.example/user/profile.php?userid=27">Aisha</a>', None),
        ('<a href="https://m.example/user/profile.php?id=27x">Aisha</a>', None),
        ('Aisha <a href="https://m.example/user/profile.php?id=27">x</a>', None),
        ("Aisha", None),
        ("", None),
    ],
)
def test_a_user_id_comes_from_the_link_that_the_cell_begins_with(
    cell: str, expected: int | None
) -> None:
    assert user_id(cell) == expected


def test_course_and_badge_ids() -> None:
    assert course_id('<a href="https://m.example/course/view.php?id=9">S47 &amp; more</a>') == 9
    assert badge_id('<a href="https://m.example/badges/overview.php?id=4">Level 1</a>') == 4
    assert course_id("S47") is None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("80.00", 0.8),
        ("80.00 %", 0.8),
        ("", None),
        ("-", None),
        ("Pass", None),
        ("120.00", None),
        ("-5", None),
        ("nan", None),
    ],
)
def test_a_grade_is_a_fraction_or_nothing(cell: str, expected: float | None) -> None:
    assert score_of(cell, 100.0) == expected


def test_a_grade_counts_against_the_highest_one() -> None:
    assert score_of("7.5", 10.0) == 0.75


def test_text_loses_markup_and_entities() -> None:
    cell = '<a href="#">S47 &amp;\n<b>core</b> groups</a>'
    assert text_of(cell) == "S47 & core groups"


@given(st.text())
def test_any_text_can_stand_in_any_cell(cell: str) -> None:
    text_of(cell)
    user_id(cell)
    score_of(cell, 100.0)
    try:
        moment_of(cell)
    except BadDate:
        assert cell.strip()
