"""What any call to the stand-in may ask for beside its parameters: language and time zone."""

from __future__ import annotations

from bridge.demo.moodle import Fault, StandInMoodle
from tests.demo.conftest import Client

TIMESTAMPS = "core_calendar_get_timestamps"
NOON = {"year": 2026, "month": 7, "day": 15, "hour": 12}
NOON_IN_UTC = 1784116800


def dates(ask: Client, **settings: str) -> list[str]:
    return [row["Time completed"] for row in ask.rows(1, **settings)]


def test_a_call_may_ask_for_its_own_zone_and_language(moodle: StandInMoodle, ask: Client) -> None:
    user = moodle.site.user("svc-bridge")
    in_utc = dates(ask)
    user.timezone, user.lang = "Asia/Kolkata", "fr"
    assert "Date d'achèvement" in ask.rows()[0]
    asked = {"moodlewssettinglang": "en", "moodlewssettingtimezone": "UTC"}
    assert dates(ask, **asked) == in_utc
    assert ask("core_webservice_get_site_info", moodlewssettinglang="en")["lang"] == "en"


def test_what_the_site_forces_goes_before_what_a_call_asks_for(
    moodle: StandInMoodle, ask: Client
) -> None:
    in_utc = dates(ask)
    moodle.faults.add(Fault.OTHER_ZONE)
    assert dates(ask, moodlewssettingtimezone="UTC") != in_utc


def test_local_times_become_instants_in_the_zone_that_dates_are_shown_in(
    moodle: StandInMoodle, ask: Client
) -> None:
    def noon(**settings: str) -> int:
        (answer,) = ask(TIMESTAMPS, data=[NOON], **settings)["timestamps"]
        assert answer["key"] == "0"
        return int(answer["timestamp"])

    assert noon() == NOON_IN_UTC
    assert noon(moodlewssettingtimezone="Europe/London") == NOON_IN_UTC - 3600
    moodle.faults.add(Fault.OTHER_ZONE, value="Europe/London")
    assert noon(moodlewssettingtimezone="UTC") == NOON_IN_UTC - 3600
    assert ask.error(TIMESTAMPS, data=[NOON | {"month": 13}]) == "error"
