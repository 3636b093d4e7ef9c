"""Which cohorts there are: by search, or by the older function of systems that have no search."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bridge.connectors.moodle.client import MoodleClient
from bridge.domain.errors import NeedsAdministrator

SEARCH_COHORTS = "core_cohort_search_cohorts"
#: Totara has this one alone.
GET_COHORTS = "core_cohort_get_cohorts"
SYSTEM = {"contextlevel": "system", "instanceid": 0}
_MOST = 10_000


def list_cohorts(client: MoodleClient, query: str = "") -> list[Mapping[str, Any]]:
    """The cohorts that the token's user sees, those alone whose name or ID number has `query`.

    Raises PeerError; where neither function may be called, the error of the first.
    """
    asked = {"query": query, "context": SYSTEM, "includes": "all", "limitnum": _MOST}
    try:
        answer = client.call(SEARCH_COHORTS, asked)
    except NeedsAdministrator as error:
        try:
            listed = client.call(GET_COHORTS)
        except NeedsAdministrator:
            raise error from None
    else:
        listed = answer.get("cohorts") if isinstance(answer, dict) else None
    if not isinstance(listed, list) or not all(
        isinstance(one, dict) and "id" in one and "idnumber" in one for one in listed
    ):
        raise client.unreadable(SEARCH_COHORTS)
    return listed


def looking_up(offered: Collection[str]) -> str:
    """Which of the two a token is to use; the first where it may call neither."""
    if SEARCH_COHORTS not in offered and GET_COHORTS in offered:
        return GET_COHORTS
    return SEARCH_COHORTS
