"""Agreeing with a person what their post asks of them, and what does not apply to them."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.permissions import Permission
from bridge.domain.teams import Ask
from bridge.services import agreements, people
from bridge.web.access import ctx, permits
from bridge.web.manager.blueprint import Errors, manager, ref_of


@manager.get("/team/<int:person_id>/agreement/<int:post_id>")
@permits(Permission.TEAM)
def agreement(person_id: int, post_id: int) -> Response:
    """What is agreed for a post, to be changed."""
    return _page(person_id, post_id, None)


def _page(
    person_id: int, post_id: int, ask: Ask | None, errors: Errors | None = None, status: int = 200
) -> Response:
    agreed = agreements.of_post(ctx(), person_id, post_id)
    post = agreed.post
    text = render_template(
        "manager/agreement.html",
        person=person_id,
        name=agreed.name,
        post=post,
        ask=ask or Ask(post.target_groups, post.extra_competencies, post.london_level),
        choices=agreed.choices,
        titles=agreed.titles,
        earlier=agreed.earlier,
        errors=errors or [],
    )
    return make_response(text, status)


@manager.post("/team/<int:person_id>/agreement/<int:post_id>")
@permits(Permission.TEAM)
def agree(person_id: int, post_id: int) -> Response:
    """Record what was agreed."""
    form = request.form
    ask = Ask(tuple(form.getlist("group")), tuple(form.getlist("extra")), form.get("level") or None)
    try:
        agreements.agree(ctx(), person_id, post_id, ask)
    except (Refused, NotAllowed) as error:
        return _page(person_id, post_id, ask, [("", str(error))], 422)
    flash("Recorded. It goes before the staff list, and a later list does not undo it.")
    return make_response(redirect(url_for("manager.member", person_id=person_id), 303))


@manager.get("/team/<int:person_id>/not-applicable")
@permits(Permission.TEAM)
def not_applicable(person_id: int) -> Response:
    """Which statements of the agreed level do not apply to somebody, and why."""
    return _waivers(person_id)


def _waivers(person_id: int, errors: Errors | None = None, status: int = 200) -> Response:
    text = render_template(
        "manager/not_applicable.html",
        person=person_id,
        exempt=agreements.exemptions(ctx(), person_id),
        sent=request.form,
        errors=errors or [],
    )
    return make_response(text, status)


@manager.post("/team/<int:person_id>/not-applicable")
@permits(Permission.TEAM)
def waive(person_id: int) -> Response:
    """Say that a statement does not apply, with the reason (R7)."""
    statements = agreements.exemptions(ctx(), person_id).statements
    ref = ref_of(request.form.get("statement", ""))
    reason = request.form.get("reason", "").strip()
    errors: Errors = []
    if ref not in statements:
        errors.append(("statement", "Choose the statement that does not apply."))
    if not reason:
        errors.append(("reason", "Say why it does not apply to them."))
    if ref is None or errors:
        return _waivers(person_id, errors, 422)
    try:
        people.waive(ctx(), person_id, ref, reason)
    except (Refused, NotAllowed, NotFound) as error:
        return _waivers(person_id, [("", str(error))], 422)
    flash("Recorded as not applicable.")
    return make_response(redirect(url_for("manager.not_applicable", person_id=person_id), 303))


@manager.post("/team/<int:person_id>/not-applicable/<int:decision_id>/end")
@permits(Permission.TEAM)
def applies_again(person_id: int, decision_id: int) -> Response:
    """It applies again."""
    agreements.applies_again(ctx(), person_id, decision_id)
    flash("It applies again.")
    return make_response(redirect(url_for("manager.not_applicable", person_id=person_id), 303))
