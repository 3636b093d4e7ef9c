"""When what failed is tried again."""

from __future__ import annotations

import random
from datetime import timedelta

from bridge.services.context import Context

#: What needs an administrator is looked at again after that long, or when they say so.
NEEDS_YOU_AGAIN = timedelta(hours=6)


def backoff(ctx: Context, attempts: int, named: float | None) -> timedelta:
    """Doubling with jitter up to a ceiling, and never before the seconds that a peer named."""
    base = min(
        ctx.policy.retry_seconds * 2.0 ** min(attempts, 20), ctx.policy.retry_ceiling_seconds
    )
    jittered = base * random.uniform(0.75, 1.25)  # noqa: S311  spreading load, not a secret
    return timedelta(seconds=max(jittered, named or 0.0))
