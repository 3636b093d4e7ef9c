"""Records that count become evidence: one activity, one draft, whatever order they come in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from bridge.domain.joining import Dated, Piece, group
from bridge.domain.mapping_index import Verdict
from bridge.domain.model import Alias, Employment, NewClaim, NewEvidence, NewSupport, Record
from bridge.domain.policy import Policy
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.deciding import Decided, decide_each, needs_parts, sessions_with
from bridge.services.mapped import Mapped
from bridge.services.notify import tell_drafted

#: A (canonical) person and a canonical activity.
Key = tuple[int, int]


class Candidate(NamedTuple):
    """A record that counts and whose person is known. `occurred_on` is the London date on which
    it is filed."""

    record_id: int
    person: int
    alias: Alias
    occurred_at: datetime
    occurred_on: date
    verdict: Verdict

    @property
    def key(self) -> Key:
        """Whose, and of what."""
        return self.person, self.alias.activity_id


def candidate(record: Record, decided: Decided) -> Candidate | None:
    """A stored record as something to file, where it counts and somebody is known."""
    if decided.verdict is None or record.person is None:
        return None
    at = decided.filed_at or record.occurred_at
    return Candidate(record.id, record.person, record.alias, at, london_date(at), decided.verdict)


@dataclass(slots=True)
class Filed:
    """What filing did: new drafts, their claims, and older evidence whose records changed."""

    drafts: int = 0
    claims: int = 0
    disturbed: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Making:
    """Evidence in the making: rows to write together."""

    posts: Mapping[int, Sequence[Employment]]
    now: datetime
    drafts: list[NewEvidence] = field(default_factory=list)
    support: list[NewSupport] = field(default_factory=list)
    move: dict[int, int] = field(default_factory=dict)
    suggested: dict[int, dict[int, int]] = field(default_factory=dict)

    def draft(
        self,
        mapped: Mapped,
        evidence_id: int,
        records: Sequence[Candidate],
        at_home: Mapping[int, int],
    ) -> set[int]:
        """New evidence for these records, the earliest first; older evidence that they leave."""
        self.drafts.append(
            _draft(evidence_id, records[0], self.posts.get(records[0].person, ()), self.now)
        )
        suggested = mapped.suggested(records[0].verdict)
        for each in records[1:]:
            suggested = {**mapped.suggested(each.verdict), **suggested}
        self.suggested[evidence_id] = suggested
        return self.settle(evidence_id, [c.record_id for c in records], at_home) - {evidence_id}

    def settle(
        self, evidence_id: int, records: Sequence[int], at_home: Mapping[int, int]
    ) -> set[int]:
        """Let these records support that evidence; which evidence has others than before."""
        changed: set[int] = set()
        for record in records:
            was = at_home.get(record)
            if was is None:
                self.support.append(NewSupport(record, evidence_id))
                changed.add(evidence_id)
            elif was != evidence_id:
                self.move[record] = evidence_id
                changed |= {was, evidence_id}
        return changed


def _draft(
    evidence_id: int, first: Candidate, posts: Sequence[Employment], now: datetime
) -> NewEvidence:
    rule = first.verdict.rule
    assert rule is not None  # noqa: S101  a verdict that counts has the rule that counts it
    day = first.occurred_on
    organisation = next((p.organisation_id for p in posts if p.holds_on(day)), None)
    return NewEvidence(
        evidence_id,
        first.person,
        organisation,
        "record",
        first.alias.activity_id,
        first.alias.facts.title or rule.title,
        rule.learning_activity,
        rule.delivery,
        rule.level,
        rule.verification,
        first.occurred_at,
        day,
        now,
        False,
    )


def file_records(
    uow: UnitOfWork,
    mapped: Mapped,
    candidates: Sequence[Candidate],
    again: Collection[Key],
    now: datetime,
    policy: Policy,
    alone: Collection[int] = (),
) -> Filed:
    """Let each record support one piece of evidence: a near one of the same activity, or a new.

    Same person, same canonical activity, dates within `policy.join_days` join (DESIGN 5.2), as
    `bridge.domain.joining` has it. The evidence of the people and activities in `again` is looked
    at too, though nothing of it is new. Records in `alone` were split off by a person.
    """
    filed = Filed()
    if not candidates and not again:
        return filed
    near = uow.evidence.dates_of({*(c.key for c in candidates), *again})
    arrived: dict[Key, list[Candidate]] = defaultdict(list)
    for each in sorted(candidates, key=_in_time):
        arrived[each.key].append(each)
    crowded = {
        key: found
        for key, found in near.items()
        if _meet(found, arrived.get(key, ()), policy.join_days)
    }
    making = _Making(uow.people.employment_of({c.person for c in candidates}), now)
    spare_ids = iter(uow.intake.new_ids("evidence", len(candidates)))
    for key, new in arrived.items():
        if key in crowded:
            continue
        if len(new) == 1:
            making.draft(mapped, next(spare_ids), new, {})
            continue
        by_id = {c.record_id: c for c in new}
        grouped = group((), [_dated(c) for c in new], alone, policy.join_days)
        for records in grouped.new:
            making.draft(mapped, next(spare_ids), [by_id[r.record_id] for r in records], {})
    if crowded:
        filed.disturbed = _share_out(uow, mapped, making, crowded, arrived, alone, policy)
    uow.evidence.add_drafts(making.drafts)
    tell_drafted(uow, policy, now, making.drafts)
    uow.evidence.add_support(making.support)
    uow.evidence.move_support(making.move)
    filed.drafts = len(making.drafts)
    filed.claims = add_claims(uow, making.suggested.items())
    return filed


def _in_time(each: Candidate) -> tuple[date, int]:
    return each.occurred_on, each.record_id


def _dated(each: Candidate) -> Dated:
    return Dated(each.record_id, each.occurred_on)


def _meet(found: Sequence[tuple[int, date]], new: Sequence[Candidate], within: int) -> bool:
    """Whether these pieces could share records with what is new, or with one another.

    Evidence may be dated up to `within` days after the first of its records.
    """
    days = sorted([*(day for _, day in found), *(c.occurred_on for c in new)])
    return any((later - one).days <= 2 * within for one, later in pairwise(days))


def _share_out(
    uow: UnitOfWork,
    mapped: Mapped,
    making: _Making,
    crowded: Mapping[Key, Sequence[tuple[int, date]]],
    arrived: Mapping[Key, Sequence[Candidate]],
    alone: Collection[int],
    policy: Policy,
) -> set[int]:
    """Share out records where there is evidence near; the evidence whose records changed."""
    ids = [evidence_id for found in crowded.values() for evidence_id, _ in found]
    kept, apart = uow.bookings.kept(ids)
    if not any(key in arrived for key in crowded) and kept.issuperset(ids):
        return set()
    stored = uow.intake.records_of_evidence(ids)
    _, parts = sessions_with(uow, stored, lambda r: needs_parts(mapped, r))
    decided = decide_each(mapped, stored, parts, london_date(making.now))
    by_id = {c.record_id: c for new in arrived.values() for c in new}
    homes: dict[int, list[Dated]] = defaultdict(list)
    for record in stored:
        counts = candidate(record, decided[record.id])
        if counts is not None and record.evidence_id is not None and record.id not in by_id:
            by_id[record.id] = counts
            homes[record.evidence_id].append(_dated(counts))
    people = {person for person, _ in crowded}
    making.posts = {**making.posts, **uow.people.employment_of(people)}
    disturbed: set[int] = set()
    for key, found in crowded.items():
        pieces = [Piece(e, on, e in kept, e in apart, tuple(homes.get(e, ()))) for e, on in found]
        at_home = {r.record_id: piece.id for piece in pieces for r in piece.records}
        new = [_dated(c) for c in arrived.get(key, ())]
        grouped = group(pieces, new, alone, policy.join_days)
        for evidence_id, records in grouped.old.items():
            disturbed |= making.settle(evidence_id, [r.record_id for r in records], at_home)
        for records in grouped.new:
            (made,) = uow.intake.new_ids("evidence", 1)
            disturbed |= making.draft(mapped, made, [by_id[r.record_id] for r in records], at_home)
    return disturbed


def add_claims(uow: UnitOfWork, suggested: Collection[tuple[int, dict[int, int]]]) -> int:
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
