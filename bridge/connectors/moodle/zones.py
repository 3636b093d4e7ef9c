"""Asks a Moodle which zone it writes dates in, by having it turn local times into instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.connectors.moodle.client import Call
from bridge.connectors.moodle.settings import MoodleSettings
from bridge.domain.errors import BadAnswer, NeedsAdministrator

TIMESTAMPS = "core_calendar_get_timestamps"


def probe(now: datetime) -> Call:
    """A read that answers with the instants of two winter and two summer noons.

    Summer and winter, because London and UTC differ in one of them alone.
    """
    noons = _noons(now)
    fields = [
        {"key": str(index), "year": noon.year, "month": noon.month, "day": noon.day,
         "hour": noon.hour, "minute": 0}
        for index, noon in enumerate(noons)
    ]  # fmt: skip
    return TIMESTAMPS, {"data": fields}


def check(settings: MoodleSettings, answer: Any, now: datetime) -> None:
    """Raise NeedsAdministrator unless Moodle's instants are those of the configured zone."""
    try:
        told = {int(one["key"]): int(one["timestamp"]) for one in answer["timestamps"]}
    except (KeyError, TypeError, ValueError):
        raise BadAnswer(
            f"{settings.key}: {TIMESTAMPS} did not answer with instants.", peer=settings.key
        ) from None
    zone = ZoneInfo(settings.timezone)
    for index, noon in enumerate(_noons(now)):
        expected = int(noon.replace(tzinfo=zone).timestamp())
        if told.get(index) != expected:
            ahead = (expected - told.get(index, expected)) / 3600
            raise wrong_zone(
                settings, f"in {noon:%B %Y} they are {ahead:+g} hours from {settings.timezone}"
            )


def wrong_zone(settings: MoodleSettings, seen: str) -> NeedsAdministrator:
    """The error for dates in another zone than the configured one."""
    return NeedsAdministrator(
        f"{settings.key}: Moodle writes dates in another time zone than {settings.timezone}: "
        f"{seen}. The site forces a zone at "
        f"{settings.page('/admin/settings.php?section=locationsettings')}: set 'Force timezone' "
        "to 'Users can choose their own', or name that zone in the configuration (timezone).",
        peer=settings.key,
        detail="timezone",
    )


def _noons(now: datetime) -> list[datetime]:
    year = now.astimezone(UTC).year
    return [datetime(each, month, 15, 12) for each in (year - 1, year) for month in (1, 7)]
