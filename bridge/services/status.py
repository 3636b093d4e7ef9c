"""How the bridge stands, for the training desk: counts, times and reasons; nobody's name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bridge import __version__
from bridge.domain.lrs.senders import Sender
from bridge.domain.model import Deliveries
from bridge.domain.peers import Rest
from bridge.domain.records import Disposition
from bridge.domain.telling import TellingCounts
from bridge.services.context import Context
from bridge.services.ledger import LedgerLine, ledger, unmapped
from bridge.services.turns import FAILED, Standing, standings


class Health(StrEnum):
    """How something stands, in one word for machines and colours."""

    WELL = "well"
    WAITING = "waiting"
    NEEDS_YOU = "needs you"


#: A rest that is over is told of until the next round has had time to ask.
GRACE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class JobTime:
    """A job, in words, and when it comes round next; None while it does not."""

    name: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source. `seen_to` is the instant up to which everything it has was seen; `lag` since then.

    `ledger` is None before the first pull. A source that sends its statements here is never pulled:
    it is `sent`.
    """

    key: str
    health: Health
    words: str
    last_pull: datetime | None
    last_full: datetime | None
    seen_to: datetime | None
    lag: timedelta | None
    ledger: LedgerLine | None
    sent: bool = False

    def count(self, disposition: Disposition) -> int:
        """How many records have this disposition."""
        return self.ledger.counts[disposition] if self.ledger else 0

    @property
    def unmatched(self) -> int:
        """How many records are in accounts of nobody."""
        return self.count(Disposition.UNMATCHED)

    @property
    def quarantined(self) -> int:
        """How many items could not be read."""
        return self.count(Disposition.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An activity that no rule names, with the records and people that wait on it."""

    source: str
    title: str
    records: int
    people: int


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """A target: badges in step, waiting to be tried (again), and stuck; `reasons` say on what."""

    key: str
    health: Health
    in_step: int
    waiting: int
    stuck: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TellStatus:
    """An LRS that is told: decisions to be sent, failed and tried again, and needing somebody.

    `told_at` is when it last took one; `reasons` are why they need somebody.
    """

    key: str
    health: Health
    waiting: int
    failing: int
    needs_you: int
    told_at: datetime | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Everything the desk shows. `at` is when it was looked at."""

    at: datetime
    version: str
    database: str
    sources: tuple[SourceStatus, ...]
    unmapped: tuple[Unmapped, ...]
    targets: tuple[TargetStatus, ...]
    jobs: tuple[JobTime, ...]
    tells: tuple[TellStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusReader:
    """Reads how the bridge stands. `database` names its kind, `jobs` tells the next job times.

    `sources` and `targets` are the configured keys: those with nothing to tell are shown too.
    """

    context: Context
    database: str
    sources: Collection[str] = ()
    targets: Collection[str] = ()
    jobs: Callable[[], Sequence[JobTime]] = field(default=tuple)

    def alive(self) -> None:
        """Raise whatever the database raises, if it does not answer."""
        with self.context.store.reading() as uow:
            uow.ops.sources()

    def status(self) -> Status:
        """One look at everything."""
        now = self.context.clock.now()
        lines = {line.source: line for line in ledger(self.context)}
        with self.context.store.reading() as uow:
            stands = standings(uow, sorted({*self.sources, *lines}), now)
            senders = uow.senders.all()
            deliveries = uow.ops.deliveries()
            tells = uow.tellings.counts([each.target for each in self.context.policy.tells])
            rests = uow.peers.rests()
        return Status(
            at=now,
            version=__version__,
            database=self.database,
            sources=tuple(
                _source(key, s, lines.get(key), now, [e for e in senders if e.source_key == key])
                for key, s in stands.items()
            ),
            unmapped=tuple(
                Unmapped(a.source_key, a.facts.title or a.facts.value, records, people)
                for a, records, people in unmapped(self.context)
            ),
            targets=_targets(self.targets, deliveries, rests, now),
            jobs=tuple(self.jobs()),
            tells=tuple(map(_tells, tells)),
        )


def _source(
    key: str,
    stands: Standing,
    line: LedgerLine | None,
    now: datetime,
    senders: Sequence[Sender],
) -> SourceStatus:
    health, words = _sent(line, senders) if senders else _outcome(stands, now)
    done = next((run for run in stands.runs if run.outcome == "done"), None)
    seen_to = stands.bookmark.position
    return SourceStatus(
        key=key,
        health=health,
        words=words,
        last_pull=done.ended_at if done else None,
        last_full=stands.bookmark.last_full_at,
        seen_to=seen_to,
        lag=max(now - seen_to, timedelta(0)) if seen_to else None,
        ledger=line,
        sent=bool(senders),
    )


def _sent(line: LedgerLine | None, senders: Sequence[Sender]) -> tuple[Health, str]:
    """Of a source that sends its statements here, by these credentials."""
    if all(each.revoked_at is not None for each in senders):
        return Health.WELL, "Its credential has ended, so it sends nothing more."
    if line is None or not line.received:
        return Health.WAITING, "It has sent no statement yet."
    if line.waiting:
        return Health.WELL, f"It sends statements here; {line.waiting:,} wait to be looked at."
    return Health.WELL, "It sends statements here."


def _outcome(stands: Standing, now: datetime) -> tuple[Health, str]:
    if not stands.runs:
        return Health.WAITING, "It has not been pulled yet."
    if stands.rest is not None and stands.rest.until > now - GRACE:
        return Health.WAITING, stands.rest.said(now)
    latest = stands.runs[0]
    message = without_addresses(latest.message)
    if latest.outcome == "running":
        if stands.being_pulled:
            return Health.WELL, "It is being pulled now."
        return Health.WAITING, "The last pull was interrupted. The next one carries on."
    if latest.outcome not in FAILED:
        if message:
            return Health.NEEDS_YOU, message
        return Health.WELL, "The last pull was complete."
    health = Health.NEEDS_YOU if latest.outcome == "needs you" else Health.WAITING
    rest = " It is left alone for a while before it is asked again."
    return health, message + (rest if stands.rests_until > now else "")


def without_addresses(text: str) -> str:
    """`text` with every email address taken out: what a peer says may hold one."""
    return re.sub(r"[^\s<>()\"',;:]+@[^\s<>()\"',;:]+", "(address)", text)


def _targets(
    configured: Collection[str],
    deliveries: Sequence[Deliveries],
    rests: Mapping[str, Rest],
    now: datetime,
) -> tuple[TargetStatus, ...]:
    by_key: dict[str, list[Deliveries]] = defaultdict(list)
    for each in deliveries:
        by_key[each.target_key].append(each)
    said = {key: rest.said(now) for key, rest in rests.items()}
    return tuple(_target(key, by_key[key], said.get(key)) for key in sorted({*configured, *by_key}))


def _target(key: str, deliveries: Sequence[Deliveries], resting: str | None) -> TargetStatus:
    in_step = sum(d.count for d in deliveries if d.in_step)
    stuck = [d for d in deliveries if d.stuck and not d.in_step]
    waiting = sum(d.count for d in deliveries) - in_step - sum(d.count for d in stuck)
    waits = waiting or resting is not None
    health = Health.NEEDS_YOU if stuck else Health.WAITING if waits else Health.WELL
    counts: dict[str, int] = defaultdict(int)
    for each in stuck:
        counts[_reason(each)] += each.count
    reasons = tuple(
        f"{count} badge{'s' if count > 1 else ''} {words}" for words, count in counts.items()
    )
    if resting is not None:
        reasons = (resting, *reasons)
    return TargetStatus(key, health, in_step, waiting, sum(counts.values()), reasons)


def _tells(counts: TellingCounts) -> TellStatus:
    waits = counts.waiting or counts.failing
    health = Health.NEEDS_YOU if counts.needs_you else Health.WAITING if waits else Health.WELL
    return TellStatus(
        counts.target, health, counts.waiting, counts.failing, counts.needs_you, counts.told_at,
        tuple(map(without_addresses, counts.reasons)),
    )  # fmt: skip


def _reason(stuck: Deliveries) -> str:
    """Why these need an administrator; the stored words name people, and are not shown."""
    if not stuck.account:
        return "for people who have no account there that the bridge knows: see 'bridge unmatched'"
    if stuck.desired == "absent":
        return "to be taken away, which the bridge cannot do there: see 'bridge badges'"
    return (
        "held up by a setting or a permission there: 'bridge badges' and 'bridge doctor' say which"
    )
