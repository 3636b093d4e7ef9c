"""What the jobs do: one function each, over the site's services. A job carries no data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from bridge.domain.errors import BridgeError
from bridge.domain.ports import Target
from bridge.domain.telling import Teller
from bridge.services import inbox
from bridge.services.awards import update_awards
from bridge.services.context import Context
from bridge.services.counts import recount
from bridge.services.ledger import prove_ledger
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

    `forget_uploads` forgets files that were handed in and never loaded, and says how many. Once
    `stopping` is set, work ends after the page in hand.
    """

    context: Context
    sources: Mapping[str, Trusted] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    mail: MailRoom | None = None
    forget_uploads: Callable[[], int] = int
    tellers: Mapping[str, Teller] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def page_done(self, done: int, expected: int | None) -> None:
        """Called after each page of a pull. Raises Stopped where more would come."""
        if self.stopping.is_set() and done != expected:
            raise Stopped("The bridge was stopped. What came is kept; the next pull carries on.")


def pull(works: Works, source: str, every: timedelta) -> None:
    """Pull what changed in one source, if it is its turn."""
    _pull(works, source, every, full=False)


def sweep(works: Works, source: str) -> None:
    """Pull all of one source, and so find what is no longer there."""
    _pull(works, source, timedelta(0), full=True)


def _pull(works: Works, source: str, every: timedelta, *, full: bool) -> None:
    report = pull_in_turn(
        works.context, works.sources[source], every, full=full, progress=works.page_done
    )
    if report is None:
        _log.info("not its turn", source=source)
        return
    _log.info("pulled", source=source, full=report.full, **report.tally.as_counts())
    if report.note:
        _log.warning("pulled, but", source=source, note=report.note)


def look_again(works: Works, source: str) -> None:
    """Read again what a source's webhooks said has changed."""
    report = inbox.fetch_noted(works.context, works.sources[source], works.stopping.is_set)
    if report.done or report.later or report.given_up:
        _log.info("looked again", source=source, done=report.done, later=report.later,
                  given_up=report.given_up, **report.tally.as_counts())  # fmt: skip
    if report.error:
        _log.warning("could not look again", source=source, error=report.error)


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
    """Drafts whose activity has become too old since yesterday are history now (R1), and what ran
    out at the door is forgotten."""
    aged = age_out(works.context)
    if aged:
        _log.info("grown too old, or looked at for it", records=aged)
    clear_away(works.context)
    inbox.forget_old(works.context)
    if forgotten := works.forget_uploads():
        _log.info("forgot files that nobody loaded", files=forgotten)
    draft(works)


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
    """Bring the badges of one target into step with what was verified."""
    draft(works)
    _told(deliver_to(works.context, works.targets[target]))


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
    """Read every badge of one target back, hand edits too, and bring it into step."""
    _told(reconcile_with(works.context, works.targets[target]))


def _told(report: PublishReport) -> None:
    # Sentences for the administrator name people, and a log is no place for names.
    if not report.nothing or report.drifted:
        _log.info("delivered", target=report.target, delivered=report.delivered,
                  withdrawn=report.withdrawn, waiting=report.waiting, drifted=report.drifted,
                  needs_you=len(report.needs_you))  # fmt: skip
    if report.error:
        _log.warning("not delivered", target=report.target, error=report.error)
