"""Drafts follow the records and rules: what counts becomes evidence, and back (R3 to R6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bridge.domain.counting import CountsWhen, Part, Reason
from bridge.domain.drafting import SOURCE_CHANGED, SOURCE_GONE, Redraft, redraft
from bridge.domain.model import Claim, Record
from bridge.domain.policy import Policy
from bridge.domain.records import Disposition
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.corrections import Word, counts, tell_corrected
from bridge.services.deciding import GONE, Decided, decide_each, needs_parts, sessions_with
from bridge.services.filing import Candidate as Candidate
from bridge.services.filing import add_claims, candidate, file_records
from bridge.services.mapped import Mapped

RECONSIDER_AT_ONCE = 500
#: Whoever drafts takes this lock first: two that draft must see each other's evidence.
SETTLING = "settle"


def file_evidence(
    uow: UnitOfWork,
    mapped: Mapped,
    candidates: Sequence[Candidate],
    now: datetime,
    policy: Policy,
    again: Collection[tuple[int, int]] = (),
    changes: Changes | None = None,
    alone: Collection[int] = (),
) -> tuple[int, int]:
    """File records that count (`bridge.services.filing`), and bring older evidence into step.

    Returns how many drafts and claims were added.
    """
    filed = file_records(uow, mapped, candidates, again, now, policy, alone)
    if filed.disturbed:
        filed.claims += refresh(uow, mapped, filed.disturbed, now, changes)
    return filed.drafts, filed.claims


@dataclass(slots=True)
class Changes:
    """What deciding again changed, for reports: counts of claims, and the people concerned."""

    added: int = 0
    restored: int = 0
    withdrawn: int = 0
    no_longer_suggested: int = 0
    contested: int = 0
    drafts: int = 0
    people: set[int] = field(default_factory=set)

    def note(self, change: Redraft, person: int | None) -> None:
        """Count one piece of evidence in."""
        if change.nothing:
            return
        self.added += len(change.add)
        self.restored += len(change.restore)
        self.withdrawn += len(change.withdraw)
        self.no_longer_suggested += len(change.no_longer_suggested)
        self.contested += len(change.contest)
        if person is not None:
            self.people.add(person)


def refresh(
    uow: UnitOfWork,
    mapped: Mapped,
    evidence_ids: Iterable[int],
    now: datetime,
    changes: Changes | None = None,
) -> int:
    """Bring the claims of these pieces of evidence into step with their records and the rules.

    Only untouched suggestions come and go; returns how many claims were added.
    """
    ids = sorted(set(evidence_ids))
    supporting = uow.intake.records_of_evidence(ids)
    records: dict[int, list[Record]] = defaultdict(list)
    for record in supporting:
        records[record.evidence_id or 0].append(record)
    claims: dict[int, list[Claim]] = defaultdict(list)
    for claim in uow.evidence.claims(ids):
        claims[claim.evidence_id].append(claim)
    _, parts = sessions_with(uow, supporting, lambda r: needs_parts(mapped, r))
    decided = decide_each(mapped, supporting, parts, london_date(now))
    lost = _groundless(uow, mapped, claims, records, decided)
    added: list[tuple[int, dict[int, int]]] = []
    for evidence_id in ids:
        behind = records[evidence_id]
        suggested: dict[int, int] = {}
        for record in behind:
            verdict = decided[record.id].verdict
            if verdict is not None:
                suggested = {**mapped.suggested(verdict), **suggested}
        because = SOURCE_CHANGED if any(not r.gone for r in behind) else SOURCE_GONE
        change = redraft(claims[evidence_id], suggested, groundless=lost, because=because)
        added.append((evidence_id, dict(change.add)))
        uow.evidence.apply(change, now)
        if changes is not None:
            changes.note(change, behind[0].person if behind else None)
    return add_claims(uow, added)


def _groundless(
    uow: UnitOfWork,
    mapped: Mapped,
    claims: Mapping[int, Sequence[Claim]],
    records: Mapping[int, Sequence[Record]],
    decided: Mapping[int, Decided],
) -> set[int]:
    """The claims that no record stands behind any more.

    A rule that changes or ends takes no ground away (R5); a source that takes its word back does
    (R6). So where nothing counts by the rules in force, each record is held against the rule that
    suggested the claim, as it was published then.
    """
    bare = [
        (claim, records.get(evidence_id, ()))
        for evidence_id, found in claims.items()
        if not any(decided[r.id].verdict for r in records.get(evidence_id, ()))
        for claim in found
    ]
    if not bare:
        return set()
    asked = mapped.counts_when(uow, {c.rule_id for c, _ in bare if c.rule_id is not None})
    of_evidence = {c.evidence_id: asked[c.rule_id] for c, _ in bare if c.rule_id in asked}
    _, parts = sessions_with(uow, [r for _, behind in bare for r in behind], lambda r: True)
    lost = set()
    for claim, behind in bare:
        rule = asked.get(claim.rule_id or 0) or of_evidence.get(claim.evidence_id)
        if not any(_stands(r, rule, parts.get(r.id)) for r in behind):
            lost.add(claim.id)
    return lost


def _stands(record: Record, asked: CountsWhen | None, parts: Sequence[Part] | None) -> bool:
    """Whether a record still shows what a rule asked for; without one, that anything was done."""
    if record.gone:
        return False
    if asked is None:
        return record.status.achieved
    found = asked.check(record.status, record.score, record.attendance, record.booking, parts)
    return found is Reason.COUNTS


def groundless(uow: UnitOfWork, mapped: Mapped, evidence_id: int, now: datetime) -> set[int]:
    """The claims of a piece of evidence that no record stands behind any more."""
    records = uow.intake.records_of_evidence([evidence_id])
    _, parts = sessions_with(uow, records, lambda r: needs_parts(mapped, r))
    decided = decide_each(mapped, records, parts, london_date(now))
    claims = {evidence_id: uow.evidence.claims([evidence_id])}
    return _groundless(uow, mapped, claims, {evidence_id: records}, decided)


def _misfiled(record: Record, decided: Decided, policy: Policy) -> bool:
    """Whether a record is about another person, activity or time than its evidence."""
    assert record.evidence_on is not None  # noqa: S101  it supports evidence, which has a date
    if record.evidence_person != record.person:
        return True
    if record.evidence_activity != record.alias.activity_id:
        return True
    if decided.verdict is None and record.booking is not None and record.booking.session:
        # One of several sessions, that does not count: its day says nothing of where it belongs.
        return False
    filed_on = london_date(decided.filed_at or record.occurred_at)
    return abs((filed_on - record.evidence_on).days) > policy.join_days


def reconsider(
    uow: UnitOfWork,
    mapped: Mapped,
    now: datetime,
    policy: Policy,
    limit: int,
    changes: Changes | None = None,
) -> int:
    """Decide again on up to `limit` pending records; returns how many were taken.

    Records are pending when their person, their rules, their source's word or their age changed.
    With a session of an event, the others of that event are decided on too.
    """
    pending = uow.intake.pending_records(limit)
    if not pending:
        return 0
    others, parts = sessions_with(uow, pending, lambda r: needs_parts(mapped, r))
    records = [*pending, *others]
    outcome = decide_each(mapped, records, parts, london_date(now))
    misfiled = _taken_out(uow, records, outcome, policy)
    candidates = [
        found
        for record in records
        if (record.evidence_id is None or record.id in misfiled)
        and (found := candidate(record, outcome[record.id])) is not None
    ]
    at_home = [r for r in records if r.evidence_id is not None and r.id not in misfiled]
    again = {(r.person, r.alias.activity_id) for r in at_home if r.person is not None}
    alone = uow.bookings.split_off([c.record_id for c in candidates]) if candidates else set()
    drafts, claims = file_evidence(uow, mapped, candidates, now, policy, again, changes, alone)
    if changes is not None and claims:
        changes.drafts += drafts
        changes.added += claims
        changes.people |= {c.person for c in candidates}
    refresh(uow, mapped, {r.evidence_id for r in records if r.evidence_id}, now, changes)
    _tell(uow, mapped, at_home, outcome, parts, now, policy)
    worked_on = uow.evidence.worked_on({r.evidence_id for r in at_home if r.evidence_id})
    for record in at_home:
        decided = outcome[record.id]
        if decided.disposition is not Disposition.EVIDENCE and record.evidence_id in worked_on:
            # Human work outlives machine work: it stays evidence, with the reason shown.
            reason = GONE[record.voided] if record.gone else "human-work"
            outcome[record.id] = Decided(Disposition.EVIDENCE, reason, decided.rule_id)
    uow.intake.settle(
        [
            (r.id, outcome[r.id].disposition, outcome[r.id].reason, outcome[r.id].rule_id)
            for r in records
        ]
    )
    return len(records)


def _taken_out(
    uow: UnitOfWork, records: Sequence[Record], outcome: Mapping[int, Decided], policy: Policy
) -> set[int]:
    """Take records from evidence that they are not about any more; which were taken.

    Where only the activities came apart, or sessions moved the day, what a person has worked on
    keeps its records.
    """
    out = [r for r in records if r.evidence_id and _misfiled(r, outcome[r.id], policy)]
    same_person = [r for r in out if r.evidence_person == r.person]
    kept: set[int] = set()
    if same_person:
        kept, _ = uow.bookings.kept({r.evidence_id for r in same_person if r.evidence_id})
    taken = {
        r.id
        for r in out
        if r.evidence_person != r.person
        or r.evidence_id not in kept
        or (
            r.evidence_activity == r.alias.activity_id
            and not (r.booking is not None and r.booking.session)
        )
    }
    uow.evidence.drop_support(taken)
    return taken


def _tell(
    uow: UnitOfWork,
    mapped: Mapped,
    records: Sequence[Record],
    outcome: Mapping[int, Decided],
    parts: Mapping[int, Sequence[Part]],
    now: datetime,
    policy: Policy,
) -> None:
    """Tell people of evidence whose source took its word back, or gave it again."""
    looked = [
        r
        for r in records
        if r.rule_id is not None and counts(r) is not (outcome[r.id].verdict is not None)
    ]
    if not looked:
        return
    asked = mapped.counts_when(uow, {r.rule_id for r in looked if r.rule_id is not None})
    # By the rule that decided last time: where it would decide the same, the rules have changed.
    turned = {
        r.evidence_id
        for r in looked
        if r.evidence_id is not None
        and _stands(r, asked.get(r.rule_id or 0), parts.get(r.id)) is not counts(r)
    }
    if not turned:
        return
    behind: dict[int, list[Record]] = defaultdict(list)
    for record in uow.intake.records_of_evidence(sorted(turned)):
        behind[record.evidence_id or 0].append(record)
    words: dict[int, Word] = {}
    for evidence_id, supporting in behind.items():
        before = any(counts(r) for r in supporting)
        after = any(
            (outcome[r.id].verdict is not None) if r.id in outcome else counts(r)
            for r in supporting
        )
        if before is not after:
            words[evidence_id] = Word.GIVEN_AGAIN if after else Word.TAKEN_BACK
    tell_corrected(uow, policy, now, words)
