"""How often something may be tried in a while, counted over all processes together."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from bridge.domain.errors import TooOften
from bridge.services.context import Context

WINDOW = timedelta(minutes=15)


def count_attempt(ctx: Context, what: str, limit: int, window: timedelta = WINDOW) -> None:
    """Count an attempt. Raises TooOften above the limit of the window.

    `what` names what is limited ("login:...", "address:..."); it is stored hashed.
    """
    now = ctx.clock.now()
    start = _start(now, window)
    with ctx.store.begin() as uow:
        count = uow.access.attempt(_key(what), start)
    _refuse_above(count, limit, start + window - now)


def check_attempts(ctx: Context, what: str, limit: int, window: timedelta = WINDOW) -> None:
    """Raise TooOften where the limit was reached already; counts nothing."""
    now = ctx.clock.now()
    start = _start(now, window)
    with ctx.store.reading() as uow:
        count = uow.access.attempts(_key(what), start)
    _refuse_above(count + 1, limit, start + window - now)


def _start(now: datetime, window: timedelta) -> datetime:
    seconds = window.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)


def _key(what: str) -> str:
    kind, _, value = what.partition(":")
    return f"{kind}:{hashlib.sha256(value.encode()).hexdigest()[:40]}"


def _refuse_above(count: int, limit: int, left: timedelta) -> None:
    if count > limit:
        minutes = round(left.total_seconds() / 60) + 1
        raise TooOften(
            f"That was tried too often. Wait {minutes} minutes, then try again.",
            left.total_seconds(),
        )
