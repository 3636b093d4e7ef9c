"""What `bridge doctor` asks a Moodle: real, harmless reads, each failure with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from bridge.connectors.moodle import zones
from bridge.connectors.moodle.client import BATCH, UNREADABLE, MoodleClient
from bridge.connectors.moodle.cohortlist import list_cohorts, looking_up
from bridge.connectors.moodle.doctor_plugin import plugin_findings
from bridge.connectors.moodle.doctor_ways import way_findings
from bridge.connectors.moodle.issued import USER_BADGES, all_issued, held_by
from bridge.connectors.moodle.needs import function_names
from bridge.connectors.moodle.peruser import COMPLETION, COURSES, ENROLLED
from bridge.connectors.moodle.refusals import REPORTS_PAGE, ROLES_PAGE, SERVICES_PAGE
from bridge.connectors.moodle.reports import (
    LIST,
    NO_SUCH_REPORT,
    RESET_FILTERS,
    RETRIEVE,
    SET_FILTERS,
    Retrieved,
    find_report,
    heading_problem,
)
from bridge.connectors.moodle.roads import (
    ADD_MEMBERS,
    ALL_FRAMEWORKS,
    COHORTS_PAGE,
    DELETE_MEMBERS,
    FIRST_ONES,
    FRAMEWORKS_PAGE,
    GONE,
    GRADE,
    LIST_COMPETENCIES,
    LIST_FRAMEWORKS,
    RATING,
)
from bridge.connectors.moodle.rows import columns_of
from bridge.connectors.moodle.ways import PLUGIN, REPORT
from bridge.domain.errors import NeedsAdministrator, PeerError
from bridge.domain.ports import Finding

SITE_INFO = "core_webservice_get_site_info"
_FIRST_ADMIN = 2
_REPORT_FUNCTIONS = (LIST, RETRIEVE, SET_FILTERS, RESET_FILTERS)
_PER_USER_FUNCTIONS = (COURSES, ENROLLED, COMPLETION)
_COHORT_FUNCTIONS = (ADD_MEMBERS, DELETE_MEMBERS)
_COMPETENCY_FUNCTIONS = (LIST_FRAMEWORKS, LIST_COMPETENCIES, GRADE, RATING)
_WISHED_FOR = ("email", "idnumber", "course_idnumber", "shortname", "suspended")
_HEADING = {
    "email": "Email address",
    "idnumber": "ID number",
    "course_idnumber": "Course ID number",
    "shortname": "Course short name",
    "suspended": "Suspended",
}

Info = Mapping[str, Any]

_LOOK = "Check the address in bridge.toml, the network and any firewall, and run doctor again."
_SETUP = "'bridge moodle setup' shows each step that is open, with its page and what to enter."


def source_findings(client: MoodleClient, now: datetime) -> list[Finding]:
    """Whether completions can be pulled. `now` chooses the dates that the time zone is tried on."""
    findings, info = _connection(client)
    if info is None:
        return findings
    try:
        way, found = way_findings(client, info)
    except PeerError as error:
        return [*findings, Finding("way in", False, _told(error), _LOOK)]
    findings += found
    if way == PLUGIN:
        return findings
    by_report = way == REPORT
    needed = _REPORT_FUNCTIONS if client.settings.report is not None else _PER_USER_FUNCTIONS
    findings += _functions(client, info, needed, "functions for pulling")
    if not by_report and client.settings.report is not None:
        findings += _functions(
            client, info, _PER_USER_FUNCTIONS, "functions for asking person by person"
        )
    findings.append(_language(client, info))
    findings.append(_zone(client, info, now))
    if by_report:
        findings += _tried("report", lambda: _report(client))
    else:
        findings.append(_no_report(client))
        findings += _tried("courses", lambda: _courses(client))
    return findings


def target_findings(client: MoodleClient) -> list[Finding]:
    """Whether badges can be brought into step, as far as reads can tell."""
    findings, info = _connection(client)
    if info is None:
        return findings
    by_plugin, told = plugin_findings(client)
    findings += by_plugin
    findings += _functions(client, info, (USER_BADGES,), "function for reading badges")
    offered = _offered(info)
    cohort = (looking_up(offered), *_COHORT_FUNCTIONS)
    roads = {"cohort": cohort, "competency": _COMPETENCY_FUNCTIONS}
    open_roads = [name for name, needed in roads.items() if offered.issuperset(needed)]
    for name, needed in roads.items():
        # One road is enough: the missing functions of the other are worth a word, no more.
        findings += _functions(
            client, info, needed, f"functions for via: {name}", warning=bool(open_roads) or told
        )
    findings += _tried("badges readable", lambda: _badges(client))
    if client.settings.badges_report is not None:
        findings += _tried("badges report", lambda: _badges_report(client))
    if "cohort" in open_roads:
        findings += _tried("cohorts visible", lambda: _cohorts(client))
    if "competency" in open_roads:
        findings += _tried(
            "competencies can be rated", lambda: _competencies(client, int(info["userid"]))
        )
    return findings


def _connection(client: MoodleClient) -> tuple[list[Finding], Info | None]:
    """Address, web services and token at once: the first call tells which of them fails."""
    try:
        info = client.call(SITE_INFO)
        if not isinstance(info, dict) or "userid" not in info:
            raise client.unreadable(SITE_INFO)
    except PeerError as error:
        return [Finding("connection", False, _told(error), _remedy(error))], None
    return [
        Finding(
            "connection",
            True,
            f"{info.get('sitename')} (Moodle {info.get('release')}) answers at "
            f"{client.settings.base}; the token belongs to {info.get('username')}.",
        )
    ], info


def _remedy(error: PeerError) -> str:
    """What is for an administrator is a step of set-up; anything else is in the way between."""
    return _SETUP if isinstance(error, NeedsAdministrator) else _LOOK


def _told(error: PeerError) -> str:
    return str(error).removeprefix(f"{error.peer}: ")


def _tried(check: str, attempt: Callable[[], Sequence[Finding]]) -> list[Finding]:
    try:
        return list(attempt())
    except PeerError as error:
        return [Finding(check, False, _told(error), _remedy(error))]


def _offered(info: Info) -> set[str]:
    return set(function_names(info))


def _functions(
    client: MoodleClient, info: Info, needed: Sequence[str], check: str, *, warning: bool = False
) -> list[Finding]:
    missing = [name for name in needed if name not in _offered(info)]
    if not missing:
        return [Finding(check, True, "All are in the token's service.")]
    return [
        Finding(
            check,
            False,
            f"Not in the token's service: {', '.join(missing)}.",
            f"At {client.settings.page(SERVICES_PAGE)} open the service's Functions and add them.",
            warning=warning,
        )
    ]


def _language(client: MoodleClient, info: Info) -> Finding:
    lang = str(info.get("lang", ""))
    if lang == "en" or lang.startswith("en_"):
        return Finding("language", True, "Moodle answers in English.")
    return Finding(
        "language",
        False,
        f"Moodle answers in {lang!r} although English was asked for.",
        f"Set the service user's preferred language to English at "
        f"{client.settings.page('/admin/user.php')}.",
    )


def _zone(client: MoodleClient, info: Info, now: datetime) -> Finding:
    zone = client.settings.timezone
    if zones.TIMESTAMPS not in _offered(info):
        return Finding(
            "time zone",
            False,
            f"Dates are asked for in {zone}, which Moodle grants unless the site forces a zone; "
            "whether it does cannot be checked.",
            f"Add {zones.TIMESTAMPS} to the service at {client.settings.page(SERVICES_PAGE)} so "
            "that every pull can check it.",
            warning=True,
        )
    function, params = zones.probe(now)
    try:
        zones.check(client.settings, client.call(function, params), now)
    except PeerError as error:
        return Finding("time zone", False, _told(error), _LOOK)
    return Finding("time zone", True, f"Moodle writes dates in {zone}, summer and winter.")


def _report(client: MoodleClient) -> list[Finding]:
    """Found, complete, not empty, and showing completions alone."""
    settings = client.settings
    wanted = str(settings.report)
    if wanted.isdecimal():
        number = int(wanted)
    else:
        number = find_report(client, wanted, client.call(LIST, {"perpage": 1000}))
    body = client.fetch(RETRIEVE, {"reportid": number, "page": 0, "perpage": 1}).body
    try:
        told = msgspec.json.decode(body, type=Retrieved)
    except UNREADABLE:
        raise client.unreadable(RETRIEVE) from None
    edit = settings.page(f"/reportbuilder/edit.php?id={number}")
    findings = [Finding("report", True, f"Report {number}, {told.details.name!r}, can be read.")]
    problem = heading_problem(client, told.data.headers)
    if problem is not None:
        findings.append(Finding("report columns", False, _told(problem), f"Edit it at {edit}."))
    else:
        findings.append(_columns(told.data.headers, edit))
    findings.append(_rows(client, told, edit))
    conditions = told.details.conditiondata or ""
    if "completion:completed" not in conditions and "completion:timecompleted" not in conditions:
        findings.append(
            Finding(
                "report condition",
                False,
                "The report lists everybody enrolled, not only who completed.",
                f"Add the condition 'Completed: Yes' at {edit}.",
                warning=True,
            )
        )
    return findings


def _columns(headings: Sequence[str], edit: str) -> Finding:
    missing = [_HEADING[role] for role in _WISHED_FOR if role not in columns_of(headings)]
    if not missing:
        return Finding("report columns", True, "Every column that the bridge reads is there.")
    return Finding(
        "report columns",
        False,
        f"Not in the report: {', '.join(missing)}. Without them people are matched, and courses "
        "mapped, by less.",
        f"Add them at {edit}.",
        warning=True,
    )


def _rows(client: MoodleClient, told: Retrieved, edit: str) -> Finding:
    """The canary: a lost capability or audience looks exactly like "nobody completed anything"."""
    count = told.data.totalrowcount
    if count:
        return Finding("report rows", True, f"It shows {count:,} completions.")
    return Finding(
        "report rows",
        False,
        "It shows no completion at all. Unless nobody ever completed anything, something hides "
        "them.",
        f"Open {edit} as the service user would see it: look at its conditions, at the audience, "
        f"and at the role's moodle/reportbuilder:view ({client.settings.page(ROLES_PAGE)}).",
    )


def _no_report(client: MoodleClient) -> Finding:
    return Finding(
        "report",
        False,
        "No report is configured, so every pull asks Moodle about every person of every course. "
        f"That takes a question per enrolment ({BATCH} in the service makes it one request per "
        "100), and people who were unenrolled are not seen.",
        f"Create a report on Course participants at {client.settings.page(REPORTS_PAGE)}, and "
        "name it in the configuration (report).",
        warning=True,
    )


def _courses(client: MoodleClient) -> list[Finding]:
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
    return findings


def _badges(client: MoodleClient) -> list[Finding]:
    """Somebody else's badges, for one's own need no capability."""
    answer = held_by(client, [_FIRST_ADMIN])[_FIRST_ADMIN]
    if isinstance(answer, PeerError) and answer.detail not in GONE:
        raise answer
    return [Finding("badges readable", True, "The badges of other users can be read.")]


def _badges_report(client: MoodleClient) -> list[Finding]:
    report = client.settings.badges_report
    seen = "It shows no badge, or has conditions, or lacks 'Full name with link' or 'Name'."
    try:
        if report is not None and all_issued(client, report) is not None:
            return [Finding("badges report", True, "It shows who holds which badge.")]
    except NeedsAdministrator as error:
        if error.detail != NO_SUCH_REPORT:
            raise
        seen = _told(error)
    return [
        Finding(
            "badges report",
            False,
            f"{seen} Badges are read person by person meanwhile, which takes longer.",
            f"Edit it at {client.settings.page(REPORTS_PAGE)}; if no badge was issued yet, leave "
            "it as it is.",
            warning=True,
        )
    ]


def _cohorts(client: MoodleClient) -> list[Finding]:
    named = [str(one["idnumber"]) for one in list_cohorts(client) if one["idnumber"]]
    if named:
        seen = ", ".join(named[:10])
        return [
            Finding(
                "cohorts visible",
                True,
                f"Cohorts by ID number: {seen}. Whether people may be added "
                "(moodle/cohort:assign) no reading can tell.",
            )
        ]
    return [
        Finding(
            "cohorts visible",
            False,
            "The service user sees no cohort with an ID number.",
            f"Create one at {client.settings.page(COHORTS_PAGE)} in the system context; the role "
            "needs moodle/cohort:view and moodle/cohort:assign.",
            warning=True,
        )
    ]


def _competencies(client: MoodleClient, userid: int) -> list[Finding]:
    """Whether a rating would be allowed: Moodle says so beside the service user's own ratings."""
    frameworks = client.call(LIST_FRAMEWORKS, ALL_FRAMEWORKS)
    listed = frameworks and client.call(
        LIST_COMPETENCIES,
        {
            "filters": [{"column": "competencyframeworkid", "value": frameworks[0]["id"]}],
            **FIRST_ONES,
        },
    )
    if not isinstance(listed, list):
        raise client.unreadable(LIST_COMPETENCIES)
    if not listed:
        return [
            Finding(
                "competencies can be rated",
                False,
                "The service user sees no competency.",
                f"Create a framework at {client.settings.page(FRAMEWORKS_PAGE)}, or leave this "
                "road alone if badges come by cohorts.",
                warning=True,
            )
        ]
    shown = client.call(RATING, {"userid": userid, "competencyid": listed[0]["id"]})
    if isinstance(shown, dict) and shown.get("cangrade"):
        return [Finding("competencies can be rated", True, "The service user may rate.")]
    return [
        Finding(
            "competencies can be rated",
            False,
            "The service user may see competencies and not rate them.",
            "Give its role moodle/competency:competencygrade at "
            f"{client.settings.page(ROLES_PAGE)}.",
        )
    ]
