"""The status page: how the bridge stands, read-only, without anybody's name on it."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Flask, Response, abort, jsonify, render_template, request

from bridge.domain.records import Disposition
from bridge.domain.times import LONDON
from bridge.services.status import Health, SourceStatus, Status, StatusReader

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def status_app(read: StatusReader, names: Collection[str] = ()) -> Flask:
    """The page at `/`, the same as JSON at `/status.json`, and `/healthz` for machines.

    `names` are the host names it may be asked by, besides localhost and plain addresses.
    """
    app = Flask(__name__, static_folder=None)
    app.jinja_env.filters |= {"moment": moment, "iso": iso, "span": span}
    allowed = {"localhost", *(name.casefold() for name in names)}
    with app.open_resource("static/status.css") as file:
        css = file.read()

    @app.before_request
    def check_host() -> None:
        if not _is_ours(request.headers.get("Host", ""), allowed):
            abort(400, "This name does not belong to the bridge.")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(500)
    def not_now(_error: Exception) -> tuple[str, int, dict[str, str]]:
        return "The bridge cannot tell at the moment; its log says why.\n", 503, {
            "Content-Type": "text/plain; charset=utf-8"
        }  # fmt: skip

    def page() -> str:
        status = read.status()
        return render_template("status.html", status=status, Disposition=Disposition)

    def as_json() -> Response:
        return jsonify(status_json(read.status()))

    def healthz() -> Response:
        read.alive()
        return jsonify({"ok": True})

    def style() -> Response:
        return Response(css, mimetype="text/css")

    for path, view in (
        ("/", page),
        ("/status.json", as_json),
        ("/healthz", healthz),
        ("/status.css", style),
    ):
        app.add_url_rule(path, view_func=view, methods=["GET"], provide_automatic_options=False)
    return app


def _is_ours(host: str, allowed: Collection[str]) -> bool:
    """Whether a Host header names this page. A stranger's web page that had its own name point
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


def moment(at: datetime | None) -> str:
    """An instant as a London clock shows it."""
    if at is None:
        return "never"
    local = at.astimezone(LONDON)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {local:%Z}"


def iso(at: datetime) -> str:
    """An instant for machines."""
    return at.isoformat(timespec="seconds")


def span(length: timedelta) -> str:
    """A length of time in its largest whole unit ("3 hours")."""
    seconds = int(length.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            number = seconds // size
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "less than a minute"


def status_json(status: Status) -> dict[str, object]:
    """The page's content for machines: times in UTC, lengths in seconds."""
    healths = {s.health for s in status.sources} | {t.health for t in status.targets}
    worst = next((h for h in reversed(Health) if h in healths), Health.WELL)
    return {
        "at": iso(status.at),
        "version": status.version,
        "database": status.database,
        "health": worst.value,
        "sources": [_source_json(source) for source in status.sources],
        "unmapped": [
            {"source": u.source, "title": u.title, "records": u.records, "people": u.people}
            for u in status.unmapped
        ],
        "targets": [
            {
                "target": target.key,
                "health": target.health.value,
                "in_step": target.in_step,
                "waiting": target.waiting,
                "needs_you": target.stuck,
                "reasons": list(target.reasons),
            }
            for target in status.targets
        ],
        "jobs": [
            {"job": job.name, "next_at": iso(job.next_at) if job.next_at else None}
            for job in status.jobs
        ],
    }


def _source_json(source: SourceStatus) -> dict[str, object]:
    line = source.ledger
    return {
        "source": source.key,
        "health": source.health.value,
        "outcome": source.words,
        "last_pull": iso(source.last_pull) if source.last_pull else None,
        "last_full": iso(source.last_full) if source.last_full else None,
        "seen_to": iso(source.seen_to) if source.seen_to else None,
        "lag_seconds": int(source.lag.total_seconds()) if source.lag is not None else None,
        "received": line.received if line else 0,
        "dispositions": {d.value: source.count(d) for d in Disposition},
        "adds_up": line.adds_up if line else True,
    }
