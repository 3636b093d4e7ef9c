"""What serves the pages keeps no more of what strangers send than anybody may send."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

from bridge.jobs.servers import LARGEST_BODY, threads


def _never(environ: Any, start: Any) -> Iterable[bytes]:
    raise AssertionError("no page is asked")


def test_more_than_any_page_takes_is_refused_by_its_length() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threads(lambda _: _never)(listener, "http://127.0.0.1")
        with serving as tend, socket.create_connection(listener.getsockname()) as sender:
            sender.settimeout(0.05)
            sender.sendall(
                f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST_BODY + 1}\r\n\r\n".encode()
            )
            answer = b""
            for _ in range(200):
                tend(0.05)
                try:
                    answer = sender.recv(4096)
                except TimeoutError:
                    continue
                break
    assert answer.startswith(b"HTTP/1.1 413")
