"""Courses: core_course_get_courses, get_courses_by_field, get_categories, get_course_module."""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function, format_string
from bridge.demo.moodle.errors import MoodleError, invalid_parameter, invalid_record_unknown
from bridge.demo.moodle.params import INT, RAW, Many, Omittable, default
from bridge.demo.moodle.tables import Category, Course

SITE_COURSE = 1


def _site_course(call: Call) -> dict[str, Any]:
    """The front page, which Moodle keeps as course 1 in category 0."""
    return {
        "id": SITE_COURSE,
        "shortname": "site",
        "categoryid": 0,
        "fullname": format_string(call.site.name),
        "displayname": format_string(call.site.name),
        "summary": "",
        "summaryformat": 0,
        "format": "site",
        "startdate": 0,
        "enddate": 0,
        "numsections": 1,
        "showactivitydates": False,
        "showcompletionconditions": None,
    }


def _listed(call: Call, course: Course) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": course.id,
        "shortname": format_string(course.shortname),
        "categoryid": course.category,
        "fullname": format_string(course.fullname),
        "displayname": format_string(course.fullname),
        "summary": "",
        "summaryformat": 1,
        "format": "topics",
        "startdate": course.startdate,
        "enddate": 0,
        "showactivitydates": False,
        "showcompletionconditions": True,
    }
    if call.can("moodle/course:update"):
        shown |= _managers_fields(course) | {
            "visible": int(course.visible),
            "enablecompletion": int(course.enablecompletion),
        }
    return shown


def _managers_fields(course: Course) -> dict[str, Any]:
    return {
        "idnumber": course.idnumber,
        "timecreated": course.startdate,
        "timemodified": course.startdate,
    }


def _get_courses(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    """All of them or an error: one course that cannot be entered fails the whole call."""
    ids = params["options"].get("ids")
    wanted = [one for one in call.site.courses.values() if not ids or one.id in ids]
    for course in wanted:
        call.enter_or_wrap(course)
    if call.empty_handed():
        return []
    front = [_site_course(call)] if not ids or SITE_COURSE in ids else []
    return front + [_listed(call, one) for one in wanted]


def _found(call: Call, course: Course) -> dict[str, Any]:
    category = call.site.categories.get(course.category)
    public = {
        "id": course.id,
        "fullname": format_string(course.fullname),
        "displayname": format_string(course.fullname),
        "shortname": format_string(course.shortname),
        "courseimage": f"{call.base_url}/pluginfile.php/{course.id}/course/generated/course.svg",
        "categoryid": course.category,
        "categoryname": format_string(category.name) if category else "",
        "sortorder": course.category * 10000 + course.id,
        "summary": "",
        "summaryformat": 1,
        "summaryfiles": [],
        "overviewfiles": [],
        "showactivitydates": False,
        "showcompletionconditions": True,
        "contacts": [],
        "enrollmentmethods": sorted(
            {one.method for one in call.site.enrolments if one.courseid == course.id}
        ),
    }
    if course.id != SITE_COURSE and not call.may_enter(course):
        return public
    inside = {
        "format": "topics",
        "showgrades": 1,
        "newsitems": 0,
        "startdate": course.startdate,
        "enddate": 0,
        "maxbytes": 0,
        "showreports": 0,
        "visible": int(course.visible),
        "groupmode": 0,
        "groupmodeforce": 0,
        "defaultgroupingid": 0,
        "enablecompletion": int(course.enablecompletion),
        "completionnotify": 0,
        "lang": "",
        "theme": "",
        "marker": 0,
        "filters": [{"filter": "emoticon", "localstate": 0, "inheritedstate": 1}],
        "courseformatoptions": [{"name": "hiddensections", "value": 1}],
    }
    managers = _managers_fields(course) if call.can("moodle/course:update") else {}
    return public | inside | managers


def _by_field(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Searching by idnumber works without `moodle/course:update`; the answer omits it then."""
    name, value = params["field"], params["value"]
    if name not in ("", "id", "ids", "shortname", "idnumber", "category"):
        raise invalid_parameter()
    wanted = value.split(",") if name == "ids" else [value]
    attribute = "id" if name == "ids" else name
    sees_hidden = call.can("moodle/course:viewhiddencourses") or call.can("moodle/course:update")
    front = Course(SITE_COURSE, "site", call.site.name, 0, startdate=0)
    found = [
        course
        for course in (front, *call.site.courses.values())
        if (not name or str(getattr(course, attribute)) in wanted)
        and (course.visible or sees_hidden)
    ]
    shown = [] if call.empty_handed() else found
    return {"courses": [_found(call, one) for one in shown], "warnings": []}


def _get_categories(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    categories = list(call.site.categories.values())
    for criterion in params["criteria"]:
        key, value = criterion["key"], criterion["value"]
        if key not in ("id", "ids", "name", "parent"):
            raise MoodleError(
                "moodle_exception", "criteriaerror", "Missing permissions to search on a criterion."
            )
        attribute, wanted = ("id", value.split(",")) if key == "ids" else (key, [value])
        categories = [one for one in categories if str(getattr(one, attribute)) in wanted]
    if params["criteria"] and params["addsubcategories"]:
        kept = {one.id for one in categories}
        below = [one for one in call.site.categories.values() if kept & set(_line(call, one))]
        categories = below
    return [] if call.empty_handed() else [_shown_category(call, one) for one in categories]


def _line(call: Call, category: Category) -> list[int]:
    """The ids from the top category down to this one."""
    line = [category.id]
    while category.parent:
        category = call.site.categories[category.parent]
        line.insert(0, category.id)
    return line


def _shown_category(call: Call, category: Category) -> dict[str, Any]:
    line = _line(call, category)
    return {
        "id": category.id,
        "name": format_string(category.name),
        "description": "",
        "descriptionformat": 1,
        "parent": category.parent,
        "sortorder": category.id * 10000,
        "coursecount": sum(one.category == category.id for one in call.site.courses.values()),
        "depth": len(line),
        "path": "/" + "/".join(str(one) for one in line),
    }


def _get_module(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    module = call.site.modules.get(params["cmid"])
    if module is None:
        raise invalid_record_unknown()
    call.enter(call.site.courses[module.courseid])
    shown = {
        "id": module.cmid,
        "course": module.courseid,
        "name": format_string(module.name),
        "modname": module.modname,
    }
    return {"cm": shown, "warnings": []}


FUNCTIONS = (
    Function("core_course_get_course_module", {"cmid": INT}, _get_module),
    Function(
        "core_course_get_courses", {"options": Omittable({"ids": Many(INT, ())})}, _get_courses
    ),
    Function(
        "core_course_get_courses_by_field",
        {"field": default("alpha", ""), "value": default("raw", "")},
        _by_field,
    ),
    Function(
        "core_course_get_categories",
        {
            "criteria": Many({"key": RAW, "value": RAW}, ()),
            "addsubcategories": default("bool", True),
        },
        _get_categories,
    ),
)
