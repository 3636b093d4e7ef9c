"""The one page of a verifier without an account, who came by a single-use link."""

from __future__ import annotations

from flask import render_template

from bridge.domain.permissions import Permission
from bridge.web.access import permits
from bridge.web.manager.blueprint import manager


@manager.get("/verify/linked")
@permits(Permission.VERIFY_ONE)
def linked() -> str:
    """What the link was sent for."""
    return render_template("manager/linked.html")
