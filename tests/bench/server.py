"""The real web application with a gauge around it: how many queries and how much processor time.

`application()` is what gunicorn's workers make; the site's folder is in BRIDGE_BENCH_SITE.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, render_template
from sqlalchemy import Engine, event

from bridge import log
from bridge.bootstrap import web_site
from bridge.domain.permissions import Permission
from bridge.web.access import permits
from bridge.web.app import create_app
from tests.bench.partnership import open_site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FLOOR = "/bench/floor"
QUERIES, CPU = "X-Bench-Queries", "X-Bench-Cpu-Ms"
#: What a transaction needs of its own, whatever is asked in it.
_FRAME = ("BEGIN", "SET ", "ROLLBACK", "COMMIT", "PRAGMA")


class Gauge:
    """Counts the queries of each thread, and the processor time of each request."""

    def __init__(self, engine: Engine, app: WSGIApplication) -> None:
        self._app = app
        self._here = threading.local()
        event.listen(engine, "after_cursor_execute", self._count)

    def _count(self, _c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(_FRAME):
            self._here.queries = getattr(self._here, "queries", 0) + 1

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Serve, and say in two headers what it took."""
        self._here.queries = 0
        began = time.thread_time()
        answer: list[Any] = []

        def remember(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[..., Any]:
            answer[:] = [status, headers]
            return lambda data: None

        body = self._app(environ, remember)
        try:
            whole = b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        status, headers = answer
        spent = (time.thread_time() - began) * 1000
        start(status, [*headers, (QUERIES, str(self._here.queries)), (CPU, f"{spent:.3f}")])
        return [whole]


def _add_floor(app: Flask) -> None:
    """A page with nothing on it: who is signed in, and the frame of every page."""

    @permits(Permission.ACCOUNT)
    def floor() -> str:
        return render_template("base.html")

    app.add_url_rule(FLOOR, "bench_floor", floor)


def application() -> WSGIApplication:
    """The application, gauged."""
    log.set_up(level=os.environ.get("BRIDGE_LOG_LEVEL", "CRITICAL"))
    bridge = open_site(Path(os.environ["BRIDGE_BENCH_SITE"]))
    app = create_app(web_site(bridge, os.environ.get("BRIDGE_ADDRESS", "http://127.0.0.1")))
    _add_floor(app)
    return Gauge(bridge.engine, app.wsgi_app)
