"""When bookings count: statuses, minutes, evaluations, sessions in any order."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.counting import NEVER, CountsWhen, Part, Reason
from bridge.domain.joining import Dated, Piece, group
from bridge.domain.mapping import rule_content, rule_from_content
from bridge.domain.names import may_be_one, several
from bridge.domain.records import AttendanceState, Booking, Status
from tests.support import NOW, rule

ALL = frozenset(Status)
PARTLY = CountsWhen(statuses=frozenset({Status.ATTENDED, Status.PARTLY_ATTENDED}))


@given(
    st.sampled_from(sorted(NEVER)),
    st.builds(
        CountsWhen, st.just(ALL), st.none(), st.none(), st.none() | st.floats(1, 9), st.booleans(),
        st.none() | st.sampled_from(["all", "any", 1]),
    ),
    st.none() | st.builds(Booking, minutes=st.just(999.0), evaluated=st.just(True)),
)  # fmt: skip
def test_bookings_waiting_lists_and_cancellations_never_count(
    status: Status, asked: CountsWhen, booking: Booking | None
) -> None:
    assert asked.check(status, 1.0, 1.0, booking) is NEVER[status]


@pytest.mark.parametrize("state", list(AttendanceState))
def test_only_full_attendance_is_attendance_and_only_a_mark_is_a_no_show(
    state: AttendanceState,
) -> None:
    assert (state.status is Status.ATTENDED) is (state is AttendanceState.FULLY_ATTENDED)
    assert (state.status is Status.MISSED) is (state is AttendanceState.NO_SHOW)
    assert state.status is not Status.UNKNOWN


@pytest.mark.parametrize(
    ("asked", "booking", "reason"),
    [
        ({"min_minutes": 90}, Booking(minutes=90), Reason.COUNTS),
        ({"min_minutes": 90}, Booking(minutes=89), Reason.MINUTES_LOW),
        ({"min_minutes": 90}, Booking(), Reason.MINUTES_MISSING),
        ({"min_attendance": 0.7}, Booking(minutes=70, planned=100), Reason.COUNTS),
        ({"min_attendance": 0.7}, Booking(minutes=69, planned=100), Reason.ATTENDANCE_LOW),
        ({"min_attendance": 0.7}, Booking(minutes=69), Reason.ATTENDANCE_MISSING),
        ({"evaluation": True}, Booking(evaluated=True), Reason.COUNTS),
        ({"evaluation": True}, Booking(evaluated=False), Reason.NOT_EVALUATED),
        ({"evaluation": True}, None, Reason.EVALUATION_UNKNOWN),
        ({"sessions": "all"}, Booking(), Reason.COUNTS),
        ({"sessions": "all"}, Booking(session="am", sessions=2), Reason.SESSIONS_FEW),
    ],
)
def test_what_a_booking_must_show(
    asked: dict[str, object], booking: Booking | None, reason: Reason
) -> None:
    counts = CountsWhen(statuses=frozenset({Status.ATTENDED}), **asked)  # type: ignore[arg-type]
    parts = [Part(Status.ATTENDED, None, booking, NOW)] if booking and booking.session else None
    if parts and asked.get("sessions") == "all":
        assert counts.check(Status.ATTENDED, None, None, booking, parts) is reason
    assert counts.check(Status.ATTENDED, None, None, booking, parts) is reason
    # A completed e-learning course beside it is not held against what only bookings can show.
    plain = CountsWhen(**asked)  # type: ignore[arg-type]
    if "min_attendance" not in asked:
        assert plain.check(Status.COMPLETED, None, None) is Reason.COUNTS


def test_partial_attendance_counts_only_where_it_is_named() -> None:
    assert CountsWhen().check(Status.PARTLY_ATTENDED, None, None) is Reason.STATUS
    only_full = CountsWhen(statuses=frozenset({Status.ATTENDED}))
    assert only_full.check(Status.PARTLY_ATTENDED, None, 0.9) is Reason.STATUS
    assert PARTLY.check(Status.PARTLY_ATTENDED, None, None) is Reason.COUNTS
    whole = CountsWhen(statuses=PARTLY.statuses, sessions="all")
    assert whole.check(Status.PARTLY_ATTENDED, None, None, Booking()) is Reason.SESSIONS_FEW


PARTS = st.lists(
    st.builds(
        lambda status, name, minutes, day, evaluated: Part(
            status, None, Booking(minutes=minutes, session=name, sessions=3, evaluated=evaluated),
            NOW + timedelta(days=day),
        ),
        st.sampled_from([Status.ATTENDED, Status.PARTLY_ATTENDED, Status.MISSED, Status.BOOKED]),
        st.sampled_from(["one", "two", "three"]),
        st.sampled_from([None, 30.0, 60.0]),
        st.integers(0, 30),
        st.sampled_from([None, True, False]),
    ),
    max_size=4,
)  # fmt: skip


@given(
    PARTS,
    st.sampled_from(["all", "any", 1, 2, 3]),
    st.none() | st.sampled_from([60.0, 120.0]),
    st.booleans(),
)
def test_sessions_count_together_whatever_their_order(
    parts: list[Part], asked: str | int, minutes: float | None, evaluation: bool
) -> None:
    counts = CountsWhen(
        frozenset({Status.ATTENDED}),
        None,
        None,
        minutes,
        evaluation,
        asked,  # type: ignore[arg-type]
    )
    assert len({counts.together(order) for order in permutations(parts)}) == 1
    reason, at = counts.together(parts)
    been = {p.booking.session: 0.0 for p in parts if p.status is Status.ATTENDED}
    for part in parts:
        if part.status is Status.ATTENDED:
            name = part.booking.session
            been[name] = max(been[name], part.booking.minutes or 0)
    wanted = {"all": 3, "any": 1}.get(str(asked), asked)
    enough = bool(parts) and len(been) >= int(wanted)
    if asked == "all" and not parts:
        assert reason is Reason.SESSIONS_UNKNOWN
    long_enough = minutes is None or sum(been.values()) >= minutes
    told = not evaluation or any(p.booking.evaluated for p in parts)
    assert (reason is Reason.COUNTS) is (enough and long_enough and told)
    assert (at is not None) is (reason is Reason.COUNTS)
    if at is not None:
        assert at in {p.at for p in parts if p.status is Status.ATTENDED}


def test_rules_from_before_read_the_same_and_new_words_survive_the_database() -> None:
    plain = rule("r1", "C1", 1)
    assert set(rule_content(plain)["counts_when"]) == {"status", "min_score", "min_attendance"}
    assert "one_activity" not in rule_content(plain)
    asked = CountsWhen(PARTLY.statuses, None, 0.5, 90, True, 2)
    full = rule("r2", "C2", 1, counts_when=asked, one_activity=True)
    assert rule_from_content(rule_content(full)) == full


# --- one activity, one draft ---------------------------------------------------------------------
def _on(days: list[int]) -> list[Dated]:
    return [Dated(n, (NOW + timedelta(days=day)).date()) for n, day in enumerate(days)]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference_to_what_is_one(days: list[int], chance) -> None:  # type: ignore[no-untyped-def]
    """Chains too: days 0, 7 and 14 are two pieces, in whatever order they come."""
    records = _on(days)
    at_once = {frozenset(g) for g in group((), records, (), 7).new}
    order = records[:]
    chance.shuffle(order)
    pieces: dict[int, tuple[Dated, ...]] = {}
    dated: dict[int, Dated] = {}
    for record in order:
        there = [Piece(i, dated[i].on, False, False, held) for i, held in pieces.items()]
        grouped = group(there, [record], (), 7)
        pieces = {i: tuple(grouped.old.get(i, ())) for i in pieces}
        for made in grouped.new:
            pieces[len(pieces) + 1] = made
            dated[len(pieces)] = made[0]
    assert {frozenset(held) for held in pieces.values() if held} == at_once
    for held in at_once:
        assert max(r.on for r in held) - min(r.on for r in held) <= timedelta(days=7)


def test_what_people_worked_on_keeps_its_records_and_takes_in_what_is_near() -> None:
    first, second, third = _on([0, 6, 13])
    mine = Piece(1, second.on, True, False, (second,))
    grouped = group([mine], [third, first], (), 7)
    assert grouped.old == {1: (second, first, third)}
    apart = Piece(2, second.on, False, True, (second,))
    grouped = group([apart], [first, third], (third.record_id,), 7)
    assert grouped.old == {2: (second,)}
    assert sorted(grouped.new) == [(first,), (third,)]


def test_a_piece_that_lost_its_records_takes_them_back_rather_than_be_drafted_twice() -> None:
    (record,) = _on([3])
    lost = Piece(4, (NOW + timedelta(days=1)).date(), False, False, ())
    assert group([lost], [record], (), 7).old == {4: (record,)}
    assert group([lost._replace(apart=True)], [record], (), 7).new == ((record,),)


# --- names ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ("Ann Smith", "smith, ann", True),
        ("Ann Smith", "Ms Ann  Smith", True),
        ("Ann Marie Smith", "Ann Smith", True),
        ("A. Smith", "Ann Smith", True),
        ("Zoë O'Neill", "Zoe ONeill", True),
        ("Ann Smith", "Bob Smith", False),
        ("Ann Smith", "Ann Jones", False),
        ("Smith", "Ann Smith", False),
    ],
)
def test_names_that_may_be_one_persons(one: str, other: str, may: bool) -> None:
    assert may_be_one(one, other) is may
    assert may_be_one(other, one) is may
    assert several([one, other, one]) == ([] if may else [one, other])
