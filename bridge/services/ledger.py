"""The sum that must always come out: received equals the dispositions, source by source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bridge.domain.lists import ListPage
from bridge.domain.lrs.statements import Work
from bridge.domain.mapping import Reason
from bridge.domain.model import Alias, Quarantined, Run, TrailEntry
from bridge.domain.ports import ReadsSeveral, Source
from bridge.domain.records import Disposition, Page, Unreadable
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context, training_team_only
from bridge.services.deciding import REASON_WORDS
from bridge.services.drafting import RECONSIDER_AT_ONCE, SETTLING, reconsider
from bridge.services.intake import Intake
from bridge.services.mapped import load_mapped
from bridge.services.pull import Trusted

#: How a message begins that was read from a file: "october.csv, row 17, column 3 (Date): ".
_PLACE = re.compile(r"([^:\n]{1,200}, row \d+)(?:, column \d+ \(.*?\))?: ")


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One source: what was received, and what became of it.

    `waiting` came to our own xAPI endpoint a moment ago, and is looked at next.
    """

    source: str
    received: int
    counts: Mapping[str, int]
    waiting: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether every received item has exactly one disposition (DESIGN 5.3), or waits for it."""
        return self.received == sum(self.counts.values()) + self.waiting


def ledger(ctx: Context) -> list[LedgerLine]:
    """Every source's sum, from one consistent look, as it is kept up with every change."""
    with ctx.store.reading() as uow:
        return _lines(uow.ops.ledger(), uow.lrs.count_waiting(Work.DRAIN))


def ledger_counted(ctx: Context) -> list[LedgerLine]:
    """The same, counted item by item: the proof, in time that grows with history."""
    with ctx.store.reading() as uow:
        return _lines(uow.ops.ledger_counted(), uow.lrs.count_waiting(Work.DRAIN))


def prove_ledger(ctx: Context) -> list[str]:
    """Count item by item and put right what was kept; the sources where the two differed."""
    with ctx.store.begin() as uow:
        # What is taken in meanwhile would be in the one and not in the other.
        uow.ops.lock(SETTLING)
        kept = uow.ops.ledger()
        uow.ops.recount_ledger()
        counted = uow.ops.ledger()
    return sorted(key for key in counted if counted[key] != kept.get(key))


def _lines(
    found: Mapping[str, tuple[int, Mapping[str, int]]], waiting: Mapping[str, int]
) -> list[LedgerLine]:
    return [
        LedgerLine(
            key, received, {d: counts.get(d.value, 0) for d in Disposition}, waiting.get(key, 0)
        )
        for key, (received, counts) in found.items()
    ]


def reasons(ctx: Context) -> list[tuple[str, str, str, int]]:
    """(source, disposition, reason in words, count)."""
    with ctx.store.reading() as uow:
        found = uow.ops.reasons()
    return [(s, d, reason_words(reason), n) for s, d, reason, n in found]


def reason_words(reason: str) -> str:
    """A stored reason as a sentence."""
    return REASON_WORDS.get(reason) or _MAPPING_WORDS.get(reason, reason)


_MAPPING_WORDS: dict[str, str] = {
    Reason.IGNORED.value: "A rule says on purpose that it suggests nothing.",
    Reason.PART.value: "It is a part of a course that a rule is about as a whole.",
    Reason.BEFORE_EFFECTIVE.value: "It happened before the rule came into force.",
    Reason.AFTER_EFFECTIVE.value: "It happened after the rule ended.",
    Reason.STATUS.value: "The rule does not count this status.",
    Reason.SCORE_MISSING.value: "The rule asks for a score and the source gives none.",
    Reason.SCORE_LOW.value: "The score is below what the rule asks for.",
    Reason.ATTENDANCE_MISSING.value: "The rule asks for attendance and the source gives none.",
    Reason.ATTENDANCE_LOW.value: "The attendance is below what the rule asks for.",
}


def unmapped(ctx: Context) -> list[tuple[Alias, int, int]]:
    """Activities that no rule names, with the records and people that wait; most people first."""
    with ctx.store.reading() as uow:
        return uow.intake.unmapped()


def unmapped_page(
    ctx: Context, source: str | None = None, after: str | None = None, limit: int = 50
) -> ListPage[tuple[Alias, int, int]]:
    """The same, of one source if asked, a page at a time. Raises Refused for a broken `after`."""
    with ctx.store.reading() as uow:
        return uow.lists.unmapped(source, after, limit)


def runs(ctx: Context, limit: int = 20) -> list[Run]:
    """The latest pulls."""
    with ctx.store.reading() as uow:
        return uow.ops.runs(limit)


def quarantined(ctx: Context, source: str | None = None) -> list[Quarantined]:
    """What could not be read or placed, whole, with its reason."""
    with ctx.store.reading() as uow:
        return uow.intake.quarantined(source)


def replay(ctx: Context, trusted: Trusted) -> tuple[int, int]:
    """Try everything a source has in quarantine again; (released, still there)."""
    training_team_only(ctx)
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        source = uow.ops.source(trusted.key, trusted.kind, trusted.trust)
        mapped = load_mapped(uow)
        intake = Intake(source, trusted.identity, mapped, ctx.policy, ctx.clock.now())
        held = [q for q in uow.intake.quarantined(trusted.key) if q.body is not None]
        released = sum(_replay_one(intake, uow, trusted.connector, q) for q in held)
        while reconsider(uow, mapped, intake.now, ctx.policy, RECONSIDER_AT_ONCE):
            pass
    return released, len(held) - released


def _replay_one(intake: Intake, uow: UnitOfWork, connector: Source, held: Quarantined) -> bool:
    assert held.body is not None  # noqa: S101  the caller left the others out
    item = connector.read(held.natural_key, held.body, held.envelope)
    if item.natural_key != held.natural_key:
        # Only now can it be read what it is about; mostly a corrected file has told it by then.
        if uow.intake.known(intake.source.id, [item.natural_key]):
            item = item._replace(fact=TOLD_ELSEWHERE)
        else:
            uow.intake.name_anew(held.received_id, item.natural_key)
    fact = item.fact
    if isinstance(fact, Unreadable) and (place := _PLACE.match(held.message)):
        # Only who first read it knew in which file and row it stood; the column may be another now.
        where = place.group() if fact.code == held.code else f"{place[1]}: "
        item = item._replace(fact=replace(fact, message=where + fact.message))
    released = intake.replay(uow, held.received_id, item)
    if released and isinstance(connector, ReadsSeveral):
        others = connector.others(held.natural_key, held.body, held.envelope)
        if others:
            intake.take(uow, Page(tuple(others), held.envelope))
    return released


TOLD_ELSEWHERE = Unreadable(
    "told-elsewhere",
    "Another row has told this since, so this one is kept only to show what came. There is nothing "
    "to do.",
)


def trail(ctx: Context, limit: int) -> list[TrailEntry]:
    """The newest lines of the audit trail."""
    with ctx.store.reading() as uow:
        return uow.trail.latest(limit)
