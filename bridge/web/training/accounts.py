"""Accounts in doubt, and those of none of the people shown: looked at, decided, asked again."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from bridge.domain.errors import NotFound, Refused
from bridge.domain.permissions import Permission
from bridge.services import accounts
from bridge.web.access import ctx, permits, site
from bridge.web.asked import number
from bridge.web.training.blueprint import training


@training.get("/doubts")
@permits(Permission.TRAINING)
def doubts() -> Response:
    """Accounts that are somebody's by an address which several names or people have."""
    return _doubts("")


def _doubts(error: str, status: int = 200) -> Response:
    page = accounts.doubts(ctx(Permission.TRAINING), number("after") or 0)
    return make_response(render_template("training/doubts.html", page=page, error=error), status)


@training.post("/doubts/<int:account_id>")
@permits(Permission.TRAINING_CHANGE)
def decide_doubt(account_id: int) -> Response:
    """The account stays theirs, or is taken from them."""
    try:
        if request.form.get("do") == "keep":
            accounts.keep(ctx(), account_id, request.form.get("reason", ""))
            flash("The account stays theirs, by your word.")
        else:
            accounts.take_away(ctx(), account_id)
            flash("The account is nobody's now, and waits in the unmatched queue.")
    except Refused as error:
        return _doubts(str(error), 422)
    return make_response(redirect(url_for("training.doubts")))


@training.get("/answered")
@permits(Permission.TRAINING)
def answered() -> str:
    """Accounts that somebody has said are none of the people shown."""
    page = accounts.answered(ctx(), number("after") or 0)
    return render_template("training/answered.html", page=page)


@training.post("/unmatched/<int:account_id>/nobody")
@permits(Permission.TRAINING_CHANGE)
def none_of_these(account_id: int) -> Response:
    """It is none of them: remembered, and not asked again."""
    try:
        accounts.nobody(ctx(), account_id, request.form.get("reason", ""), site().identity)
    except (Refused, NotFound) as error:
        flash(str(error))
        return make_response(redirect(url_for("training.account", account_id=account_id)))
    flash("Noted. It is not asked again; you find it under “Answered: none of these”.")
    return make_response(redirect(url_for("training.unmatched")))


@training.post("/answered/<int:account_id>")
@permits(Permission.TRAINING_CHANGE)
def ask_again(account_id: int) -> Response:
    """Back into the queue."""
    accounts.ask_again(ctx(), account_id)
    flash("The account is in the unmatched queue again.")
    return make_response(redirect(url_for("training.answered")))
