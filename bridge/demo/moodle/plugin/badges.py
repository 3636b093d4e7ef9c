"""The plugin's functions for badges: save, award, renew, revoke and list; each may be repeated."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.errors import MoodleError, missing_capability
from bridge.demo.moodle.params import INT, RAW, Many, default
from bridge.demo.moodle.plugin.feed import MANAGE_BADGES, installed
from bridge.demo.moodle.tables import Badge, IssuedBadge

_LIMIT = 1000
_PNG = b"\x89PNG\r\n\x1a\n"


def _managing(call: Call) -> None:
    installed(call)
    if not call.can(MANAGE_BADGES):
        raise missing_capability(MANAGE_BADGES)


def _badge(call: Call, key: str) -> Badge | None:
    """The badge of that key that there is; one deleted by hand is not."""
    return call.site.badges.get(call.site.badge_keys.get(key, 0))


def _held(call: Call, badge: Badge, userid: int) -> IssuedBadge | None:
    return next(
        (one for one in call.site.issued if (one.badgeid, one.userid) == (badge.id, userid)), None
    )


def _save(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    _managing(call)
    told = []
    for asked in params["badges"]:
        image = _image(asked["image"])
        badge = _badge(call, asked["key"])
        created = badge is None
        if badge is None:
            badge = call.site.add_badge(asked["name"], description=asked["description"])
            badge.manual = True
            call.site.badge_keys[asked["key"]] = badge.id
        before = (badge.name, badge.description, badge.image, badge.active)
        badge.name, badge.description = asked["name"], asked["description"]
        badge.image = image or badge.image
        badge.active = True
        after = (badge.name, badge.description, badge.image, badge.active)
        told.append(
            {
                "key": asked["key"],
                "id": badge.id,
                "created": created,
                "changed": created or before != after,
                "active": True,
            }
        )
    return {"badges": told}


def _image(text: str) -> bytes:
    try:
        image = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        image = b"?"
    if image and not image.startswith(_PNG):
        raise MoodleError("moodle_exception", "errorimage", "The image is no PNG, or too large.")
    return image


def _award(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    _managing(call)
    return {"results": [_award_one(call, asked, held_only=False) for asked in params["awards"]]}


def _renew(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    _managing(call)
    return {"results": [_award_one(call, asked, held_only=True) for asked in params["awards"]]}


def _award_one(call: Call, asked: dict[str, Any], *, held_only: bool) -> dict[str, Any]:
    badge = _badge(call, asked["key"])
    user = call.site.users.get(asked["userid"])
    if badge is None or not badge.active:
        return _told(asked, "nobadge", None, "There is no such badge, or no access to it.")
    if user is None or user.deleted:
        return _told(asked, "nouser" if user is None else "deleted", None, "No such user.")
    held = _held(call, badge, user.id)
    expires = asked["expires"] or None
    if held is None:
        if held_only:
            return _told(asked, "notheld", None, "It is not held.")
        held = call.site.issue(badge.id, user.id, expires)
        call.site.by_bridge.add(held.row)
        return _told(asked, "awarded", held)
    if held.dateexpire == expires:
        return _told(asked, "unchanged", held)
    if held.dateexpire is not None and held.dateexpire < call.site.now:
        held.dateissued = call.site.now
    held.dateexpire = expires
    return _told(asked, "renewed", held)


def _told(
    asked: dict[str, Any], result: str, held: IssuedBadge | None, message: str = ""
) -> dict[str, Any]:
    return {
        "key": asked["key"],
        "userid": asked["userid"],
        "result": result,
        "issued": held.dateissued if held else 0,
        "expires": (held.dateexpire or 0) if held else 0,
        "hash": held.uniquehash if held else "",
        "message": message,
    }


def _revoke(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    _managing(call)
    results = []
    for asked in params["revocations"]:
        told = {"key": asked["key"], "userid": asked["userid"], "message": ""}
        badge = _badge(call, asked["key"])
        if badge is None:
            told |= {"result": "nobadge", "message": "There is no such badge."}
        elif asked["userid"] not in call.site.users:
            told |= {"result": "nouser", "message": "No such user."}
        elif _held(call, badge, asked["userid"]) is None:
            told["result"] = "nothing"
        else:
            call.site.revoke(badge.id, asked["userid"])
            told["result"] = "revoked"
        results.append(told)
    return {"results": results}


def _list(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Every issued badge of ours, by rising rows; also of the deleted, and awarded by hand."""
    _managing(call)
    site = call.site
    keys = {badge: key for key, badge in site.badge_keys.items()}
    wanted, users = set(params["keys"]), set(params["userids"])
    found = sorted(
        (
            one
            for one in site.issued
            if one.badgeid in keys
            and (not wanted or keys[one.badgeid] in wanted)
            and (not users or one.userid in users)
        ),
        key=lambda one: one.row,
    )
    if call.empty_handed():
        found = []
    size = min(params["limit"], _LIMIT) if params["limit"] > 0 else _LIMIT
    rest = [one for one in found if one.row > params["after"]]
    page = rest[:size]
    return {
        "more": len(rest) > size,
        "next": page[-1].row if page else params["after"],
        "total": len(found),
        "issued": [
            {
                "id": one.row,
                "key": keys[one.badgeid],
                "badgeid": one.badgeid,
                "userid": one.userid,
                "issued": one.dateissued,
                "expires": one.dateexpire or 0,
                "hash": one.uniquehash,
                "ours": one.row in site.by_bridge,
            }
            for one in page
        ],
        "badges": [
            {
                "key": key,
                "id": badge,
                "name": site.badges[badge].name if badge in site.badges else "",
                "active": badge in site.badges and site.badges[badge].active,
                "exists": badge in site.badges,
            }
            for key, badge in sorted(site.badge_keys.items())
            if not wanted or key in wanted
        ],
    }


_AWARDS = {"awards": Many({"key": RAW, "userid": INT, "expires": default("int", 0)})}
_NAMES = "local_competencybridge_{}_badges"

FUNCTIONS = (
    Function(
        _NAMES.format("save"),
        {
            "badges": Many(
                {
                    "key": RAW,
                    "name": RAW,
                    "description": default("raw", ""),
                    "image": default("raw", ""),
                    "criteria_text": default("raw", ""),
                }
            )
        },
        _save,
    ),
    Function(_NAMES.format("award"), _AWARDS, _award),
    Function(_NAMES.format("renew"), _AWARDS, _renew),
    Function(
        _NAMES.format("revoke"),
        {"revocations": Many({"key": RAW, "userid": INT, "reason": default("raw", "")})},
        _revoke,
    ),
    Function(
        _NAMES.format("list"),
        {
            "after": default("int", 0),
            "limit": default("int", _LIMIT),
            "keys": Many(RAW, ()),
            "userids": Many(INT, ()),
        },
        _list,
    ),
)
