"""How people stand, shown on their Moodle profiles by the bridge's own plugin."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.connectors.moodle.client import MoodleClient
from bridge.domain.targets import ShownStatus

SET_STATUS = "local_competencybridge_set_status"
#: PHP takes 1,000 form fields of one request unless it is told otherwise.
_FIELDS = 900


def show(client: MoodleClient, wanted: Sequence[ShownStatus]) -> dict[str, bool]:
    """Show these, in as many calls as their fields need; by account whether there is such a one."""
    told: dict[str, bool] = {}
    part: list[dict[str, object]] = []
    fields = 0
    for one in wanted:
        if not one.account.isdecimal():
            told[one.account] = False
            continue
        size = 3 + 3 * len(one.lines)
        if part and fields + size > _FIELDS:
            told |= _send(client, part)
            part, fields = [], 0
        fields += size
        part.append(
            {
                "userid": int(one.account),
                "url": one.url,
                "updated": int(one.updated.timestamp()),
                "lines": [
                    {"title": line.title, "text": line.text, "state": line.state}
                    for line in one.lines
                ],
            }
        )
    if part:
        told |= _send(client, part)
    return told


def _send(client: MoodleClient, statuses: Sequence[dict[str, object]]) -> dict[str, bool]:
    answer = client.call(SET_STATUS, {"statuses": statuses})
    try:
        return {str(one["userid"]): one["result"] != "nouser" for one in answer["results"]}
    except (KeyError, TypeError):
        raise client.unreadable(SET_STATUS) from None
