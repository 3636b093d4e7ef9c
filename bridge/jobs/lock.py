"""One `bridge run` for each SQLite file: a lock that the kernel lets go of when its holder dies."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from bridge.domain.errors import BridgeError


@contextmanager
def only_one(path: Path | None) -> Iterator[None]:
    """Hold the lock file `path` meanwhile; None locks nothing (PostgreSQL needs no lock).

    Raises BridgeError, naming the process that holds it. A note beside the lock says which.
    """
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    note = path.with_suffix(".txt")
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BridgeError(
            f"Another 'bridge run' works on this SQLite database already{_holder(note)}. One is "
            "enough: SQLite takes one writer at a time. Stop that one first, or keep the data in "
            "PostgreSQL, where several may run (docs/operations.md)."
        ) from None
    try:
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        note.write_text(f"process {os.getpid()} on {socket.gethostname()}, since {since}\n")
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _holder(note: Path) -> str:
    try:
        return f" ({note.read_text().strip()})"
    except OSError:
        return ""
