"""What is to be at a place that several awards share, for all mixtures of them (hypothesis)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bridge.connectors.moodle import MoodleSettings, MoodleTarget
from bridge.domain.badges import award_settings
from bridge.domain.model import TargetState
from bridge.services.placing import aims
from tests.support import FrozenClock

TARGET = MoodleTarget(
    MoodleSettings("moodle", "https://moodle.example.org", "secret"),
    FrozenClock(datetime(2026, 6, 15, tzinfo=UTC)),
)
DAY = date(2026, 6, 15)


def state(number: int, account: str, held: bool, days: int, yearly: bool) -> TargetState:
    raw = {"via": "plugin"} | ({"badge": "Core {year}"} if yearly else {})
    period = str(2020 + number)
    return TargetState(
        number, number, "moodle", "core", "Core", int(account), f"u{account}", period,
        award_settings("core", raw, period), int(account), account, "held" if held else "absent",
        None, None, None, 0, None, None, None, 1, DAY + timedelta(days=days), "plugin",
    )  # fmt: skip


states = st.lists(
    st.tuples(st.sampled_from("12"), st.booleans(), st.integers(-500, 500), st.booleans()),
    max_size=6,
).map(lambda rows: [state(n, *row) for n, row in enumerate(rows, 1)])


@given(states, st.data())
def test_the_longest_held_rules_and_nothing_withdrawn_takes_it_away(
    around: list[TargetState], data: st.DataObject
) -> None:
    mine = data.draw(st.lists(st.sampled_from(around), unique_by=lambda s: s.id)) if around else []
    found = aims(TARGET, mine, around)
    assert found.keys() == {s.id for s in mine}
    for one in mine:
        aim = found[one.id]
        sharing = [
            s for s in around
            if (s.account, s.settings["key"]) == (one.account, one.settings["key"])
        ]  # fmt: skip
        held = [s.expires_on for s in sharing if s.desired == "held"]
        assert aim.wanted is bool(held)
        assert aim.own is (one.desired == "held" or not held)
        assert aim.placement.key == one.id
        if held:
            assert aim.placement.expires_on == max(held)


def test_settings_say_which_badge_there_it_is() -> None:
    auto = {"via": "auto", "cohort": "A-{year}", "badge": "A {year}"}
    assert award_settings("core", auto, "2026") == {
        "via": "auto", "cohort": "A-2026", "badge": "A 2026", "key": "core", "name": "",
    }  # fmt: skip
    yearly = auto | {"plugin_badge": "Core {year}"}
    assert award_settings("core", yearly, "2026")["key"] == "core-2026"
    assert award_settings("core", {"via": "cohort", "cohort": "A"}, "2026") == {
        "via": "cohort", "cohort": "A",
    }  # fmt: skip
