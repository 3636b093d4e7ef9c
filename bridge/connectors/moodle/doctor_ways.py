"""What `bridge doctor` says of the way in: which is taken, why, and what would be a better one."""

from __future__ import annotations

from typing import Any

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.grades import GRADES
from bridge.connectors.moodle.plugin import COMPLETIONS, STATUS, Snapshot, ask
from bridge.connectors.moodle.refusals import capabilities_of
from bridge.connectors.moodle.ways import (
    PLUGIN,
    Choice,
    Opening,
    choose,
    functions_of,
    status_from,
)
from bridge.domain.errors import PeerError
from bridge.domain.ports import Finding

_NAMES = {
    "plugin": "the bridge's plugin",
    "report": "the custom report",
    "per-user": "a question for each person and course",
}


def way_findings(client: MoodleClient, info: Any) -> tuple[str, list[Finding]]:
    """The way that a pull would take now, and what is to be said of it. `info` is what
    core_webservice_get_site_info answered."""
    opening = _opening(client, functions_of(info))
    choice = choose(client.settings, opening)
    findings = [_way(choice)]
    if choice.way == PLUGIN:
        findings += _plugin(client, opening)
    elif client.settings.activities:
        findings.append(_grades(client, opening))
    return choice.way, findings


def _opening(client: MoodleClient, offered: frozenset[str] | None) -> Opening:
    if offered is not None and STATUS not in offered:
        return Opening(offered)
    status, error = status_from(client, client.first_of([(STATUS, {})])[0])
    return Opening(offered, status, error)


def _way(choice: Choice) -> Finding:
    told = f"Completions come in by {_NAMES[choice.way]}. {choice.why}"
    better = choice.better if choice.better not in told else ""
    return Finding("way in", True, f"{told} {better}".strip())


def _grades(client: MoodleClient, opening: Opening) -> Finding:
    if opening.lacks((GRADES,)):
        return Finding(
            "activities",
            False,
            "Quizzes and other activities inside courses are not read.",
            f"Install the plugin, or add {GRADES} to the service and give the role "
            f'{capabilities_of(GRADES)} in the courses; or set activities = "none".',
            warning=True,
        )
    return Finding(
        "activities",
        True,
        "The grades of activities inside courses are read at each full pull. Of activities without "
        "a grade only the plugin tells.",
    )


def _plugin(client: MoodleClient, opening: Opening) -> list[Finding]:
    """Whether the plugin reads. The canary: a lost capability looks as if nobody completed."""
    status = opening.status
    if status is None or not status.can_read:
        better = choose(client.settings, Opening(opening.offered, status)).better
        said = opening.plugin_error or "The plugin may not be used."
        return [Finding("plugin", False, said, better or "Install it: docs/moodle.md says how.")]
    try:
        told = ask(client, COMPLETIONS, {"limit": 1}, Snapshot)
    except PeerError as error:
        return [Finding("plugin", False, str(error).removeprefix(f"{error.peer}: "))]
    findings = [
        Finding(
            "plugin",
            told.total > 0,
            f"Version {status.plugin} of the plugin shows {told.total:,} completions.",
            "" if told.total else "Unless nobody ever completed anything, look at its settings.",
        )
    ]
    findings.append(
        Finding(
            "webhook",
            status.webhook,
            "Moodle tells the bridge at once when somebody completes something."
            if status.webhook
            else "Moodle does not tell the bridge when something happens: it waits for the next "
            "pull.",
            ""
            if status.webhook
            else f"Run 'bridge moodle webhook-secret {client.settings.key}' and enter what it "
            "shows in the plugin's settings.",
            warning=not status.webhook,
        )
    )
    return findings
