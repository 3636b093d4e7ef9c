"""What every answer carries: security headers, the request's id, and the check of the host name."""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Collection
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, abort, g, request

from bridge.web.site import WebSettings

_log = structlog.get_logger("bridge.web")
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def protect(app: Flask, settings: WebSettings) -> None:
    """Hang the checks and headers on every request and answer of the app."""
    own = urlsplit(settings.base_url).hostname or ""
    allowed = {"localhost", own, *(name.casefold() for name in settings.names)}

    @app.before_request
    def begin() -> None:
        g.request_id = secrets.token_hex(8)
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)
        if not is_ours(request.headers.get("Host", ""), allowed):
            abort(400, "This name does not belong to the bridge.")

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-ID"] = g.get("request_id", "")
        response.headers.setdefault("Content-Security-Policy", _policy())
        if settings.secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if not (request.endpoint or "").endswith("static"):
            response.headers.setdefault("Cache-Control", "no-store")
            # The rule, not the path: a path may hold a link's secret.
            rule = request.url_rule.rule if request.url_rule else "(no page)"
            took = round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000)
            _log.info("answered", method=request.method, page=rule,
                      status=response.status_code, ms=took)  # fmt: skip
        return response

    app.jinja_env.globals["nonce"] = nonce


def nonce() -> str:
    """The nonce that this answer's own scripts and styles carry."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _policy() -> str:
    """Nothing but what the bridge itself serves; scripts by nonce alone.

    A page launched from Moodle (LTI) may stand in a frame of the registered platforms
    (`g.frame_ancestors`), any other in none; a teacher's choice is sent back to one of them
    (`g.form_targets`).
    """
    ancestors = " ".join(g.get("frame_ancestors", ())) or "'none'"
    targets = " ".join(("'self'", *g.get("form_targets", ())))
    scripts = f"'nonce-{g.nonce}'" if "nonce" in g else "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; "
        f"font-src 'self'; connect-src 'self'; form-action {targets}; base-uri 'none'; "
        f"frame-ancestors {ancestors}"
    )


def is_ours(host: str, allowed: Collection[str]) -> bool:
    """Whether a Host header names this bridge. A stranger's web page that had its own name point
    here (DNS rebinding) sends that name; a plain address cannot be made to point elsewhere."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.removesuffix(".") in allowed
    return True
