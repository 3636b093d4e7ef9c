"""Peers that are left in peace while they are in maintenance, too busy or out of reach.

One row a peer says since when, and when it is tried again. Everything that would speak with it
looks there first, so that nobody asks before the time that it named itself.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from bridge.domain.errors import TryLater
from bridge.domain.peers import MAINTENANCE, Rest, kind_of
from bridge.domain.policy import Policy
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context


def back_off(policy: Policy, attempts: int, *, ceiling: float | None = None) -> timedelta:
    """Doubling with each attempt in vain, with jitter, up to a ceiling."""
    most = policy.retry_ceiling_seconds if ceiling is None else ceiling
    base = min(policy.retry_seconds * 2.0 ** min(attempts, 20), most)
    return timedelta(seconds=base * random.uniform(0.75, 1.25))  # noqa: S311  spreading load


def leave_in_peace(ctx: Context, peer: str, error: TryLater) -> Rest:
    """Note that a peer cannot be spoken with, and until when it is left alone."""
    with ctx.store.begin() as uow:
        uow.ops.lock(f"rest:{peer}")
        rest = rest_after(ctx, uow, peer, error)
        uow.peers.put_rest(rest)
    return rest


def rest_after(ctx: Context, uow: UnitOfWork, peer: str, error: TryLater) -> Rest:
    """How long a peer is to be left alone after that: longer each time in a row."""
    now = ctx.clock.now()
    kind = kind_of(error)
    ceiling = ctx.policy.maintenance_ceiling_seconds if kind == MAINTENANCE else None
    before = uow.peers.rest(peer)
    again = before is not None and before.kind == kind
    attempts = before.attempts + 1 if before is not None and again else 1
    wait = back_off(ctx.policy, attempts - 1, ceiling=ceiling)
    until = now + max(wait, timedelta(seconds=error.retry_after or 0.0))
    since = before.since if before is not None and again else now
    return Rest(peer, kind, since, until, attempts, str(error))


def resting(uow: UnitOfWork, peer: str, now: datetime) -> Rest | None:
    """How long a peer is left in peace from now on, if it is."""
    rest = uow.peers.rest(peer)
    return rest if rest is not None and rest.until > now else None


def refuse_while_resting(ctx: Context, peer: str) -> None:
    """Raise TryLater, with the time that is left, for a peer that is left in peace."""
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        rest = resting(uow, peer, now)
    if rest is not None:
        raise TryLater(
            f"{peer}: {rest.said(now)}",
            peer=peer,
            detail="resting",
            retry_after=(rest.until - now).total_seconds(),
        )


def well_again(uow: UnitOfWork, peer: str) -> None:
    """It answers."""
    uow.peers.end_rest(peer)
