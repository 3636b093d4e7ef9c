"""Pulling: pages from a source into the store, the bookmark with them, and what has vanished."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.domain.errors import BadAnswer, BridgeError, LostLease, NeedsAdministrator
from bridge.domain.identity import IdentityRule
from bridge.domain.model import Bookmark, Lease, SourceRow
from bridge.domain.ports import PullsOn, Source
from bridge.domain.records import Page
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context
from bridge.services.drafting import RECONSIDER_AT_ONCE, SETTLING, Changes, reconsider
from bridge.services.intake import Intake, Tally
from bridge.services.mapped import load_mapped
from bridge.services.rekeying import name_anew

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Trusted:
    """A source as configured: the connector, its kind and trust, and its identity rules."""

    connector: Source
    kind: str
    trust: str = "trusted"
    identity: Sequence[IdentityRule] = ()

    @property
    def key(self) -> str:
        """The configured name."""
        return self.connector.key


@dataclass(slots=True)
class PullReport:
    """How a pull went. `full` pulls see everything and so also what is no longer there."""

    source: str
    full: bool
    tally: Tally = field(default_factory=Tally)
    complete: bool = False
    believe: bool = False
    note: str = ""
    needs_you: bool = False


def pull(
    ctx: Context,
    trusted: Trusted,
    *,
    full: bool = False,
    believe: bool = False,
    progress: Progress | None = None,
) -> PullReport:
    """Pull one source: incrementally from its bookmark less an overlap, or in full.

    `believe` says that records missing from a full pull really are gone, however many.
    Each page is one transaction, under a lease whose fence is checked in it. The bookmark moves
    with the last page of a complete run and never otherwise (DESIGN 5.5). Raises PeerError when
    the source fails, LostLease when another process pulls it; what was committed stays.
    """
    with ctx.store.begin() as uow:
        source = uow.ops.source(trusted.key, trusted.kind, trusted.trust)
        bookmark = uow.ops.bookmark(source.id)
        lease = uow.ops.take_lease(
            f"pull:{source.key}", ctx.store.holder, ctx.clock.now(), ctx.policy.lease_seconds
        )
        if lease is None:
            raise LostLease(f"Another process is pulling {source.key} right now; it will finish.")
        full = full or bookmark.position is None
        run = uow.ops.start_run(source.id, "full" if full else "incremental", ctx.clock.now())
    report = PullReport(source.key, full, believe=believe)
    try:
        _run(ctx, trusted, source, bookmark, lease, report, progress)
    except (Exception, KeyboardInterrupt) as error:
        # Whatever went wrong, the source is free for the next try, and the history says why; in
        # our own words only, for others may hold people's data.
        outcome = "needs you" if isinstance(error, NeedsAdministrator) else "failed"
        message = str(error) if isinstance(error, BridgeError) else type(error).__name__
        _finish(ctx, run, lease, report, outcome, message)
        raise
    _finish(ctx, run, lease, report, "needs you" if report.needs_you else "done", report.note)
    return report


def _run(
    ctx: Context,
    trusted: Trusted,
    source: SourceRow,
    bookmark: Bookmark,
    lease: Lease,
    report: PullReport,
    progress: Progress | None,
) -> None:
    since = None
    if not report.full and bookmark.position is not None:
        since = bookmark.position - timedelta(days=ctx.policy.overlap_days)
    started = ctx.clock.now()
    with ctx.store.reading() as uow:
        in_force = uow.catalog.mapping_hashes()
        intake = Intake(source, trusted.identity, load_mapped(uow), ctx.policy, started)
    # Hashes in place of the keys themselves: a million in eight megabytes.
    seen = array("q")
    envelope = b""
    for page in _asked(trusted.connector, since, bookmark.mark):
        seen.extend(hash(item.natural_key) for item in page.items)
        with ctx.store.begin() as uow:
            uow.ops.lock(SETTLING)
            uow.ops.keep_lease(lease, ctx.clock.now(), ctx.policy.lease_seconds)
            if (in_force_now := uow.catalog.mapping_hashes()) != in_force:
                # Published since the last page; what comes from here on is decided by it.
                in_force, intake.mapped = in_force_now, load_mapped(uow)
            if page.envelope != envelope:
                envelope = page.envelope
                name_anew(uow, source, trusted.connector, page)
            report.tally.add(intake.take(uow, page))
            seen.extend(map(hash, intake.told_before))
            changes = Changes()
            while reconsider(uow, intake.mapped, started, ctx.policy, RECONSIDER_AT_ONCE, changes):
                pass
            if intake.held_back or report.tally.changed:
                report.tally.drafts += changes.drafts
                report.tally.claims += changes.added + changes.restored
            if page.last:
                report.complete = True
                report.note = " ".join(filter(None, (page.note, report.tally.unread_words)))
                report.needs_you = bool(report.note)
                report.full = report.full or page.full
                if report.full if page.whole is None else page.whole:
                    _sweep(ctx, uow, intake, seen, report, page)
                    # Whom a whole run does not name has no say any more; named again, they have.
                    uow.bookings.end_trainers(source.id, intake.trainers.keys(), started)
                _move_bookmark(uow, source, bookmark, page, started, report.full)
        if progress is not None:
            progress(report.tally.items, page.expected)
    if not report.complete:
        raise BadAnswer(
            f"{source.key} stopped before its last page. What came is kept; the bookmark stays "
            "where it was, so the next pull asks for all of it again.",
            peer=source.key,
        )


def _asked(connector: Source, since: datetime | None, mark: str) -> Iterator[Page]:
    if isinstance(connector, PullsOn):
        return connector.pull_on(since, mark)
    return connector.pull(since)


def _move_bookmark(
    uow: UnitOfWork,
    source: SourceRow,
    before: Bookmark,
    page: Page,
    started: datetime,
    full: bool,
) -> None:
    position = min(page.bookmark or started, started)
    if before.position is not None:
        position = max(position, before.position)
    uow.ops.set_bookmark(
        source.id, Bookmark(position, started if full else before.last_full_at, page.mark)
    )


def _sweep(
    ctx: Context,
    uow: UnitOfWork,
    intake: Intake,
    seen: array[int],
    report: PullReport,
    last: Page,
) -> None:
    """After a complete full run: what we know and the source did not show is gone from there.

    A sudden emptiness is not believed: a lost capability looks just like it. Where the last page
    is `whole`, it was a file that said so, and which the next run does not find again.
    """
    marks = sorted(seen)
    gone: list[int] = []
    known = 0
    for received_id, key in uow.intake.present_keys(intake.source.id):
        if last.spans and not key.startswith(last.spans):
            continue
        known += 1
        mark = hash(key)
        at = bisect_left(marks, mark)
        if at == len(marks) or marks[at] != mark:
            gone.append(received_id)
    if not gone:
        return
    limit = max(ctx.policy.vanish_floor, int(known * ctx.policy.vanish_limit))
    if (len(gone) > limit or not len(seen)) and not report.believe:
        report.note = f"{report.note} ".lstrip() + (
            f"{len(gone)} of {known} records are suddenly missing from {intake.source.key}. "
            "That looks like a lost permission or a changed report, so nothing was withdrawn. "
            "Run 'bridge doctor'; if they really are gone, "
            + ("put the file in again and " if last.whole else "")
            + "run 'bridge pull --full --believe'."
        )
        return
    uow.intake.mark_gone(gone, intake.now)
    report.tally.vanished = len(gone)
    while reconsider(uow, intake.mapped, intake.now, ctx.policy, RECONSIDER_AT_ONCE):
        pass


def _finish(
    ctx: Context, run: int, lease: Lease, report: PullReport, outcome: str, message: str
) -> None:
    with ctx.store.begin() as uow:
        uow.ops.end_run(run, ctx.clock.now(), outcome, message, report.tally.as_counts())
        uow.ops.release_lease(lease)


def settle_pending(ctx: Context) -> int:
    """Decide again on everything that is pending, a batch a transaction; how many were taken."""
    total = 0
    while True:
        with ctx.store.begin() as uow:
            uow.ops.lock(SETTLING)
            mapped, now = load_mapped(uow), ctx.clock.now()
            taken = reconsider(uow, mapped, now, ctx.policy, RECONSIDER_AT_ONCE)
        if not taken:
            return total
        total += taken


def age_out(ctx: Context) -> int:
    """Mark for another look what a new day changes; how many records that is.

    Drafts whose activity has left the 12 months of rule R1, and records that lay in the future.
    """
    with ctx.store.begin() as uow:
        arrived = uow.intake.mark_arrived(ctx.clock.now())
        months = [e.intervals.recordable_months for e in uow.catalog.editions()]
        if months:
            arrived += uow.intake.mark_older_than(ctx.clock.now(), min(months))
        return arrived
