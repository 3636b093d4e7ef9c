"""Sending queued mail: claim under a fence, write what is true now, hand over, note how it went."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import structlog

from bridge.domain.errors import (
    BadAnswer,
    BridgeError,
    NeedsAdministrator,
    Refused,
    TryLater,
)
from bridge.domain.mail import (
    AddressRefused,
    Letter,
    LetterLine,
    MailCounts,
    Mailer,
    MailKind,
    Queued,
    message_id,
    next_digest,
)
from bridge.domain.times import LONDON, london_date
from bridge.services.context import Context, audit, training_team_only
from bridge.services.letters import Nothing, content
from bridge.services.notify import unsubscribe_token

_log = structlog.get_logger("bridge.mail")
#: A letter lists that many things, and counts the others.
LISTED = 8
#: After so many letters in a row that could not be handed over, the others wait for the next round.
GIVE_UP_AFTER = 3
NEEDS_YOU_AGAIN = timedelta(hours=1)
NO_ADDRESS_AGAIN = timedelta(hours=24)


@dataclass(slots=True)
class MailRoom:
    """What sending needs: who carries letters, the public address, and the unsubscribe key."""

    mailer: Mailer
    base_url: str
    key: bytes


@dataclass(slots=True)
class MailReport:
    """What one round of sending led to, in letters."""

    sent: int = 0
    dropped: int = 0
    later: int = 0
    needs_you: int = 0
    error: str = ""

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.sent or self.dropped or self.later or self.needs_you)


def send_due(ctx: Context, room: MailRoom, stop: Callable[[], bool] = lambda: False) -> MailReport:
    """Send what is due, letter by letter, until there is nothing or the mail server fails.

    Once `stop` says so, it ends after the letter in hand.

    A process that is killed in the middle leaves its letter to whoever comes after the lease; it
    then has the same Message-ID, so that a mail that did go out is recognised. Each letter is
    claimed by itself: a lease covers one conversation with the mail server, never a queue of them.
    """
    report = MailReport()
    failures = 0
    try:
        while failures < GIVE_UP_AFTER and not stop():
            mails = _claim(ctx)
            if not mails:
                return report
            letter = _written(ctx, room, mails, report)
            if letter is None:
                continue
            failures = 0 if _hand_over(ctx, room, mails, letter, report) else failures + 1
            if report.error:
                return report
    finally:
        room.mailer.close()
    return report


def _claim(ctx: Context) -> list[Queued]:
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        # Most rounds find nothing, and need not hold up a writer.
        if not uow.outbox.any_due(now):
            return []
    with ctx.store.begin() as uow:
        return uow.outbox.take_due(now, now + timedelta(seconds=ctx.policy.lease_seconds))


def _written(
    ctx: Context, room: MailRoom, mails: Sequence[Queued], report: MailReport
) -> Letter | None:
    """As `_write`; a letter that cannot be written must not hold up those behind it."""
    try:
        return _write(ctx, room, mails, report)
    except Exception as error:
        _log.exception("a mail could not be written", mail=mails[0].id, kind=mails[0].kind)
        with ctx.store.begin() as uow:
            wait = _backoff(ctx, mails[0].attempts, None)
            words = f"It could not be written ({type(error).__name__}); the log says why."
            uow.outbox.put_off(mails, ctx.clock.now() + wait, words, needs_you=True)
        report.needs_you += 1
        return None


def _write(
    ctx: Context, room: MailRoom, mails: Sequence[Queued], report: MailReport
) -> Letter | None:
    """The letter as it is true now; None where there is none to send, which is noted."""
    now = ctx.clock.now()
    kind, person = mails[0].kind, mails[0].person
    with ctx.store.begin() as uow:
        if kind.switchable and kind in uow.outbox.off_kinds(person):
            uow.outbox.finish(mails, now, "The person has switched this kind of mail off.")
            report.dropped += 1
            return None
        only_daily = kind is MailKind.DRAFTS and not mails[0].again
        if only_daily and uow.outbox.sent_since(person, kind, _midnight(now)):
            # At most one digest a day, whatever was slow to be queued.
            uow.outbox.put_off(mails, next_digest(now, ctx.policy.mail_hour), None)
            report.later += 1
            return None
        try:
            found = content(ctx, uow, mails)
        except Nothing as reason:
            uow.outbox.finish(mails, now, str(reason))
            report.dropped += 1
            return None
        address = uow.outbox.address_of(person)
        if address is None:
            uow.outbox.put_off(
                mails, now + NO_ADDRESS_AGAIN,
                "No email address is known for this person. Add it to the staff list.",
                needs_you=True,
            )  # fmt: skip
            report.needs_you += 1
            return None
        return Letter(
            kind=kind,
            to=address,
            name=uow.people.get(person).name,
            lines=tuple(
                LetterLine(line.text, line.detail, f"{room.base_url}{line.url}" if line.url else "")
                for line in found.lines[:LISTED]
            ),
            count=len(found.lines),
            url=f"{room.base_url}{found.url}",
            message_id=message_id([mail.dedupe_key for mail in mails], room.mailer.host),
            written_at=now,
            choices_url=f"{room.base_url}/account/mail/",
            unsubscribe_url=(
                f"{room.base_url}/unsubscribe/{unsubscribe_token(room.key, person, kind)}"
                if kind.switchable
                else None
            ),
            minutes=found.minutes,
        )


def _midnight(now: datetime) -> datetime:
    return datetime.combine(london_date(now), time(0), LONDON)


def _hand_over(
    ctx: Context, room: MailRoom, mails: Sequence[Queued], letter: Letter, report: MailReport
) -> bool:
    """Send a letter, outside any transaction, and note how it went while the fence holds.

    False where the mail server failed; then others may fail as well.
    """
    failed: BridgeError | None = None
    try:
        room.mailer.send(letter)
    except (AddressRefused, TryLater, NeedsAdministrator, BadAnswer) as error:
        failed = error
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        if failed is None:
            if uow.outbox.finish(mails, now, None):
                report.sent += 1
            return True
        if isinstance(failed, AddressRefused):
            uow.outbox.put_off(mails, None, str(failed), needs_you=True)
            report.needs_you += 1
            return True
        stuck = isinstance(failed, NeedsAdministrator)
        named = failed.retry_after if isinstance(failed, TryLater) else None
        wait = NEEDS_YOU_AGAIN if stuck else _backoff(ctx, mails[0].attempts, named)
        uow.outbox.put_off(mails, now + wait, str(failed), needs_you=stuck,
                           together=isinstance(failed, BadAnswer))  # fmt: skip
    if stuck:
        report.needs_you += 1
        # Nothing goes until a setting changes: the rest of the queue need not find that out too.
        report.error = str(failed)
    else:
        report.later += 1
    return False


def _backoff(ctx: Context, attempts: int, named: float | None) -> timedelta:
    """Doubling with jitter up to a ceiling, and never sooner than the server asked for."""
    base = min(
        ctx.policy.retry_seconds * 2.0 ** min(attempts, 20), ctx.policy.retry_ceiling_seconds
    )
    jittered = base * random.uniform(0.75, 1.25)  # noqa: S311  spreading load, not a secret
    return timedelta(seconds=max(jittered, named or 0.0))


# --- looking after the queue ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class OpenMail:
    """A mail that is not done, for whoever looks after the queue."""

    id: int
    kind: str
    person: int
    name: str
    created_at: datetime
    next_at: datetime | None
    attempts: int
    needs_you: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class MailQueue:
    """How the queue stands; `mails` are those asked for. `live_from` is the go-live date.

    `after` is what to ask for the next of them with; None at the end.
    """

    counts: MailCounts
    mails: tuple[OpenMail, ...]
    live_from: date | None
    after: int | None = None


def queue(ctx: Context, *, stuck: bool = False, limit: int = 200, after: int = 0) -> MailQueue:
    """What waits to be sent, what needs somebody first.

    `stuck` narrows to what went wrong, the oldest first, from the mail after `after` on.
    """
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        found = uow.outbox.open_mails(stuck=stuck, limit=limit + 1, after=after)
        more = found[limit - 1].id if len(found) > limit else None
        found = found[:limit]
        names = uow.standing.names({mail.person for mail in found})
        counts = uow.outbox.counts()
    return MailQueue(
        counts,
        tuple(
            OpenMail(m.id, m.kind.value, m.person, names.get(m.person, ""), m.created_at, m.next_at,
                     m.attempts, m.needs_you, m.error)
            for m in found
        ),
        ctx.policy.mail_from,
        more,
    )  # fmt: skip


def retry(ctx: Context, mail_id: int) -> None:
    """Let one mail that is stuck go again at the next round. Raises Refused."""
    training_team_only(ctx)
    with ctx.store.begin() as uow:
        if not uow.outbox.release(mail_id, ctx.clock.now()):
            raise Refused(f"Mail {mail_id} is not in the queue; it was sent, or there is no such.")
        audit(ctx, uow, "retry-mail", f"mail:{mail_id}", {})
