"""Competencies as an administrator changes them, and the courses that are linked to them."""

from __future__ import annotations

import re
from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.competencies import shown_competency, shown_framework
from bridge.demo.moodle.errors import (
    MoodleError,
    invalid_parameter,
    invalid_persistent,
    invalid_record,
)
from bridge.demo.moodle.params import INT, RAW, default
from bridge.demo.moodle.state import ADMIN
from bridge.demo.moodle.tables import SCALE, Competency, CourseCompetency, Framework

_MANAGE = "moodle/competency:competencymanage"
_LINK = "moodle/competency:coursecompetencymanage"
_SCALES = {1: ("Mostly separate knowing", "Separate and connected", "Mostly connected knowing")}
_TWO = 2
_NAME_LENGTH = 100
_OUTCOMES = (0, 1, 2, 3)


def _plain(text: str) -> str:
    """A PARAM_TEXT: Moodle refuses what its cleaning would change."""
    if re.search(r"<[^>]*>", text) or not text or len(text) > _NAME_LENGTH:
        raise invalid_parameter()
    return text


def _scale_values(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    call.require(_MANAGE)
    scales = {**_SCALES, _TWO: tuple(SCALE.values())}
    if params["scaleid"] not in scales:
        raise invalid_record("scale")
    return [
        {"id": number, "name": name} for number, name in enumerate(scales[params["scaleid"]], 1)
    ]


def _framework(call: Call, number: int) -> Framework:
    if number not in call.site.frameworks:
        raise invalid_record("competency_framework")
    return call.site.frameworks[number]


def _create_framework(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    call.require(_MANAGE)
    asked = params["competencyframework"]
    if any(one.idnumber == asked["idnumber"] for one in call.site.frameworks.values()):
        raise invalid_persistent("idnumber: The ID number must be unique")
    framework = call.site.add_framework(_plain(asked["shortname"]), asked["idnumber"])
    _write_framework(framework, asked)
    return shown_framework(call, framework)


def _write_framework(framework: Framework, asked: dict[str, Any]) -> None:
    framework.shortname = _plain(asked["shortname"])
    framework.idnumber = asked["idnumber"]
    framework.description = asked["description"]
    framework.visible = asked["visible"]
    framework.scaleconfiguration = asked["scaleconfiguration"]
    framework.taxonomies = asked["taxonomies"]


def _update_framework(call: Call, params: dict[str, Any]) -> bool:
    call.require(_MANAGE)
    _write_framework(_framework(call, params["competencyframework"]["id"]),
                     params["competencyframework"])  # fmt: skip
    return True


def _competency(call: Call, number: int) -> Competency:
    if number not in call.site.competencies:
        raise invalid_record("competency")
    return call.site.competencies[number]


def _create(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    call.require(_MANAGE)
    asked = params["competency"]
    framework = _framework(call, asked["competencyframeworkid"])
    taken = {c.idnumber for c in call.site.competencies.values() if c.frameworkid == framework.id}
    if asked["idnumber"] in taken:
        raise invalid_persistent("idnumber: The ID number must be unique")
    made = call.site.add_competency(framework, _plain(asked["shortname"]), asked["idnumber"])
    made.description, made.parentid = asked["description"], asked["parentid"]
    return shown_competency(made)


def _update(call: Call, params: dict[str, Any]) -> bool:
    """Words and rule; its place changes by another function alone."""
    call.require(_MANAGE)
    asked = params["competency"]
    competency = _competency(call, asked["id"])
    competency.shortname, competency.idnumber = _plain(asked["shortname"]), asked["idnumber"]
    competency.description, competency.ruleoutcome = asked["description"], asked["ruleoutcome"]
    return True


def _move(call: Call, params: dict[str, Any]) -> bool:
    call.require(_MANAGE)
    competency = _competency(call, params["competencyid"])
    if competency.parentid == params["parentid"]:
        raise MoodleError(
            "coding_exception",
            "codingerror",
            "Coding error detected, it must be fixed by a programmer: "
            "Can not move a competency to the same location.",
        )
    competency.parentid = params["parentid"]
    return True


def _shown_link(link: CourseCompetency) -> dict[str, Any]:
    return {
        "courseid": link.courseid,
        "competencyid": link.competencyid,
        "sortorder": 0,
        "ruleoutcome": link.ruleoutcome,
        "id": link.id,
        "timecreated": link.timecreated,
        "timemodified": link.timecreated,
        "usermodified": ADMIN,
    }


def _list_course(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    course = call.site.course(params["id"])
    call.enter(course)
    call.require(_LINK, "moodle/competency:coursecompetencyview")
    return [
        {
            "competency": shown_competency(call.site.competencies[link.competencyid]),
            "coursecompetency": _shown_link(link),
        }
        for link in call.site.course_competencies.values()
        if link.courseid == course.id
    ]


def _add_to_course(call: Call, params: dict[str, Any]) -> bool:
    """False where it was linked already."""
    course = call.site.course(params["courseid"])
    call.enter(course)
    call.require(_LINK)
    competency = _competency(call, params["competencyid"])
    before = len(call.site.course_competencies)
    call.site.link_course(course.id, competency.id)
    return len(call.site.course_competencies) > before


def _set_outcome(call: Call, params: dict[str, Any]) -> bool:
    call.require(_LINK)
    link = call.site.course_competencies.get(params["coursecompetencyid"])
    if link is None:
        raise invalid_record("competency_coursecomp")
    if params["ruleoutcome"] not in _OUTCOMES:
        raise invalid_persistent("ruleoutcome: Invalid rule outcome")
    link.ruleoutcome = params["ruleoutcome"]
    return True


_FRAMEWORK = {
    "shortname": RAW,
    "idnumber": RAW,
    "description": default("raw", ""),
    "descriptionformat": default("int", 1),
    "visible": default("bool", True),
    "scaleid": INT,
    "scaleconfiguration": RAW,
    "contextid": INT,
    "taxonomies": default("raw", ""),
}
_COMPETENCY = {
    "shortname": RAW,
    "idnumber": RAW,
    "description": default("raw", ""),
    "descriptionformat": default("int", 1),
    "competencyframeworkid": INT,
    "parentid": default("int", 0),
    "ruleoutcome": default("int", 0),
}

WRITING = (
    Function("core_competency_get_scale_values", {"scaleid": INT}, _scale_values),
    Function(
        "core_competency_create_competency_framework",
        {"competencyframework": _FRAMEWORK},
        _create_framework,
    ),
    Function(
        "core_competency_update_competency_framework",
        {"competencyframework": {"id": INT, **_FRAMEWORK}},
        _update_framework,
    ),
    Function("core_competency_create_competency", {"competency": _COMPETENCY}, _create),
    Function(
        "core_competency_update_competency", {"competency": {"id": INT, **_COMPETENCY}}, _update
    ),
    Function(
        "core_competency_set_parent_competency", {"competencyid": INT, "parentid": INT}, _move
    ),
    Function(
        "core_competency_add_competency_to_course",
        {"courseid": INT, "competencyid": INT},
        _add_to_course,
    ),
    Function(
        "core_competency_set_course_competency_ruleoutcome",
        {"coursecompetencyid": INT, "ruleoutcome": INT},
        _set_outcome,
    ),
)
FUNCTIONS = (
    *WRITING,
    Function("core_competency_list_course_competencies", {"id": INT}, _list_course),
)
