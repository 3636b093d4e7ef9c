"""A person's log by competency: what it rests on, each claim with its decision, what is history."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from bridge.domain.claims import ClaimState
from bridge.domain.mapping import CompetencyRef
from bridge.domain.notebook import Entry, Past, Waiver, Weight
from bridge.domain.records import Disposition, Status
from bridge.storage import tables as t
from bridge.storage.bulk import among

_e, _c, _p, _v = t.evidence.c, t.claims.c, t.people.c, t.verifications.c
_k, _f = t.competencies.c, t.framework_editions.c
_r, _a = t.learning_records.c, t.activity_aliases.c
_decider = t.people.alias("decider")
_named = t.people.alias("named")


def _own(person: int) -> Select[Any]:
    return select(_p.id).where(_p.canonical_id == person)


class LogbookQueries:
    """The part of the notebook that tells of the log."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def weights(self, person: int) -> list[Weight]:
        """How this (canonical) person's claims add up, by competency, state and kind."""
        sort = (_f.key, _k.code, _c.state, _e.learning_activity, _e.delivery)
        query = (
            select(*sort, func.count())
            .select_from(t.evidence)
            .join(t.claims, _c.evidence_id == _e.id)
            .join(t.competencies, _k.id == _c.competency_id)
            .join(t.framework_editions, _f.id == _k.edition_id)
            .where(_e.person_id.in_(_own(person)))
            .group_by(*sort)
        )
        return [
            Weight(CompetencyRef(edition, code), ClaimState(state), activity, delivery, number)
            for edition, code, state, activity, delivery, number in self._db.execute(query)
        ]

    def waivers(self, person: int) -> list[Waiver]:
        """What managers marked as not applicable to this person, and has not been ended."""
        n = t.not_applicable.c
        query = (
            select(_f.key, _k.code, n.reason, _named.c.display_name, n.decided_at)
            .select_from(t.not_applicable)
            .join(t.competencies, _k.id == n.competency_id)
            .join(t.framework_editions, _f.id == _k.edition_id)
            .join(_decider, _decider.c.id == n.decided_by)
            .join(_named, _named.c.id == _decider.c.canonical_id)
            .where(
                n.person_id.in_(_own(person)),
                n.ended_at.is_(None),
                _decider.c.canonical_id != person,
            )
            .order_by(n.id)
        )
        return [
            Waiver(CompetencyRef(edition, code), reason, by, at)
            for edition, code, reason, by, at in self._db.execute(query)
        ]

    def entries(self, person: int, competency_id: int, limit: int, offset: int) -> list[Entry]:
        """A part of this person's claims for a competency, newest activity first."""
        last = select(func.max(_v.id)).where(_v.claim_id == _c.id).scalar_subquery()
        decision = t.verifications.alias("last")
        query = (
            select(_e.id, _e.title, _e.occurred_on, _e.learning_activity, _c.state,
                   _c.contested_at, _e.late, decision.c.decision, decision.c.method,
                   _named.c.display_name, decision.c.decided_at)
            .join(t.claims, _c.evidence_id == _e.id)
            .outerjoin(decision, decision.c.id == last)
            .outerjoin(_decider, _decider.c.id == decision.c.verifier_id)
            .outerjoin(_named, _named.c.id == _decider.c.canonical_id)
            .where(
                _e.person_id.in_(_own(person)),
                _c.competency_id == competency_id,
                _c.state != ClaimState.WITHDRAWN,
            )
            .order_by(_e.occurred_on.desc(), _e.id)
            .limit(limit)
            .offset(offset)
        )  # fmt: skip
        return [
            Entry(evidence_id, title, on, activity, ClaimState(state), contested is not None, late,
                  decided, method, by, at)
            for evidence_id, title, on, activity, state, contested, late, decided, method, by, at
            in self._db.execute(query)
        ]  # fmt: skip

    def _records(self, person: int) -> Select[Any]:
        owner = t.people.alias("owner")
        link = t.account_links.c
        return (
            select(_r.id, func.coalesce(_a.title, _a.shortname, _a.value), _r.status,
                   _r.occurred_at, t.sources.c.key, _r.reason)
            .select_from(owner)
            .join(t.account_links, and_(link.person_id == owner.c.id, link.valid_to.is_(None)))
            .join(t.learning_records, _r.account_id == link.account_id)
            .join(t.activity_aliases, _a.id == _r.alias_id)
            .join(t.received, t.received.c.id == _r.received_id)
            .join(t.sources, t.sources.c.id == t.received.c.source_id)
            .where(owner.c.canonical_id == person)
            .order_by(_r.occurred_at.desc(), _r.id)
        )  # fmt: skip

    def _past(self, query: Select[Any]) -> list[Past]:
        return [
            Past(record_id, called, Status(status), at, key, reason)
            for record_id, called, status, at, key, reason in self._db.execute(query)
        ]

    def too_old(self, person: int, limit: int, offset: int) -> list[Past]:
        """A part of the learning that was too long ago to be recorded, newest first."""
        query = self._records(person).where(_r.reason == "too-old")
        return self._past(query.limit(limit).offset(offset))

    def not_counting(self, person: int, rule_ids: Collection[int], limit: int) -> list[Past]:
        """Records that these rules match and that support nothing, newest first."""
        query = self._records(person).where(
            among(self._db, _r.rule_id, rule_ids), _r.disposition == Disposition.NOT_COUNTING
        )
        return self._past(query.limit(limit))
