"""Evidence and claims: drafting them, reading them, and moving claims from state to state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, false, func, insert, or_, select, true, update

from bridge.domain.claims import ClaimState
from bridge.domain.drafting import SAME_PERSON, UPHELD, Redraft
from bridge.domain.errors import NotFound
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import (
    Claim,
    Evidence,
    NewClaim,
    NewEvidence,
    NewSupport,
)
from bridge.domain.scope import Eyes, Scope
from bridge.domain.times import add_months, london_date
from bridge.storage import tables as t
from bridge.storage.bulk import among, chunks, insert_rows, new_ids, of_pairs
from bridge.storage.decisions import DecisionQueries
from bridge.storage.marks import mark_for_counts
from bridge.storage.scoping import works_there

_e, _c, _p, _s, _v = (
    t.evidence.c, t.claims.c, t.people.c, t.submissions.c, t.verifications.c
)  # fmt: skip
_verifier = t.people.alias("verifier")
#: The columns of `bridge.domain.model.Evidence`, with `people` joined.
EVIDENCE_COLUMNS: tuple[Any, ...] = (
    _e.id, _e.person_id, _p.canonical_id, _p.display_name, _e.origin, _e.activity_id, _e.title,
    _e.learning_activity, _e.delivery, _e.level, _e.verification, _e.occurred_at, _e.occurred_on,
    _e.reference, _e.late,
)  # fmt: skip
_CLAIM: tuple[Any, ...] = (
    _c.id, _c.evidence_id, _c.competency_id, t.framework_editions.c.key, t.competencies.c.code,
    t.competencies.c.text, _c.state, _c.origin, _c.rule_id, _c.suggested, _c.touched_at,
    _c.contested_at, _c.contested_reason,
)  # fmt: skip


def _visible_to(scope: Scope, query: Select[Any]) -> Select[Any]:
    """A person sees their own, and what was submitted to them (DESIGN 5.11)."""
    if scope.unrestricted:
        return query
    if scope.narrowed:
        return query.where(works_there(scope))
    if scope.eyes is not Eyes.PERSON:
        return query.where(false())
    to_me = (
        select(_s.evidence_id)
        .join(_verifier, _verifier.c.id == _s.verifier_id)
        .where(_verifier.c.canonical_id == scope.person)
    )
    return query.where(or_(_p.canonical_id == scope.person, _e.id.in_(to_me)))


class SqlEvidence(DecisionQueries):
    """Implements `bridge.domain.repositories.EvidenceRepository`."""

    # --- drafting, by system eyes -----------------------------------------------------------
    def add_drafts(self, rows: Sequence[NewEvidence]) -> None:
        """New pieces of evidence."""
        insert_rows(self._db, t.evidence, NewEvidence._fields, rows)

    def add_support(self, rows: Sequence[NewSupport]) -> None:
        """These records support that evidence."""
        insert_rows(self._db, t.evidence_records, NewSupport._fields, rows)

    def move_support(self, to: Mapping[int, int]) -> None:
        """Each of these records supports that evidence from now on, and no other."""
        by_evidence: dict[int, list[int]] = defaultdict(list)
        for record_id, evidence_id in to.items():
            by_evidence[evidence_id].append(record_id)
        er = t.evidence_records
        for evidence_id, records in by_evidence.items():
            self._db.execute(
                update(er).where(er.c.record_id.in_(records)).values(evidence_id=evidence_id)
            )

    def drop_support(self, record_ids: Collection[int]) -> None:
        """These records support nothing any more: they belong to another person now."""
        for part in chunks(sorted(record_ids)):
            self._db.execute(
                t.evidence_records.delete().where(t.evidence_records.c.record_id.in_(part))
            )

    def add_claims(self, rows: Iterable[NewClaim]) -> None:
        """New suggestions."""
        new = list(rows)
        insert_rows(self._db, t.claims, NewClaim._fields, new)
        evidence = among(self._db, _e.id, {row.evidence_id for row in new})
        mark_for_counts(self._db, select(_e.person_id).where(evidence))

    def add_own_claims(self, evidence_id: int, competency_ids: Sequence[int]) -> None:
        """Claims that the person added themselves."""
        ids = new_ids(self._db, t.claims, len(competency_ids))
        self.add_claims(
            [
                NewClaim(claim_id, evidence_id, competency, "suggested", "person", None, False)
                for claim_id, competency in zip(ids, competency_ids, strict=True)
            ]
        )

    def set_reference(self, evidence_id: int, reference: str | None) -> None:
        """Where a record of it is held."""
        self._db.execute(update(t.evidence).where(_e.id == evidence_id).values(reference=reference))

    def dates_of(
        self, wanted: Collection[tuple[int, int]]
    ) -> dict[tuple[int, int], list[tuple[int, date]]]:
        """The (id, London date) of the evidence there is, by (canonical person and activity)."""
        found: dict[tuple[int, int], list[tuple[int, date]]] = defaultdict(list)
        persons = self._merged_into({person for person, _ in wanted})
        activities = self._joined_into({activity for _, activity in wanted})
        filed = list(wanted)
        for joined, activity in activities.items():
            filed += [(person, joined) for person, one in wanted if one == activity]
        for merged, person in persons.items():
            filed += [(merged, activity) for one, activity in list(filed) if one == person]
        columns = (_e.person_id, _e.activity_id, _e.id, _e.occurred_on)
        query = of_pairs(self._db, (_e.person_id, _e.activity_id), filed, columns)
        for person, activity, evidence_id, day in self._db.execute(query).all():
            key = persons.get(person, person), activities.get(activity, activity)
            found[key].append((evidence_id, day))
        return dict(found)

    def _joined_into(self, activities: Collection[int]) -> dict[int, int]:
        """Every activity that is one with one of these, with which that is; mostly none."""
        c = t.activities.c
        query = select(c.id, c.canonical_id).where(
            among(self._db, c.canonical_id, activities), c.id != c.canonical_id
        )
        return {joined: activity for joined, activity in self._db.execute(query)}

    def _merged_into(self, people: Collection[int]) -> dict[int, int]:
        """Everybody who was merged into one of these, with whom that is; mostly nobody."""
        query = select(_p.id, _p.canonical_id).where(
            among(self._db, _p.canonical_id, people), _p.id != _p.canonical_id
        )
        return {merged: person for merged, person in self._db.execute(query)}

    def worked_on(self, evidence_ids: Collection[int]) -> set[int]:
        """Those of these that a person has worked on."""
        found: set[int] = set()
        for part in chunks(sorted(evidence_ids)):
            touched = select(_c.evidence_id).where(
                _c.evidence_id.in_(part), or_(_c.touched_at.is_not(None), _c.origin == "person")
            )
            written = select(t.reflections.c.evidence_id).where(
                t.reflections.c.evidence_id.in_(part)
            )
            found |= set(self._db.scalars(touched)) | set(self._db.scalars(written))
        return found

    def apply(self, change: Redraft, now: datetime) -> None:
        """Everything of a redraft but its additions."""
        if change.nothing:
            return
        # Whoever acted a moment ago goes before: each condition is looked at again here.
        untouched = and_(_c.state == ClaimState.SUGGESTED, _c.touched_at.is_(None))
        for ids, still, values in (
            (change.restore, _c.state == ClaimState.WITHDRAWN,
             {"state": "suggested", "suggested": True}),
            (change.withdraw, untouched, {"state": "withdrawn", "suggested": False}),
            (change.no_longer_suggested, true(), {"suggested": False}),
            (change.suggested_again, true(), {"suggested": True}),
            (change.contest, _c.state == ClaimState.VERIFIED,
             {"contested_at": now, "contested_reason": change.because}),
            (change.settle, true(), {"contested_at": None, "contested_reason": None}),
        ):  # fmt: skip
            if ids:
                self._db.execute(update(t.claims).where(_c.id.in_(ids), still).values(values))
        moved = [*change.restore, *change.withdraw, *change.contest, *change.settle]
        self._mark_owners_for_counts(moved)
        if change.contest or change.settle:
            self._mark_owners_for_awards([*change.contest, *change.settle])

    def _mark_owners_for_awards(self, claim_ids: Sequence[int]) -> None:
        owners = (
            select(_p.canonical_id)
            .join(t.evidence, _e.person_id == _p.id)
            .join(t.claims, _c.evidence_id == _e.id)
            .where(_c.id.in_(claim_ids))
        )
        self._db.execute(update(t.people).where(_p.id.in_(owners)).values(awards_pending=True))

    def _mark_owners_for_counts(self, claim_ids: Collection[int]) -> None:
        if claim_ids:
            owners = select(_e.person_id).join(t.claims, _c.evidence_id == _e.id)
            mark_for_counts(self._db, owners.where(_c.id.in_(sorted(claim_ids))))

    # --- reading ------------------------------------------------------------------------------
    def get(self, evidence_id: int, scope: Scope, *, lock: bool = False) -> Evidence:
        """One piece of evidence. Raises NotFound where there is none that these eyes may see."""
        query = select(*EVIDENCE_COLUMNS).join(t.people, _p.id == _e.person_id)
        query = _visible_to(scope, query.where(_e.id == evidence_id))
        if lock:
            query = query.with_for_update(of=t.evidence)
        row = self._db.execute(query).first()
        if row is None:
            raise NotFound(f"There is no evidence {evidence_id} for you to see.")
        return Evidence(*row)

    def visible(
        self, scope: Scope, *, person: int | None = None, state: str | None = None
    ) -> list[Evidence]:
        """The evidence that these eyes may see, newest activity first.

        `person` narrows to one (canonical) person, `state` to evidence with a claim in it.
        """
        query = select(*EVIDENCE_COLUMNS).join(t.people, _p.id == _e.person_id)
        query = _visible_to(scope, query)
        if person is not None:
            query = query.where(_p.canonical_id == person)
        if state is not None:
            query = query.where(_e.id.in_(select(_c.evidence_id).where(_c.state == state)))
        rows = self._db.execute(query.order_by(_e.occurred_on.desc(), _e.id))
        return [Evidence(*row) for row in rows]

    def claims(self, evidence_ids: Sequence[int]) -> list[Claim]:
        """The claims of these pieces of evidence, in the frameworks' order."""
        found: list[Claim] = []
        for part in chunks(evidence_ids):
            query = self._claims_query().where(_c.evidence_id.in_(part))
            rows = self._db.execute(query.order_by(_c.evidence_id, _c.competency_id))
            found += [self._claim(row) for row in rows]
        return found

    @staticmethod
    def _claims_query() -> Select[Any]:
        return (
            select(*_CLAIM)
            .join(t.competencies, t.competencies.c.id == _c.competency_id)
            .join(t.framework_editions, t.framework_editions.c.id == t.competencies.c.edition_id)
        )

    @staticmethod
    def _claim(row: Row[Any]) -> Claim:
        return Claim(
            id=row.id,
            evidence_id=row.evidence_id,
            competency_id=row.competency_id,
            ref=CompetencyRef(row.key, row.code),
            text=row.text,
            state=ClaimState(row.state),
            origin=row.origin,
            rule_id=row.rule_id,
            suggested=row.suggested,
            touched=row.touched_at is not None,
            contested=row.contested_at is not None,
            contested_reason=row.contested_reason,
        )

    def claim(self, claim_id: int, scope: Scope, *, lock: bool = False) -> tuple[Claim, int]:
        """One claim and its (canonical) learner. Raises NotFound."""
        row = self._db.execute(self._claims_query().where(_c.id == claim_id)).first()
        if row is None:
            raise NotFound(f"There is no claim {claim_id} for you to see.")
        evidence = self.get(row.evidence_id, scope, lock=lock)
        # Read again: another process may have decided before the lock was ours.
        row = self._db.execute(self._claims_query().where(_c.id == claim_id)).one()
        return self._claim(row), evidence.person

    def state_counts(self) -> dict[str, int]:
        """How many claims stand in each state."""
        rows = self._db.execute(select(_c.state, func.count()).group_by(_c.state))
        return {state: count for state, count in rows}

    # --- people's acts --------------------------------------------------------------------------
    def set_states(self, states: Mapping[int, ClaimState], now: datetime) -> None:
        """A person moved these claims; from now on no machine does."""
        by_state: dict[ClaimState, list[int]] = defaultdict(list)
        for claim_id, state in states.items():
            by_state[state].append(claim_id)
        for state, ids in by_state.items():
            self._db.execute(
                update(t.claims).where(_c.id.in_(ids)).values(state=state, touched_at=now)
            )
        self._mark_owners_for_counts(states)
        if by_state.keys() & {ClaimState.VERIFIED, ClaimState.REVOKED}:
            self._mark_owners_for_awards(list(states))

    def settle_contest(self, claim_id: int) -> None:
        """A person has looked: the claim stands, and is not contested again for that."""
        self._settle([claim_id], UPHELD)

    def _settle(self, claim_ids: Sequence[int], reason: str | None) -> None:
        self._db.execute(
            update(t.claims)
            .where(_c.id.in_(claim_ids))
            .values(contested_at=None, contested_reason=reason)
        )
        self._mark_owners_for_awards(claim_ids)
        self._mark_owners_for_counts(claim_ids)

    def contest_same_person(self, person: int, now: datetime) -> list[int]:
        """Flag verified claims of a canonical person that the same person verified (DESIGN 5.9)."""
        query = (
            select(_c.id)
            .join(t.evidence, _e.id == _c.evidence_id)
            .join(t.people, _p.id == _e.person_id)
            .join(t.verifications, _v.claim_id == _c.id)
            .join(_verifier, _verifier.c.id == _v.verifier_id)
            .where(
                _p.canonical_id == person,
                _verifier.c.canonical_id == person,
                _v.decision == "verified",
                _c.state == ClaimState.VERIFIED,
                _c.contested_reason.is_distinct_from(SAME_PERSON),
            )
        )
        ids = list(self._db.scalars(query))
        if ids:
            self._db.execute(
                update(t.claims)
                .where(_c.id.in_(ids))
                .values(contested_at=now, contested_reason=SAME_PERSON)
            )
            self._mark_owners_for_awards(ids)
            self._mark_owners_for_counts(ids)
        return ids

    def settle_same_person(self, person: int) -> None:
        """After a merge was undone, claims of a person whose verifier is another again stand."""
        verifier_is_learner = (
            select(_v.id)
            .join(_verifier, _verifier.c.id == _v.verifier_id)
            .where(
                _v.claim_id == _c.id,
                _v.decision == "verified",
                _verifier.c.canonical_id == person,
            )
            .exists()
        )
        own = select(_e.id).join(t.people, _p.id == _e.person_id).where(_p.canonical_id == person)
        ids = list(
            self._db.scalars(
                select(_c.id).where(
                    _c.evidence_id.in_(own),
                    _c.contested_reason == SAME_PERSON,
                    ~verifier_is_learner,
                )
            )
        )
        if ids:
            self._settle(ids, None)

    # --- logs and splits ------------------------------------------------------------------------
    def file_in_log(self, evidence: Evidence, start: date, today: date) -> None:
        """R4: the log of the activity's date; when that is signed, late in today's, marked."""
        log_id, signed = self._log(evidence.person, start, evidence.occurred_on)
        late = signed
        if signed:
            log_id, _ = self._log(evidence.person, start, today)
        self._db.execute(
            update(t.evidence).where(_e.id == evidence.id).values(log_id=log_id, late=late)
        )

    def _log(self, person: int, start: date, day: date) -> tuple[int, bool]:
        years = day.year - start.year - ((day.month, day.day) < (start.month, start.day))
        starts_on = add_months(start, 12 * years)
        c = t.logs.c
        row = self._db.execute(
            select(c.id, c.signed_at).where(c.person_id == person, c.starts_on == starts_on)
        ).first()
        if row is not None:
            return row.id, row.signed_at is not None
        new = insert(t.logs).values(
            person_id=person, starts_on=starts_on, ends_on=add_months(starts_on, 12)
        )
        log_id: int = self._db.execute(new.returning(c.id)).scalar_one()
        return log_id, False

    def split(self, evidence_id: int, record_id: int, now: datetime) -> int:
        """Give one of several records its own piece of evidence; returns that."""
        (new_id,) = new_ids(self._db, t.evidence, 1)
        row = self._db.execute(select(t.evidence).where(_e.id == evidence_id)).one()
        moment = self._db.execute(
            select(t.learning_records.c.occurred_at).where(t.learning_records.c.id == record_id)
        ).scalar_one()
        values = dict(row._mapping) | {
            "id": new_id, "split_from_id": evidence_id, "created_at": now, "occurred_at": moment,
            "occurred_on": london_date(moment), "log_id": None, "late": False,
        }  # fmt: skip
        self._db.execute(insert(t.evidence).values(values))
        self._db.execute(
            update(t.evidence_records)
            .where(t.evidence_records.c.record_id == record_id)
            .values(evidence_id=new_id)
        )
        return new_id
