"""Serves a small Flask application on loopback from a thread, quietly, until it is stopped."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class QuietHandler(WSGIRequestHandler):
    """Serves without a line in the log for each request, and without naming its software.

    HTTP/1.0, so that a connection told to drop is closed at once, not kept for another request.
    """

    protocol_version = "HTTP/1.0"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: whoever wants to know keeps the requests."""

    def version_string(self) -> str:
        """The Server header."""
        return "stand-in"


class Served:
    """An application on 127.0.0.1, while its block lasts or until stopped."""

    def __init__(self, app: Flask, name: str) -> None:
        self._app, self._name = app, name
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> str:
        """Serve on any free port unless told; returns the address."""
        self._server = make_server(
            "127.0.0.1", port, self._app, threaded=True, request_handler=QuietHandler
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name=self._name,
            daemon=True,
        )  # fmt: skip
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Stop serving and free the port."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
