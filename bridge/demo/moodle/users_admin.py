"""Accounts as an administrator makes them: create_users, update_users, assign_roles."""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.errors import invalid_parameter, invalid_record
from bridge.demo.moodle.params import INT, RAW, Many, default
from bridge.demo.moodle.tables import User


def _create(call: Call, params: dict[str, Any]) -> list[dict[str, Any]]:
    call.require("moodle/user:create")
    taken = {user.username for user in call.site.users.values()}
    made = []
    for asked in params["users"]:
        if asked["username"] in taken or not asked["password"]:
            raise invalid_parameter()
        user = call.site.add_user(
            User(
                max(call.site.users) + 1,
                asked["username"],
                asked["firstname"],
                asked["lastname"],
                asked["email"],
                lang=asked["lang"],
                timezone=asked["timezone"],
            )
        )
        made.append({"id": user.id, "username": user.username})
    return made


def _update(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    call.require("moodle/user:update")
    for asked in params["users"]:
        user = call.site.active_user(asked["id"])
        user.lang, user.timezone = asked["lang"] or user.lang, asked["timezone"] or user.timezone
    return {"warnings": []}


def _assign(call: Call, params: dict[str, Any]) -> None:
    call.require("moodle/role:assign")
    for asked in params["assignments"]:
        if asked["userid"] not in call.site.users:
            raise invalid_record("user")
        place = (asked["roleid"], asked["userid"], asked["contextid"])
        if place not in call.site.role_assignments:
            call.site.role_assignments.append(place)


FUNCTIONS = (
    Function(
        "core_user_create_users",
        {
            "users": Many(
                {
                    "username": RAW,
                    "password": RAW,
                    "firstname": RAW,
                    "lastname": RAW,
                    "email": RAW,
                    "lang": default("raw", "en"),
                    "timezone": default("raw", "99"),
                }
            )
        },
        _create,
    ),
    Function(
        "core_user_update_users",
        {"users": Many({"id": INT, "lang": default("raw", ""), "timezone": default("raw", "")})},
        _update,
    ),
    Function(
        "core_role_assign_roles",
        {"assignments": Many({"roleid": INT, "userid": INT, "contextid": default("int", 1)})},
        _assign,
    ),
)
