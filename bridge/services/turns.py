"""Whose turn it is: when a source may be asked again, and when all of it must be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from bridge.domain.errors import InMaintenance, PeerError, TryLater
from bridge.domain.model import Bookmark, Run
from bridge.domain.peers import Rest
from bridge.domain.records import from_epoch
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context
from bridge.services.pull import GOES_ON_FOR, Progress, PullReport, Trusted, pull
from bridge.services.resting import resting

#: A bridge that was switched off at the hour of the nightly sweep makes it up after this long.
FULL_AT_LEAST_EVERY = timedelta(hours=36)
#: Clocks that go back, and processes that come round late, make no second sweep of a night.
FULL_AT_MOST_EVERY = timedelta(hours=3)
RUNS_LOOKED_AT = 200
FAILED = ("failed", "needs you")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source stands: its runs (newest first), its bookmark, and what its leases say.

    `being_pulled` is false for a run whose process was killed. `rests_until` is in the past
    unless the source was asked in vain and is to be left alone for a while; `rest` is there while
    it could not be spoken with. `goes_on_at_night`: a full pull is not at its end.
    """

    runs: Sequence[Run]
    bookmark: Bookmark
    being_pulled: bool
    rests_until: datetime
    rest: Rest | None = None
    goes_on_at_night: bool = False

    def not_before(self, every: timedelta) -> datetime:
        """The first instant at which a job that comes round `every` so often may pull it.

        Half a round of slack: of two processes with the same rounds, one finds the work done.
        """
        if not self.runs:
            return from_epoch(0)
        latest = self.runs[0]
        if latest.outcome in FAILED:
            return self.rests_until
        if latest.outcome == "running" and not self.being_pulled:
            return from_epoch(0)
        return latest.started_at + every / 2


def standing(uow: UnitOfWork, key: str, now: datetime) -> Standing:
    """How a source stands, from the tables."""
    return standings(uow, [key], now)[key]


def standings(uow: UnitOfWork, keys: Iterable[str], now: datetime) -> dict[str, Standing]:
    """How sources stand, from the tables, in six queries however many they are."""
    ids = {source.key: source.id for source in uow.ops.sources()}
    ends = uow.ops.lease_ends()
    runs = uow.ops.runs(RUNS_LOOKED_AT)
    bookmarks = uow.ops.bookmarks()
    rests = uow.peers.rests()
    begun = uow.peers.sweeps_begun()
    return {
        key: Standing(
            runs=[run for run in runs if run.source_key == key],
            bookmark=bookmarks.get(ids[key], Bookmark()) if key in ids else Bookmark(),
            being_pulled=ends.get(f"pull:{key}", from_epoch(0)) > now,
            rests_until=ends.get(_rest(key), from_epoch(0)),
            rest=rests.get(key),
            goes_on_at_night=key in ids and now - begun.get(ids[key], from_epoch(0)) < GOES_ON_FOR,
        )
        for key in keys
    }


def _rest(key: str) -> str:
    return f"rest:{key}"


def pull_in_turn(
    ctx: Context,
    trusted: Trusted,
    every: timedelta,
    *,
    full: bool = False,
    progress: Progress | None = None,
    until: datetime | None = None,
) -> PullReport | None:
    """Pull a source if it is its turn; None if not.

    A source that failed is left alone for longer each time, and never asked before the time it
    named itself. A full pull is made once a night, however many processes come round for it, and
    ends at `until` where it can go on another time. Raises what `pull` raises.
    """
    now = ctx.clock.now()
    full = full and trusted.sweeps
    with ctx.store.reading() as uow:
        stands = standing(uow, trusted.key, now)
        if resting(uow, trusted.key, now) is not None:
            return None
    if now < stands.not_before(timedelta(0) if full else every):
        return None
    last_full = stands.bookmark.last_full_at
    if full and last_full is not None and now - last_full < FULL_AT_MOST_EVERY:
        return None
    overdue = last_full is None or (trusted.sweeps and now - last_full > FULL_AT_LEAST_EVERY)
    if not full and stands.goes_on_at_night:
        overdue = False
    try:
        return pull(ctx, trusted, full=full or overdue, progress=progress, until=until)
    except InMaintenance:
        raise
    except PeerError as error:
        _leave_alone(ctx, trusted.key, error)
        raise


def _leave_alone(ctx: Context, key: str, error: PeerError) -> None:
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        runs = standing(uow, key, now).runs
        failures = sum(1 for _ in takewhile(lambda run: run.outcome in FAILED, runs))
        seconds = min(
            ctx.policy.retry_seconds * 2.0 ** min(failures - 1, 20),
            ctx.policy.retry_ceiling_seconds,
        )
        named = error.retry_after if isinstance(error, TryLater) else None
        # A lease that nobody works under: until it runs out, the source is not asked.
        rest = round(max(seconds, named or 0.0))
        uow.ops.take_lease(_rest(key), ctx.store.holder, now, rest)
