"""What `bridge doctor` and the end of set-up prove beside pulling and awarding.

That what badges hang on is there, and that the service user has no more than it needs.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.cohortlist import list_cohorts
from bridge.connectors.moodle.competencies import COURSE_LINKS, MoodleCompetencies
from bridge.connectors.moodle.needs import FUNCTIONS, PLUGIN_STATUS, functions_for
from bridge.connectors.moodle.refusals import ROLES_PAGE, SERVICES_PAGE
from bridge.connectors.moodle.roads import DELETE_MEMBERS
from bridge.connectors.moodle.setupaccess import Access
from bridge.connectors.moodle.setupbadges import BadgeSetup
from bridge.domain.errors import PeerError
from bridge.domain.ports import Finding
from bridge.domain.setup import SetupWishes, StepState

_KNOWN = frozenset((*functions_for(FUNCTIONS), "core_cohort_get_cohort_members"))
_SHOWN = 8
_PLUGIN_RIGHTS = {
    "can_read": "local/competencybridge:readchanges",
    "can_award": "local/competencybridge:managebadges",
    "can_set_status": "local/competencybridge:setstatus",
}


def place_findings(access: Access, wishes: SetupWishes) -> list[Finding]:
    """Whether what the badges hang on is there, by the service user's own eyes. Reads only."""
    if access.service is None:
        return []
    found = [*_least(access), *_more_than_needed(access)]
    reading = Access(access.settings, access.service, None)
    reading.service_info = access.service_info
    stock = [need for need in wishes.badges if need.via != "plugin"]
    for step in BadgeSetup(reading, {}).steps(stock):
        if step.state is StepState.DONE:
            found.append(Finding(step.title, True, step.says))
        elif step.state is StepState.OPEN:
            where = f"At {step.page}: " if step.page else ""
            entered = "; ".join(f"{name}: {value}" for name, value in step.values)
            # A badge of next year holds nothing up; a report that shows no badge says so itself.
            found.append(Finding(step.title, False, step.says, f"{where}{entered}", warning=True))
    return found


def _least(access: Access) -> list[Finding]:
    info = access.service_info or {}
    if not info.get("userissiteadmin"):
        return []
    return [
        Finding(
            "least privilege",
            False,
            f"The token belongs to {info.get('username')}, a site administrator: whoever finds it "
            "can do anything.",
            "Make a user for the bridge alone: 'bridge moodle setup' writes the role and the user.",
            warning=True,
        )
    ]


def _more_than_needed(access: Access) -> list[Finding]:
    more = sorted(
        name
        for name in access.offered - _KNOWN
        # The plugin's own functions come and go with its version.
        if not name.startswith("local_competencybridge_")
    )
    if not more:
        return []
    shown = ", ".join(more[:_SHOWN]) + (f" and {len(more) - _SHOWN} more" if more[_SHOWN:] else "")
    return [
        Finding(
            "functions beyond need",
            False,
            f"The token's service also has {shown}, which the bridge never calls.",
            f"Take them out at {access.page(SERVICES_PAGE)}, unless something else uses this "
            "service.",
            warning=True,
        )
    ]


def proofs(access: Access, wishes: SetupWishes, courses: Sequence[str] = ()) -> list[Finding]:
    """What only trying shows, for the end of set-up. The one change that is tried is none: the
    service user, who is in no badge's cohort, is taken out of one."""
    client, info = access.service, access.service_info
    if client is None or info is None:
        return []
    found = []
    if PLUGIN_STATUS in access.offered:
        found += _plugin_rights(client)
    if "cohort" in wishes.ways_out and DELETE_MEMBERS in access.offered:
        found += _may_assign(client, int(info["userid"]), wishes)
    if wishes.links and COURSE_LINKS in access.offered and courses:
        found.append(_links(client, courses))
    return found


def _plugin_rights(client: MoodleClient) -> list[Finding]:
    """What the plugin itself says that its caller may."""
    check = "rights in the plugin"
    try:
        told = client.call(PLUGIN_STATUS)
    except PeerError as error:
        return [Finding(check, False, str(error))]
    if not isinstance(told, dict):
        raise client.unreadable(PLUGIN_STATUS)
    missing = [right for key, right in _PLUGIN_RIGHTS.items() if not told.get(key)]
    if not missing:
        return [Finding(check, True, "The service user may read, award and show.")]
    remedy = f"Give its role {', '.join(missing)} at {client.settings.page(ROLES_PAGE)}."
    return [Finding(check, False, "The service user may not use all of the plugin.", remedy)]


def _may_assign(client: MoodleClient, userid: int, wishes: SetupWishes) -> list[Finding]:
    wanted = {need.cohort for need in wishes.badges if need.cohort}
    check = "cohort members can be changed"
    try:
        listed = list_cohorts(client)
        first = next((one["id"] for one in listed if one["idnumber"] in wanted), None)
        if first is None:
            return []
        member = {"cohortid": first, "userid": userid}
        client.fetch(DELETE_MEMBERS, {"members": [member]})
    except PeerError as error:
        remedy = f"Give the role moodle/cohort:assign at {client.settings.page(ROLES_PAGE)}."
        return [Finding(check, False, str(error), remedy)]
    return [Finding(check, True, "The service user may add and remove members.")]


def _links(client: MoodleClient, courses: Sequence[str]) -> Finding:
    check = "links of courses"
    try:
        read = MoodleCompetencies(client).course_links(courses)
    except PeerError as error:
        remedy = (
            "They are only a help with mappings. To have it, give the role moodle/course:view, "
            "moodle/course:viewhiddencourses and moodle/competency:coursecompetencyview at "
            f"{client.settings.page(ROLES_PAGE)}."
        )
        return Finding(check, False, str(error), remedy, warning=True)
    return Finding(check, True, f"{len(read)} of {len(courses)} courses can be asked.")
