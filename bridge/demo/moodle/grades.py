"""The gradebook: gradereport_user_get_grade_items, everybody's grades in a course at once."""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function, format_string
from bridge.demo.moodle.params import INT, default
from bridge.demo.moodle.tables import ActivityCompletion, Module, User


def _grades(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    course = call.site.course(params["courseid"])
    call.enter(course)
    call.require("moodle/grade:viewall")
    call.require("gradereport/user:view")
    modules = [each for each in call.site.modules.values() if each.courseid == course.id]
    told = [
        {
            "courseid": course.id,
            "courseidnumber": course.idnumber,
            "userid": user.id,
            "userfullname": user.fullname,
            "useridnumber": user.idnumber,
            "maxdepth": 2,
            "gradeitems": [_item(call, user, module) for module in modules]
            + [{"id": course.id, "itemname": None, "itemtype": "course", "itemmodule": None}],
        }
        for user in call.site.users.values()
        if call.site.is_enrolled(user.id, course.id)
        and params["userid"] in (0, user.id)
        and not call.empty_handed()
    ]
    return {"usergrades": told, "warnings": []}


def _item(call: Call, user: User, module: Module) -> dict[str, Any]:
    done = call.site.activity_completions.get((user.id, module.cmid))
    grade = done.grade if done else None
    moment = done.time if done and grade is not None else None
    return {
        "id": module.cmid,
        "itemname": format_string(module.name),
        "itemtype": "mod",
        "itemmodule": module.modname,
        "iteminstance": module.cmid,
        "itemnumber": 0,
        "idnumber": module.idnumber,
        "cmid": module.cmid,
        "graderaw": None if grade is None else grade * 100,
        "gradedatesubmitted": moment,
        "gradedategraded": moment,
        "gradeformatted": _formatted(done, module),
        "grademin": 0,
        "grademax": 100,
    }


def _formatted(done: ActivityCompletion | None, module: Module) -> str:
    """The grade as it is shown; where there is a pass mark, with an icon before it."""
    if done is None or done.grade is None:
        return "-"
    icon = ""
    if module.gradepass is not None:
        word = "Pass" if done.grade >= module.gradepass else "Fail"
        icon = f'<i class="icon fa fa-fw inline" title="{word}" role="img"></i>'
    return f"{icon}{done.grade * 100:.2f}"


FUNCTIONS = (
    Function("gradereport_user_get_grade_items", {"courseid": INT, "userid": default("int", 0)},
             _grades),
)  # fmt: skip
