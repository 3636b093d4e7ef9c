"""Things that go wrong with real LRSs, to be switched on by a test or a demonstration."""

from __future__ import annotations

import threading
from enum import StrEnum


class Fault(StrEnum):
    """What can go wrong. What a number beside it means is given here."""

    WRONG_CLOCK = "wrong clock"
    """`since`, `until` and the order go by when things happened, as Ralph has it."""
    CAPPED = "capped limit"
    """Never more than 3 statements at once, whatever is asked for."""
    MORE_EXPIRES = "more expires"
    """A `more` link is answered by 404."""
    MORE_ELSEWHERE = "more elsewhere"
    """The `more` link leads to another host."""
    MORE_IN_A_CIRCLE = "more in a circle"
    """The `more` link leads to its own page."""
    CONFLICT = "conflict on duplicates"
    """A statement that it has already makes it answer 409 to the whole batch."""
    TRUNCATED = "truncated page"
    """Half of the answer, properly ended."""
    TOO_MANY_REQUESTS = "too many requests"
    """HTTP 429, Retry-After: 7."""
    COME_BACK_LATER = "come back later"
    """HTTP 503, Retry-After: 3600."""
    BROKEN = "broken"
    """HTTP 500 with a page."""
    HTML_PAGE = "html page"
    """HTTP 200 with a page where JSON was asked for."""
    NOT_A_NUMBER = "not a number"
    """The second statement of a page has a NaN in it."""
    HASTY = "hasty"
    """Consistent-Through is ahead of statements that then appear with an earlier time."""
    SHUT_OUT = "shut out"
    """HTTP 401."""
    WRITES_ONLY = "writes only"
    """HTTP 403 to whoever wants to read."""
    READS_ONLY = "reads only"
    """HTTP 403 to whoever wants to write."""
    POLITE = "polite"
    """Asked for an id that it does not have, it gives an empty page, as Ralph does."""
    LOST_ANSWER = "lost answer"
    """It takes what is sent, and the connection is cut before it has said so."""
    BRIEF = "brief"
    """HTTP 204 to what it takes."""
    SMALL_BATCHES = "small batches"
    """HTTP 413 to more than 3 statements at once."""
    PICKY = "picky"
    """HTTP 400 to a batch with a competency whose code is 2 in it."""
    ELSEWHERE = "elsewhere"
    """HTTP 307 to another address."""
    DRIPPING = "dripping"
    """The answer to what is sent or asked for, or to About, comes byte by byte and never ends."""
    OLD = "old"
    """It has no About resource, and knows 1.0.3 alone."""


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
