"""The least that a service user needs, by road: functions in the service, capabilities in the role.

Checked against the `require_capability` calls of Moodle 4.4, and by taking each away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.connectors.moodle.client import BATCH
from bridge.connectors.moodle.cohortlist import SEARCH_COHORTS
from bridge.connectors.moodle.competencies import COURSE_LINKS
from bridge.connectors.moodle.issued import USER_BADGES
from bridge.connectors.moodle.peruser import COMPLETION, COURSES, ENROLLED
from bridge.connectors.moodle.reports import LIST, RESET_FILTERS, RETRIEVE, SET_FILTERS
from bridge.connectors.moodle.roads import (
    ADD_MEMBERS,
    DELETE_MEMBERS,
    GRADE,
    LIST_COMPETENCIES,
    LIST_FRAMEWORKS,
    RATING,
)
from bridge.connectors.moodle.zones import TIMESTAMPS
from bridge.domain.setup import SetupWishes, WayIn

SITE_INFO = "core_webservice_get_site_info"
PLUGIN_STATUS = "local_competencybridge_get_status"
_PLUGIN = "local_competencybridge_"

#: Each road's functions beside those that every road needs.
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "plugin": (
        PLUGIN_STATUS,
        f"{_PLUGIN}get_changes",
        f"{_PLUGIN}get_completions",
        f"{_PLUGIN}get_activities",
    ),
    "report": (LIST, RETRIEVE, SET_FILTERS, RESET_FILTERS, TIMESTAMPS),
    "per-user": (COURSES, ENROLLED, COMPLETION),
    "via plugin": tuple(
        f"{_PLUGIN}{name}_badges" for name in ("save", "award", "renew", "revoke", "list")
    ),
    "via cohort": (SEARCH_COHORTS, ADD_MEMBERS, DELETE_MEMBERS, USER_BADGES, LIST, RETRIEVE),
    "via competency": (
        LIST_FRAMEWORKS,
        LIST_COMPETENCIES,
        GRADE,
        RATING,
        USER_BADGES,
        LIST,
        RETRIEVE,
    ),
    "links": (LIST_FRAMEWORKS, COURSE_LINKS),
}
_COURSE_ACCESS = ("moodle/course:view", "moodle/course:viewhiddencourses")
#: Each road's capabilities beside `webservice/rest:use`, all in the system context.
CAPABILITIES: Mapping[str, tuple[str, ...]] = {
    "plugin": ("local/competencybridge:readchanges",),
    "report": ("moodle/reportbuilder:view",),
    "per-user": (
        *_COURSE_ACCESS,
        "moodle/course:viewparticipants",
        "moodle/user:viewdetails",
        "moodle/site:viewuseridentity",
        "report/completion:view",
    ),
    "via plugin": ("local/competencybridge:managebadges", "local/competencybridge:setstatus"),
    "via cohort": (
        "moodle/cohort:view",
        "moodle/cohort:assign",
        "moodle/badges:viewotherbadges",
        "moodle/reportbuilder:view",
    ),
    "via competency": (
        "moodle/competency:competencyview",
        "moodle/competency:competencygrade",
        "moodle/competency:usercompetencyview",
        "moodle/badges:viewotherbadges",
        "moodle/reportbuilder:view",
    ),
    "links": (
        *_COURSE_ACCESS,
        "moodle/competency:competencyview",
        "moodle/competency:coursecompetencyview",
    ),
}
_EVERY_FUNCTION, _EVERY_CAPABILITY = (SITE_INFO, BATCH), ("webservice/rest:use",)


def function_names(info: Mapping[str, Any]) -> frozenset[str]:
    """The functions that the answer of get_site_info says may be called; none of an odd answer."""
    listed = info.get("functions")
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(str(one["name"]) for one in listed if isinstance(one, dict) and "name" in one)


def roads_of(wishes: SetupWishes) -> list[str]:
    """The roads that set-up is for, as the tables here name them.

    Who has the plugin has its badges too: moving a badge there then needs no other role.
    """
    out = set(wishes.ways_out) | ({"plugin"} if wishes.way_in is WayIn.PLUGIN else set())
    roads = [str(wishes.way_in), *sorted(f"via {road}" for road in out)]
    return [*roads, "links"] if wishes.links else roads


def functions_for(roads: Iterable[str]) -> list[str]:
    """Every function that these roads call, each once, in the order in which they are listed."""
    return _together(_EVERY_FUNCTION, FUNCTIONS, roads)


def capabilities_for(roads: Iterable[str]) -> list[str]:
    """Every capability that these roads need."""
    return _together(_EVERY_CAPABILITY, CAPABILITIES, roads)


def _together(
    first: tuple[str, ...], table: Mapping[str, tuple[str, ...]], roads: Iterable[str]
) -> list[str]:
    return list(dict.fromkeys([*first, *(one for road in roads for one in table.get(road, ()))]))


def offers_plugin(functions: Iterable[str]) -> bool:
    """Whether a token's service has the plugin's functions."""
    return PLUGIN_STATUS in set(functions)


def default_way_in(functions: Iterable[str], *, report: bool) -> WayIn:
    """The best road that is there, or that stock Moodle can have."""
    if offers_plugin(functions):
        return WayIn.PLUGIN
    return WayIn.REPORT if report else WayIn.PER_USER
