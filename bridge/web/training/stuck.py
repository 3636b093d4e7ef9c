"""What is stuck: evidence nobody decides on, mails that cannot be delivered, people nobody has."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from bridge.domain.permissions import Permission
from bridge.services import desk as desk_service
from bridge.services import escalation, mailing
from bridge.web.access import ctx, permits
from bridge.web.asked import number
from bridge.web.training.blueprint import training, whole_partnership

SHOWN = 20


@training.get("/stuck")
@permits(Permission.TRAINING)
def stuck() -> str:
    """Everything that does not move by itself."""
    mails = mailing.queue(ctx(), stuck=True, limit=SHOWN) if whole_partnership() else None
    return render_template(
        "training/stuck.html",
        escalated=escalation.escalated(ctx()),
        mails=mails,
        without_post=desk_service.without_post(ctx()),
        without_manager=desk_service.without_manager(ctx()),
    )


@training.get("/mails")
@permits(Permission.TRAINING)
def mails() -> str:
    """Every mail that cannot be delivered, a page at a time, the oldest first."""
    queue = mailing.queue(ctx(), stuck=True, limit=SHOWN, after=number("after") or 0)
    return render_template("training/mails.html", mails=queue)


@training.post("/mails/<int:mail_id>/retry")
@permits(Permission.TRAINING_CHANGE)
def retry_mail(mail_id: int) -> Response:
    """Let a mail go again at the next round."""
    mailing.retry(ctx(), mail_id)
    flash("The mail goes again with the next round.")
    back = "training.mails" if request.form.get("from") == "mails" else "training.stuck"
    return make_response(redirect(url_for(back)))
