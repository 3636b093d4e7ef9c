"""A person's log of 12 months: looking at it, signing it off, and adding to it afterwards."""

from __future__ import annotations

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.mapping import CompetencyRef
from bridge.domain.permissions import Permission
from bridge.services import signoff
from bridge.services.signoff import LogPage, Looked, Step, Words
from bridge.web.access import allowed, ctx, permits, site, visitor
from bridge.web.manager.blueprint import Errors, day_of, manager
from bridge.web.practitioner.warning import Warned, look


@manager.get("/logs/<int:person_id>")
@permits(Permission.OWN_EVIDENCE)
def logs(person_id: int) -> str:
    """A person's logs: for the person and their present manager."""
    _check_team(person_id)
    name, periods = signoff.periods_of(ctx(), person_id)
    return render_template(
        "manager/logs.html",
        person=person_id,
        own=_own(person_id),
        name=name,
        periods=periods,
        today=signoff.today(ctx()),
    )


@manager.get("/logs/<int:person_id>/<starts_on>")
@permits(Permission.OWN_EVIDENCE)
def log(person_id: int, starts_on: str) -> Response:
    """The log: for the person, their present manager, and who signed it."""
    _check_team(person_id)
    return _page(signoff.look(ctx(), person_id, day_of(starts_on)))


def _own(person_id: int) -> bool:
    """Whether it is the visitor's own, and so belongs to their log rather than to their team."""
    own = person_id == visitor().person
    g.section = "practitioner.log" if own else "manager.team"
    return own


def _check_team(person: int) -> None:
    """Raise NotFound for another's log where the visitor has no team, or came from an LMS."""
    if person != visitor().person and not allowed(visitor(), Permission.TEAM):
        raise NotFound(f"There is no person {person} for you to see.")


def _page(
    shown: LogPage,
    errors: Errors | None = None,
    warned: Warned | None = None,
    status: int = 200,
) -> Response:
    text = render_template(
        "manager/log.html",
        log=shown,
        own=_own(shown.person),
        questions=site().questions(),
        sent=request.form,
        errors=errors or [],
        warned=warned,
    )
    return make_response(text, status)


@manager.post("/logs/<int:person_id>/<starts_on>/sign")
@permits(Permission.TEAM)
def sign(person_id: int, starts_on: str) -> Response:
    """Sign it off, for good."""
    start = day_of(starts_on)
    shown = signoff.look(ctx(), person_id, start)
    words = _words(shown)
    errors = _missing(shown, words)
    if errors:
        return _page(shown, errors, status=422)
    texts = [words.variety, words.note, *(v.note for v in words.values)]
    warned = look(*texts, *(s.step for s in words.steps))
    if warned is not None and warned.mark != request.form.get("looked"):
        return _page(shown, warned=warned, status=422)
    try:
        signoff.sign(ctx(), person_id, start, words)
    except (Refused, NotAllowed) as error:
        return _page(signoff.look(ctx(), person_id, start), [("", str(error))], status=422)
    flash(f"Signed off. {shown.person_name} can see it.")
    return make_response(
        redirect(url_for("manager.log", person_id=person_id, starts_on=starts_on), 303)
    )


def _words(shown: LogPage) -> Words:
    form = request.form
    return Words(
        tuple(
            Looked(text, f"seen-{n}" in form, form.get(f"value-{n}", "").strip())
            for n, text in enumerate(shown.core_values)
        ),
        form.get("variety", "").strip(),
        tuple(
            # By what it is for, never by place: gaps close while the page is open.
            Step(gap.ref, gap.text, str(gap.stand), form.get(_field(gap.ref), "").strip())
            for gap in shown.gaps
        ),
        form.get("note", "").strip(),
    )


def _field(ref: CompetencyRef) -> str:
    return f"step-{ref.edition}:{ref.code}"


def _missing(shown: LogPage, words: Words) -> Errors:
    """Everything that is missing, each with its field."""
    errors: Errors = [
        (f"value-{n}", f"Core Value {n + 1}: tick that you have seen it, or write what is to come.")
        for n, value in enumerate(words.values)
        if not value.seen and not value.note
    ]
    if not words.variety:
        errors.append(("variety", "Say in a line how varied and personal the evidence is."))
    errors += [
        (_field(step.ref), f"{step.ref.code}: write the next step.")
        for step in words.steps
        if not step.step
    ]
    return errors


@manager.post("/logs/<int:person_id>/<starts_on>/add")
@permits(Permission.OWN_EVIDENCE)
def add_to_log(person_id: int, starts_on: str) -> Response:
    """Add to a signed log; the log itself stays as it was signed."""
    _check_team(person_id)
    start = day_of(starts_on)
    text = request.form.get("text", "")
    warned = look(text)
    if warned is not None and warned.mark != request.form.get("looked"):
        return _page(signoff.look(ctx(), person_id, start), warned=warned, status=422)
    try:
        signoff.add(ctx(), person_id, start, text)
    except Refused as error:
        return _page(signoff.look(ctx(), person_id, start), [("text", str(error))], status=422)
    flash("Added.")
    return make_response(
        redirect(url_for("manager.log", person_id=person_id, starts_on=starts_on), 303)
    )
