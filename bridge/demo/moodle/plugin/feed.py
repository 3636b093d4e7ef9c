"""The plugin's functions for reading: get_status, get_changes, get_completions, get_activities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.errors import invalid_record, missing_capability
from bridge.demo.moodle.params import RAW, Many, default
from bridge.demo.moodle.plugin.outbox import API, SETTLING, VERSION, Change, Plugin
from bridge.demo.moodle.tables import ActivityCompletion, Completion

READ = "local/competencybridge:readchanges"
MANAGE_BADGES = "local/competencybridge:managebadges"
SET_STATUS = "local/competencybridge:setstatus"
_LIMIT = 1000
#: Kinds that name a pair of user and course, and of user and activity.
_OF_COURSES = frozenset({"course_completed", "unenrolled"})
_OF_MODULES = frozenset({"module_completed"})
_ABOUT_USERS = frozenset({"user_updated", "user_deleted"})
_ABOUT_COURSES = frozenset({"course_updated"})


def installed(call: Call) -> Plugin:
    """The plugin, or Moodle's error for a function that it does not know."""
    if call.site.plugin is None:
        raise invalid_record("external_functions")
    return call.site.plugin


def _reading(call: Call) -> Plugin:
    plugin = installed(call)
    if not call.can(READ):
        raise missing_capability(READ)
    return plugin


def _status(call: Call, _: dict[str, Any]) -> dict[str, Any]:
    plugin = installed(call)
    return {
        "api": API,
        "plugin": VERSION,
        "moodle": "4.4dev (Build: 20231124)",
        "site": plugin.site,
        "now": call.site.now,
        "complete_since": plugin.complete_since,
        "last_id": plugin.last_id,
        "webhook": bool(plugin.hook_url),
        "can_read": call.can(READ),
        "can_award": call.can(MANAGE_BADGES),
        "can_set_status": call.can(SET_STATUS),
    }


def _changes(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    plugin, site = _reading(call), call.site
    wanted = [c for c in plugin.outbox if c.id > params["after"] and c.time >= params["since"]]
    size = _size(params)
    shown = [] if call.empty_handed() else wanted[:size]
    completions: list[Completion] = []
    activities: list[ActivityCompletion] = []
    absent = []
    for userid, courseid in dict.fromkeys(_course_pairs(shown)):
        row = site.completions.get((userid, courseid))
        if row is not None and row.timecompleted is not None:
            completions.append(row)
        else:
            absent.append(_absent("completion", userid, courseid, 0))
    for userid, courseid, cmid in dict.fromkeys(_module_pairs(shown)):
        done = site.activity_completions.get((userid, cmid))
        if done is not None and cmid in site.modules:
            activities.append(done)
        else:
            absent.append(_absent("activity", userid, courseid, cmid))
    users = {c.userid for c in shown if c.kind in _ABOUT_USERS}
    courses = {c.courseid for c in shown if c.kind in _ABOUT_COURSES}
    return {
        "site": plugin.site,
        "now": site.now,
        "complete_since": plugin.complete_since,
        "settled": site.now - SETTLING,
        "more": len(wanted) > size,
        "changes": [change.as_answer() for change in shown],
        **_rows(call, completions, activities, users, courses),
        "absent": absent,
    }


def _course_pairs(changes: Iterable[Change]) -> Iterable[tuple[int, int]]:
    for each in changes:
        if each.kind in _OF_COURSES or (each.kind == "grade" and not each.cmid):
            yield each.userid, each.courseid


def _module_pairs(changes: Iterable[Change]) -> Iterable[tuple[int, int, int]]:
    for each in changes:
        if each.kind in _OF_MODULES or (each.kind == "grade" and each.cmid):
            yield each.userid, each.courseid, each.cmid


def _absent(kind: str, userid: int, courseid: int, cmid: int) -> dict[str, Any]:
    return {"kind": kind, "userid": userid, "courseid": courseid, "cmid": cmid}


def _size(params: dict[str, Any]) -> int:
    return min(params["limit"], _LIMIT) if params["limit"] > 0 else _LIMIT


def _completions(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    selected = sorted(
        (
            row
            for row in call.site.completions.values()
            if row.timecompleted is not None
            and params["courseid"] in (0, row.courseid)
            and params["userid"] in (0, row.userid)
        ),
        key=lambda row: row.id,
    )
    return _page(call, params, selected, lambda page: _rows(call, page, ()))


def _activities(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    site = call.site
    kinds = set(params["modnames"])
    selected = sorted(
        (
            row
            for row in site.activity_completions.values()
            if row.state in (1, 2, 3)
            and row.cmid in site.modules
            and params["courseid"] in (0, site.modules[row.cmid].courseid)
            and params["userid"] in (0, row.userid)
            and (not kinds or site.modules[row.cmid].modname in kinds)
        ),
        key=lambda row: row.id,
    )
    return _page(call, params, selected, lambda page: _rows(call, (), page))


def _page(call: Call, params: dict[str, Any], selected: Sequence[Any], rows: Any) -> dict[str, Any]:
    plugin = _reading(call)
    if call.empty_handed():
        selected = ()
    size = _size(params)
    rest = [row for row in selected if row.id > params["after"]]
    page = list(islice(rest, size))
    return {
        "site": plugin.site,
        "now": call.site.now,
        "last_id": plugin.last_id,
        "total": len(selected),
        "more": len(rest) > size,
        "next": page[-1].id if page else params["after"],
        **rows(page),
    }


def _rows(
    call: Call,
    completions: Iterable[Completion],
    activities: Iterable[ActivityCompletion],
    users: Iterable[int] = (),
    courses: Iterable[int] = (),
) -> dict[str, Any]:
    """Rows, with the facts of all that they name, each once."""
    site = call.site
    named, taught, inside = set(users), set(courses), set()
    told = []
    for row in completions:
        named.add(row.userid)
        taught.add(row.courseid)
        told.append(
            {
                "id": row.id,
                "userid": row.userid,
                "courseid": row.courseid,
                "timecompleted": row.timecompleted or 0,
                "grade": None if row.grade is None else row.grade / 100,
                "enrolled": site.is_enrolled(row.userid, row.courseid),
            }
        )
    done = []
    for each in activities:
        module = site.modules[each.cmid]
        named.add(each.userid)
        taught.add(module.courseid)
        inside.add(each.cmid)
        passed = None
        if module.gradepass is not None and each.grade is not None:
            passed = each.grade >= module.gradepass
        done.append(
            {
                "id": each.id,
                "userid": each.userid,
                "courseid": module.courseid,
                "cmid": each.cmid,
                "state": each.state,
                "time": each.time,
                "grade": each.grade,
                "passed": passed,
            }
        )
    return {
        "completions": told,
        "activities": done,
        "users": [_user(call, userid) for userid in sorted(named) if userid in site.users],
        "courses": [_course(call, courseid) for courseid in sorted(taught)
                    if courseid in site.courses],
        "modules": [_module(call, cmid) for cmid in sorted(inside)],
    }  # fmt: skip


def _user(call: Call, userid: int) -> dict[str, Any]:
    user = call.site.users[userid]
    return {
        "id": user.id,
        "username": "" if user.deleted else user.username,
        "idnumber": "" if user.deleted else user.idnumber,
        "email": "" if user.deleted else user.email,
        "fullname": user.fullname,
        "suspended": user.suspended,
        "deleted": user.deleted,
        "confirmed": True,
    }


def _course(call: Call, courseid: int) -> dict[str, Any]:
    course = call.site.courses[courseid]
    return {
        "id": course.id,
        "idnumber": course.idnumber,
        "shortname": course.shortname,
        "fullname": course.fullname,
        "category": call.site.categories[course.category].name,
        "visible": course.visible,
        "modules": [],
    }


def _module(call: Call, cmid: int) -> dict[str, Any]:
    module = call.site.modules[cmid]
    return {
        "cmid": module.cmid,
        "courseid": module.courseid,
        "modname": module.modname,
        "name": module.name,
        "idnumber": module.idnumber,
    }


_ZERO = default("int", 0)
_PAGED = {"after": _ZERO, "limit": default("int", _LIMIT)}
_FILTERED = {**_PAGED, "courseid": _ZERO, "userid": _ZERO}

FUNCTIONS = (
    Function("local_competencybridge_get_status", {}, _status),
    Function("local_competencybridge_get_changes", {**_PAGED, "since": _ZERO}, _changes),
    Function("local_competencybridge_get_completions", _FILTERED, _completions),
    Function(
        "local_competencybridge_get_activities",
        {**_FILTERED, "modnames": Many(RAW, ())},
        _activities,
    ),
)
