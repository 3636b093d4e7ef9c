"""Cohorts: core_cohort_search_cohorts, get_cohorts, get_cohort_members, create, add and delete."""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.errors import MoodleError, invalid_parameter, invalid_record, invalid_user
from bridge.demo.moodle.params import INT, RAW, Many, default
from bridge.demo.moodle.tables import Cohort, User

_VIEW = ("moodle/cohort:manage", "moodle/cohort:view")
_ASSIGN = ("moodle/cohort:manage", "moodle/cohort:assign")


def _shown(cohort: Cohort, *, customfields: bool = True) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": cohort.id,
        "name": cohort.name,
        "idnumber": cohort.idnumber,
        "description": cohort.description,
        "descriptionformat": 1,
        "visible": cohort.visible,
        "theme": "",
    }
    return shown | {"customfields": []} if customfields else shown


def _cohort(call: Call, cohortid: int) -> Cohort:
    cohort = call.site.cohorts.get(cohortid)
    if cohort is None:
        raise invalid_record("cohort")
    return cohort


def _search(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    call.require(*_VIEW)
    if params["includes"] not in ("self", "parents", "all"):
        raise MoodleError(
            "coding_exception",
            "codingerror",
            "Coding error detected, it must be fixed by a programmer: "
            "Invalid parameter value for 'includes'.",
        )
    wanted = params["query"].lower()
    found = [
        one
        for one in sorted(call.site.cohorts.values(), key=lambda one: (one.name, one.idnumber))
        if wanted in f"{one.name}\n{one.idnumber}\n{one.description}".lower()
    ]
    start = params["limitfrom"]
    end = start + params["limitnum"] if params["limitnum"] else None
    shown = [] if call.empty_handed() else found[start:end]
    return {"cohorts": [_shown(one) for one in shown]}


def _get(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    cohorts = [
        one
        for one in call.site.cohorts.values()
        if not params["cohortids"] or one.id in params["cohortids"]
    ]
    if cohorts:
        call.require(*_VIEW)
    return [] if call.empty_handed() else [_shown(one) for one in cohorts]


def _members(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    answer = []
    for cohortid in params["cohortids"]:
        cohort = _cohort(call, cohortid)
        call.require(*_VIEW)
        users = [call.site.users[one] for one in cohort.members]
        users.sort(key=lambda user: (user.lastname, user.firstname))
        shown = [] if call.empty_handed() else [user.id for user in users]
        answer.append({"cohortid": cohortid, "userids": shown})
    return answer


def _create(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    """All or none, in a transaction: the checks run before the first is made."""
    call.require("moodle/cohort:manage")
    taken = {one.idnumber for one in call.site.cohorts.values()}
    for asked in params["cohorts"]:
        if asked["categorytype"]["type"] != "system" or asked["idnumber"] in taken:
            raise invalid_parameter()
        taken.add(asked["idnumber"])
    made = []
    for asked in params["cohorts"]:
        cohort = call.site.add_cohort(asked["name"], asked["idnumber"], asked["description"])
        cohort.visible = asked["visible"]
        made.append(_shown(cohort, customfields=False))
    return made


def _find_cohort(call: Call, kind: str, value: str) -> Cohort | None:
    return next(
        (one for one in call.site.cohorts.values() if str(getattr(one, kind)) == value), None
    )


def _find_user(call: Call, kind: str, value: str) -> User | None:
    users = (one for one in call.site.users.values() if not one.deleted)
    return next((one for one in users if str(getattr(one, kind)) == value), None)


def _add(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Add whom it can and warn of the rest: 1 bad type, 2 nobody such, 3 already a member."""
    warnings = []

    def warn(code: int, message: str) -> None:
        warnings.append({"warningcode": str(code), "message": message})

    for member in params["members"]:
        cohort_kind, cohort_value = member["cohorttype"]["type"], member["cohorttype"]["value"]
        user_kind, user_value = member["usertype"]["type"], member["usertype"]["value"]
        named = f"{cohort_kind}={cohort_value} {user_kind}={user_value}"
        if cohort_kind not in ("id", "idnumber"):
            warn(1, f"invalid parameter: cohortype={cohort_kind}")
        elif user_kind not in ("id", "username"):
            warn(1, f"invalid parameter: usertype={user_kind}")
        elif (cohort := _find_cohort(call, cohort_kind, cohort_value)) is None:
            warn(2, f"cohort {cohort_kind}={cohort_value} not exists")
        elif (user := _find_user(call, user_kind, user_value)) is None:
            warn(2, f"user {user_kind}={user_value} not exists")
        elif user.id in cohort.members:
            warn(3, f"record already exists: cohort({named})")
        else:
            call.require(*_ASSIGN)
            call.site.add_member(cohort, user.id)
    return {"warnings": warnings}


def _delete(call: Call, params: dict[str, Any]) -> None:
    for member in params["members"]:
        cohort = _cohort(call, member["cohortid"])
        user = call.site.users.get(member["userid"])
        if user is None or user.deleted:
            raise invalid_user()
        call.require(*_ASSIGN)
        call.site.remove_member(cohort, user.id)


_TYPED = {"type": RAW, "value": RAW}
CONTEXT = {
    "contextid": default("int", 0),
    "contextlevel": default("alpha", ""),
    "instanceid": default("int", 0),
}

FUNCTIONS = (
    Function(
        "core_cohort_search_cohorts",
        {
            "query": RAW,
            "context": CONTEXT,
            "includes": default("alpha", "parents"),
            "limitfrom": default("int", 0),
            "limitnum": default("int", 25),
        },
        _search,
    ),
    Function("core_cohort_get_cohorts", {"cohortids": Many(INT, ())}, _get),
    Function("core_cohort_get_cohort_members", {"cohortids": Many(INT)}, _members),
    Function(
        "core_cohort_create_cohorts",
        {
            "cohorts": Many(
                {
                    "categorytype": _TYPED,
                    "name": RAW,
                    "idnumber": RAW,
                    "description": default("raw", ""),
                    "descriptionformat": default("int", 1),
                    "visible": default("bool", True),
                    "theme": default("raw", ""),
                }
            )
        },
        _create,
    ),
    Function(
        "core_cohort_add_cohort_members",
        {"members": Many({"cohorttype": _TYPED, "usertype": _TYPED})},
        _add,
    ),
    Function(
        "core_cohort_delete_cohort_members",
        {"members": Many({"cohortid": INT, "userid": INT})},
        _delete,
    ),
)
