"""Badges: core_badges_get_user_badges. Stock Moodle has no function that awards or revokes one."""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.params import default
from bridge.demo.moodle.reports import page_of
from bridge.demo.moodle.tables import IssuedBadge

_ACTIVE_LOCKED = 3


def shown_badge(call: Call, issued: IssuedBadge) -> dict[str, Any]:
    """An issued badge. Without the configure capability some values are zero: never trust them."""
    badge = call.site.badges[issued.badgeid]
    full = call.can("moodle/badges:configuredetails") or call.user.id == issued.userid
    return {
        "id": badge.id,
        "name": badge.name,
        "description": badge.description,
        "timecreated": badge.timecreated if full else 0,
        "timemodified": badge.timecreated if full else 0,
        "issuername": call.site.name,
        "issuerurl": f"{call.base_url}/",
        "issuercontact": "",
        "type": 1,
        "attachment": 1,
        "notification": 1,
        "status": _ACTIVE_LOCKED if full else 0,
        "uniquehash": issued.uniquehash,
        "dateissued": issued.dateissued,
        "dateexpire": issued.dateexpire,
        "visible": int(issued.visible) if full else 0,
        "version": "",
        "language": "en",
        "imageauthorname": "",
        "imageauthoremail": "",
        "imageauthorurl": "",
        "imagecaption": "",
        "badgeurl": f"{call.base_url}/webservice/pluginfile.php/1/badges/badgeimage/{badge.id}/f3",
        "alignment": [],
        "relatedbadges": [],
    }


def _get_user_badges(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    user = call.site.active_user(params["userid"] or call.user.id)
    own = user.id == call.user.id
    if not own:
        call.require("moodle/badges:viewotherbadges")
    wanted = params["search"].lower()
    found = [
        one
        for one in call.site.issued_to(user.id)
        if (one.visible or (own and not params["onlypublic"]))
        and not params["courseid"]
        and wanted in call.site.badges[one.badgeid].name.lower()
    ]
    shown = [] if call.empty_handed() else page_of(found, params)
    return {"badges": [shown_badge(call, one) for one in shown], "warnings": []}


FUNCTIONS = (
    Function(
        "core_badges_get_user_badges",
        {
            "userid": default("int", 0),
            "courseid": default("int", 0),
            "page": default("int", 0),
            "perpage": default("int", 0),
            "search": default("raw", ""),
            "onlypublic": default("bool", False),
        },
        _get_user_badges,
    ),
)
