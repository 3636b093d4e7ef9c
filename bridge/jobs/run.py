"""`bridge run`: the jobs and the pages in one process, until it is told to end."""

from __future__ import annotations

import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import structlog

from bridge.domain.errors import BridgeError
from bridge.jobs.embedded import EmbeddedJobs
from bridge.jobs.lock import only_one
from bridge.jobs.servers import Server, calm_collector

_log = structlog.get_logger("bridge.run")
_LOOK_EVERY = 0.25


def serve(
    jobs: EmbeddedJobs,
    server: Server,
    *,
    host: str,
    port: int,
    lock_path: Path | None,
    on_ready: Callable[[str], None],
    stop: threading.Event | None = None,
) -> None:
    """Run the jobs and let `server` serve until SIGTERM or SIGINT comes, or `stop` is set.

    Port 0 takes any free one; `on_ready` is told the address once everything runs.
    `lock_path` is the lock file beside a SQLite database, None for PostgreSQL. A second signal
    ends at once, which loses nothing. Raises BridgeError where another process holds the lock or
    the port.
    """
    stop = stop or threading.Event()
    with only_one(lock_path), _listening(host, port) as listener, _signals(stop):
        address = _address(host, listener.getsockname()[1])
        with server(listener, address) as tend:
            try:
                on_ready(address)
                calm_collector()
                jobs.start()
                _log.info("running", host=host, port=listener.getsockname()[1])
                while not stop.is_set():
                    tend(_LOOK_EVERY)
                _log.info("ending after the page in hand")
            finally:
                jobs.stop()
    _log.info("ended")


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address, family=family)
    except OSError as error:
        raise BridgeError(
            f"The pages cannot be served on {host} port {port} ({error.strerror}). Choose "
            "another status_port (or status_host) under [jobs]."
        ) from None
    with listener:
        yield listener


def _address(host: str, port: int) -> str:
    """Where a browser on this machine finds the page."""
    try:
        if ipaddress.ip_address(host).is_unspecified:
            host = "127.0.0.1"
    except ValueError:
        return f"http://{host}:{port}/"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set `stop`; from then on they do again what they did before.

    Outside the main thread Python hears no signals: then only `stop` ends the run.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def heard(number: int, frame: FrameType | None) -> None:
        give_back()
        stop.set()

    for number in before:
        signal.signal(number, heard)
    try:
        yield
    finally:
        give_back()
