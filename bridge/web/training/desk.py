"""The training desk: the health of every source and target, and what waits, one click away."""

from __future__ import annotations

from flask import render_template

from bridge.domain.permissions import Permission
from bridge.domain.records import Disposition
from bridge.web.access import permits, site
from bridge.web.training.blueprint import training


@training.get("/")
@permits(Permission.TRAINING)
def desk() -> str:
    """How the bridge stands."""
    return render_template(
        "training/desk.html", status=site().status.status(), Disposition=Disposition
    )
