"""A manager's team: who stands where with what is asked of them."""

from __future__ import annotations

from flask import render_template

from bridge.domain.permissions import Permission
from bridge.web.access import permits
from bridge.web.manager.blueprint import manager


@manager.get("/team/")
@permits(Permission.TEAM)
def team() -> str:
    """The matrix."""
    return render_template("manager/team.html")
