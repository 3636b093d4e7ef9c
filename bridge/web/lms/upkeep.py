"""What an LMS administrator keeps up: badges made ready ahead, and those given by hand."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for

from bridge.domain.errors import NotFound, PeerError
from bridge.domain.permissions import Permission
from bridge.domain.ports import Target
from bridge.services import preparing, strays
from bridge.services.preparing import PrepareReport
from bridge.web.access import ctx, permits, site
from bridge.web.asked import words
from bridge.web.lms.blueprint import lms


def _target(key: str) -> Target:
    found = site().targets.get(key)
    if found is None:
        raise NotFound(f"There is no target '{key}' in this site's configuration.")
    return found


@lms.get("/ready")
@permits(Permission.BADGES)
def ready() -> Response:
    """Which badges of this year and the next are ready, and what is left by hand."""
    return _ready()


def _ready(status: int = 200, *, report: PrepareReport | None = None, failed: str = "") -> Response:
    text = render_template(
        "lms/ready.html",
        stands=preparing.stands(ctx(Permission.BADGES)),
        targets=sorted(site().targets),
        days=site().ctx.policy.prepare_days,
        report=report,
        failed=failed,
    )
    return make_response(text, status)


@lms.post("/targets/<target>/prepare")
@permits(Permission.BADGES)
def prepare(target: str) -> Response:
    """Make ready what can be made, and look again at what was left."""
    try:
        report = preparing.prepare_by_hand(ctx(), _target(target))
    except PeerError as error:
        return _ready(502, failed=str(error))
    return _ready(report=report)


@lms.get("/by-hand")
@permits(Permission.BADGES)
def by_hand() -> Response:
    """Badges of ours on accounts for which no award is held."""
    return _by_hand()


def _by_hand(status: int = 200, failed: str = "") -> Response:
    everything = words("show") == "all"
    text = render_template(
        "lms/strays.html",
        page=strays.listed(
            ctx(Permission.BADGES), open_only=not everything, after=words("after") or None
        ),
        everything=everything,
        targets=sorted(site().targets),
        failed=failed,
    )
    return make_response(text, status)


@lms.post("/by-hand/<int:stray_id>/take-away")
@permits(Permission.BADGES)
def take_away(stray_id: int) -> Response:
    """Take one away where the target can, and otherwise say who must."""
    target = _target(strays.target_of(ctx(), stray_id))
    try:
        done = strays.take_away(ctx(), target, stray_id)
    except PeerError as error:
        return _by_hand(502, failed=str(error))
    if done.state == strays.GONE:
        flash(f"{done.seen.title} was taken away.")
    else:
        flash(f"{done.seen.title} could not be taken away by the bridge. It stays in the list.")
    return make_response(redirect(url_for("lms.by_hand")))


@lms.post("/by-hand/<int:stray_id>/leave")
@permits(Permission.BADGES)
def leave(stray_id: int) -> Response:
    """Let one stay as it is."""
    strays.leave(ctx(), stray_id)
    flash("It is noted, and left as it is.")
    return make_response(redirect(url_for("lms.by_hand")))
