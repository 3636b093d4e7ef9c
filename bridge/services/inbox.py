"""Webhooks: addresses with a secret in them, notes left there, and reading again what they name.

A sender that signs nothing proves itself by the secret in the address alone. It gets an answer at
once; what it says happened is then looked up at the source, as a pull would.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

from bridge.domain.errors import (
    InMaintenance,
    LostLease,
    NeedsAdministrator,
    NotFound,
    PeerError,
    Refused,
    TooOften,
    TryLater,
)
from bridge.domain.inbox import Backlog, Due, Hook
from bridge.domain.model import Lease
from bridge.domain.ports import LooksAgain
from bridge.services.context import Context, audit
from bridge.services.drafting import RECONSIDER_AT_ONCE, SETTLING, reconsider
from bridge.services.intake import Intake, Tally
from bridge.services.mapped import load_mapped
from bridge.services.pull import Trusted
from bridge.services.resting import leave_in_peace, resting, well_again
from bridge.services.signin import digest
from bridge.services.sweeping import absent_from, find_reasons
from bridge.services.talking import Talk, conversation

#: More than this waits only where nobody fetches any more; the sender tries again by itself.
MOST_WAITING = 10_000
AT_ONCE = 50
#: After so many attempts in vain a note is left to the nightly pull, which sees everything.
MOST_ATTEMPTS = 8
#: How long a notice is remembered by its number; pretix repeats one for three days.
REMEMBER = timedelta(days=30)
USED_EVERY = timedelta(minutes=10)


@dataclass(slots=True)
class FetchReport:
    """What acting on a source's notes came to."""

    tally: Tally = field(default_factory=Tally)
    done: int = 0
    later: int = 0
    given_up: int = 0
    error: str = ""


def issue_hook(ctx: Context, source_key: str, keep_old: timedelta | None = None) -> str:
    """A new secret for a source's webhook address; it is shown once.

    The source's earlier ones end now, or after `keep_old`, so that the other side can be changed
    without a gap.
    """
    secret = f"wh_{secrets.token_urlsafe(32)}"
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        hook = uow.inbox.add_hook(source_key, digest(secret), ctx.actor.os_user, now)
        ended = uow.inbox.end_hooks(source_key, now + (keep_old or timedelta(0)), but=hook)
        audit(ctx, uow, "issue-hook", f"source:{source_key}", {"hook": hook, "ended": ended})
    return secret


def end_hooks(ctx: Context, source_key: str) -> int:
    """End every webhook address of a source; how many. Raises NotFound where there is none."""
    with ctx.store.begin() as uow:
        ended = uow.inbox.end_hooks(source_key, ctx.clock.now())
        if not ended:
            raise NotFound(f"{source_key} has no webhook address that is open.")
        audit(ctx, uow, "end-hooks", f"source:{source_key}", {"ended": ended})
    return ended


def hooks(ctx: Context) -> list[Hook]:
    """Every address that is open."""
    with ctx.store.reading() as uow:
        return uow.inbox.hooks(None, ctx.clock.now())


def backlog(ctx: Context) -> list[Backlog]:
    """How the notes of each source stand, over the days in which a notice is remembered."""
    with ctx.store.reading() as uow:
        return uow.inbox.backlog(ctx.clock.now() - REMEMBER)


def admit(ctx: Context, source_key: str, secret: str) -> None:
    """Let a sender in by its secret, compared in constant time. Raises NotFound: to whoever does
    not know it, the address is not there."""
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        known = uow.inbox.hooks(source_key, now)
    given, found = digest(secret), None
    for hook in known:
        if hmac.compare_digest(hook.sha256, given):
            found = hook
    if found is None:
        raise NotFound("There is no such page.")
    if found.used_at is None or now - found.used_at > USED_EVERY:
        with ctx.store.begin() as uow:
            uow.inbox.use_hook(found.id, now)


def mark_of(ctx: Context, source_key: str) -> str:
    """The source's own word for how far it was read; "" where it was not, or has none."""
    with ctx.store.reading() as uow:
        bookmarks = uow.ops.bookmarks()
        ids = [source.id for source in uow.ops.sources() if source.key == source_key]
    return bookmarks[ids[0]].mark if ids and ids[0] in bookmarks else ""


def leave_note(ctx: Context, source_key: str, dedupe: str, note: str) -> bool:
    """Note what is to be read again, for a sender that was admitted; whether it is new.

    `dedupe` is the sender's own number of the notice. Raises TooOften where too much waits.
    """
    with ctx.store.begin() as uow:
        if uow.inbox.waiting(source_key) >= MOST_WAITING:
            raise TooOften("Too many notes wait to be acted on.", 600)
        return uow.inbox.add_note(source_key, dedupe[:200], note[:200], ctx.clock.now())


def sources_due(ctx: Context) -> list[str]:
    """The sources of which something is to be looked at now."""
    with ctx.store.reading() as uow:
        return uow.inbox.sources_due(ctx.clock.now())


def fetch_noted(
    ctx: Context, trusted: Trusted, stop: Callable[[], bool] = lambda: False
) -> FetchReport:
    """Read again what a source's notes name, one thing after another, and take it in.

    The source is asked under the same lease as a pull: while one runs, the notes wait. A thing
    that cannot be read is tried again, less and less often, and in the end left to the nightly
    pull. Raises LostLease where another process works on the source.
    """
    report = FetchReport()
    connector = trusted.connector
    if not isinstance(connector, LooksAgain):
        return report
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        if not uow.inbox.due(trusted.key, now, 1) or resting(uow, trusted.key, now) is not None:
            return report
    with ctx.store.begin() as uow:
        source = uow.ops.source(trusted.key, trusted.kind, trusted.trust)
        lease = uow.ops.take_lease(
            f"pull:{source.key}", ctx.store.holder, ctx.clock.now(), ctx.policy.lease_seconds
        )
        if lease is None:
            raise LostLease(f"{source.key} is being pulled right now; its notes wait for the end.")
        due = uow.inbox.due(source.key, ctx.clock.now(), AT_ONCE)
    try:
        with ctx.store.reading() as uow:
            intake = Intake(source, trusted.identity, load_mapped(uow), ctx.policy, ctx.clock.now())
        with conversation(ctx, connector, source.key) as talk:
            for one in due:
                if stop() or not _look(ctx, connector, intake, (lease, talk), one, report):
                    break
    finally:
        with ctx.store.begin() as uow:
            uow.ops.release_lease(lease)
    return report


def _look(
    ctx: Context,
    connector: LooksAgain,
    intake: Intake,
    leases: tuple[Lease, Talk],
    due: Due,
    report: FetchReport,
) -> bool:
    """Act on one note; whether to go on to the next."""
    key = intake.source.key
    lease, talk = leases
    try:
        for page in connector.look_again([due.note]):
            if absent := absent_from(ctx, intake, page):
                shown = [item.natural_key for item in page.items]
                find_reasons(ctx, connector, intake, absent, shown)
            with ctx.store.begin() as uow:
                uow.ops.lock(SETTLING)
                uow.ops.keep_lease(lease, ctx.clock.now(), ctx.policy.lease_seconds)
                talk.keep(uow)
                intake.mapped = load_mapped(uow)
                report.tally.add(intake.take(uow, page))
                while reconsider(uow, intake.mapped, intake.now, ctx.policy, RECONSIDER_AT_ONCE):
                    pass
    except PeerError as error:
        report.error = str(error)
        return _put_off(ctx, key, due, error, report)
    with ctx.store.begin() as uow:
        uow.ops.keep_lease(lease, ctx.clock.now(), ctx.policy.lease_seconds)
        uow.inbox.done(key, due, ctx.clock.now())
        well_again(uow, key)
    report.done += 1
    return True


def _put_off(ctx: Context, key: str, due: Due, error: PeerError, report: FetchReport) -> bool:
    """Try it again later, or not; whether the source may be asked for the next thing."""
    if isinstance(error, TryLater):
        leave_in_peace(ctx, key, error)
    if isinstance(error, InMaintenance):
        # The note waits as it is: nothing was tried in vain, and nothing else may be asked now.
        report.later += 1
        return False
    now = ctx.clock.now()
    named = error.retry_after if isinstance(error, TryLater) else None
    wait = min(ctx.policy.retry_seconds * 2.0**due.attempts, ctx.policy.retry_ceiling_seconds)
    with ctx.store.begin() as uow:
        if due.attempts + 1 >= MOST_ATTEMPTS:
            uow.inbox.done(key, due, now, str(error))
            report.given_up += 1
        else:
            until = now + timedelta(seconds=max(wait, named or 0.0))
            uow.inbox.postpone(key, due, until, str(error))
            report.later += 1
    # Where one event may not be seen, others may; where the source rests, it rests for all.
    return isinstance(error, NeedsAdministrator) and error.detail == "403"


def forget_old(ctx: Context) -> int:
    """Forget notes that were acted on long ago; how many."""
    with ctx.store.begin() as uow:
        return uow.inbox.forget(None, ctx.clock.now() - REMEMBER)


def check_hook_source(source_key: str, allowed: Collection[str]) -> None:
    """Raise Refused for a source that sends no webhooks."""
    if source_key not in allowed:
        there = ", ".join(allowed) or "none is configured"
        raise Refused(f"{source_key} is no source that can send webhooks; there are: {there}.")
