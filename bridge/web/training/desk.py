"""The training desk: the health of every source and target, and what waits, one click away."""

from __future__ import annotations

from flask import Response, jsonify, render_template

from bridge.domain.permissions import Permission
from bridge.domain.records import Disposition
from bridge.services import desk as desk_service
from bridge.web.access import ctx, permits, site
from bridge.web.asked import number, words
from bridge.web.training.blueprint import training
from bridge.web.training.status_json import status_json


@training.get("/")
@permits(Permission.TRAINING)
def desk() -> str:
    """How the bridge stands."""
    return render_template(
        "training/desk.html", status=site().status.status(), Disposition=Disposition
    )


@training.get("/status.json")
@permits(Permission.TRAINING)
def status() -> Response:
    """The same for machines."""
    return jsonify(status_json(site().status.status()))


@training.get("/pulls")
@permits(Permission.TRAINING)
def runs() -> str:
    """What was asked of which source, when, and how it went."""
    source = words("source") or None
    return render_template(
        "training/runs.html",
        page=desk_service.runs_page(ctx(), source, number("before")),
        source=source,
    )
