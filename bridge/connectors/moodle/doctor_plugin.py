"""What `bridge doctor` says of the plugin: which road badges take, and what profiles show."""

from __future__ import annotations

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.pluginroad import LISTED, PluginStatus, plugin_status
from bridge.connectors.moodle.refusals import ROLES_PAGE
from bridge.domain.errors import PeerError
from bridge.domain.ports import Finding

API = 1
_LOOK = "Check the address in bridge.toml, the network and any firewall, and run doctor again."


def plugin_findings(client: MoodleClient) -> tuple[list[Finding], bool]:
    """What there is to say, and whether badges can be awarded by the plugin."""
    try:
        told = plugin_status(client)
    except PeerError as error:
        return [Finding("plugin for badges", False, _words(error), _LOOK)], False
    return _findings(client, told), told is not None and told.api == API and told.can_award


def _words(error: PeerError) -> str:
    return str(error).removeprefix(f"{error.peer}: ")


def _findings(client: MoodleClient, told: PluginStatus | None) -> list[Finding]:
    """By which road `via: auto` goes, and whether profiles can show how people stand."""
    if told is None:
        return [
            Finding(
                "plugin for badges",
                True,
                "The bridge's plugin is not installed in this Moodle, or its functions are not in "
                "the token's service: badges 'via: auto' go by the stock road that their settings "
                "name.",
            )
        ]
    roles = client.settings.page(ROLES_PAGE)
    if told.api != API:
        return [
            Finding(
                "plugin for badges",
                False,
                f"The plugin speaks version {told.api} of its interface, the bridge {API}.",
                "Update the older of the two.",
            )
        ]
    findings = []
    if told.can_award:
        words = f"Plugin {told.plugin}: badges 'via: auto' and 'via: plugin' are awarded by it."
        findings.append(Finding("plugin for badges", True, words))
        try:
            findings.append(_badges(client))
        except PeerError as error:
            findings.append(Finding("plugin's badges readable", False, _words(error), _LOOK))
    else:
        findings.append(
            Finding(
                "plugin for badges",
                False,
                "The plugin is installed, and the service user may not award by it: badges "
                "'via: auto' go by the stock road.",
                f"Give its role local/competencybridge:managebadges at {roles}.",
                warning=True,
            )
        )
    if client.settings.profile_status and not told.can_set_status:
        findings.append(
            Finding(
                "status on profiles",
                False,
                "The service user may not show on profiles how people stand.",
                f"Give its role local/competencybridge:setstatus at {roles}, or set "
                "profile_status = false.",
                warning=True,
            )
        )
    elif client.settings.profile_status:
        findings.append(Finding("status on profiles", True, "Profiles show how people stand."))
    return findings


def _badges(client: MoodleClient) -> Finding:
    """A real read of what was issued."""
    answer = client.call(LISTED, {"after": 0, "limit": 1})
    try:
        count, badges = int(answer["total"]), len(answer["badges"])
    except (KeyError, TypeError, ValueError):
        raise client.unreadable(LISTED) from None
    words = f"{badges} badges of the bridge, held {count:,} times."
    return Finding("plugin's badges readable", True, words)
