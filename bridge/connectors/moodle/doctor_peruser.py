"""Whether a Moodle can be read person by person: courses, their people, and one completion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.peruser import COMPLETION, COURSES, ENROLLED
from bridge.connectors.moodle.refusals import ROLES_PAGE
from bridge.domain.errors import PeerError
from bridge.domain.ports import Finding

#: In so many courses somebody is looked for who can be asked about.
_LOOKED_INTO = 5
#: Moodle's words for a course of which nothing of the kind is known, which is no fault.
_NOTHING_TO_TELL = frozenset(
    {"userdeleted", "invaliduser", "usernotenroled", "nocriteriaset", "completionnotenabled"}
)


def per_user_findings(client: MoodleClient, own_id: int) -> list[Finding]:
    """What the slow road needs, tried. `own_id` is the service user, who may always see itself.

    Hidden courses are not told of at all without `moodle/course:viewhiddencourses`, so that one
    capability nobody can miss. Raises PeerError.
    """
    answer = client.call(COURSES)
    try:
        courses = [one for one in answer["courses"] if one["id"] != 1]
    except (KeyError, TypeError):
        raise client.unreadable(COURSES) from None
    capabilities = "moodle/course:view, moodle/course:viewhiddencourses"
    remedy = f"Give the role {capabilities} at {client.settings.page(ROLES_PAGE)}, system level."
    if not courses:
        return [Finding("courses", False, "No course is shown to the service user.", remedy)]
    named = sum(bool(one.get("idnumber")) for one in courses)
    findings = [Finding("courses", True, f"{len(courses)} courses are visible.")]
    if not named:
        findings.append(
            Finding(
                "course ID numbers",
                False,
                "No course shows its ID number, so mappings by idnumber find nothing.",
                "Give the role moodle/course:update, or use the report route, which shows them.",
                warning=True,
            )
        )
    return findings + _people(client, [int(one["id"]) for one in courses], own_id)


def _people(client: MoodleClient, courses: Sequence[int], own_id: int) -> list[Finding]:
    """Whether the people of a course are shown, with their addresses, and what they completed."""
    for course in courses[:_LOOKED_INTO]:
        options = {"userfields": "id,username,email,idnumber", "limitnumber": 10, "sortby": "id"}
        listed = client.call(
            ENROLLED,
            {"courseid": course,
             "options": [{"name": name, "value": value} for name, value in options.items()]},
        )  # fmt: skip
        if not isinstance(listed, list):
            raise client.unreadable(ENROLLED)
        others = [one for one in listed if one.get("id") != own_id]
        if others:
            return [_known_by(client, others), *_completion(client, course, others)]
    looked = min(len(courses), _LOOKED_INTO)
    return [
        Finding(
            "people of courses",
            False,
            f"In the first {looked} courses nobody is shown: either nobody is in them, or their "
            "people may not be seen.",
            "Give the role moodle/user:viewdetails and moodle/course:viewparticipants at "
            f"{client.settings.page(ROLES_PAGE)}.",
            warning=True,
        )
    ]


def _known_by(client: MoodleClient, people: Sequence[Any]) -> Finding:
    check = "people of courses"
    if any(one.get("email") or one.get("idnumber") for one in people):
        return Finding(check, True, "They are shown with their addresses or ID numbers.")
    return Finding(
        check,
        False,
        "They are shown without address and ID number, so nobody can be told apart.",
        "Give the role moodle/user:viewdetails and moodle/site:viewuseridentity at "
        f"{client.settings.page(ROLES_PAGE)}, and see that 'Show user identity' names the email "
        "address and the ID number.",
    )


def _completion(client: MoodleClient, course: int, people: Sequence[Any]) -> list[Finding]:
    try:
        client.call(COMPLETION, {"courseid": course, "userid": int(people[0]["id"])})
    except PeerError as error:
        if error.detail not in _NOTHING_TO_TELL:
            raise
    return [Finding("completions of others", True, "They can be asked about.")]
