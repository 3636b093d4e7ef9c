"""The practitioner's first page: where they stand, and what is theirs to do."""

from __future__ import annotations

from flask import Blueprint, render_template

from bridge.domain.permissions import Permission
from bridge.services.context import acting_person
from bridge.services.progress import progress
from bridge.web.access import ctx, permits

practitioner = Blueprint("practitioner", __name__)


@practitioner.get("/evidence")
@permits(Permission.OWN_EVIDENCE)
def home() -> str:
    """Where they stand in one line; then what waits for them, and for whom they wait."""
    return render_template("practitioner/home.html", standing=progress(ctx(), acting_person(ctx())))


@practitioner.get("/log")
@permits(Permission.OWN_EVIDENCE)
def log() -> str:
    """Their log, by competency."""
    return render_template("practitioner/log.html", standing=progress(ctx(), acting_person(ctx())))
