"""The plugin's function for profiles: set_status; the profile page shows what it was told."""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.errors import MoodleError, missing_capability
from bridge.demo.moodle.params import INT, RAW, Many, default
from bridge.demo.moodle.plugin.feed import SET_STATUS, installed

_STATES = ("current", "due", "gap", "none")


def _set_status(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """All or none is refused for a link or a state that is none; without lines nothing is shown."""
    installed(call)
    if not call.can(SET_STATUS):
        raise missing_capability(SET_STATUS)
    for asked in params["statuses"]:
        if asked["url"] and not asked["url"].startswith(("http://", "https://")):
            raise MoodleError("moodle_exception", "errorlink", "That is no link.")
        if any(line["state"] not in _STATES for line in asked["lines"]):
            raise MoodleError("moodle_exception", "errorstate", "That is no state.")
    results = []
    for asked in params["statuses"]:
        user = call.site.users.get(asked["userid"])
        new = {"url": asked["url"], "updated": asked["updated"], "lines": asked["lines"]}
        if user is None or user.deleted:
            result = "nouser"
        elif not asked["lines"]:
            result = "set" if call.site.statuses.pop(user.id, None) else "unchanged"
        else:
            result = "unchanged" if call.site.statuses.get(user.id) == new else "set"
            call.site.statuses[user.id] = new
        results.append({"userid": asked["userid"], "result": result})
    return {"results": results}


FUNCTIONS = (
    Function(
        "local_competencybridge_set_status",
        {
            "statuses": Many(
                {
                    "userid": INT,
                    "url": default("raw", ""),
                    "updated": INT,
                    "lines": Many({"title": RAW, "text": default("raw", ""), "state": RAW}, ()),
                }
            )
        },
        _set_status,
    ),
)
