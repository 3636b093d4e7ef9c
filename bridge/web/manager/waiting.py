"""What waits for a verifier's decision, the oldest first."""

from __future__ import annotations

from flask import render_template

from bridge.domain.permissions import Permission
from bridge.services import verify
from bridge.web.access import ctx, permits
from bridge.web.manager.blueprint import manager


@manager.get("/verify/")
@permits(Permission.VERIFY)
def waiting() -> str:
    """The list."""
    return render_template("manager/waiting.html", items=verify.waiting(ctx()))
