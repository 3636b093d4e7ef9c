"""What a Moodle's refusals mean, and what its administrator has to change, function by function."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from bridge.connectors.moodle.settings import MoodleSettings
from bridge.domain.errors import (
    BadAnswer,
    InMaintenance,
    NeedsAdministrator,
    PeerError,
    TryLater,
)

SERVICES_PAGE = "/admin/settings.php?section=externalservices"
TOKENS_PAGE = "/admin/webservice/tokens.php"
ROLES_PAGE = "/admin/roles/manage.php"
REPORTS_PAGE = "/reportbuilder/index.php"

_REPORT = ("moodle/reportbuilder:view",)
_COHORT_VIEW, _COHORT_ASSIGN = ("moodle/cohort:view",), ("moodle/cohort:assign",)
_COMPETENCY = ("moodle/competency:competencyview",)
_MANAGE = ("moodle/competency:competencymanage",)
_LINK = ("moodle/course:view", "moodle/competency:coursecompetencymanage")
CAPABILITIES: Mapping[str, tuple[str, ...]] = {
    "core_reportbuilder_list_reports": _REPORT,
    "core_reportbuilder_retrieve_report": _REPORT,
    "core_reportbuilder_set_filters": _REPORT,
    "core_reportbuilder_filters_reset": _REPORT,
    "core_cohort_create_cohorts": ("moodle/cohort:manage",),
    "core_cohort_search_cohorts": _COHORT_VIEW,
    "core_cohort_get_cohort_members": _COHORT_VIEW,
    "core_cohort_add_cohort_members": _COHORT_ASSIGN,
    "core_cohort_delete_cohort_members": _COHORT_ASSIGN,
    "core_competency_list_competency_frameworks": _COMPETENCY,
    "core_competency_list_competencies": _COMPETENCY,
    "core_cohort_get_cohorts": _COHORT_VIEW,
    "core_competency_get_scale_values": _MANAGE,
    "core_competency_create_competency_framework": _MANAGE,
    "core_competency_update_competency_framework": _MANAGE,
    "core_competency_create_competency": _MANAGE,
    "core_competency_update_competency": _MANAGE,
    "core_competency_set_parent_competency": _MANAGE,
    "core_competency_list_course_competencies": (
        "moodle/course:view",
        "moodle/course:viewhiddencourses",
        "moodle/competency:coursecompetencyview",
    ),
    "core_competency_add_competency_to_course": _LINK,
    "core_competency_set_course_competency_ruleoutcome": _LINK,
    "core_competency_grade_competency": (
        "moodle/competency:competencygrade",
        "moodle/competency:usercompetencyview",
        "moodle/competency:competencyview",
    ),
    "tool_lp_data_for_user_competency_summary": ("moodle/competency:usercompetencyview",),
    "gradereport_user_get_grade_items": ("gradereport/user:view", "moodle/grade:viewall"),
    "core_badges_get_user_badges": ("moodle/badges:viewotherbadges",),
    "core_course_get_courses_by_field": ("moodle/course:view", "moodle/course:viewhiddencourses"),
    "core_enrol_get_enrolled_users": (
        "moodle/course:view",
        "moodle/course:viewhiddencourses",
        "moodle/course:viewparticipants",
        "moodle/user:viewdetails",
    ),
    "core_completion_get_course_completion_status": (
        "moodle/course:view",
        "moodle/course:viewhiddencourses",
        "report/completion:view",
    ),
}

_PLUGIN = "local_competencybridge_"
_MANAGE_BADGES = ("local/competencybridge:managebadges",)
CAPABILITIES = {
    **CAPABILITIES,
    **{f"{_PLUGIN}{name}_badges": _MANAGE_BADGES for name in ("save", "award", "renew", "revoke",
                                                              "list")},
    f"{_PLUGIN}set_status": ("local/competencybridge:setstatus",),
}  # fmt: skip

_FORBIDDEN = frozenset(
    {
        "nopermissions",
        "errorreportview",
        "requireloginerror",
        "errorcoursecontextnotvalid",
        "cannotviewreport",
    }
)
_CLOSED = frozenset({"dbconnectionfailed", "sitemaintenance", "upgraderunning"})
_LATER = frozenset({"cannotgetlock", "errorbusy"})
_TAGS = re.compile(r"<[^>]*>")


def plain(text: str, limit: int = 300) -> str:
    """Markup and line breaks taken out of what a peer said, so that it can stand in a message."""
    said = " ".join(html.unescape(_TAGS.sub(" ", text)).split())
    return said if len(said) <= limit else said[:limit] + "..."


def capabilities_of(function: str) -> str:
    """The capabilities a function needs, as a phrase."""
    return ", ".join(CAPABILITIES.get(function, ("what the function's page in Moodle lists",)))


def refusal(
    settings: MoodleSettings, function: str, code: str, exception: str, message: str
) -> PeerError:
    """The error for an exception a Moodle answered; its `detail` is Moodle's own error code.

    Shapes seen on Moodle 4.4; the same code can stand for several causes, and then all are named.
    """
    said = plain(message)
    kind, words = _meaning(settings, function, code, exception, said)
    return kind(f"{settings.key}: {words}", peer=settings.key, detail=code)


def _meaning(
    settings: MoodleSettings, function: str, code: str, exception: str, said: str
) -> tuple[type[PeerError], str]:
    if code in _CLOSED or exception == "dml_connection_exception":
        return InMaintenance, f"Moodle is closed at the moment ({said}). It will be tried again."
    if code in _LATER:
        return TryLater, f"Moodle cannot work at the moment ({said}). It will be tried again."
    if code == "invalidtoken":
        return NeedsAdministrator, (
            "Moodle does not know this token: it was mistyped, deleted or has expired. Make a new "
            f"one for the service user at {settings.page(TOKENS_PAGE)} and put it in the "
            "configuration."
        )
    if code == "accessexception":
        return NeedsAdministrator, _access_denied(settings, function)
    if code.startswith("wsaccessuser") or code == "passwordisexpired":
        return NeedsAdministrator, (
            f"Moodle refuses the service user's account ({said}). Look at it in "
            f"{settings.page('/admin/user.php')}: it must be confirmed, not suspended, and not "
            "use the authentication method 'No login'."
        )
    if code in _FORBIDDEN:
        return NeedsAdministrator, _forbidden(settings, function, code, said)
    if code == "invalidrecord" and "external_functions" in said:
        if function.startswith(_PLUGIN):
            return NeedsAdministrator, (
                f"This Moodle has no {function}: the plugin Competency Bridge is not installed in "
                f"it, or an older one. See {settings.page('/admin/plugins.php')}."
            )
        return NeedsAdministrator, (
            f"This Moodle has no web service function {function}. Custom reports need Moodle 4.1 "
            "or later; the bridge is verified with 4.4."
        )
    if code == "invalidrecord" and "reportbuilder_report" in said:
        return NeedsAdministrator, (
            "The configured report does not exist (any more). See "
            f"{settings.page(REPORTS_PAGE)} and put the report's id or name in the configuration."
        )
    return BadAnswer, f"{function} failed in Moodle: {said} ({code})."


def _access_denied(settings: MoodleSettings, function: str) -> str:
    """`accessexception` is one answer to six causes; Moodle does not say which."""
    return (
        f"Moodle refuses {function} without saying why. Check, in this order: the function is in "
        f"the bridge's service, the service is enabled and the service user is among its "
        f"authorised users ({settings.page(SERVICES_PAGE)}); the token is not expired and not "
        f"bound to another IP address ({settings.page(TOKENS_PAGE)}); the service user's role "
        f"has webservice/rest:use ({settings.page(ROLES_PAGE)})."
    )


def _forbidden(settings: MoodleSettings, function: str, code: str, said: str) -> str:
    words = (
        f"the service user may not use {function} ({said}). Give its role "
        f"{capabilities_of(function)} at {settings.page(ROLES_PAGE)}, assigned at system level."
    )
    if code == "errorreportview":
        words += (
            " Also add the service user to the report's audience: open the report at "
            f"{settings.page(REPORTS_PAGE)}, tab Audience."
        )
    return words
