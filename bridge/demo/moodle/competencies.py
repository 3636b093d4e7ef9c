"""Competencies: grade_competency, the lists, and tool_lp_data_for_user_competency_summary.

Each rating adds a line of evidence, a repeated one too. A proficient rating issues the badges
whose criteria it meets; lowering it later takes none away.
"""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function, format_string
from bridge.demo.moodle.cohorts import CONTEXT
from bridge.demo.moodle.errors import (
    database_read,
    invalid_parameter,
    invalid_persistent,
    invalid_record,
)
from bridge.demo.moodle.params import INT, RAW, Many, default
from bridge.demo.moodle.state import ADMIN
from bridge.demo.moodle.tables import (
    PROFICIENT_GRADE,
    SCALE,
    Competency,
    Framework,
    Rating,
    UserCompetency,
)

SCALE_ID = 3
_SCALE_CONFIGURATION = (
    f'[{{"scaleid":"{SCALE_ID}"}},{{"id":1,"scaledefault":1,"proficient":0}},'
    f'{{"id":{PROFICIENT_GRADE},"scaledefault":0,"proficient":1}}]'
)
_VIEW = ("moodle/competency:competencymanage", "moodle/competency:competencyview")
_COMPETENCY_COLUMNS = ("id", "shortname", "idnumber", "sortorder", "competencyframeworkid")


def shown_framework(call: Call, framework: Framework) -> dict[str, Any]:
    count = sum(one.frameworkid == framework.id for one in call.site.competencies.values())
    return {
        "shortname": format_string(framework.shortname),
        "idnumber": framework.idnumber,
        "description": framework.description,
        "descriptionformat": 1,
        "visible": framework.visible,
        "scaleid": SCALE_ID,
        "scaleconfiguration": framework.scaleconfiguration or _SCALE_CONFIGURATION,
        "contextid": 1,
        "taxonomies": framework.taxonomies,
        "id": framework.id,
        "timecreated": framework.timecreated,
        "timemodified": framework.timecreated,
        "usermodified": ADMIN,
        "canmanage": call.can("moodle/competency:competencymanage"),
        "competenciescount": count,
        "contextname": "System",
        "contextnamenoprefix": "System",
    }


def shown_competency(competency: Competency) -> dict[str, Any]:
    return {
        "shortname": format_string(competency.shortname),
        "idnumber": competency.idnumber,
        "description": competency.description,
        "descriptionformat": 1,
        "sortorder": competency.sortorder,
        "parentid": competency.parentid,
        "path": f"/0/{competency.parentid}/" if competency.parentid else "/0/",
        "ruleoutcome": competency.ruleoutcome,
        "ruletype": None,
        "ruleconfig": None,
        "scaleid": None,
        "scaleconfiguration": None,
        "competencyframeworkid": competency.frameworkid,
        "id": competency.id,
        "timecreated": competency.timecreated,
        "timemodified": competency.timecreated,
        "usermodified": ADMIN,
    }


def _shown_rating(call: Call, standing: UserCompetency, rating: Rating) -> dict[str, Any]:
    return {
        "usercompetencyid": standing.id,
        "contextid": 1000 + standing.userid,
        "action": 3,
        "actionuserid": rating.actionuserid,
        "descidentifier": "evidence_manualoverride",
        "desccomponent": "core_competency",
        "desca": None,
        "url": None,
        "grade": rating.grade,
        "note": rating.note,
        "id": rating.id,
        "timecreated": rating.timecreated,
        "timemodified": rating.timecreated,
        "usermodified": rating.actionuserid,
        "actionuser": call.user_summary(rating.actionuserid),
        "description": "The competency rating was manually set.",
        "gradename": SCALE[rating.grade],
        "userdate": call.date(rating.timecreated),
        "candelete": False,
    }


def _standing(call: Call, params: dict[str, Any]) -> UserCompetency:
    """The user's row, made if need be even when the call is then refused, as in Moodle."""
    if params["competencyid"] not in call.site.competencies:
        raise invalid_persistent(f"{params['competencyid']} competency can not be found")
    if params["userid"] not in call.site.users:
        raise invalid_persistent("Invalid user ID")
    standing = call.site.user_competency(params["userid"], params["competencyid"])
    call.require("moodle/competency:usercompetencyview")
    return standing


def _grade(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    standing = _standing(call, params)
    call.require("moodle/competency:competencygrade")
    call.require(*_VIEW)
    if params["grade"] not in SCALE:
        raise invalid_persistent("Invalid rating")
    rating = call.site.rate(
        standing.userid, standing.competencyid, params["grade"], params["note"], call.user.id
    )
    return _shown_rating(call, standing, rating)


def _page(rows: list[dict[str, Any]], params: dict[str, Any]) -> list[dict[str, Any]]:
    if params["sort"]:
        rows.sort(key=lambda row: row[params["sort"]], reverse=params["order"] == "DESC")
    end = params["skip"] + params["limit"] if params["limit"] else None
    return rows[params["skip"] : end]


def _check_list(call: Call, params: dict[str, Any], columns: tuple[str, ...]) -> None:
    if params["order"] not in ("", "ASC", "DESC"):
        raise invalid_parameter()
    call.require(*_VIEW)
    if params["sort"] not in columns:
        raise database_read()


def _list_frameworks(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    """An empty `sort` breaks the query, and the answer says so in a database error."""
    _check_list(call, params, ("id", "shortname", "idnumber"))
    wanted = params["query"].lower()
    shown = [
        shown_framework(call, one)
        for one in call.site.frameworks.values()
        if wanted in f"{one.shortname}\n{one.idnumber}".lower()
    ]
    return [] if call.empty_handed() else _page(shown, params)


def _list_competencies(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    filters = {one["column"]: one["value"] for one in params["filters"]}
    if set(filters) - {*_COMPETENCY_COLUMNS, "description", "parentid"}:
        raise invalid_parameter()
    framework = filters.get("competencyframeworkid")
    if framework is not None and framework not in {str(one) for one in call.site.frameworks}:
        raise invalid_record("competency_framework")
    _check_list(call, params, ("", *_COMPETENCY_COLUMNS))
    shown = [shown_competency(one) for one in call.site.competencies.values()]
    found = [
        row for row in shown if all(str(row[name]) == value for name, value in filters.items())
    ]
    return [] if call.empty_handed() else _page(found, params)


def _summary(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    standing = _standing(call, params)
    competency = call.site.competencies[standing.competencyid]
    framework = call.site.frameworks[competency.frameworkid]
    last = standing.ratings[-1] if standing.ratings else None
    plugin = f"{call.base_url}/admin/tool/lp"
    return {
        "showrelatedcompetencies": True,
        "cangrade": call.can("moodle/competency:competencygrade"),
        "competency": {
            "linkedcourses": [],
            "relatedcompetencies": [],
            "competency": shown_competency(competency),
            "framework": shown_framework(call, framework),
            "hascourses": False,
            "hasrelatedcompetencies": False,
            "scaleid": SCALE_ID,
            "scaleconfiguration": _SCALE_CONFIGURATION,
            "taxonomyterm": "Competency",
            "comppath": {
                "ancestors": [],
                "framework": {
                    "id": framework.id,
                    "name": framework.shortname,
                    "first": False,
                    "last": False,
                    "position": -1,
                },
                "pluginbaseurl": plugin,
                "pagecontextid": 1,
                "showlinks": True,
            },
            "pluginbaseurl": plugin,
        },
        "user": call.user_summary(standing.userid),
        "usercompetency": {
            "userid": standing.userid,
            "competencyid": standing.competencyid,
            "status": 0,
            "reviewerid": None,
            "proficiency": standing.proficient,
            "grade": standing.grade,
            "id": standing.id,
            "timecreated": standing.timecreated,
            "timemodified": last.timecreated if last else standing.timecreated,
            "usermodified": last.actionuserid if last else call.user.id,
            "canrequestreview": False,
            "canreview": False,
            "gradename": SCALE[last.grade] if last else "-",
            "isrequestreviewallowed": False,
            "iscancelreviewrequestallowed": False,
            "isstartreviewallowed": False,
            "isstopreviewallowed": False,
            "isstatusidle": True,
            "isstatusinreview": False,
            "isstatuswaitingforreview": False,
            "proficiencyname": "-" if last is None else ("Yes" if standing.proficient else "No"),
            "statusname": "-",
            "url": f"{plugin}/user_competency.php?id={standing.id}",
        },
        "evidence": [_shown_rating(call, standing, one) for one in reversed(standing.ratings)],
    }


_LIST = {
    "order": default("alpha", ""),
    "skip": default("int", 0),
    "limit": default("int", 0),
}
_WHOSE = {"userid": INT, "competencyid": INT}

FUNCTIONS = (
    Function(
        "core_competency_grade_competency",
        {**_WHOSE, "grade": INT, "note": default("raw", None)},
        _grade,
    ),
    Function(
        "core_competency_list_competency_frameworks",
        {
            **_LIST,
            "sort": default("alphanumext", "shortname"),
            "context": CONTEXT,
            "includes": default("alpha", "children"),
            "onlyvisible": default("bool", False),
            "query": default("raw", ""),
        },
        _list_frameworks,
    ),
    Function(
        "core_competency_list_competencies",
        {
            **_LIST,
            "sort": default("alphanumext", ""),
            "filters": Many({"column": RAW, "value": RAW}),
        },
        _list_competencies,
    ),
    Function("tool_lp_data_for_user_competency_summary", _WHOSE, _summary),
)
