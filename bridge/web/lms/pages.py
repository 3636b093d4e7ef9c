"""What the LMS administrator sees: badges, desired against observed, and what needs them."""

from __future__ import annotations

from flask import Blueprint, render_template

from bridge.domain.permissions import Permission
from bridge.web.access import permits

lms = Blueprint("lms", __name__, url_prefix="/lms")


@lms.get("/")
@permits(Permission.BADGES)
def badges() -> str:
    """Badges by learner and by target."""
    return render_template("lms/badges.html")
