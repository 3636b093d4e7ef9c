"""Sums over the claims, verifications and records of several people, one query each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from bridge.domain.claims import ClaimState
from bridge.domain.records import Status
from bridge.domain.standing import ClaimCount, WaitsForMe
from bridge.storage import tables as t
from bridge.storage.bulk import among
from bridge.storage.waiting import waits_for

_p, _e, _c, _v = t.people.c, t.evidence.c, t.claims.c, t.verifications.c
_r = t.learning_records.c
_verifier = t.people.alias("verifier")
_later = t.verifications.alias("later")

_ATTENDED = [status.value for status in Status if status.achieved]
#: Whether nobody has revoked the verification. Asked for each apart, by its index.
NOT_REVOKED = ~select(_later.c.id).where(_later.c.revokes_id == _v.id).exists()


class SqlStanding:
    """Implements `bridge.domain.standing.StandingRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def names(self, people: Collection[int]) -> dict[int, str]:
        """The names of those of these people that there are."""
        query = select(_p.id, _p.display_name).where(among(self._db, _p.id, people))
        return {person: name for person, name in self._db.execute(query)}

    def _of(self, query: Select[Any], people: Collection[int]) -> Select[Any]:
        """Of these canonical people, and of those merged into them."""
        return query.where(among(self._db, _p.canonical_id, people))

    def claim_counts(self, people: Collection[int]) -> list[ClaimCount]:
        """How many claims these canonical people have, by competency, state and contest."""
        sort = (_p.canonical_id, _c.competency_id, _c.state, _c.contested_at.is_not(None))
        query = (
            select(*sort, func.count())
            .select_from(t.people)
            .join(t.evidence, _e.person_id == _p.id)
            .join(t.claims, _c.evidence_id == _e.id)
            .group_by(*sort)
        )
        return [
            ClaimCount(person, competency, ClaimState(state), bool(contested), count)
            for person, competency, state, contested, count in self._db.execute(
                self._of(query, people)
            )
        ]

    def verified_at(self, people: Collection[int]) -> list[tuple[int, int, datetime]]:
        """(canonical person, competency, when last verified) by the verifications in force."""
        query = (
            select(_p.canonical_id, _c.competency_id, func.max(_v.decided_at))
            .select_from(t.people)
            .join(t.evidence, _e.person_id == _p.id)
            .join(t.claims, and_(_c.evidence_id == _e.id, _c.state == ClaimState.VERIFIED))
            .join(t.verifications, and_(_v.claim_id == _c.id, _v.decision == "verified"))
            .join(_verifier, _verifier.c.id == _v.verifier_id)
            .where(_verifier.c.canonical_id != _p.canonical_id, NOT_REVOKED)
            .group_by(_p.canonical_id, _c.competency_id)
        )
        return [(a, b, c) for a, b, c in self._db.execute(self._of(query, people))]

    def waits_for(self, person: int, day: date, before: datetime) -> WaitsForMe:
        """What waits for a (canonical) person on that day; what came before that moment is late."""
        return waits_for(self._db, person, day, before)

    def last_attended(self, people: Collection[int]) -> dict[int, datetime]:
        """When each of these canonical people last attended anything, as sources still say."""
        query = (
            select(_p.canonical_id, func.max(_r.occurred_at))
            .select_from(t.people)
            .join(t.account_links, and_(t.account_links.c.person_id == _p.id,
                                        t.account_links.c.valid_to.is_(None)))
            .join(t.learning_records, _r.account_id == t.account_links.c.account_id)
            .join(t.received, t.received.c.id == _r.received_id)
            .where(t.received.c.gone_at.is_(None), _r.status.in_(_ATTENDED))
            .group_by(_p.canonical_id)
        )  # fmt: skip
        return {person: moment for person, moment in self._db.execute(self._of(query, people))}
