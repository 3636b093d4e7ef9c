"""Users and enrolments: get_users_by_field, get_enrolled_users, get_users_courses.

A capability that is missing mostly shows as an empty list, never as an error.
"""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function, format_string
from bridge.demo.moodle.errors import MoodleError, invalid_parameter
from bridge.demo.moodle.params import INT, RAW, Many, default
from bridge.demo.moodle.tables import Course, User

_FIELDS = ("id", "fullname", "email", "idnumber", "firstaccess", "lastaccess", "lastcourseaccess",
           "suspended", "timezone", "city", "country", "profileimageurlsmall", "profileimageurl",
           "roles", "enrolledcourses", "username", "firstname", "lastname", "department",
           "institution", "customfields", "groups", "description", "preferences", "interests",
           "auth", "confirmed", "lang", "theme", "mailformat")  # fmt: skip
_STUDENT = {"roleid": 5, "name": "", "shortname": "student", "sortorder": 0}


def _details(call: Call, user: User) -> dict[str, Any] | None:
    """What the service user may see of a user; None when nothing."""
    own = user.id == call.user.id
    if not own and not call.can("moodle/user:viewdetails"):
        return None
    shown: dict[str, Any] = {"id": user.id}
    if own or call.can("moodle/user:viewalldetails"):
        shown["username"] = user.username
    shown["fullname"] = user.fullname
    identity = own or call.can("moodle/site:viewuseridentity")
    if identity:
        shown["email"] = user.email
    if identity and user.idnumber:
        shown["idnumber"] = user.idnumber
    return shown | {
        "firstaccess": 0,
        "lastaccess": 0,
        "suspended": user.suspended,
        "timezone": user.timezone if call.can("moodle/user:update") else "99",
        **({"lang": user.lang} if call.can("moodle/user:update") else {}),
        "city": "Northmere",
        "country": "GB",
        **call.pictures(),
    }


def _by_field(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Whoever is found and may be seen, the searched field included. Case matters, in emails too.

    A deleted user is found by id, with nothing that says so.
    """
    name = params["field"]
    if name not in ("id", "idnumber", "username", "email"):
        raise MoodleError(
            "coding_exception",
            "codingerror",
            "Coding error detected, it must be fixed by a programmer: invalid field parameter",
        )
    found = [one for one in call.site.users.values() if str(getattr(one, name)) in params["values"]]
    details = [_details(call, one) for one in found]
    if call.empty_handed():
        return []
    return [one for one in details if one and one.get(name)]


def _flag(options: dict[str, str], name: str) -> bool:
    return options.get(name, "0") not in ("", "0")


def _number(options: dict[str, str], name: str) -> int:
    text = options.get(name, "0")
    return int(text) if text.isdigit() else 0


def _enrolled_users(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    options = {one["name"]: one["value"] for one in params["options"]}
    sort = options.get("sortby", "id")
    if sort not in ("id", "firstname", "lastname", "siteorder"):
        raise invalid_parameter()
    course = call.site.course(params["courseid"])
    call.enter_or_wrap(course)
    call.require("moodle/course:viewparticipants")
    only_active, only_suspended = _flag(options, "onlyactive"), _flag(options, "onlysuspended")
    if only_active or only_suspended:
        call.require("moodle/course:enrolreview")
    fields = options["userfields"].split(",") if options.get("userfields") else None
    for name in fields or ():
        if name not in _FIELDS:
            raise MoodleError("moodle_exception", "invaliduserfield", f"Invalid user field: {name}")
    ids = {one.userid for one in call.site.enrolments if one.courseid == course.id}
    if only_active or only_suspended:
        ids = {one for one in ids if call.site.is_enrolled(one, course.id) is only_active}
    users = [call.site.users[one] for one in ids]
    key = "lastname" if sort == "siteorder" else sort
    users.sort(
        key=lambda user: (getattr(user, key), user.id),
        reverse=options.get("sortdirection", "ASC").upper() == "DESC",
    )
    start, count = _number(options, "limitfrom"), _number(options, "limitnumber")
    users = users[start : start + count if count else None]
    if call.empty_handed():
        return []
    shown = (_enrolled(call, user, fields) for user in users)
    return [one for one in shown if one is not None]


def _enrolled(call: Call, user: User, fields: list[str] | None) -> dict[str, Any] | None:
    shown = _details(call, user)
    if shown is None:
        return None
    del shown["suspended"], shown["timezone"]
    shown["lastcourseaccess"] = 0
    shown["roles"] = [_STUDENT]
    shown["enrolledcourses"] = [
        {"id": one.id, "fullname": format_string(one.fullname), "shortname": one.shortname}
        for one in _courses_of(call, user)
        if call.may_enter(one)
    ]
    if fields is not None:
        wanted = {"id", "fullname", *fields}
        shown = {name: value for name, value in shown.items() if name in wanted}
    return dict(sorted(shown.items(), key=lambda item: _FIELDS.index(item[0])))


def _courses_of(call: Call, user: User) -> list[Course]:
    ids = {
        one.courseid
        for one in call.site.enrolments
        if one.userid == user.id and one.status == "Active"
    }
    return [call.site.courses[one] for one in sorted(ids)]


def _users_courses(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    """The courses of active enrolments that the service user may look into; the rest is silence."""
    user = call.site.users.get(params["userid"])
    needed = ("moodle/course:viewparticipants", "moodle/user:viewdetails")
    visible = params["userid"] == call.user.id or all(call.can(one) for one in needed)
    if user is None or not visible or call.empty_handed():
        return []
    return [
        _users_course(call, user, course, count=params["returnusercount"])
        for course in _courses_of(call, user)
        if call.may_enter(course)
    ]


def _users_course(call: Call, user: User, course: Course, *, count: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": course.id,
        "shortname": format_string(course.shortname),
        "fullname": format_string(course.fullname),
        "displayname": format_string(course.fullname),
    }
    if count:
        shown["enrolledusercount"] = len(
            {one.userid for one in call.site.enrolments if one.courseid == course.id}
        )
    tracked = course.enablecompletion and call.can("report/completion:view")
    completion = call.site.completions.get((user.id, course.id))
    completed = bool(completion and completion.timecompleted)
    return shown | {
        "idnumber": course.idnumber,
        "visible": int(course.visible),
        "summary": "",
        "summaryformat": 1,
        "format": "topics",
        "courseimage": f"{call.base_url}/pluginfile.php/{course.id}/course/generated/course.svg",
        "showgrades": True,
        "lang": "",
        "enablecompletion": course.enablecompletion,
        "completionhascriteria": tracked and course.has_criteria,
        "completionusertracked": tracked,
        "category": course.category,
        "progress": (100 if completed else 0) if tracked else None,
        "completed": completed if tracked else None,
        "startdate": course.startdate,
        "enddate": 0,
        "marker": 0,
        "lastaccess": None,
        "isfavourite": False,
        "hidden": False,
        "overviewfiles": [],
        "showactivitydates": False,
        "showcompletionconditions": True,
        "timemodified": course.startdate,
    }


FUNCTIONS = (
    Function("core_user_get_users_by_field", {"field": RAW, "values": Many(RAW)}, _by_field),
    Function(
        "core_enrol_get_enrolled_users",
        {"courseid": INT, "options": Many({"name": RAW, "value": RAW}, ())},
        _enrolled_users,
    ),
    Function(
        "core_enrol_get_users_courses",
        {"userid": INT, "returnusercount": default("bool", True)},
        _users_courses,
    ),
)
