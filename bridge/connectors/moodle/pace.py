"""How fast and how long one Moodle is spoken with: a token bucket, and a deadline for a call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_RDWR, socket
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Bucket:
    """At most `rate` calls a second, and `burst` at once after a rest; 0 is no limit.

    Shared by the threads of a process: each takes its turn in the order in which it asked.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = self._burst
        self._at = now()

    def wait(self) -> None:
        """Return when it is this call's turn."""
        if not self._rate:
            return
        with self._lock:
            now = self._now()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            # Going below nothing keeps a place in the queue for whoever asked first.
            self._tokens -= 1.0
            short = -self._tokens / self._rate
        if short > 0:
            self._sleep(short)


_buckets: dict[tuple[str, float], Bucket] = {}
_lock = threading.Lock()
#: How many seconds' worth of calls may go out at once after a rest.
BURST_SECONDS = 2.0


def bucket_of(base: str, rate: float) -> Bucket:
    """The one bucket of a Moodle in this process."""
    with _lock:
        key = base.casefold(), rate
        if key not in _buckets:
            _buckets[key] = Bucket(rate, rate * BURST_SECONDS)
        return _buckets[key]


class Deadline:
    """Cuts the connections of one call off after so many seconds, however slowly bytes come in.

    A timeout alone is for silence: a peer that sends a byte now and then would hold a call
    for ever. Used as a context around the call; `over` says afterwards whether it was cut off.
    """

    _of_thread = threading.local()

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._lock = threading.Lock()
        self._sockets: list[socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        Deadline._of_thread.current = self
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        Deadline._of_thread.current = None

    @staticmethod
    def watch(sock: socket | None) -> None:
        """Let the present call's deadline, if it has one, end this connection too."""
        deadline: Deadline | None = getattr(Deadline._of_thread, "current", None)
        if deadline is None or sock is None:
            return
        with deadline._lock:
            deadline._sockets.append(sock)
            over = deadline.over
        if over:
            raise TimeoutError("the call's time was over")

    def _cut(self) -> None:
        with self._lock:
            self.over = True
            sockets = list(self._sockets)
        for one in sockets:
            with suppress(OSError):
                one.shutdown(SHUT_RDWR)


class _Watched(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        Deadline.watch(self.sock)


class _WatchedSecure(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        Deadline.watch(self.sock)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _WatchedSecure


class WatchedAdapter(HTTPAdapter):
    """An adapter whose connections a `Deadline` can end, through a proxy too."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests makes it, with connections that are watched."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The same."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
