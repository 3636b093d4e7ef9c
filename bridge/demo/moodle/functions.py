"""Every web service function of the stand-in by name, and how a call is checked and run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bridge.demo.moodle import (
    badges,
    calendar,
    cohorts,
    competencies,
    competencies_admin,
    completion,
    courses,
    grades,
    reports,
    reports_admin,
    users,
    users_admin,
)
from bridge.demo.moodle.call import Answer, Call, Function
from bridge.demo.moodle.errors import MoodleError, access_denied, invalid_record
from bridge.demo.moodle.params import RAW, Many, Value, default, validate
from bridge.demo.moodle.plugin.functions import FUNCTIONS as PLUGIN_FUNCTIONS
from bridge.demo.moodle.state import ADMIN

VERSION = "2023112400"
RELEASE = "4.4dev (Build: 20231124)"

# Functions that Moodle has and the stand-in does not: asking for one is an access error, as it
# would be for a service that does not offer it, not the error for a function that nobody knows.
_ELSEWHERE = frozenset(
    {
        "core_badges_get_user_badge_by_hash",
        "core_course_delete_courses",
        "core_course_get_contents",
        "core_course_get_course_module",
        "core_user_delete_users",
        "core_user_get_users",
    }
)


def php_json(value: Any) -> str:
    """JSON as PHP writes it: ASCII only, no spaces, slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def run(call: Call, name: str, params: Mapping[str, Any]) -> Answer:
    """Check that the service offers the function, check its parameters, and run it.

    Raises MoodleError with what a real Moodle would answer.
    """
    unknown = name not in FUNCTIONS and name not in _ELSEWHERE
    if unknown or (name in OF_PLUGIN and call.site.plugin is None):
        raise invalid_record("external_functions")
    if not _offered(call, name):
        raise access_denied()
    function = FUNCTIONS[name]
    return function.run(call, validate(function.params, params))


def _offered(call: Call, name: str) -> bool:
    service = call.service
    allowed = service.allowed_users is None or call.user.id in service.allowed_users
    there = name in FUNCTIONS and (name not in OF_PLUGIN or call.site.plugin is not None)
    return service.enabled and allowed and name in service.functions and there


def _site_info(call: Call, _: dict[str, Any]) -> dict[str, Any]:
    return {
        "sitename": call.site.name,
        "username": call.user.username,
        "firstname": call.user.firstname,
        "lastname": call.user.lastname,
        "fullname": call.user.fullname,
        "lang": call.lang,
        "userid": call.user.id,
        "siteurl": call.base_url,
        "userpictureurl": call.pictures()["profileimageurl"],
        "functions": [
            {"name": name, "version": VERSION} for name in FUNCTIONS if _offered(call, name)
        ],
        "downloadfiles": 0,
        "uploadfiles": 0,
        "release": RELEASE,
        "version": VERSION,
        "mobilecssurl": "",
        "advancedfeatures": [
            {"name": "enablecompletion", "value": 1},
            {"name": "enablebadges", "value": 1},
            {"name": "enablecustomreports", "value": 1},
        ],
        "usercanmanageownfiles": True,
        "userquota": 104857600,
        "usermaxuploadfilesize": 2097152,
        "userhomepage": 1,
        "siteid": 1,
        "sitecalendartype": "gregorian",
        "usercalendartype": "gregorian",
        "userissiteadmin": call.user.id == ADMIN,
        "theme": "boost",
        "limitconcurrentlogins": 0,
    }


def _batch(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Several calls in one. It stops at the first error; what came after is simply not there."""
    responses: list[dict[str, Any]] = []
    for request in params["requests"]:
        response = _one_of_batch(call, request["function"], request["arguments"])
        responses.append(response)
        if response["error"]:
            break
    return {"responses": responses}


def _one_of_batch(call: Call, name: str, arguments: str) -> dict[str, Any]:
    if not _offered(call, name):
        refusal = {"errorcode": "accessexception", "module": "webservice"}
        return {"error": True, "exception": php_json(refusal)}
    try:
        given = json.loads(arguments)
    except ValueError:
        given = {}
    try:
        answer = run(call, name, given if isinstance(given, dict) else {})
    except MoodleError as error:
        shown = {
            "message": error.message,
            "errorcode": error.errorcode,
            # An address object that PHP cannot write, where a capability is missing.
            "link": {} if error.errorcode == "nopermissions" else f"{call.base_url}/",
            "moreinfourl": f"https://docs.moodle.org/404/en/error/{error.module}/{error.errorcode}",
        }
        return {"error": True, "exception": php_json(shown)}
    return {"error": False, "data": php_json(answer)}


_REQUEST = {
    "function": Value("alphanumext"),
    "arguments": default("raw", "{}"),
    "settingraw": default("bool", False),
    "settingfilter": default("bool", False),
    "settingfileurl": default("bool", True),
    "settinglang": default("raw", ""),
}

#: These are there only where the plugin is installed.
OF_PLUGIN = frozenset(function.name for function in PLUGIN_FUNCTIONS)

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("core_webservice_get_site_info", {"serviceshortnames": Many(RAW, ())}, _site_info),
        *reports.FUNCTIONS,
        *courses.FUNCTIONS,
        *users.FUNCTIONS,
        *completion.FUNCTIONS,
        *cohorts.FUNCTIONS,
        *badges.FUNCTIONS,
        *competencies.FUNCTIONS,
        *competencies_admin.FUNCTIONS,
        *reports_admin.FUNCTIONS,
        *users_admin.FUNCTIONS,
        *calendar.FUNCTIONS,
        *grades.FUNCTIONS,
        *PLUGIN_FUNCTIONS,
        Function("tool_mobile_call_external_functions", {"requests": Many(_REQUEST)}, _batch),
    )
}

#: What an administrator's token is for during set-up: the bridge's own service has none of these.
FOR_SETUP = frozenset(
    function.name
    for function in (
        *competencies_admin.WRITING,
        *reports_admin.FUNCTIONS,
        *users_admin.FUNCTIONS,
    )
) | {"core_cohort_create_cohorts"}
