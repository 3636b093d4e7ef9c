"""Going through submitted evidence: one piece, or everything of one person in one sitting."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.permissions import Permission
from bridge.services import evidence, handing_over, sitting
from bridge.services.sitting import Decision, NotDecided, Piece, Sitting
from bridge.services.verify import CHANGED
from bridge.web.access import ctx, permits
from bridge.web.asked import row_number
from bridge.web.manager.blueprint import Errors, manager
from bridge.web.practitioner.warning import Warned, look
from bridge.web.words import plural


@manager.get("/verify/with/<int:person_id>")
@permits(Permission.VERIFY)
def supervision(person_id: int) -> Response:
    """Everything of one person that waits for the visitor."""
    return page(sitting.sit_down(ctx(), person_id))


@manager.post("/verify/with/<int:person_id>")
@permits(Permission.VERIFY)
def supervise(person_id: int) -> Response:
    """Record the decisions of the sitting, all or none."""
    return decided(sitting.sit_down(ctx(), person_id), url_for("manager.waiting"))


@manager.get("/verify/<int:evidence_id>")
@permits(Permission.VERIFY)
def item(evidence_id: int) -> Response:
    """One piece of evidence that waits for the visitor."""
    return page(sitting.item(ctx(), evidence_id), one=True)


@manager.post("/verify/<int:evidence_id>")
@permits(Permission.VERIFY)
def decide(evidence_id: int) -> Response:
    """Record the decisions about one piece."""
    return decided(sitting.item(ctx(), evidence_id), url_for("manager.waiting"), one=True)


@manager.get("/verify/<int:evidence_id>/reassign")
@permits(Permission.VERIFY)
def hand_over(evidence_id: int) -> Response:
    """Choose who is to look at it instead."""
    return _hand_over(evidence_id)


def _hand_over(evidence_id: int, error: str = "", status: int = 200) -> Response:
    shown = next((w for w in sitting.waiting(ctx()) if w.evidence.id == evidence_id), None)
    if shown is None:
        raise NotFound("It does not wait for you. They may have taken it back.")
    me = ctx().actor.person
    others = evidence.verifiers_of(ctx(), shown.evidence.person, shown.evidence.id)
    text = render_template(
        "manager/hand_over.html",
        waiting=shown,
        others=[v for v in others if v.person != me],
        error=error,
    )
    return make_response(text, status)


@manager.post("/verify/<int:evidence_id>/reassign")
@permits(Permission.VERIFY)
def reassign(evidence_id: int) -> Response:
    """Hand what waits to another who may verify it."""
    verifier = request.form.get("verifier", type=row_number)
    try:
        if verifier is None:
            raise Refused("Choose who is to look at it instead.")
        handing_over.reassign(ctx(), evidence_id, verifier)
    except (Refused, NotAllowed) as error:
        return _hand_over(evidence_id, str(error), 422)
    flash("Handed over. The new verifier sees the same reflection.")
    return make_response(redirect(url_for("manager.waiting"), 303))


def page(
    shown: Sitting,
    *,
    one: bool = False,
    linked: bool = False,
    errors: Errors | None = None,
    warned: Warned | None = None,
    undecided: Collection[int] = (),
    status: int = 200,
) -> Response:
    """The sitting's page. What was typed comes from the request, so nothing of it is lost.

    Claims that are `undecided` have no choice made, whatever was sent.
    """
    left = {f"claim-{claim}" for claim in undecided}
    text = render_template(
        "manager/linked.html" if linked else "manager/sitting.html",
        sitting=shown,
        one=one,
        sent={name: value for name, value in request.form.items() if name not in left},
        errors=errors or [],
        wrong={field for field, _ in errors or []},
        warned=warned,
    )
    return make_response(text, status)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a sitting's form says, and what it lacks."""

    decisions: tuple[Decision, ...]
    errors: Errors
    texts: tuple[str, ...]


def _sent(shown: Sitting, form: Mapping[str, str]) -> Sent:
    decisions, errors, texts = [], [], []
    for piece in shown.pieces:
        evidence_id = piece.waiting.evidence.id

        def typed(name: str, number: int = evidence_id) -> str:
            own = form.get(f"{name}-{number}", "").strip()
            return own or (form.get(name, "").strip() if name != "question" else "")

        said = {c.ref: form.get(f"claim-{c.id}", "") for c in piece.waiting.claims}
        decision = Decision(
            evidence_id,
            piece.reflection_id,
            tuple(ref for ref, what in said.items() if what == "verify"),
            tuple(ref for ref, what in said.items() if what == "return"),
            typed("method"),
            typed("note"),
            typed("question"),
        )
        if decision.verify and not decision.method:
            errors.append(("method", "Choose how you assessed what you verify."))
        if decision.send_back and not decision.question:
            errors.append((f"question-{evidence_id}",
                           f"Write your question about “{piece.waiting.evidence.title}”, so that "
                           "they can answer it."))  # fmt: skip
        if decision.verify or decision.send_back:
            texts += [decision.note if decision.verify else "", decision.question]
        decisions.append(decision)
    if not any(d.verify or d.send_back for d in decisions):
        errors.append(("decisions", "Decide on at least one competency, or leave the page: "
                                    "nothing changes until you do."))  # fmt: skip
    return Sent(tuple(decisions), list(dict.fromkeys(errors)), tuple(dict.fromkeys(texts)))


def _decides(piece: Piece) -> bool:
    choices = {request.form.get(f"claim-{claim.id}") for claim in piece.waiting.claims}
    return not choices.isdisjoint({"verify", "return"})


def _read(piece: Piece) -> int | None:
    """The reflection that stood on the page from which the form came."""
    return request.form.get(f"read-{piece.waiting.evidence.id}", type=row_number)


def decided(shown: Sitting, then: str, *, one: bool = False, linked: bool = False) -> Response:
    """Record what the form says, or show it again with what stands in the way."""
    changed = [p for p in shown.pieces if _decides(p) and _read(p) != p.reflection_id]
    if changed:
        errors = [
            (f"piece-{p.waiting.evidence.id}", f"{p.waiting.evidence.title}: {CHANGED}")
            for p in changed
        ]
        undecided = {c.id for p in changed for c in p.waiting.claims}
        return page(shown, one=one, linked=linked, errors=errors, undecided=undecided, status=422)
    sent = _sent(shown, request.form)
    if sent.errors:
        return page(shown, one=one, linked=linked, errors=sent.errors, status=422)
    warned = look(*sent.texts)
    if warned is not None and warned.mark != request.form.get("looked"):
        return page(shown, one=one, linked=linked, warned=warned, status=422)
    try:
        made = sitting.decide_together(ctx(), sent.decisions)
    except NotDecided as error:
        titles = {p.waiting.evidence.id: p.waiting.evidence.title for p in shown.pieces}
        errors = [("", "Nothing was recorded yet. What you typed is still here.")]
        errors += [
            (f"piece-{number}", f"{titles[number]}: {words}")
            for number, words in error.errors.items()
        ]
        return page(shown, one=one, linked=linked, errors=errors, status=422)
    except (Refused, NotAllowed) as error:
        return page(shown, one=one, linked=linked, errors=[("", str(error))], status=422)
    flash(f"Recorded for {plural(made, 'competency', 'competencies')} of {shown.learner_name}.")
    return make_response(redirect(then, 303))
