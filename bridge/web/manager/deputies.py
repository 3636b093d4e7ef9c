"""Who stands in for a manager: one's own deputies, and those of managers one manages."""

from __future__ import annotations

from datetime import date

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from bridge.domain.errors import NotFound, Refused
from bridge.domain.permissions import Permission
from bridge.services import deputies as service
from bridge.services import signoff
from bridge.services.deputies import Naming
from bridge.web.access import ctx, permits, visitor
from bridge.web.manager.blueprint import Errors, manager, typed_day


@manager.get("/team/deputies")
@permits(Permission.TEAM)
def deputies() -> Response:
    """One's own deputies."""
    return _page(visitor().person or 0)


@manager.get("/team/<int:person_id>/deputies")
@permits(Permission.TEAM)
def deputies_of(person_id: int) -> Response:
    """The deputies of a manager whom the visitor manages."""
    return _page(person_id)


def _page(manager_id: int, errors: Errors | None = None, status: int = 200) -> Response:
    me = visitor().person
    found = service.deputies_of(ctx(), manager_id)
    text = render_template(
        "manager/deputies.html",
        person=manager_id,
        own=manager_id == me,
        name=found.manager,
        found=found.named,
        why_not=service.OWN_MANAGER if found.own_manager else "",
        today=signoff.today(ctx()),
        sent=request.form,
        errors=errors or [],
    )
    return make_response(text, status)


@manager.post("/team/<int:person_id>/deputies")
@permits(Permission.TEAM)
def name_deputy(person_id: int) -> Response:
    """Somebody stands in from that day, until that day."""
    form = request.form
    start, end = typed_day(form.get("start", "")), typed_day(form.get("end", ""))
    errors: Errors = []
    if not form.get("deputy", "").strip():
        errors.append(("deputy", "Give the deputy's work email address or staff number."))
    if start is None:
        errors.append(("start", "Give the first day, such as 2026-07-01."))
    if end is None and form.get("end", "").strip():
        errors.append(("end", "Give the last day, such as 2026-07-31, or leave it empty."))
    if errors:
        return _page(person_id, errors, 422)
    try:
        naming = Naming(form["deputy"].strip(), start or date.min, end)
        service.name_deputy(ctx(), person_id, naming)
    except (Refused, NotFound) as error:
        return _page(person_id, [("deputy", str(error))], 422)
    flash("Recorded. They can verify for the team on those days.")
    return _back(person_id)


@manager.post("/team/<int:person_id>/deputies/<int:deputy_id>/end")
@permits(Permission.TEAM)
def end_deputy(person_id: int, deputy_id: int) -> Response:
    """They stand in no longer."""
    service.end_deputy(ctx(), deputy_id)
    flash("Ended.")
    return _back(person_id)


def _back(person_id: int) -> Response:
    if person_id == visitor().person:
        return make_response(redirect(url_for("manager.deputies"), 303))
    return make_response(redirect(url_for("manager.deputies_of", person_id=person_id), 303))
