"""Who calls: a personal token in the Authorization header, and nothing else (RFC 6750).

A session's cookie opens nothing here, so that no other site can use somebody's browser for it.
"""

from __future__ import annotations

import re
import threading
import time

from flask import Response, current_app, g, request

from bridge.domain.errors import NotAllowed, TooOften
from bridge.domain.permissions import Permission
from bridge.services.limits import count_attempt
from bridge.services.signin import NOBODY, digest, who_has_token
from bridge.web.access import allowed, site
from bridge.web.api.problems import of_error, problem

_BEARER = re.compile(r"[Bb]earer +(cb_[A-Za-z0-9_-]{40,64}) *")
_REALM = 'Bearer realm="Competency Bridge"'
#: Wrong tokens from one address in a quarter of an hour, over all processes together.
WRONG_AN_ADDRESS = 100
#: Calls a minute with one token, in one process; API_A_MINUTE in the app's settings wins.
CALLS_A_MINUTE = 600
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Counter:
    """How often each token was used in this minute, in this process: reads write nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[bytes, int] = {}

    def count(self, key: bytes) -> tuple[int, float]:
        """One call more: how many in this minute, and the seconds that are left of it."""
        now = time.monotonic()
        with self._lock:
            if int(now // 60) != self._minute:
                self._minute, self._counts = int(now // 60), {}
            self._counts[key] = self._counts.get(key, 0) + 1
            return self._counts[key], 60 - now % 60


def come_in() -> Response | None:
    """Find out who calls; an answer where they may not. Sets who it is for `bridge.web.access`."""
    g.who, g.channel = NOBODY, "api"
    permission: Permission | None = g.get("permission")
    if permission is Permission.PUBLIC:
        return None
    header = request.headers.get("Authorization", "")
    if not header:
        return _unknown("Send a personal token: Authorization: Bearer cb_... . Make one on your "
                        "account page.")  # fmt: skip
    match = _BEARER.fullmatch(header)
    if match is None:
        return _unknown("That is no personal token. It reads: Authorization: Bearer cb_... .",
                        wrong=True)  # fmt: skip
    return _with_token(match[1], permission)


def _with_token(token: str, permission: Permission | None) -> Response | None:
    system = site().ctx
    try:
        g.who, read_only = who_has_token(system, token)
    except NotAllowed as error:
        try:
            count_attempt(system, f"token:{request.remote_addr}", WRONG_AN_ADDRESS)
        except TooOften as too_often:
            return of_error(too_often)
        return _unknown(str(error), wrong=True)
    counter: Counter = current_app.extensions.setdefault("bridge-api-counter", Counter())
    used, left = counter.count(digest(token))
    if used > current_app.config.get("API_A_MINUTE", CALLS_A_MINUTE):
        return of_error(TooOften("Too many calls with this token in this minute.", left))
    if read_only and request.method not in _READING:
        return problem(
            403, "This token may only read. Make another on your account page.",
            headers={"WWW-Authenticate": f'{_REALM}, error="insufficient_scope"'},
        )  # fmt: skip
    if not allowed(g.who, permission):
        return problem(403, "This is for another role than those you have. If you need it, ask "
                            "your training team.")  # fmt: skip
    return None


def _unknown(detail: str, *, wrong: bool = False) -> Response:
    more = ', error="invalid_token"' if wrong else ""
    return problem(401, detail, headers={"WWW-Authenticate": _REALM + more})
