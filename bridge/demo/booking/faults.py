"""Things that go wrong with a real pretix, to be switched on by a test or a demonstration."""

from __future__ import annotations

import threading
from enum import StrEnum


class Fault(StrEnum):
    """What can go wrong. What a number beside it means is given here."""

    TOO_MANY_REQUESTS = "too many requests"
    """HTTP 429, Retry-After: 7."""
    MAINTENANCE = "maintenance"
    """HTTP 503 with a page."""
    HTML_PAGE = "html page"
    """HTTP 200 with a page where JSON was asked for (a proxy, a login page)."""
    CUT_CONNECTION = "cut connection"
    """The connection drops in the middle of the body; Content-Length promised all of it."""
    TRUNCATED_BODY = "truncated body"
    """Half of the body, properly ended."""
    MOVED = "moved"
    """Every request is sent on to another host."""
    NEXT_ELSEWHERE = "next elsewhere"
    """The link to the next page leads to another host."""
    NO_ORDERS = "no permission to view orders"
    """The organiser's orders are an empty list, and an event's are a 403: as pretix does it."""
    SHRINKING = "shrinking"
    """An order is deleted after the first page of orders was given."""
    ODD_SHAPE = "odd shape"
    """Positions come without their check-ins."""


class Faults:
    """The faults in force, each for so many requests more. Safe to change while it serves."""

    def __init__(self) -> None:
        self._left: dict[Fault, int] = {}
        self._lock = threading.Lock()

    def add(self, fault: Fault, times: int = 1_000_000) -> None:
        """Switch a fault on for the next `times` requests."""
        with self._lock:
            self._left[fault] = times

    def clear(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._left.clear()

    def strikes(self, fault: Fault) -> bool:
        """Whether it strikes now; counts it."""
        with self._lock:
            if not self._left.get(fault):
                return False
            self._left[fault] -= 1
            return True
