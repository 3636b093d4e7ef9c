"""Who leads whom and who stands in, what was agreed for posts, and what waits for whom."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from bridge.domain.claims import ClaimState
from bridge.domain.errors import NotFound
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Evidence, Person
from bridge.domain.scope import Scope
from bridge.domain.teams import (
    Agreement,
    Ask,
    Deputy,
    InDoubt,
    NotApplicable,
    Overdue,
    Submitted,
    Verified,
)
from bridge.storage import tables as t
from bridge.storage import tables_practice as tp
from bridge.storage.bulk import among, one_of_found
from bridge.storage.evidence import EVIDENCE_COLUMNS
from bridge.storage.marks import mark_for_counts
from bridge.storage.scoping import works_there

_p, _o, _e, _c, _s, _v = (
    t.people.c, t.posts.c, t.evidence.c, t.claims.c, t.submissions.c, t.verifications.c
)  # fmt: skip
_d, _a, _n = tp.deputies.c, tp.post_agreements.c, t.not_applicable.c
_manager, _verifier = t.people.alias("manager"), t.people.alias("verifier")
_learner, _deputy = t.people.alias("learner"), t.people.alias("deputy")
_w = t.waiting.c
_revoked, _before = t.verifications.alias("revoked"), t.verifications.alias("before")
_own, _theirs = t.evidence.alias("own"), t.claims.alias("theirs")
_mine, _decider = t.people.alias("mine"), t.people.alias("decider")


def _present(day: date) -> ColumnElement[bool]:
    return and_(_o.valid_from <= day, or_(_o.valid_to.is_(None), _o.valid_to >= day))


class SqlTeams:
    """Implements `bridge.domain.teams.TeamRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def led_by(self, managers: Collection[int], day: date) -> list[Person]:
        """The (canonical) people with a post on that day that names one of these managers."""
        led = self._led(managers, day)
        query = select(_p.id, _p.display_name, _p.canonical_id).where(_p.id.in_(led))
        return [Person(*row) for row in self._db.execute(query.order_by(_p.display_name, _p.id))]

    # --- deputies ------------------------------------------------------------------------------
    def stands_in_for(self, deputy: int, day: date) -> list[Person]:
        """The managers for whom a (canonical) person stands in on that day."""
        query = (
            select(_manager.c.canonical_id)
            .join(tp.deputies, _d.manager_id == _manager.c.id)
            .join(_deputy, _deputy.c.id == _d.deputy_id)
            .where(_deputy.c.canonical_id == deputy, _d.valid_from <= day,
                   or_(_d.valid_to.is_(None), _d.valid_to >= day))
        )  # fmt: skip
        people = select(_p.id, _p.display_name, _p.canonical_id).where(_p.id.in_(query))
        return [Person(*row) for row in self._db.execute(people.order_by(_p.display_name, _p.id))]

    def _deputies(self) -> Select[Any]:
        return (
            select(_d.id, _manager.c.canonical_id, _manager.c.display_name,
                   _deputy.c.canonical_id, _deputy.c.display_name, _d.valid_from, _d.valid_to)
            .join(_manager, _manager.c.id == _d.manager_id)
            .join(_deputy, _deputy.c.id == _d.deputy_id)
            .order_by(_d.valid_from.desc(), _d.id.desc())
        )  # fmt: skip

    def deputies_of(self, managers: Collection[int]) -> list[Deputy]:
        """Everybody who stands, stood or will stand in for these managers, the latest first."""
        query = self._deputies().where(among(self._db, _manager.c.canonical_id, managers))
        return [Deputy(*row) for row in self._db.execute(query)]

    def deputy(self, deputy_id: int) -> Deputy:
        """One naming of a deputy. Raises NotFound."""
        row = self._db.execute(self._deputies().where(_d.id == deputy_id)).first()
        if row is None:
            raise NotFound(f"There is no deputy {deputy_id} for you to see.")
        return Deputy(*row)

    def add_deputy(
        self, manager: int, deputy: int, start: date, end: date | None, by: str, now: datetime
    ) -> int:
        """Somebody stands in for a manager."""
        row = insert(tp.deputies).values(
            manager_id=manager, deputy_id=deputy, valid_from=start, valid_to=end, named_by=by,
            named_at=now,
        )  # fmt: skip
        made: int = self._db.execute(row.returning(_d.id)).scalar_one()
        return made

    def end_deputy(self, deputy_id: int, last_day: date) -> None:
        """They stand in no longer than that day."""
        self._db.execute(update(tp.deputies).where(_d.id == deputy_id).values(valid_to=last_day))

    # --- what was agreed -------------------------------------------------------------------------
    def agreements(self, post_ids: Collection[int]) -> list[Agreement]:
        """Everything that was agreed for these posts, the newest first."""
        query = (
            select(_a.post_id, _a.target_groups, _a.extra_competencies, _a.london_level,
                   _p.display_name, _a.agreed_at)
            .join(t.people, _p.id == _a.agreed_by)
            .where(among(self._db, _a.post_id, post_ids))
            .order_by(_a.id.desc())
        )  # fmt: skip
        return [
            Agreement(post, Ask(tuple(groups), tuple(extras), level), by, at)
            for post, groups, extras, level, by, at in self._db.execute(query)
        ]

    def agree(self, post_id: int, ask: Ask, by: int, now: datetime) -> None:
        """What holds for a post from now on, whatever the staff list says."""
        mark_for_counts(self._db, select(_o.person_id).where(_o.id == post_id))
        self._db.execute(
            insert(tp.post_agreements).values(
                post_id=post_id,
                target_groups=list(ask.target_groups),
                extra_competencies=list(ask.extra_competencies),
                london_level=ask.london_level,
                agreed_by=by,
                agreed_at=now,
            )
        )

    def not_applicable(self, person: int) -> list[NotApplicable]:
        """What managers said does not apply to a (canonical) person, and still holds."""
        k, f = t.competencies.c, t.framework_editions.c
        rows = self._db.execute(
            select(_n.id, _learner.c.canonical_id, f.key, k.code, k.text, _n.reason,
                   _p.display_name, _n.decided_at)
            .join(_learner, _learner.c.id == _n.person_id)
            .join(t.people, _p.id == _n.decided_by)
            .join(t.competencies, k.id == _n.competency_id)
            .join(t.framework_editions, f.id == k.edition_id)
            .where(_learner.c.canonical_id == person, _n.ended_at.is_(None))
            .order_by(_n.competency_id, _n.id)
        )  # fmt: skip
        return [
            NotApplicable(row_id, whose, CompetencyRef(edition, code), text, reason, by, at)
            for row_id, whose, edition, code, text, reason, by, at in rows
        ]

    def end_not_applicable(self, row_id: int, now: datetime) -> None:
        """It applies again; badges that rested on the decision are looked at anew."""
        mark_for_counts(self._db, select(_n.person_id).where(_n.id == row_id))
        self._db.execute(
            update(t.not_applicable)
            .where(_n.id == row_id, _n.ended_at.is_(None))
            .values(ended_at=now)
        )

    # --- what waits ------------------------------------------------------------------------------
    def submitted_to(self, verifier: int) -> list[Submitted]:
        """The claims that wait for a (canonical) person, the oldest submission first."""
        reciprocal = (
            exists()
            .where(
                _mine.c.canonical_id == verifier,
                _own.c.person_id == _mine.c.id,
                _theirs.c.evidence_id == _own.c.id,
                _before.c.claim_id == _theirs.c.id,
                _before.c.decision == "verified",
                _decider.c.id == _before.c.verifier_id,
                _decider.c.canonical_id == _p.canonical_id,
            )
            .correlate(t.people)
        )
        query = (
            select(*EVIDENCE_COLUMNS, _w.claim_id, _s.reflection_id, _w.submitted_at,
                   reciprocal.label("reciprocal"))
            .select_from(t.waiting)
            .join(_verifier, _verifier.c.id == _w.verifier_id)
            .join(t.submissions, _s.id == _w.submission_id)
            .join(t.claims, _c.id == _w.claim_id)
            .join(t.evidence, _e.id == _w.evidence_id)
            .join(t.people, _p.id == _e.person_id)
            .where(_verifier.c.canonical_id == verifier)
            .order_by(_w.submitted_at, _e.id, _c.competency_id)
        )  # fmt: skip
        return [
            Submitted(
                Evidence(*row[:-4]),
                row.claim_id,
                row.reflection_id,
                row.submitted_at,
                bool(row.reciprocal),
            )
            for row in self._db.execute(query)
        ]

    def overdue(
        self, scope: Scope, before: datetime, verifiers: Collection[int] | None, limit: int
    ) -> list[Overdue]:
        """What was put before a verifier before that moment and still waits: the oldest few.

        Of these (canonical) verifiers; where None, of all whose evidence the scope may list.
        """
        oldest = (
            select(_w.submission_id, _w.evidence_id, _w.verifier_id, _w.submitted_at,
                   func.count().label("claims"))
            .where(_w.submitted_at < before)
            .group_by(_w.submitted_at, _w.submission_id, _w.evidence_id, _w.verifier_id)
            .order_by(_w.submitted_at, _w.submission_id)
        )  # fmt: skip
        if verifiers is not None:
            theirs = select(_p.id).where(among(self._db, _p.canonical_id, verifiers))
            oldest = oldest.where(_w.verifier_id.in_(theirs))
        elif scope.unrestricted:
            oldest = oldest.limit(limit)
        some = oldest.subquery("some")
        query = (
            select(some.c.submission_id, _e.id, _e.title, _p.canonical_id, _p.display_name,
                   _verifier.c.canonical_id, _verifier.c.display_name, some.c.submitted_at,
                   some.c.claims)
            .select_from(some)
            .join(_verifier, _verifier.c.id == some.c.verifier_id)
            .join(t.evidence, _e.id == some.c.evidence_id)
            .join(t.people, _p.id == _e.person_id)
            .where(self._of(scope, verifiers, _verifier.c.canonical_id))
            .order_by(some.c.submitted_at, some.c.submission_id)
            .limit(limit)
        )  # fmt: skip
        return [Overdue(*row) for row in self._db.execute(query)]

    def in_doubt(
        self, scope: Scope, day: date, deciders: Collection[int] | None, limit: int
    ) -> list[InDoubt]:
        """The oldest contested claims (R6) that one of these verified or presently manages.

        Where `deciders` is None, all whose evidence the scope may list.
        """
        k, f = t.competencies.c, t.framework_editions.c
        query = (
            self._standing(_c.id, f.key, k.code, k.text, _c.contested_reason, _c.contested_at,
                           _e.id, _e.title, _p.canonical_id, _p.display_name,
                           _verifier.c.canonical_id, _verifier.c.display_name)
            .where(_c.contested_at.is_not(None))
            .order_by(_c.contested_at, _c.id, _v.id)
            .limit(limit)
        )  # fmt: skip
        if scope.unrestricted and deciders is None:
            # The oldest first, and then whose they are: not the other way round for all there are.
            some = t.claims.alias("some")
            oldest = (
                select(some.c.id)
                .where(some.c.state == ClaimState.VERIFIED, some.c.contested_at.is_not(None))
                .order_by(some.c.contested_at, some.c.id)
                .limit(limit)
            )
            query = query.where(_c.id.in_(oldest))
        elif deciders is None:
            query = query.where(self._of(scope, None, _p.canonical_id))
        asked = [query] if deciders is None else self._decided_by(query, deciders, day)
        found = {
            claim: InDoubt(claim, CompetencyRef(edition, code), text, reason or "", *more)
            for each in asked
            for claim, edition, code, text, reason, *more in self._db.execute(each)
        }
        return sorted(found.values(), key=lambda one: (one.since, one.claim_id))[:limit]

    def verified(
        self, decider: int, day: date, limit: int, claim_id: int | None = None
    ) -> list[Verified]:
        """The verified claims that a (canonical) person decided, or of those whom they manage that
        day, the newest decision first; or that one."""
        k, f = t.competencies.c, t.framework_editions.c
        query = (
            self._standing(_v.id, _c.id, f.key, k.code, k.text, _e.title, _p.canonical_id,
                           _p.display_name, _verifier.c.canonical_id, _verifier.c.display_name,
                           _v.method, _v.decided_at)
            .where(_p.canonical_id != decider)
            .order_by(_v.decided_at.desc(), _v.id.desc())
            .limit(limit)
        )  # fmt: skip
        if claim_id is not None:
            query = query.where(_c.id == claim_id)
        found = {
            row_id: Verified(claim, CompetencyRef(edition, code), text, *more)
            for each in self._decided_by(query, [decider], day)
            for row_id, claim, edition, code, text, *more in self._db.execute(each)
        }
        latest = sorted(found, key=lambda i: (found[i].decided_at, i), reverse=True)
        return [found[i] for i in latest[:limit]]

    @staticmethod
    def _standing(*columns: ColumnElement[Any]) -> Select[Any]:
        """Verified claims with the verifications that they rest on."""
        k, f = t.competencies.c, t.framework_editions.c
        in_force = ~exists().where(_revoked.c.revokes_id == _v.id)
        return (
            select(*columns)
            .select_from(t.claims)
            .join(t.competencies, k.id == _c.competency_id)
            .join(t.framework_editions, f.id == k.edition_id)
            .join(t.evidence, _e.id == _c.evidence_id)
            .join(t.people, _p.id == _e.person_id)
            .join(t.verifications, and_(_v.claim_id == _c.id, _v.decision == "verified", in_force))
            .join(_verifier, _verifier.c.id == _v.verifier_id)
            .where(_c.state == ClaimState.VERIFIED)
        )

    def _led(self, managers: Collection[int], day: date) -> Select[tuple[int]]:
        """The (canonical) people with a post on that day that names one of these managers."""
        return (
            select(_learner.c.canonical_id)
            .join(t.posts, _o.person_id == _learner.c.id)
            .join(_manager, _manager.c.id == _o.manager_id)
            .where(among(self._db, _manager.c.canonical_id, managers), _present(day))
        )

    def _decided_by(
        self, query: Select[Any], people: Collection[int], day: date
    ) -> tuple[Select[Any], Select[Any]]:
        """Of what these verified, and of whom they manage that day. Each goes by its own index;
        one query with "or" would go through all there is."""
        led = self._led(people, day)
        return (
            query.where(among(self._db, _verifier.c.canonical_id, people)),
            query.where(one_of_found(self._db, _p.canonical_id, led)),
        )

    def _of(
        self, scope: Scope, people: Collection[int] | None, column: ColumnElement[int]
    ) -> ColumnElement[bool]:
        if people is not None:
            return among(self._db, column, people)
        if scope.unrestricted:
            return ~false()
        return works_there(scope) if scope.narrowed else false()
