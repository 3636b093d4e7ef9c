"""The pages of the stand-in Moodle: its learners, a learner's profile, one badge, its picture."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, render_template, request

from bridge.demo.moodle.state import ADMIN, Site
from bridge.demo.moodle.tables import IssuedBadge

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">'
    '<circle cx="32" cy="26" r="22" fill="#0f6cbf"/><path d="M20 44l-4 18 16-8 16 8-4-18z" '
    'fill="#0a4a83"/><path d="M22 26l7 7 13-14" fill="none" stroke="#fff" stroke-width="5"/></svg>'
)


def add_pages(app: Flask, site: Site, lock: AbstractContextManager[Any]) -> None:
    """Add the pages to the server's app; `lock` guards the site while one is made."""

    @app.get("/")
    def people() -> str:
        with lock:
            return render_template("people.html", site=site.name, learners=_learners(site))

    @app.get("/user/profile.php")
    def profile() -> str:
        with lock:
            user = site.users.get(request.args.get("id", 0, int))
            if user is None or user.deleted:
                abort(404)
            badges = [_shown(site, one) for one in site.issued_to(user.id)]
            status = site.statuses.get(user.id) if site.plugin is not None else None
            shown = None if status is None else {**status, "updated": _day(status["updated"])}
            return render_template(
                "profile.html", site=site.name, user=user, badges=badges, status=shown
            )

    @app.get("/badges/badge.php")
    def badge() -> str:
        with lock:
            wanted = request.args.get("hash", "")
            issued = next((one for one in site.issued if one.uniquehash == wanted), None)
            if issued is None:
                abort(404)
            user = site.users[issued.userid]
            shown = _shown(site, issued)
            return render_template("badge.html", site=site.name, user=user, badge=shown)

    @app.get("/webservice/pluginfile.php/1/badges/badgeimage/<int:badgeid>/f3")
    def picture(badgeid: int) -> Response:
        with lock:
            found = site.badges.get(badgeid)
        if found is None:
            abort(404)
        if found.image:
            return Response(found.image, mimetype="image/png")
        return Response(_PICTURE, mimetype="image/svg+xml")

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def _learners(site: Site) -> list[dict[str, Any]]:
    """Whoever may learn: no guest, administrator or service; with how many badges each holds."""
    return [
        {"user": user, "badges": len(site.issued_to(user.id))}
        for user in sorted(site.users.values(), key=lambda one: (one.lastname, one.firstname))
        if user.id > ADMIN and not user.capabilities and not user.deleted
    ]


def _shown(site: Site, issued: IssuedBadge) -> dict[str, Any]:
    badge = site.badges[issued.badgeid]
    expires = issued.dateexpire
    return {
        "id": badge.id,
        "name": badge.name,
        "description": badge.description,
        "hash": issued.uniquehash,
        "issued": _day(issued.dateissued),
        "expires": None if expires is None else _day(expires),
        "expired": expires is not None and expires < site.now,
    }


def _day(moment: int) -> str:
    day = datetime.fromtimestamp(moment, UTC)
    return f"{day.day} {day:%B %Y}"
