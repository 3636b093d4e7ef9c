"""What serves the pages beside the jobs: threads of this process, or gunicorn's processes."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
from waitress import create_server, wasyncore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = structlog.get_logger("bridge.run")
THREADS = 8
#: In bytes: no setting lets anybody send more. Waitress keeps what comes on disk before a page sees
#: who sent it; gunicorn leaves it with the network.
LARGEST_BODY = 201_000_000
#: A server that dies is started again, but not more often than this.
RESTART_SECONDS = 2.0
END_SECONDS = 30

#: Waits a moment for work and does it; called again and again until the run ends.
Tend = Callable[[float], None]
#: Serves on a listening socket, whose address is given, while its block lasts.
Server = Callable[[socket.socket, str], AbstractContextManager[Tend]]


def calm_collector() -> None:
    """Once everything is loaded: that stays, so the garbage collector need not go through it again,
    nor through what a large page of records holds while it is being taken in."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def threads(pages: Callable[[str], WSGIApplication]) -> Server:
    """Serve with waitress in this process; `pages` makes the application for its address."""

    @contextmanager
    def serving(listener: socket.socket, address: str) -> Iterator[Tend]:
        sockets: dict[int, Any] = {}
        server = create_server(
            pages(address),
            map=sockets,
            sockets=[listener],
            threads=THREADS,
            ident=None,
            max_request_body_size=LARGEST_BODY,
        )
        try:
            yield lambda seconds: wasyncore.loop(timeout=seconds, map=sockets, count=1)
        finally:
            server.task_dispatcher.shutdown()
            wasyncore.close_all(sockets)

    return serving


@dataclass(frozen=True, slots=True)
class Gunicorn:
    """Serve with gunicorn: `workers` processes that each make the application `factory` names.

    `environment` tells them the site; they get the address as BRIDGE_ADDRESS.
    """

    factory: str
    workers: int
    environment: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def __call__(self, listener: socket.socket, address: str) -> Iterator[Tend]:
        """Implements `Server`. It is started again where it dies by itself."""
        listener.set_inheritable(True)
        process = self._start(listener, address)
        began = time.monotonic()

        def tend(seconds: float) -> None:
            nonlocal process, began
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                return
            _log.error("the web server ended", status=process.returncode)
            time.sleep(max(0.0, RESTART_SECONDS - (time.monotonic() - began)))
            process, began = self._start(listener, address), time.monotonic()

        try:
            yield tend
        finally:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, listener: socket.socket, address: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own interpreter, our own words
            [sys.executable, "-m", "gunicorn", self.factory, "--bind", f"fd://{listener.fileno()}",
             "--workers", str(self.workers), "--threads", "4", "--graceful-timeout", "20",
             "--log-level", "warning", "--logger-class", "bridge.jobs.gunicornlog.RedactingLogger",
             "--no-control-socket"],
            env={**os.environ, **self.environment, "BRIDGE_ADDRESS": address},
            pass_fds=[listener.fileno()],
        )  # fmt: skip
