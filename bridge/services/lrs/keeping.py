"""How long the endpoint keeps what it received: what there is, and what goes or would go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.lrs.forgetting import Keeping, Needed
from bridge.domain.records import from_epoch
from bridge.services.context import Context
from bridge.services.lrs import documents
from bridge.services.lrs.forgetting import Forgotten, forget_old, look


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept whole, and what was forgotten or would be; `oldest` is when that one came."""

    keeping: Keeping
    whole: int
    oldest: datetime | None
    statements: int
    quarantined: int
    undecided: int
    documents: int


def keeping(
    ctx: Context, settings: Keeping, *, statements_days: int | None = None, now: bool = False
) -> Kept:
    """How it stands; with `now`, after forgetting what is kept no longer.

    `statements_days` looks with another number of days than the one that is set.
    """
    days = settings.statements if statements_days is None else statements_days
    told = Forgotten()
    if days:
        before = ctx.clock.now() - timedelta(days=days)
        told = forget_old(ctx, before) if now else look(ctx, before)
    gone = _documents(ctx, settings.documents, now=now) if settings.documents else 0
    with ctx.store.reading() as uow:
        whole, oldest = uow.forgetting.stock()
    return Kept(
        settings,
        whole,
        None if oldest is None else from_epoch(oldest // 1_000_000),
        told.statements,
        told.needed[Needed.QUARANTINED],
        told.needed[Needed.UNDECIDED],
        gone,
    )


def _documents(ctx: Context, days: int, *, now: bool) -> int:
    before = ctx.clock.now() - timedelta(days=days)
    if now:
        return documents.forget_old(ctx, before)
    with ctx.store.begin() as uow:
        found = uow.documents.forget(before)
        uow.roll_back()
    return found
