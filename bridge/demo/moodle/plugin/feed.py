"""The plugin's functions for reading: get_status."""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.errors import invalid_record
from bridge.demo.moodle.plugin.outbox import API, VERSION, Plugin

READ = "local/competencybridge:readchanges"
MANAGE_BADGES = "local/competencybridge:managebadges"
SET_STATUS = "local/competencybridge:setstatus"


def installed(call: Call) -> Plugin:
    """The plugin, or Moodle's error for a function that it does not know."""
    if call.site.plugin is None:
        raise invalid_record("external_functions")
    return call.site.plugin


def _status(call: Call, _: dict[str, Any]) -> dict[str, Any]:
    plugin = installed(call)
    return {
        "api": API,
        "plugin": VERSION,
        "moodle": "4.4dev (Build: 20231124)",
        "site": plugin.site,
        "now": call.site.now,
        "complete_since": plugin.complete_since,
        "last_id": plugin.last_id,
        "webhook": bool(plugin.hook_url),
        "can_read": call.can(READ),
        "can_award": call.can(MANAGE_BADGES),
        "can_set_status": call.can(SET_STATUS),
    }


FUNCTIONS = (Function("local_competencybridge_get_status", {}, _status),)
