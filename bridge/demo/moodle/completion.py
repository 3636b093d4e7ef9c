"""Completion of one user in one course, and of its activities (`core_completion_get_...`)."""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function, format_string
from bridge.demo.moodle.errors import MoodleError
from bridge.demo.moodle.params import INT
from bridge.demo.moodle.tables import Course

_WHOSE = {"courseid": INT, "userid": INT}
_SELF, _ACTIVITY = 1, 4


def _course_module(course: Course) -> int:
    """The id of the one page that every course here has."""
    return 100 + course.id


def _course_status(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Whether a course was completed, and each criterion with its own date.

    There is no date for the course as a whole, and a completion that was set directly says
    completed with every date null.
    """
    course = call.site.course(params["courseid"])
    user = call.site.active_user(params["userid"])
    call.enter(course)
    if not course.enablecompletion or not call.can("report/completion:view"):
        raise MoodleError("moodle_exception", "cannotviewreport", "You cannot view this report")
    if not call.site.is_enrolled(user.id, course.id):
        raise MoodleError(
            "moodle_exception",
            "usernotenroled",
            "User is not enrolled in this course",
            module="completion",
        )
    if not course.has_criteria:
        raise MoodleError(
            "moodle_exception",
            "nocriteriaset",
            "No completion criteria set for this course",
            module="completion",
        )
    completion = call.site.completions.get((user.id, course.id))
    completed = bool(completion and completion.timecompleted)
    dated = completion.timecompleted if completion and completion.criteria_dated else None
    page = f"{call.base_url}/mod/page/view.php?id={_course_module(course)}"
    criteria = (
        (_SELF, "Self completion", "Self completion", "Marking yourself complete"),
        (
            _ACTIVITY,
            "Activity completion",
            f'<a href="{page}">{format_string(course.fullname)} - module</a>',
            "Viewing the page",
        ),
    )
    return {
        "completionstatus": {
            "completed": completed,
            "aggregation": 1,
            "completions": [
                {
                    "type": kind,
                    "title": title,
                    "status": "Yes" if dated else "No",
                    "complete": bool(dated),
                    "timecompleted": dated,
                    "details": {
                        "type": title,
                        "criteria": text,
                        "requirement": requirement,
                        "status": "",
                    },
                }
                for kind, title, text, requirement in criteria
            ],
        },
        "warnings": [],
    }


def _activities_status(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    course = call.site.course(params["courseid"])
    user = call.site.active_user(params["userid"])
    call.enter(course)
    call.require("report/progress:view")
    completion = call.site.completions.get((user.id, course.id))
    dated = completion.timecompleted if completion and completion.criteria_dated else None
    status = {
        "cmid": _course_module(course),
        "modname": "page",
        "instance": course.id,
        "state": 1 if dated else 0,
        "timecompleted": dated or 0,
        "tracking": 2,
        "overrideby": None,
        "valueused": False,
        "hascompletion": True,
        "isautomatic": True,
        "istrackeduser": call.site.is_enrolled(user.id, course.id),
        "uservisible": True,
        "details": [
            {
                "rulename": "completionview",
                "rulevalue": {"status": 1 if dated else 0, "description": "View"},
            }
        ],
    }
    shown = [] if call.empty_handed() or not course.enablecompletion else [status]
    return {"statuses": shown, "warnings": []}


FUNCTIONS = (
    Function("core_completion_get_course_completion_status", _WHOSE, _course_status),
    Function("core_completion_get_activities_completion_status", _WHOSE, _activities_status),
)
