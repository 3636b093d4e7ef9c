"""The training desk: the health of every source and target, and what waits, one click away."""

from __future__ import annotations

from flask import Response, jsonify, render_template

from bridge.domain.permissions import Permission
from bridge.domain.records import Disposition
from bridge.web.access import permits, site
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
