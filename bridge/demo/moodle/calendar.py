"""The calendar: core_calendar_get_timestamps, which turns local times into Unix times."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.errors import MoodleError
from bridge.demo.moodle.params import INT, Many, default


def _timestamps(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Each local time as an instant, in the zone that the caller's dates are shown in."""
    zone = ZoneInfo(call.timezone)
    return {
        "timestamps": [
            {"key": one["key"] or str(index), "timestamp": _timestamp(one, zone)}
            for index, one in enumerate(params["data"])
        ]
    }


def _timestamp(one: dict[str, Any], zone: ZoneInfo) -> int:
    day = one["year"], one["month"], one["day"]
    try:
        return int(datetime(*day, one["hour"], one["minute"], tzinfo=zone).timestamp())
    except ValueError:
        raise MoodleError(
            "moodle_exception", "error", "One or more of the dates provided were invalid"
        ) from None


_DATE = {
    "key": default("alphanumext", ""),
    "year": INT,
    "month": INT,
    "day": INT,
    "hour": default("int", 0),
    "minute": default("int", 0),
}

FUNCTIONS = (Function("core_calendar_get_timestamps", {"data": Many(_DATE)}, _timestamps),)
