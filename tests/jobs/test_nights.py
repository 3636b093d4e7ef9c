"""The work of the night comes once every London date, also where the clocks change."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import LostLease
from bridge.domain.times import LONDON, london_date, next_london
from bridge.jobs import work
from bridge.jobs.embedded import Nightly
from bridge.jobs.work import Works
from bridge.services.pull import Trusted
from bridge.services.talking import conversation
from tests.support import Completion, ListSource, ListTarget, World

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def fires(at: str, around: date) -> list[datetime]:
    """When the trigger fires from two days before to three after."""
    trigger = Nightly(at)
    start = datetime(around.year, around.month, around.day, tzinfo=UTC) - timedelta(days=2)
    moment = trigger.get_next_fire_time(None, start)
    found = []
    while moment is not None and moment < start + timedelta(days=5):
        found.append(moment)
        moment = trigger.get_next_fire_time(moment, moment)
    return found


@pytest.mark.parametrize("around", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("at", ["00:30", "01:00", "01:30", "01:59", "02:00", "02:30", "23:30"])
def test_every_date_has_one_night_at_both_clock_changes(around: date, at: str) -> None:
    found = fires(at, around)
    dates = [london_date(moment) for moment in found]
    assert dates == [dates[0] + timedelta(days=n) for n in range(len(dates))]
    assert len(dates) >= 4
    shown = {d: m.astimezone(LONDON).strftime("%H:%M") for d, m in zip(dates, found, strict=True)}
    for day, clock in shown.items():
        jumped = day == SPRING and at.startswith("01:")
        assert clock == (at.replace("01:", "02:") if jumped else at)


def test_the_half_past_two_of_the_default_is_what_it_was_before_and_after() -> None:
    assert [m.strftime("%d %H:%M") for m in fires("02:30", SPRING)][:4] == [
        "27 02:30", "28 02:30", "29 01:30", "30 01:30"
    ]  # fmt: skip
    assert [m.strftime("%d %H:%M") for m in fires("02:30", AUTUMN)][:4] == [
        "23 01:30", "24 01:30", "25 02:30", "26 02:30"
    ]  # fmt: skip


def test_the_trigger_of_the_library_comes_twice_in_autumn() -> None:
    """Why there is one of our own; when this fails, it can go."""
    trigger = CronTrigger(hour=1, minute=30, timezone=LONDON)
    first = trigger.get_next_fire_time(None, datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert first is not None
    second = trigger.get_next_fire_time(first, first)
    assert second is not None
    assert london_date(first) == london_date(second) == AUTUMN


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)),
    st.integers(0, 23), st.integers(0, 59),
)  # fmt: skip
def test_the_next_night_is_within_a_day_and_an_hour(
    naive: datetime, hour: int, minute: int
) -> None:
    now = naive.replace(tzinfo=UTC)
    moment = next_london(now, f"{hour:02d}:{minute:02d}")
    assert now < moment <= now + timedelta(hours=25)


class Talker(ListSource):
    conversation = "m.example"


def test_the_sweep_of_a_night_waits_for_its_peer_to_be_free(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Talker(holds=[Completion()])
    works = Works(world.ctx, {"moodle": Trusted(source, "moodle")}, {"moodle": ListTarget()})
    monkeypatch.setattr(work, "LOOK_AGAIN_AFTER", 0.05)
    busy = conversation(world.ctx, source, "moodle")
    busy.__enter__()
    thread = threading.Thread(target=work.sweep, args=(works, "moodle"))
    thread.start()
    try:
        thread.join(0.3)
        assert source.asked == []
    finally:
        busy.__exit__(None, None, None)
        thread.join(30)
    assert source.asked == [None]


def test_a_night_that_is_busy_for_too_long_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Talker(holds=[Completion()])
    works = Works(world.ctx, {"moodle": Trusted(source, "moodle")})
    monkeypatch.setattr(work, "LOOK_AGAIN_AFTER", 0.01)
    monkeypatch.setattr(work, "PATIENT_FOR", 0.03)
    with conversation(world.ctx, source, "moodle"), pytest.raises(LostLease):
        work.sweep(works, "moodle")
