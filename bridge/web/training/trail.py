"""The audit trail: who did what to which thing, the newest first."""

from __future__ import annotations

from flask import render_template

from bridge.domain.permissions import Permission
from bridge.services import desk as desk_service
from bridge.web.access import ctx, permits
from bridge.web.asked import number, words
from bridge.web.training.blueprint import training


@training.get("/trail")
@permits(Permission.TRAINING)
def trail() -> str:
    """The trail, or what it has of one thing."""
    subject = words("about", 80) or None
    return render_template(
        "training/trail.html",
        page=desk_service.trail_page(ctx(), subject, number("before")),
        subject=subject,
    )
