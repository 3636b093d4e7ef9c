"""`/healthz`: the process answers. `/readyz`: it can reach its database. For machines; no names."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from bridge.domain.permissions import Permission
from bridge.web.access import permits, site

health = Blueprint("health", __name__)


@health.get("/healthz")
@permits(Permission.PUBLIC)
def healthz() -> Response:
    """Alive: restart it where this does not answer."""
    return jsonify({"ok": True})


@health.get("/readyz")
@permits(Permission.PUBLIC)
def readyz() -> tuple[Response, int]:
    """Ready: send it no traffic while this does not answer 200."""
    try:
        site().status.alive()
    except Exception:
        return jsonify({"ok": False, "why": "The database does not answer."}), 503
    return jsonify({"ok": True}), 200
