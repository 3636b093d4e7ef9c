"""From records that count to draft evidence, and back when records or rules change (R3 to R6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from bridge.domain.drafting import Redraft, redraft
from bridge.domain.mapping_index import Verdict
from bridge.domain.model import (
    Alias,
    Claim,
    Employment,
    NewClaim,
    NewEvidence,
    NewSupport,
    Record,
)
from bridge.domain.policy import Policy
from bridge.domain.records import Disposition
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.deciding import Decided, Standing, decide
from bridge.services.mapped import Mapped
from bridge.services.notify import tell_drafted

RECONSIDER_AT_ONCE = 500
#: Whoever drafts takes this lock first: two that draft must see each other's evidence.
SETTLING = "settle"


class Candidate(NamedTuple):
    """A record that counts and whose person is known. `occurred_on` is the London date."""

    record_id: int
    person: int
    alias: Alias
    occurred_at: datetime
    occurred_on: date
    verdict: Verdict


def file_evidence(
    uow: UnitOfWork,
    mapped: Mapped,
    candidates: Sequence[Candidate],
    now: datetime,
    policy: Policy,
) -> tuple[int, int]:
    """Let each record support one piece of evidence: a near one of the same activity, or a new.

    Same person, same canonical activity, dates within `policy.join_days` join (DESIGN 5.2).
    Returns how many drafts and claims were added.
    """
    if not candidates:
        return 0, 0
    near = uow.evidence.dates_of({(c.person, c.alias.activity_id) for c in candidates})
    posts = uow.people.employment_of({c.person for c in candidates})
    spare_ids = iter(uow.intake.new_ids("evidence", len(candidates)))
    drafts: list[NewEvidence] = []
    support: list[NewSupport] = []
    suggested: dict[int, dict[int, int]] = {}
    joined: set[int] = set()
    for candidate in sorted(candidates, key=_by_date):
        same = near.setdefault((candidate.person, candidate.alias.activity_id), [])
        evidence_id = _nearest(same, candidate.occurred_on, policy.join_days) if same else None
        if evidence_id is None:
            evidence_id = next(spare_ids)
            same.append((evidence_id, candidate.occurred_on))
            drafts.append(_draft(evidence_id, candidate, posts.get(candidate.person, ()), now))
            suggested[evidence_id] = mapped.suggested(candidate.verdict)
        elif evidence_id in suggested:
            suggested[evidence_id] = {
                **mapped.suggested(candidate.verdict),
                **suggested[evidence_id],
            }
        else:
            joined.add(evidence_id)
        support.append(NewSupport(candidate.record_id, evidence_id))
    uow.evidence.add_drafts(drafts)
    tell_drafted(uow, policy, now, drafts)
    uow.evidence.add_support(support)
    claims = _add_claims(uow, suggested.items())
    if joined:
        claims += refresh(uow, mapped, joined, now, policy)
    return len(drafts), claims


def _by_date(candidate: Candidate) -> datetime:
    return candidate.occurred_at


def _nearest(same: list[tuple[int, date]], day: date, within: int) -> int | None:
    distance, evidence_id = min((abs((other - day).days), eid) for eid, other in same)
    return evidence_id if distance <= within else None


def _draft(
    evidence_id: int, candidate: Candidate, posts: Sequence[Employment], now: datetime
) -> NewEvidence:
    rule = candidate.verdict.rule
    assert rule is not None  # noqa: S101  a verdict that counts has the rule that counts it
    day = candidate.occurred_on
    organisation = next((p.organisation_id for p in posts if p.holds_on(day)), None)
    return NewEvidence(
        evidence_id,
        candidate.person,
        organisation,
        "record",
        candidate.alias.activity_id,
        candidate.alias.facts.title or rule.title,
        rule.learning_activity,
        rule.delivery,
        rule.level,
        rule.verification,
        candidate.occurred_at,
        day,
        now,
        False,
    )


def _add_claims(uow: UnitOfWork, suggested: Collection[tuple[int, dict[int, int]]]) -> int:
    """Add a claim for each (evidence, {competency: rule}); how many there are."""
    count = sum(len(rules) for _, rules in suggested)
    if count:
        ids = iter(uow.intake.new_ids("claims", count))
        uow.evidence.add_claims(
            NewClaim(next(ids), evidence_id, competency, "suggested", "rule", rule, True)
            for evidence_id, rules in suggested
            for competency, rule in rules.items()
        )
    return count


@dataclass(slots=True)
class Changes:
    """What deciding again changed, for reports: counts of claims, and the people concerned."""

    added: int = 0
    restored: int = 0
    withdrawn: int = 0
    no_longer_suggested: int = 0
    contested: int = 0
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
    policy: Policy,
    changes: Changes | None = None,
) -> int:
    """Bring the claims of these pieces of evidence into step with their records and the rules.

    Only untouched suggestions come and go; returns how many claims were added.
    """
    ids = sorted(set(evidence_ids))
    today = london_date(now)
    records: dict[int, list[Record]] = defaultdict(list)
    for record in uow.intake.records_of_evidence(ids):
        records[record.evidence_id or 0].append(record)
    claims: dict[int, list[Claim]] = defaultdict(list)
    for claim in uow.evidence.claims(ids):
        claims[claim.evidence_id].append(claim)
    added: list[tuple[int, dict[int, int]]] = []
    for evidence_id in ids:
        supporting = records[evidence_id]
        suggested: dict[int, int] = {}
        standing = False
        for record in supporting:
            decided = decide(mapped, record.alias, Standing.of_record(record), today)
            # A rule that ends takes no ground away; a source that takes its word back does (R6).
            standing |= not record.gone and (record.status.achieved or decided.verdict is not None)
            if decided.verdict is not None:
                suggested = {**mapped.suggested(decided.verdict), **suggested}
        change = redraft(claims[evidence_id], suggested, supported=standing)
        added.append((evidence_id, dict(change.add)))
        uow.evidence.apply(change, now)
        if changes is not None:
            changes.note(change, supporting[0].person if supporting else None)
    return _add_claims(uow, added)


def _well_filed(record: Record, policy: Policy) -> bool:
    """Whether a record is still about the person, activity and time of its evidence."""
    assert record.evidence_on is not None  # noqa: S101  it supports evidence, which has a date
    days = abs((london_date(record.occurred_at) - record.evidence_on).days)
    return (
        record.evidence_person == record.person
        and record.evidence_activity == record.alias.activity_id
        and days <= policy.join_days
    )


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
    """
    records = uow.intake.pending_records(limit)
    if not records:
        return 0
    misfiled = {r.id for r in records if r.evidence_id and not _well_filed(r, policy)}
    uow.evidence.drop_support(misfiled)
    today = london_date(now)
    candidates: list[Candidate] = []
    outcome: dict[int, Decided] = {}
    for record in records:
        decided = decide(mapped, record.alias, Standing.of_record(record), today)
        outcome[record.id] = decided
        unfiled = record.evidence_id is None or record.id in misfiled
        if decided.verdict is not None and record.person is not None and unfiled:
            candidates.append(
                Candidate(
                    record.id,
                    record.person,
                    record.alias,
                    record.occurred_at,
                    london_date(record.occurred_at),
                    decided.verdict,
                )
            )
    _, claims = file_evidence(uow, mapped, candidates, now, policy)
    if changes is not None and claims:
        changes.added += claims
        changes.people |= {c.person for c in candidates}
    refresh(uow, mapped, {r.evidence_id for r in records if r.evidence_id}, now, policy, changes)
    kept = {r.evidence_id for r in records if r.evidence_id and r.id not in misfiled}
    worked_on = uow.evidence.worked_on(kept)
    for record in records:
        decided = outcome[record.id]
        kept_by_people = record.evidence_id in worked_on and record.id not in misfiled
        if decided.disposition is not Disposition.EVIDENCE and kept_by_people:
            # Human work outlives machine work: it stays evidence, with the reason shown.
            reason = "gone" if record.gone else "human-work"
            outcome[record.id] = Decided(Disposition.EVIDENCE, reason, decided.rule_id)
    uow.intake.settle(
        [
            (r.id, outcome[r.id].disposition, outcome[r.id].reason, outcome[r.id].rule_id)
            for r in records
        ]
    )
    return len(records)
