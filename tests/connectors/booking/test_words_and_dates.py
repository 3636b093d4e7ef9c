"""Words for attendance, dates in every hand, and whom a booking is for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectors.booking.dates import (
    Ambiguous,
    BadDate,
    Order,
    moment,
    orders_of,
    parse,
    parse_clock,
    parse_span,
    settle,
)
from bridge.connectors.booking.people import booker, person_name
from bridge.connectors.booking.words import Words, outcome_of, state_of, yes_or_no
from bridge.domain.records import AttendanceState, Precision, Status

DAYS = st.dates(date(2000, 1, 1), date(2068, 12, 31))


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Fully attended", AttendanceState.FULLY_ATTENDED),
        ("PRESENT", AttendanceState.FULLY_ATTENDED),
        ("Did Not Attend (DNA)", AttendanceState.NO_SHOW),
        ("No-Show", AttendanceState.NO_SHOW),
        ("Attended – left early", AttendanceState.PARTIALLY_ATTENDED),
        ("Wait-listed", AttendanceState.WAITLISTED),
        ("Cancelled by user", AttendanceState.USER_CANCELLED),
        ("Event cancelled", AttendanceState.SESSION_CANCELLED),
        ("booked.", AttendanceState.BOOKED),
        ("Not set", None),
        ("-", None),
        ("", None),
    ],
)
def test_a_word_is_a_state_and_no_mark_is_never_a_no_show(
    word: str, state: AttendanceState | None
) -> None:
    assert state_of(word) is state


@pytest.mark.parametrize(
    "word", ["A", "P", "C", "X", "Attended (in error)", "Cancelled (attended)"]
)
def test_what_could_mean_two_things_is_not_read(word: str) -> None:
    with pytest.raises(KeyError):
        state_of(word)


def test_a_profile_says_what_its_words_mean() -> None:
    words = Words({"a": AttendanceState.NO_SHOW, "present": None}, {"done": Status.PASSED})
    assert words.state("A") is AttendanceState.NO_SHOW
    assert words.state("Present") is None
    assert words.state("DNA") is AttendanceState.NO_SHOW
    assert words.outcome("Done") is Status.PASSED


def test_an_lms_says_what_was_done() -> None:
    assert outcome_of("Complete (passed)") is Status.PASSED
    assert outcome_of("In progress") is None
    assert outcome_of("Completed - Failed") is Status.FAILED
    assert (yes_or_no("✓"), yes_or_no("No"), yes_or_no("")) == (True, False, None)


@pytest.mark.parametrize(
    "text",
    [
        "14/03/2026 09:30", "2026-03-14 09:30", "2026-03-14T09:30:00Z", "14 March 2026 9.30am",
        "Sat 14th March 2026, 09:30", "March 14, 2026, 9:30 AM", "14-Mar-26 09:30", "46095.3958333",
        "14.03.2026 09:30 - 16:30", "Saturday, 14 March 2026, 9:30 AM", "14/3/26 at 9:30 a.m.",
        "2026-03-14 09:30:00+00:00", "1773480600",
    ],
)  # fmt: skip
def test_one_instant_in_many_hands(text: str) -> None:
    instant, precision = moment(parse(text))
    assert instant == datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
    assert precision is Precision.MINUTE


@given(DAYS)
def test_a_day_written_both_ways_is_never_guessed(day: date) -> None:
    text = f"{day.day:02}/{day.month:02}/{day.year}"
    orders = orders_of(text)
    if day.day > 12:
        assert orders == frozenset({Order.DAY_FIRST})
        assert parse(text).day == day
    elif day.day == day.month:
        assert parse(text).day == day
    else:
        assert orders == frozenset(Order)
        with pytest.raises(Ambiguous):
            parse(text)
    assert parse(text, Order.DAY_FIRST).day == day


@given(st.lists(DAYS, min_size=1, max_size=8), st.sampled_from(Order))
def test_a_column_settles_its_own_order_or_stays_open(days: list[date], order: Order) -> None:
    form = "%d/%m/%Y" if order is Order.DAY_FIRST else "%m/%d/%Y"
    texts = [f"{day:{form}}" for day in days]
    left = settle(texts)
    assert order in left
    if any(day.day > 12 for day in days):
        assert left == {order}
        assert [parse(text, order).day for text in texts] == days


@given(DAYS, st.times())
def test_iso_excel_and_month_names_need_no_order(day: date, clock: time) -> None:
    clock = clock.replace(microsecond=0)
    serial = (day - date(1899, 12, 30)).days
    assert parse(f"{day.isoformat()}T{clock.isoformat()}").clock == clock
    for text in (day.isoformat(), f"{day:%d %B %Y}", f"{day:%B %d, %Y}", str(serial)):
        assert parse(text).day == day
        assert orders_of(text) is None


def test_a_mixed_column_has_no_order() -> None:
    assert settle(["14/03/2026", "03/14/2026"]) == frozenset()
    assert settle(["01/02/2026", "05/06/2026"]) == set(Order)


@pytest.mark.parametrize("text", ["", "soon", "31/02/2026", "14/03/2026 25:00", "12345", "99",
                                  "01/01/0001", "9999-12-31T23:59:00Z"])  # fmt: skip
def test_what_is_no_date_says_so(text: str) -> None:
    with pytest.raises(BadDate):
        parse(text)


def test_local_time_is_london_and_the_hour_that_comes_twice_is_only_a_day() -> None:
    assert moment(parse("14/07/2026 09:30"))[0] == datetime(2026, 7, 14, 8, 30, tzinfo=UTC)
    instant, precision = moment(parse("25/10/2026 01:30"))
    assert precision is Precision.DAY
    assert instant == datetime(2026, 10, 24, 23, tzinfo=UTC)


def test_times_of_day() -> None:
    assert parse_clock("9.30am") == time(9, 30)
    assert parse_clock("0.6875") == time(16, 30)
    assert parse_clock(" ") is None
    assert parse_span("09:30 - 4pm") == (time(9, 30), time(16))
    assert parse("14/03/2026 9.30 to 16.30").until == time(16, 30)
    assert parse("2026-03-14T09:30:00+01:00").offset == timedelta(hours=1)
    with pytest.raises(BadDate):
        parse_clock("half nine")


def test_one_mailbox_with_two_names_is_two_accounts() -> None:
    one, other = booker("Smith, Jane", "office@x.org"), booker("Ade Obi", "OFFICE@x.org")
    assert one is not None
    assert other is not None
    assert (one.display_name, one.email) == ("Jane Smith", "office@x.org")
    assert one.value != other.value
    assert booker("  jane  SMITH", "office@X.org ") == booker("jane SMITH", "office@x.org")
    assert booker("", "", "") is None
    assert person_name("Dr. Siân O’Neill") == "Siân O’Neill"
    assert person_name(first="Ann", last="Lee") == "Ann Lee"


def test_long_names_and_employers_are_told_apart_by_their_ends() -> None:
    employer = "Department of " + "Children and Families " * 12
    found = {booker("Ann Lee", employer=employer + end).value for end in ("North", "South")}  # type: ignore[union-attr]
    assert len(found) == 2
    assert max(map(len, found)) <= 200
