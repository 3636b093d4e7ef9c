"""The one page of a verifier without an account, who came by a single-use link."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, url_for

from bridge.domain.errors import NotFound
from bridge.domain.permissions import Permission
from bridge.services import sitting
from bridge.services.sitting import Sitting
from bridge.web.access import ctx, permits, visitor
from bridge.web.manager.blueprint import manager
from bridge.web.manager.sittings import decided, page


def _what_for() -> Sitting | None:
    """What the link was sent for, while it still waits."""
    only = visitor().only_evidence
    try:
        return sitting.item(ctx(), only) if only is not None else None
    except NotFound:
        return None


@manager.get("/verify/linked")
@permits(Permission.VERIFY_ONE)
def linked() -> Response:
    """What the link was sent for, and nothing else."""
    if visitor().only_evidence is None:
        return make_response(redirect(url_for("manager.waiting")))
    shown = _what_for()
    if shown is None:
        return make_response(render_template("manager/linked_done.html"))
    return page(shown, one=True, linked=True)


@manager.post("/verify/linked")
@permits(Permission.VERIFY_ONE)
def decide_linked() -> Response:
    """Record what was decided about it."""
    if visitor().only_evidence is None:
        return make_response(redirect(url_for("manager.waiting"), 303))
    shown = _what_for()
    if shown is None:
        return make_response(render_template("manager/linked_done.html"), 422)
    return decided(shown, url_for("manager.linked"), one=True, linked=True)
