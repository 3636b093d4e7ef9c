"""Chooses the way that completions come in: the plugin, the report, or person by person.

What is there is asked, never assumed: the functions in the token's service, and the plugin's own
word of what it may read. A better way comes first; a weaker one is taken only where that is safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.connectors.moodle import zones
from bridge.connectors.moodle.client import Call, MoodleClient
from bridge.connectors.moodle.peruser import COMPLETION, COURSES, ENROLLED
from bridge.connectors.moodle.plugin import API, FUNCTIONS, READ_CAPABILITY, STATUS, status_of
from bridge.connectors.moodle.plugin import Status as PluginStatus
from bridge.connectors.moodle.refusals import ROLES_PAGE, SERVICES_PAGE
from bridge.connectors.moodle.reports import LIST, RESET_FILTERS, RETRIEVE, SET_FILTERS
from bridge.connectors.moodle.settings import MoodleSettings
from bridge.domain.errors import NeedsAdministrator, PeerError, TryLater

SITE_INFO = "core_webservice_get_site_info"
REPORT_FUNCTIONS = (LIST, RETRIEVE, SET_FILTERS, RESET_FILTERS)
PER_USER_FUNCTIONS = (COURSES, ENROLLED, COMPLETION)
PLUGIN, REPORT, PER_USER = "plugin", "report", "per-user"
#: Best first: each sees all that the next one sees.
RANKED = (PLUGIN, REPORT, PER_USER)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a first request found out: the functions offered (None: it is not told), the plugin's
    status, and the answers that the report needs, as far as they came along."""

    offered: frozenset[str] | None = None
    status: PluginStatus | None = None
    plugin_error: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)

    def lacks(self, functions: tuple[str, ...]) -> list[str]:
        """Which of these the service is known not to have."""
        return [] if self.offered is None else [n for n in functions if n not in self.offered]


@dataclass(frozen=True, slots=True)
class Choice:
    """The way taken, why, and what would open a better one ("" where it is the best)."""

    way: str
    why: str
    better: str = ""


def open_up(client: MoodleClient, now: datetime) -> Opening:
    """Ask at once what the choice and the report need: one request where batches are allowed."""
    settings = client.settings
    calls: list[Call] = [(SITE_INFO, {})]
    if settings.report is not None and not str(settings.report).isdecimal():
        calls.append((LIST, {"perpage": 1000}))
    if settings.report is not None:
        calls.append(zones.probe(now))
    calls.append((STATUS, {}))
    # What may be refused comes last, for a batch ends at its first error.
    found = client.first_of(calls)
    answers = {name: answer for (name, _), answer in zip(calls, found, strict=False)}
    offered = functions_of(answers.pop(SITE_INFO))
    if offered is not None and offered.isdisjoint(FUNCTIONS):
        # It would be refused, for it is not there.
        answers.pop(STATUS, None)
        return Opening(offered, answers=answers)
    status, error = _status(client, answers, offered)
    return Opening(offered, status, error, answers)


def functions_of(info: Any) -> frozenset[str] | None:
    """The functions in the token's service; None where the site does not say."""
    if isinstance(info, PeerError):
        if isinstance(info, NeedsAdministrator) and info.detail == "accessexception":
            return None
        raise info
    try:
        return frozenset(str(one["name"]) for one in info["functions"])
    except (KeyError, TypeError):
        return None


def _status(
    client: MoodleClient, answers: dict[str, Any], offered: frozenset[str] | None
) -> tuple[PluginStatus | None, str]:
    answer = answers.pop(STATUS, None)
    if answer is None and offered is not None and STATUS in offered:
        answer = client.first_of([(STATUS, {})])[0]
    if answer is None:
        return None, ""
    return status_from(client, answer)


def status_from(client: MoodleClient, answer: Any) -> tuple[PluginStatus | None, str]:
    """The plugin's status in an answer, or why there is none. Raises TryLater."""
    if isinstance(answer, TryLater):
        raise answer
    try:
        if isinstance(answer, PeerError):
            raise answer
        return status_of(client, answer), ""
    except PeerError as error:
        return None, str(error).removeprefix(f"{client.settings.key}: ")


def choose(settings: MoodleSettings, opening: Opening) -> Choice:
    """Which way in is taken. A way that is named in the settings is taken whatever is there."""
    wanting = _plugin_lacks(settings, opening)
    if settings.way != "auto":
        return Choice(
            settings.way, f'The settings say way = "{settings.way}".', _better(settings, wanting)
        )
    if not wanting:
        return Choice(PLUGIN, "The bridge's plugin is installed and lets the service user read.")
    missing = opening.lacks((RETRIEVE,))
    if settings.report is not None and not missing:
        return Choice(REPORT, f"There is a report, and no plugin: {wanting}", wanting)
    if settings.report is None:
        why = "No report is configured."
    else:
        why = f"The service has no {', '.join(missing)}."
    report = (
        f"Name a report in bridge.toml, with {', '.join(REPORT_FUNCTIONS)} in the service at "
        f"{settings.page(SERVICES_PAGE)}; or better, the plugin. {wanting}"
    )
    return Choice(PER_USER, f"{why} And no plugin: {wanting}", report)


def _better(settings: MoodleSettings, wanting: str) -> str:
    if settings.way == PLUGIN:
        return ""
    return wanting or 'The plugin is there: way = "auto" would use it.'


def _plugin_lacks(settings: MoodleSettings, opening: Opening) -> str:
    """What keeps the plugin from being used, as a sentence; "" where nothing does."""
    if opening.status is None:
        if opening.plugin_error:
            return f"The plugin does not answer. {opening.plugin_error}"
        return (
            "The plugin local_competencybridge is not installed, or its functions are not in the "
            f"service at {settings.page(SERVICES_PAGE)} ('bridge moodle plugin' makes it)."
        )
    missing = opening.lacks(FUNCTIONS)
    if missing:
        return (
            f"The plugin is installed, but not in the service: {', '.join(missing)}. Add them at "
            f"{settings.page(SERVICES_PAGE)}."
        )
    if opening.status.api != API:
        return (
            f"The plugin speaks version {opening.status.api} and this bridge version {API}: update "
            "the older of the two."
        )
    if not opening.status.can_read:
        return (
            f"The plugin is installed, but the service user lacks {READ_CAPABILITY}. Give it to "
            f"its role at {settings.page(ROLES_PAGE)}, at system level."
        )
    return ""


def rank_of_mark(mark: str) -> int:
    """How good the way was that left a mark; that of no mark is that of the weakest."""
    way = mark.partition(":")[0]
    return RANKED.index(way) if way in RANKED else len(RANKED)
