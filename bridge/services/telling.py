"""Telling Learning Record Stores what was verified: queueing with the decision, and sending."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import structlog

from bridge.domain.errors import NeedsAdministrator, NotAllowed, NotFound, PeerError, TryLater
from bridge.domain.frameworks import Edition
from bridge.domain.identity import IdentifierKind
from bridge.domain.repositories import UnitOfWork
from bridge.domain.telling import (
    Act,
    Agent,
    Decided,
    KnownAs,
    NewStatement,
    OpenTelling,
    Stage,
    Teller,
    Telling,
    TellingCounts,
    Told,
    Waits,
    Withdraw,
    agent,
    opaque_name,
    statement_id,
)
from bridge.domain.times import LONDON
from bridge.services.context import PERSONS, Context, audit, training_team_only

_log = structlog.get_logger("bridge.telling")
NEEDS_YOU_AGAIN = timedelta(hours=1)
#: What an LRS does not take as it is will hardly be taken soon.
REFUSED_AGAIN = timedelta(hours=24)
#: What another process has in hand is looked for again after so long.
LOOK_AGAIN = timedelta(seconds=30)
#: So many decisions are queued in one transaction.
AT_ONCE = 500
ONE_PERSON = "Verifier and learner were found to be one person, so it is not told."
NEVER_TOLD = "What it takes back was never told there."


# --- queueing, in the transaction of the decision -------------------------------------------------
def queue_verified(ctx: Context, uow: UnitOfWork, verifications: Sequence[int]) -> None:
    """Queue these verifications, made now, for every LRS that is told by now."""
    now = ctx.clock.now()
    for telling in ctx.policy.tells:
        if telling.begun(now):
            uow.tellings.put(telling.target, verifications, now)


def queue_revoked(ctx: Context, uow: UnitOfWork, verification: int, revokes: int) -> None:
    """Queue a revocation for every LRS that what it takes back is told to."""
    now = ctx.clock.now()
    for telling in ctx.policy.tells:
        if uow.tellings.queued(telling.target, [revokes]):
            uow.tellings.put(telling.target, [verification], now)


def catch_up(ctx: Context, target: str, since: date | None = None) -> int:
    """Queue what ought to be and is not: verifications that stand, decided from that London day on
    (or from the configured one), and revocations of what is queued. How many; again changes
    nothing.

    It finds what a process decided that ran before the setting was made. Raises NotFound for an
    LRS that is not told.
    """
    training_team_only(ctx)
    telling = telling_of(ctx, target)
    day = since or telling.since
    from_when = datetime.combine(day, time(0), LONDON)
    queued = 0
    while True:
        with ctx.store.begin() as uow:
            # Nobody revokes while it is looked at what stands.
            uow.ops.lock(PERSONS)
            found = uow.tellings.missing(target, from_when, AT_ONCE)
            queued += uow.tellings.put(target, found, ctx.clock.now())
            if since is not None and found:
                audit(ctx, uow, "tell-lrs", f"lrs:{target}",
                      {"since": since.isoformat(), "decisions": len(found)})  # fmt: skip
        if len(found) < AT_ONCE:
            return queued


def telling_of(ctx: Context, target: str) -> Telling:
    """How an LRS is told. Raises NotFound where none of that name is."""
    for telling in ctx.policy.tells:
        if telling.target == target:
            return telling
    names = ", ".join(each.target for each in ctx.policy.tells) or "none"
    raise NotFound(
        f"The LRS '{target}' is not told of verifications. There are: {names}. "
        f"[lrs.{target}.tell] in bridge.toml sets it up; docs/xapi-telling.md says how."
    )


# --- sending --------------------------------------------------------------------------------------
@dataclass(slots=True)
class TellReport:
    """What one round of telling an LRS led to, in decisions. `error` is why it ended early."""

    target: str
    told: int = 0
    dropped: int = 0
    later: int = 0
    needs_you: int = 0
    error: str = ""

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.told or self.dropped or self.later or self.needs_you)


def tell_due(ctx: Context, teller: Teller, stop: Callable[[], bool] = lambda: False) -> TellReport:
    """Tell an LRS what is due, batch by batch, until there is nothing, it fails, or `stop`.

    What a process that is killed has in hand is left to whoever comes after its lease, and is then
    the same statements under the same ids.
    """
    telling = telling_of(ctx, teller.key)
    report = TellReport(teller.key)
    while not stop():
        waits = _claim(ctx, telling)
        if not waits:
            break
        ready, statements = _write(ctx, telling, waits, report)
        if not statements:
            continue
        told = teller.tell(statements)
        _settle(ctx, telling, ready, told, report)
        if told.error is not None:
            report.error = str(told.error)
            break
    return report


def _claim(ctx: Context, telling: Telling) -> list[Waits]:
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        # Most rounds find nothing, and need not hold up a writer.
        if not uow.tellings.any_due(telling.target, now):
            return []
    until = now + timedelta(seconds=ctx.policy.lease_seconds)
    with ctx.store.begin() as uow:
        return uow.tellings.take_due(telling.target, now, until, telling.batch)


def _write(
    ctx: Context, telling: Telling, waits: Sequence[Waits], report: TellReport
) -> tuple[list[Waits], list[NewStatement]]:
    """The statements as they are true now, each with its place in the queue.

    What takes another back goes only after that one; what need not be told any more is noted.
    """
    now = ctx.clock.now()
    ready: list[Waits] = []
    statements: list[NewStatement] = []
    with ctx.store.begin() as uow:
        decided = uow.tellings.decisions({each.verification for each in waits})
        before = [d.revokes for d in decided.values() if d.revokes is not None]
        stages = uow.tellings.stages(telling.target, before)
        taken_back = uow.tellings.decisions(before)
        writer = _Writer(ctx, uow, telling, decided.values())
        for each in waits:
            decision = decided[each.verification]
            first = taken_back.get(decision.revokes or 0)
            stage = stages.get(decision.revokes or 0)
            together = decision.revokes in decided
            reason, wait_until = _not_now(decision, stage, now, together=together)
            if reason is not None:
                uow.tellings.finish(each, now, reason)
                report.dropped += 1
            elif wait_until is not None:
                uow.tellings.put_off(each, wait_until, None)
            else:
                ready.append(each)
                statements.append(writer.statement(decision, first))
    return ready, statements


def _not_now(
    decision: Decided, stage: Stage | None, now: datetime, *, together: bool
) -> tuple[str | None, datetime | None]:
    """Why a decision is not to be told at all, or until when it has to wait.

    `together`: what it takes back goes in this batch, so that it can go in the next.
    """
    if decision.revokes is None:
        return (ONE_PERSON, None) if decision.decider == decision.learner else (None, None)
    if stage is None or stage.dropped:
        return NEVER_TOLD, None
    if stage.told:
        return None, None
    return None, now if together else max(stage.next_at or now, now + LOOK_AGAIN)


class _Writer:
    """Makes statements of decisions; what many of them share is looked up once."""

    def __init__(
        self, ctx: Context, uow: UnitOfWork, telling: Telling, decided: Iterable[Decided]
    ) -> None:
        self._telling = telling
        self._catalog = uow.catalog
        self._editions: dict[str, Edition] = {}
        self._ids = ctx.vault.derive("lrs-statements")
        self._names = ctx.vault.derive("lrs-names")
        people = {person for d in decided for person in (d.decider, d.learner)}
        wanted = {telling.learner, telling.assessor} - {KnownAs.OPAQUE}
        # Who is told of by nobody's name needs none of theirs looked up.
        self._known: Mapping[int, Mapping[IdentifierKind, str]] = (
            uow.tellings.identifiers(people) if wanted else {}
        )

    def statement(self, decision: Decided, first: Decided | None) -> NewStatement:
        """What tells of a decision; `first` is the verification that it takes back, if it does."""
        telling = self._telling
        edition = self._edition(decision.edition)
        about = None if first is None else statement_id(self._ids, telling.target, first)
        act = Act.VERIFIED
        if first is not None:
            act = Act.VOIDED if telling.withdraw is Withdraw.VOID else Act.REVOKED
        method = decision.method or (first.method if first else None) or ""
        return NewStatement(
            key=decision.id,
            id=statement_id(self._ids, telling.target, decision),
            act=act,
            actor=self._agent(telling.assessor, decision.decider),
            learner=self._agent(telling.learner, decision.learner),
            decided_at=decision.decided_at,
            home=telling.home,
            framework=edition.framework,
            edition=edition.id,
            title=edition.title,
            language=edition.language,
            code=decision.code,
            text=decision.text.removesuffix(";"),
            occurred_on=decision.occurred_on,
            method_key=method,
            method=next((m.text for m in edition.assessment_methods if m.key == method), method),
            evidence=decision.evidence_id,
            about=about,
        )

    def _edition(self, key: str) -> Edition:
        if key not in self._editions:
            self._editions[key] = self._catalog.edition_of(key)
        return self._editions[key]

    def _agent(self, known_as: KnownAs, person: int) -> Agent:
        return agent(self._telling, known_as, person, self._known.get(person, {}), self._names)


def _settle(
    ctx: Context, telling: Telling, ready: Sequence[Waits], told: Told, report: TellReport
) -> None:
    """Note how it went, while the fence holds."""
    now = ctx.clock.now()
    stuck = isinstance(told.error, NeedsAdministrator)
    attempts = max(each.attempts for each in ready)
    again = now + (NEEDS_YOU_AGAIN if stuck else _backoff(ctx, attempts, told.error))
    with ctx.store.begin() as uow:
        for each in ready:
            if each.verification in told.told:
                report.told += uow.tellings.finish(each, now, None)
            elif each.verification in told.refused:
                words = told.refused[each.verification]
                uow.tellings.put_off(each, now + REFUSED_AGAIN, words, needs_you=True)
                report.needs_you += 1
            else:
                words = str(told.error) if told.error else "The LRS did not say that it took it."
                uow.tellings.put_off(each, again, words, needs_you=stuck)
                report.needs_you += stuck
                report.later += not stuck
        if told.error is not None:
            # All the others need not find that out too.
            uow.tellings.put_off_rest(telling.target, now, again)


def _backoff(ctx: Context, attempts: int, error: PeerError | None) -> timedelta:
    """Doubling with jitter up to a ceiling, and never sooner than the LRS asked for."""
    base = min(
        ctx.policy.retry_seconds * 2.0 ** min(attempts, 20), ctx.policy.retry_ceiling_seconds
    )
    named = error.retry_after if isinstance(error, TryLater) else None
    jittered = base * random.uniform(0.75, 1.25)  # noqa: S311  spreading load, not a secret
    return timedelta(seconds=max(jittered, named or 0.0))


# --- looking after the queue ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class TellingQueue:
    """How the queues stand, and what in them failed; `after` is what to ask for the next with."""

    counts: tuple[TellingCounts, ...]
    open: tuple[OpenTelling, ...]
    after: int | None = None


def _badges_only(ctx: Context) -> None:
    scope = ctx.actor.scope
    if not scope.sees_badges or scope.organisations is not None:
        raise NotAllowed("Only who looks after the badges of the whole partnership does that.")


def queue(ctx: Context, *, limit: int = 100, after: int = 0) -> TellingQueue:
    """What waits to be told, and what failed, the oldest first, from one number on."""
    _badges_only(ctx)
    with ctx.store.reading() as uow:
        counts = uow.tellings.counts([each.target for each in ctx.policy.tells])
        found = uow.tellings.open_tellings(limit=limit + 1, after=after)
    more = found[limit - 1].id if len(found) > limit else None
    return TellingQueue(tuple(counts), tuple(found[:limit]), more)


def retry(ctx: Context, target: str) -> int:
    """Let everything that waits for an LRS go at the next round; how many. Raises NotFound."""
    _badges_only(ctx)
    telling_of(ctx, target)
    with ctx.store.begin() as uow:
        released = uow.tellings.release(target, ctx.clock.now())
        audit(ctx, uow, "retry-lrs", f"lrs:{target}", {"decisions": released})
    return released


def name_of(ctx: Context, target: str, person: int) -> str:
    """By what opaque name an LRS knows a person, for whoever looks for what it holds of them.

    Raises NotFound.
    """
    training_team_only(ctx)
    telling_of(ctx, target)
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        audit(ctx, uow, "name-at-lrs", f"person:{canonical}", {"lrs": target})
    return opaque_name(ctx.vault.derive("lrs-names"), target, canonical)
