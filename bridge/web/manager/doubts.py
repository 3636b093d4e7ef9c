"""Verified claims that are in doubt (R6), and taking a verification back."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.permissions import Permission
from bridge.services import escalation, verify
from bridge.web.access import ctx, permits
from bridge.web.manager.blueprint import manager
from bridge.web.practitioner.warning import Warned, look


def _stands_out() -> Warned | None:
    """What in the reason could tell who a child is, until its writer says that they have looked."""
    warned = look(request.form.get("reason", ""))
    return warned if warned is not None and warned.mark != request.form.get("looked") else None


@manager.get("/verify/contested")
@permits(Permission.VERIFY)
def contested() -> Response:
    """The contested claims that the visitor decides on."""
    return _page()


def _page(
    claim_id: int | None = None, error: str = "", warned: Warned | None = None, status: int = 200
) -> Response:
    text = render_template(
        "manager/contested.html",
        warned=warned,
        do=request.form.get("do", ""),
        doubts=escalation.in_doubt(ctx()),
        now=ctx().clock.now(),
        wrong=claim_id,
        error=error,
        reason=request.form.get("reason", ""),
    )
    return make_response(text, status)


@manager.get("/verify/decided")
@permits(Permission.VERIFY)
def decided() -> str:
    """What the visitor verified, and what others verified of their team: the latest."""
    return render_template("manager/decided.html", found=escalation.decided(ctx()))


@manager.get("/verify/claims/<int:claim_id>")
@permits(Permission.VERIFY)
def claim(claim_id: int) -> Response:
    """One verified claim, to be taken back."""
    return _claim(claim_id)


def _claim(
    claim_id: int, error: str = "", warned: Warned | None = None, status: int = 200
) -> Response:
    text = render_template(
        "manager/claim.html",
        warned=warned,
        claim=escalation.one_decided(ctx(), claim_id),
        error=error,
        reason=request.form.get("reason", ""),
    )
    return make_response(text, status)


@manager.post("/verify/claims/<int:claim_id>/take-back")
@permits(Permission.VERIFY)
def take_back(claim_id: int) -> Response:
    """Take a verification back, with the reason."""
    shown = escalation.one_decided(ctx(), claim_id)
    warned = _stands_out()
    if warned is not None:
        return _claim(claim_id, warned=warned, status=422)
    try:
        verify.revoke(ctx(), claim_id, request.form.get("reason", ""))
    except (Refused, NotAllowed) as error:
        return _claim(claim_id, str(error), status=422)
    flash(f"The verification of {shown.ref.code} is taken back. {shown.learner_name} sees why.")
    return make_response(redirect(url_for("manager.decided"), 303))


@manager.post("/verify/claims/<int:claim_id>")
@permits(Permission.VERIFY)
def second_thought(claim_id: int) -> Response:
    """Uphold a contested claim, or take a verification back, with the reason."""
    reason = request.form.get("reason", "").strip()
    warned = _stands_out()
    if warned is not None:
        return _page(claim_id, warned=warned, status=422)
    try:
        if not reason:
            raise Refused("Say why, so that they understand the decision.")
        if request.form.get("do") == "uphold":
            verify.uphold(ctx(), claim_id, reason)
            flash("The claim stands. It counts towards badges again.")
        elif request.form.get("do") == "revoke":
            verify.revoke(ctx(), claim_id, reason)
            flash("The verification is taken back. Badges that rested on it are looked at again.")
        else:
            raise Refused("Choose whether the claim stands or is taken back.")
    except (Refused, NotAllowed, NotFound) as error:
        return _page(claim_id, str(error), status=422)
    return make_response(redirect(url_for("manager.contested"), 303))
