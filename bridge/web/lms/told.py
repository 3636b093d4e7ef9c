"""Learning Record Stores that are told what was verified: what waits, what failed, and again."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for

from bridge.domain.permissions import Permission
from bridge.services import telling
from bridge.web.access import ctx, permits
from bridge.web.asked import number
from bridge.web.lms.blueprint import lms


@lms.get("/told")
@permits(Permission.BADGES)
def told() -> str:
    """How each queue stands, and why some of it was not told."""
    queue = telling.queue(ctx(Permission.BADGES), after=number("after") or 0)
    return render_template("lms/told.html", queue=queue)


@lms.post("/told/<lrs>/retry")
@permits(Permission.BADGES)
def tell_again(lrs: str) -> Response:
    """Let what waits go at the next round."""
    released = telling.retry(ctx(Permission.BADGES), lrs)
    flash(f"{released} {'decision goes' if released == 1 else 'decisions go'} at the next round.")
    return make_response(redirect(url_for("lms.told")))
