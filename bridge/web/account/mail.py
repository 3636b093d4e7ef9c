"""Which mail one gets: a tick for each kind that may be switched off."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from bridge.domain.mail import MailKind
from bridge.domain.permissions import Permission
from bridge.services import notify
from bridge.web.access import ctx, permits

account_mail = Blueprint("account_mail", __name__, url_prefix="/account/mail")


@account_mail.get("/")
@permits(Permission.ACCOUNT)
def show() -> str:
    """What comes, and what is switched off."""
    return render_template("account/mail.html", choices=notify.choices(ctx()))


@account_mail.post("/")
@permits(Permission.ACCOUNT)
def choose() -> Response:
    """Keep what was ticked."""
    known = {kind.value: kind for kind in MailKind}
    notify.choose(ctx(), {known[v] for v in request.form.getlist("kind") if v in known})
    flash("Saved. You get the mail that is ticked below.")
    return make_response(redirect(url_for("account_mail.show")))
