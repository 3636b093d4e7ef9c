"""What the jobs do: one function each, over the site's services. A job carries no data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bridge.domain.errors import BridgeError, LostLease, PeerError
from bridge.domain.ports import Target
from bridge.domain.telling import Teller
from bridge.domain.times import next_london
from bridge.services import inbox, preparing, profile_status
from bridge.services.awards import update_awards
from bridge.services.context import Context
from bridge.services.counts import recount
from bridge.services.course_links import LinksRead
from bridge.services.ledger import prove_ledger
from bridge.services.lrs.draining import Drain
from bridge.services.lrs.forgetting import Forgotten
from bridge.services.lrs.indexing import index_waiting
from bridge.services.mailing import MailRoom, send_due
from bridge.services.notify import look_for_overdue
from bridge.services.publish import PublishReport
from bridge.services.publish import deliver as deliver_to
from bridge.services.publish import reconcile as reconcile_with
from bridge.services.pull import Trusted, age_out, settle_pending
from bridge.services.signin import clear_away
from bridge.services.telling import catch_up, tell_due
from bridge.services.turns import pull_in_turn

_log = structlog.get_logger("bridge.jobs")


class Stopped(BridgeError):
    """The process is asked to end; the page in hand was finished."""


@dataclass(frozen=True)
class Works:
    """What jobs work with. `context` acts as the system; its policy sets every limit.

    `link` is the bridge's own address, which statuses on profiles lead to; "" while it is not
    known. `forget_uploads` forgets files that were handed in and never loaded, and says how many.
    `read_links` read which competencies a source links its courses to, by its key. `drain` takes
    in the statements that were received at /xapi; `forget_documents` forgets states and profiles,
    and `forget_statements` statements, that are kept no longer. Once `stopping` is set, work ends
    after the page in hand.
    """

    context: Context
    sources: Mapping[str, Trusted] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    mail: MailRoom | None = None
    link: Callable[[], str] = str
    forget_uploads: Callable[[], int] = int
    read_links: Mapping[str, Callable[[Context], LinksRead]] = field(default_factory=dict)
    tellers: Mapping[str, Teller] = field(default_factory=dict)
    drain: Drain | None = None
    forget_documents: Callable[[], int] = int
    forget_statements: Callable[[Callable[[], bool]], Forgotten] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def page_done(self, done: int, expected: int | None) -> None:
        """Called after each page of a pull. Raises Stopped where more would come."""
        if self.stopping.is_set() and done != expected:
            raise Stopped("The bridge was stopped. What came is kept; the next pull carries on.")


def pull(works: Works, source: str, every: timedelta) -> None:
    """Pull what changed in one source, if it is its turn."""
    _pull(works, source, every, full=False)


def sweep(works: Works, source: str, ends: str = "07:00") -> None:
    """Pull all of one source, and so find what is no longer there.

    It waits while something else speaks with that peer. At `ends`, London time, a sweep that can go
    on another night does.
    """
    until = next_london(works.context.clock.now(), ends)
    _patiently(works, lambda: _pull(works, source, timedelta(0), full=True, until=until))
    links(works, source)


def links(works: Works, source: str) -> None:
    """Read which competencies a source links its courses to, where it can tell. Only a help for
    the training team: a source that does not say holds nothing up."""
    if source not in works.read_links:
        return

    def read_them() -> None:
        read = works.read_links[source](works.context)
        _log.info("links of courses read", source=source, asked=read.asked, read=read.read,
                  links=read.links)  # fmt: skip

    try:
        _patiently(works, read_them)
    except BridgeError as error:
        _log.info("links of courses not read", source=source, why=str(error))


def _pull(
    works: Works, source: str, every: timedelta, *, full: bool, until: datetime | None = None
) -> None:
    report = pull_in_turn(
        works.context,
        works.sources[source],
        every,
        full=full,
        progress=works.page_done,
        until=until,
    )
    if report is None:
        _log.info("not its turn", source=source)
        return
    _log.info("pulled", source=source, full=report.full, **report.tally.as_counts())
    if report.note:
        _log.warning("pulled, but", source=source, note=report.note)


#: In seconds: how often the work of a night looks whether its peer is free, and how long.
LOOK_AGAIN_AFTER, PATIENT_FOR = 15.0, 2 * 3600.0


def _patiently(works: Works, do: Callable[[], None]) -> None:
    """Do it once the peer is free; other work of that peer waits in the same line anyway."""
    waited = 0.0
    while True:
        try:
            do()
            return
        except LostLease:
            if waited >= PATIENT_FOR or works.stopping.wait(LOOK_AGAIN_AFTER):
                raise
            waited += LOOK_AGAIN_AFTER


def look_again(works: Works, source: str) -> bool:
    """Read again what a source's webhooks said has changed; whether all of it could be."""
    report = inbox.fetch_noted(works.context, works.sources[source], works.stopping.is_set)
    if report.done or report.later or report.given_up:
        _log.info("looked again", source=source, done=report.done, later=report.later,
                  given_up=report.given_up, **report.tally.as_counts())  # fmt: skip
    if report.error:
        _log.warning("could not look again", source=source, error=report.error)
    return not report.error


def take_statements(works: Works) -> None:
    """Take in the statements that were received, then let readers find them."""
    if works.drain is None:
        return
    tally = works.drain.run(works.stopping.is_set)
    if tally.items:
        _log.info("took statements in", **tally.as_counts())
    index_waiting(works.context, works.stopping.is_set)


def draft(works: Works) -> None:
    """Decide again on what is pending, and look at the awards of whoever's claims changed."""
    settled = settle_pending(works.context)
    if settled:
        _log.info("decided again", records=settled)
    report = update_awards(works.context)
    if report.people:
        _log.info("looked at awards", people=report.people, made=report.made,
                  renewed=report.renewed, withdrawn=report.withdrawn)  # fmt: skip


def grow_old(works: Works) -> None:
    """Drafts whose activity has become too old since yesterday are history now (R1), what is shown
    of people may have changed with the day, and what ran out at the door is forgotten."""
    aged = age_out(works.context)
    if aged:
        _log.info("grown too old, or looked at for it", records=aged)
    profile_status.look_at_changing(works.context)
    clear_away(works.context)
    inbox.forget_old(works.context)
    if forgotten := works.forget_uploads():
        _log.info("forgot files that nobody loaded", files=forgotten)
    if forgotten := works.forget_documents():
        _log.info("forgot states and profiles that nobody changes", documents=forgotten)
    draft(works)


def forget_statements(works: Works) -> None:
    """Forget what received statements said, once they are kept no longer."""
    if works.forget_statements is None:
        return
    told = works.forget_statements(works.stopping.is_set)
    if told.statements or told.needed:
        _log.info("forgot statements", statements=told.statements, files=told.files,
                  definitions=told.definitions, kept_all_the_same=told.needed.total())  # fmt: skip


def count(works: Works) -> None:
    """Bring the partnership's counts up to date, where somebody's standing has changed."""
    _counted(recount(works.context))


def count_all(works: Works) -> None:
    """Count everybody: since yesterday some things have lapsed by themselves. And see whether what
    is kept of the ledger is what it holds."""
    _counted(recount(works.context, everybody=True))
    wrong = prove_ledger(works.context)
    if wrong:
        _log.warning("the ledger's counts were put right", sources=wrong)


def _counted(organisations: int) -> None:
    if organisations:
        _log.info("counted", organisations=organisations)


def deliver(works: Works, target: str) -> None:
    """Bring the badges of one target into step with what was verified, then its profiles."""
    draft(works)
    try:
        prepare(works, target, all_again=False)
    except PeerError as error:
        # What can be delivered goes out all the same.
        _log.warning("not made ready", target=target, error=str(error))
    _told(deliver_to(works.context, works.targets[target], works.stopping.is_set))
    show_statuses(works, target)


def prepare(works: Works, target: str, *, all_again: bool = True) -> None:
    """Make ready what the badges of this year and, in time, of the next need on a target."""
    report = preparing.prepare(works.context, works.targets[target], all_again=all_again)
    if report.made:
        _log.info("made ready", target=target, made=report.made)


def show_statuses(works: Works, target: str) -> None:
    """Show on a target's profiles how people stand, where that has changed."""
    report = profile_status.keep(
        works.context, works.targets[target], works.link(), works.stopping.is_set
    )
    if report.shown or report.no_account:
        _log.info("shown on profiles", target=target, shown=report.shown,
                  no_account=report.no_account)  # fmt: skip
    if report.error:
        _log.warning("not shown on profiles", target=target, error=report.error)


def mail(works: Works) -> None:
    """Send the mail that is due."""
    if works.mail is None:
        return
    report = send_due(works.context, works.mail, stop=works.stopping.is_set)
    if not report.nothing:
        _log.info("mailed", sent=report.sent, dropped=report.dropped, later=report.later,
                  needs_you=report.needs_you)  # fmt: skip
    if report.error:
        _log.warning("mail needs you", error=report.error)


def tell(works: Works, lrs: str) -> None:
    """Tell one LRS what was verified, and what was taken back."""
    report = tell_due(works.context, works.tellers[lrs], stop=works.stopping.is_set)
    if not report.nothing:
        _log.info("told", lrs=lrs, told=report.told, dropped=report.dropped, later=report.later,
                  needs_you=report.needs_you)  # fmt: skip
    if report.error:
        _log.warning("not told", lrs=lrs, error=report.error)


def look_for_untold(works: Works, lrs: str) -> None:
    """Queue what ought to be and is not: decided by a process that ran before the setting."""
    found = catch_up(works.context, lrs)
    if found:
        _log.info("found what was not told", lrs=lrs, decisions=found)


def overdue(works: Works) -> None:
    """Tell of what has waited too long, and of what is in doubt."""
    look_for_overdue(works.context)


def reconcile(works: Works, target: str) -> None:
    """Read every badge of one target back, hand edits too, and bring it into step.

    It waits while something else speaks with that peer.
    """
    stop = works.stopping.is_set
    _patiently(works, lambda: _told(reconcile_with(works.context, works.targets[target], stop)))
    prepare(works, target)


def _told(report: PublishReport) -> None:
    # Sentences for the administrator name people, and a log is no place for names.
    if not report.nothing or report.drifted:
        _log.info("delivered", target=report.target, delivered=report.delivered,
                  withdrawn=report.withdrawn, waiting=report.waiting, drifted=report.drifted,
                  strays=report.strays, needs_you=len(report.needs_you))  # fmt: skip
    if report.error:
        _log.warning("not delivered", target=report.target, error=report.error)
