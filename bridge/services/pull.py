"""Pulling: pages from a source into the store, the bookmark with them, and what has vanished."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.domain.errors import (
    BadAnswer,
    BridgeError,
    InMaintenance,
    LostLease,
    NeedsAdministrator,
    TryLater,
)
from bridge.domain.identity import IdentityRule
from bridge.domain.model import Bookmark, Lease, SourceRow
from bridge.domain.peers import MAINTENANCE, SweepPart
from bridge.domain.ports import GoesOn, PullsOn, Source, TellsWhyGone
from bridge.domain.records import Page
from bridge.domain.repositories import UnitOfWork
from bridge.domain.statements import STATEMENTS
from bridge.services.context import Context
from bridge.services.drafting import RECONSIDER_AT_ONCE, SETTLING, Changes, reconsider
from bridge.services.intake import Intake, Tally
from bridge.services.mapped import load_mapped
from bridge.services.rekeying import name_anew
from bridge.services.resting import leave_in_peace, well_again
from bridge.services.statements import join_same_activities
from bridge.services.sweeping import (
    SHOWN_KEPT,
    absent_from,
    believable,
    find_reasons,
    mark_of,
    missing_from,
)
from bridge.services.talking import Talk, conversation

Progress = Callable[[int, int | None], None]
#: A full pull that was interrupted longer ago than this begins anew.
GOES_ON_FOR = timedelta(hours=36)
#: Of a run that never came to speak with its source.
NOT_BEGUN = "not begun"
_RUNS_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Trusted:
    """A source as configured: the connector, its kind and trust, and its identity rules."""

    connector: Source
    kind: str
    trust: str = "trusted"
    identity: Sequence[IdentityRule] = ()
    #: How far a pull reaches back before its bookmark, where the policy's days are not meant.
    overlap: timedelta | None = None
    #: Whether it is read in full each night; what never vanishes and is told in order need not be.
    sweeps: bool = True
    #: Addresses of LMSs, by which accounts and courses of statements are known: the source of each.
    sites: Mapping[str, str] = field(default_factory=dict)

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
    until: datetime | None = None,
) -> PullReport:
    """Pull one source: incrementally from its bookmark less an overlap, or in full.

    `believe` says that records missing from a full pull really are gone, however many. A full pull
    that can go on where it was interrupted ends at `until`, or when its process is killed, and goes
    on when it is next asked for.
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
        with conversation(ctx, trusted.connector, source.key) as talk:
            _Run(ctx, trusted, source, bookmark, (lease, talk), report, progress, until).go()
    except InMaintenance as error:
        rest = leave_in_peace(ctx, source.key, error)
        _finish(ctx, run, lease, report, MAINTENANCE, rest.said(ctx.clock.now()))
        raise
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, TryLater):
            leave_in_peace(ctx, source.key, error)
        # Whatever went wrong, the source is free for the next try, and the history says why; in
        # our own words only, for others may hold people's data.
        outcome = "needs you" if isinstance(error, NeedsAdministrator) else "failed"
        if isinstance(error, LostLease) and not report.tally.items:
            outcome = NOT_BEGUN
        message = str(error) if isinstance(error, BridgeError) else type(error).__name__
        _finish(ctx, run, lease, report, outcome, message)
        raise
    outcome = "needs you" if report.needs_you else "done" if report.complete else "paused"
    _finish(ctx, run, lease, report, outcome, report.note)
    return report


@dataclass(slots=True)
class _Run:
    """One run over the pages of a source. `leases` are the source's own, and the conversation's."""

    ctx: Context
    trusted: Trusted
    source: SourceRow
    bookmark: Bookmark
    leases: tuple[Lease, Talk]
    report: PullReport
    progress: Progress | None
    until: datetime | None
    #: Marks in place of the keys themselves: a million in eight megabytes.
    seen: array[int] = field(default_factory=lambda: array("q"))
    shown: deque[str] = field(default_factory=lambda: deque(maxlen=SHOWN_KEPT))
    #: When an earlier run began that this one goes on with.
    began: datetime | None = None

    def go(self) -> None:
        """Take in one page after another, each in a transaction of its own."""
        ctx, report = self.ctx, self.report
        started = ctx.clock.now()
        with ctx.store.reading() as uow:
            in_force = uow.catalog.mapping_hashes()
            intake = Intake(
                self.source, self.trusted.identity, load_mapped(uow), ctx.policy, started
            )
        if self.source.kind == STATEMENTS:
            look_round(ctx, self.trusted.sites, intake)
        envelope = b""
        for page in self._pages(started):
            new = array("q", [mark_of(item.natural_key) for item in page.items])
            self.seen.extend(new)
            self.shown.extend(item.natural_key for item in page.items)
            report.full = report.full or page.full
            sweeps = page.last and (report.full if page.whole is None else page.whole)
            self._ask_why(intake, page, sweeps=sweeps)
            with ctx.store.begin() as uow:
                uow.ops.lock(SETTLING)
                self._keep(uow)
                if (in_force_now := uow.catalog.mapping_hashes()) != in_force:
                    # Published since the last page; what comes from here on is decided by it.
                    in_force, intake.mapped = in_force_now, load_mapped(uow)
                if page.envelope != envelope:
                    envelope = page.envelope
                    name_anew(uow, self.source, self.trusted.connector, page)
                report.tally.add(intake.take(uow, page))
                new.extend(map(mark_of, intake.told_before))
                self.seen.extend(map(mark_of, intake.told_before))
                if page.last and self.source.kind == STATEMENTS:
                    join_same_activities(uow, self.source, started)
                self._settle(uow, intake)
                if page.last:
                    self._end(uow, intake, page, sweeps=sweeps)
                elif page.resume and report.full:
                    part = SweepPart(self.began or started, page.resume, new.tobytes())
                    uow.peers.add_sweep_part(self.source.id, part)
            if self.progress is not None:
                self.progress(report.tally.items, page.expected)
            if page.resume and not page.last and self.until and ctx.clock.now() >= self.until:
                report.note = "It goes on where it stopped, the next night."
                return
        if not report.complete:
            raise BadAnswer(
                f"{self.source.key} stopped before its last page. What came is kept; the bookmark "
                "stays where it was, so the next pull asks for all of it again.",
                peer=self.source.key,
            )

    def _pages(self, started: datetime) -> Iterator[Page]:
        """What changed; or everything, from where an earlier run of the last day was cut off."""
        connector = self.trusted.connector
        if not self.report.full and self.bookmark.position is not None:
            overlap = self.trusted.overlap or timedelta(days=self.ctx.policy.overlap_days)
            return _asked(connector, self.bookmark.position - overlap, self.bookmark.mark)
        with self.ctx.store.reading() as uow:
            parts = uow.peers.sweep_parts(self.source.id)
        if parts and isinstance(connector, GoesOn) and started - parts[0].started_at < GOES_ON_FOR:
            pages = connector.pull_from(parts[-1].mark)
            if pages is not None:
                for part in parts:
                    self.seen.frombytes(part.seen)
                self.began = parts[0].started_at
                return pages
        if parts:
            with self.ctx.store.begin() as uow:
                self._keep(uow)
                uow.peers.forget_sweep(self.source.id)
        return _asked(connector, None, self.bookmark.mark)

    def _keep(self, uow: UnitOfWork) -> None:
        lease, talk = self.leases
        uow.ops.keep_lease(lease, self.ctx.clock.now(), self.ctx.policy.lease_seconds)
        talk.keep(uow)

    def _ask_why(self, intake: Intake, page: Page, *, sweeps: bool) -> None:
        """Why things are gone, while no transaction is open; nothing where none can tell."""
        ctx, connector = self.ctx, self.trusted.connector
        absent = absent_from(ctx, intake, page)
        if absent:
            find_reasons(ctx, connector, intake, absent, self.shown)
        if not sweeps or not isinstance(connector, TellsWhyGone):
            return
        with ctx.store.reading() as uow:
            missing, known = missing_from(uow, self.source, self.seen, page.spans)
        if self.report.believe or believable(ctx.policy, len(missing), known, len(self.seen)):
            find_reasons(ctx, connector, intake, missing, self.shown, ask_again=True)

    def _settle(self, uow: UnitOfWork, intake: Intake) -> None:
        changes, tally = Changes(), self.report.tally
        while reconsider(
            uow, intake.mapped, intake.now, self.ctx.policy, RECONSIDER_AT_ONCE, changes
        ):
            pass
        if intake.held_back or tally.changed:
            tally.drafts += changes.drafts
            tally.claims += changes.added + changes.restored

    def _end(self, uow: UnitOfWork, intake: Intake, page: Page, *, sweeps: bool) -> None:
        report = self.report
        report.complete = True
        report.note = " ".join(filter(None, (page.note, report.tally.unread_words)))
        report.needs_you = bool(report.note)
        if sweeps:
            _sweep(self.ctx, uow, intake, self.seen, report, page)
            # Whom a whole run does not name has no say any more; named again, they have.
            uow.bookings.end_trainers(self.source.id, intake.trainers.keys(), intake.now)
        if report.full:
            uow.peers.forget_sweep(self.source.id)
        began = self.began or intake.now
        _move_bookmark(uow, self.source, self.bookmark, page, began, report.full)
        well_again(uow, self.source.key)


def _asked(connector: Source, since: datetime | None, mark: str) -> Iterator[Page]:
    if isinstance(connector, PullsOn):
        return connector.pull_on(since, mark)
    return connector.pull(since)


def look_round(ctx: Context, sites: Mapping[str, str], intake: Intake) -> None:
    """Look again for whom and what statements name by the address of an LMS: it was perhaps not
    known when they came."""
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        uow.statements.set_addresses(sites)
        waiting = uow.statements.waiting_accounts(intake.source.id)
        joined = intake.match_accounts(uow, waiting)
        uow.intake.mark_accounts([account.id for account in joined])
        join_same_activities(uow, intake.source, intake.now)
        while reconsider(uow, intake.mapped, intake.now, ctx.policy, RECONSIDER_AT_ONCE):
            pass


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
    missing, known = missing_from(uow, intake.source, seen, last.spans)
    gone = [received_id for received_id, _ in missing]
    believed = report.believe or believable(ctx.policy, len(gone), known, len(seen))
    if believed and intake.explained:
        # Gone before, and by now it is known why.
        intake.mark_gone(uow, sorted(intake.explained))
    if not gone and not intake.explained:
        return
    if intake.explains:
        intake.see_own_reasons(uow, missing)
    if not believed:
        report.note = f"{report.note} ".lstrip() + (
            f"{len(gone)} of {known} records are suddenly missing from {intake.source.key}. "
            "That looks like a lost permission or a changed report, so nothing was withdrawn. "
            "Run 'bridge doctor'; if they really are gone, "
            + ("put the file in again and " if last.whole else "")
            + "run 'bridge pull --full --believe'."
        )
        return
    intake.mark_gone(uow, gone)
    report.tally.vanished += len(gone)
    while reconsider(uow, intake.mapped, intake.now, ctx.policy, RECONSIDER_AT_ONCE):
        pass


def _finish(
    ctx: Context, run: int, lease: Lease, report: PullReport, outcome: str, message: str
) -> None:
    with ctx.store.begin() as uow:
        if outcome == NOT_BEGUN or (
            outcome == MAINTENANCE and not report.tally.items and _said(uow, report.source)
        ):
            # It is known already: a night of maintenance is one line of history, not thirty. And
            # waiting for another conversation to end is no failure, however often it is tried.
            uow.ops.forget_run(run)
        else:
            uow.ops.end_run(run, ctx.clock.now(), outcome, message, report.tally.as_counts())
        uow.ops.release_lease(lease)


def _said(uow: UnitOfWork, source: str) -> bool:
    """Whether the run before this one ended in the same maintenance."""
    runs = [run for run in uow.ops.runs(_RUNS_LOOKED_AT) if run.source_key == source]
    return len(runs) > 1 and runs[1].outcome == MAINTENANCE


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
