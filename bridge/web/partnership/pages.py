"""What the partnership sees: counts, and nobody's name."""

from __future__ import annotations

from flask import Blueprint, render_template

from bridge.domain.permissions import Permission
from bridge.web.access import permits

partnership = Blueprint("partnership", __name__, url_prefix="/counts")


@partnership.get("/")
@permits(Permission.COUNTS)
def counts() -> str:
    """Counts by agency, group and competency."""
    return render_template("partnership/counts.html")
