"""What is stuck: evidence nobody decides on, mails that cannot be delivered, people nobody has."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for

from bridge.domain.permissions import Permission
from bridge.services import desk as desk_service
from bridge.services import escalation, mailing
from bridge.web.access import ctx, permits
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
        shown=SHOWN,
        without_post=desk_service.without_post(ctx()),
        without_manager=desk_service.without_manager(ctx()),
    )


@training.post("/mails/<int:mail_id>/retry")
@permits(Permission.TRAINING_CHANGE)
def retry_mail(mail_id: int) -> Response:
    """Let a mail go again at the next round."""
    mailing.retry(ctx(), mail_id)
    flash("The mail goes again with the next round.")
    return make_response(redirect(url_for("training.stuck")))
