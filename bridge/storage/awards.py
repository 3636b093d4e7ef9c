"""Awards, and the verifications they rest on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime

from sqlalchemy import cast, exists, insert, or_, select, update

from bridge.domain.model import Award, BadgeInForce, Grounds
from bridge.storage import tables as t
from bridge.storage.bulk import chunks
from bridge.storage.marks import mark_for_counts
from bridge.storage.target_states import SqlTargetStates

_a, _b, _p, _v, _c, _e = (
    t.awards.c, t.award_basis.c, t.people.c, t.verifications.c, t.claims.c, t.evidence.c,
)  # fmt: skip
_later = t.verifications.alias("later_word")
#: That somebody took this verification back; looked up for each apart.
_REVOKED = exists().where(_later.c.revokes_id == _v.id)


class SqlAwards(SqlTargetStates):
    """Implements `bridge.domain.repositories.AwardRepository`."""

    # --- whose awards to look at --------------------------------------------------------------
    def people_pending(self, limit: int) -> list[int]:
        """Canonical people whose awards may have changed."""
        query = (
            select(_p.canonical_id).where(_p.awards_pending).order_by(_p.canonical_id).distinct()
        )
        return list(self._db.scalars(query.limit(limit)))

    def clear_pending(self, people: Collection[int]) -> None:
        """These have been looked at."""
        self._db.execute(
            update(t.people)
            .where(_p.canonical_id.in_(sorted(people)), _p.awards_pending)
            .values(awards_pending=False)
        )

    def mark_lapsing(self, today: date) -> None:
        """Look again at the people whose awards have run out, if they were verified since.

        Without that they have earned nothing new, and the many who left are not looked at daily.
        """
        owner, later = t.people.alias("owner"), t.awards.alias("later")
        own_evidence = select(_e.id).join(owner, owner.c.id == _e.person_id).where(
            owner.c.canonical_id == _p.canonical_id
        )  # fmt: skip
        verified_since = exists().where(
            _c.id == _v.claim_id,
            _c.evidence_id.in_(own_evidence),
            _c.state == "verified",
            _v.decision == "verified",
            _v.decided_at >= cast(_a.awarded_on, _v.decided_at.type),
            _v.id.not_in(select(_b.verification_id).where(
                _b.award_id == _a.id, _b.verification_id.is_not(None))),
        )  # fmt: skip
        renewed = exists().where(
            later.c.badge_key == _a.badge_key,
            later.c.person_id == owner.c.id,
            owner.c.canonical_id == _p.canonical_id,
            later.c.expires_on > _a.expires_on,
        )
        lapsed = select(_p.canonical_id).join(t.awards, _a.person_id == _p.id).where(
            _a.status == "held", _a.expires_on < today, verified_since, ~renewed
        )  # fmt: skip
        self._db.execute(
            update(t.people)
            .where(_p.id.in_(lapsed), _p.awards_pending.is_(False))
            .values(awards_pending=True)
        )

    def mark_everyone(self) -> None:
        """Badges have changed: look at everybody with a verified claim."""
        verified = (
            select(_p.canonical_id)
            .join(t.evidence, _e.person_id == _p.id)
            .join(t.claims, _c.evidence_id == _e.id)
            .where(_c.state == "verified")
        )
        self._db.execute(update(t.people).where(_p.id.in_(verified)).values(awards_pending=True))

    # --- what awards rest on --------------------------------------------------------------------
    def grounds(self, people: Collection[int]) -> dict[int, list[Grounds]]:
        """The verifications in force of these canonical people."""
        verifier = t.people.alias("verifier")
        found: dict[int, list[Grounds]] = defaultdict(list)
        for part in chunks(sorted(people)):
            rows = self._db.execute(
                select(_p.canonical_id, _c.id, _c.competency_id, _v.id, _v.decided_at,
                       _c.contested_at)
                .select_from(t.verifications)
                .join(verifier, verifier.c.id == _v.verifier_id)
                .join(t.claims, _c.id == _v.claim_id)
                .join(t.evidence, _e.id == _c.evidence_id)
                .join(t.people, _p.id == _e.person_id)
                .where(
                    _p.canonical_id.in_(part),
                    verifier.c.canonical_id != _p.canonical_id,
                    _v.decision == "verified",
                    _c.state == "verified",
                    ~_REVOKED,
                )
            )  # fmt: skip
            for person, claim, competency, verification, decided_at, contested_at in rows:
                found[person].append(
                    Grounds(
                        person,
                        claim,
                        competency,
                        verification,
                        decided_at,
                        contested_at is not None,
                    )
                )
        return dict(found)

    def not_applicable(self, people: Collection[int]) -> dict[int, dict[int, int]]:
        """For each canonical person, the competencies a manager marked, to that decision."""
        n = t.not_applicable.c
        decider = t.people.alias("decider")
        found: dict[int, dict[int, int]] = defaultdict(dict)
        for part in chunks(sorted(people)):
            rows = self._db.execute(
                select(_p.canonical_id, n.competency_id, n.id)
                .join(t.people, _p.id == n.person_id)
                .join(decider, decider.c.id == n.decided_by)
                .where(
                    _p.canonical_id.in_(part),
                    decider.c.canonical_id != _p.canonical_id,
                    n.ended_at.is_(None),
                )
                .order_by(n.id)
            )
            for person, competency, row_id in rows:
                found[person][competency] = row_id
        return dict(found)

    def add_not_applicable(
        self, person: int, competency_id: int, by: int, reason: str, now: datetime
    ) -> int:
        """A manager's decision that a statement does not apply to a person."""
        n = t.not_applicable
        mark_for_counts(self._db, [person])
        row = insert(n).values(
            person_id=person, competency_id=competency_id, decided_by=by, reason=reason,
            decided_at=now,
        )  # fmt: skip
        made: int = self._db.execute(row.returning(n.c.id)).scalar_one()
        return made

    # --- awards ---------------------------------------------------------------------------------
    def awards_of(self, people: Collection[int]) -> dict[int, list[Award]]:
        """The awards of these canonical people, with the verifications they rest on."""
        found: dict[int, list[Award]] = defaultdict(list)
        for part in chunks(sorted(people)):
            query = (
                select(_a.id, _a.badge_version_id, _a.badge_key, _p.canonical_id, _a.period,
                       _a.status, _a.awarded_on, _a.expires_on)
                .join(t.people, _p.id == _a.person_id)
                .where(_p.canonical_id.in_(part))
                .order_by(_a.id)
            )  # fmt: skip
            rows = self._db.execute(query).all()
            basis: dict[int, list[int]] = defaultdict(list)
            held = select(_b.award_id, _b.verification_id).where(
                _b.award_id.in_([row.id for row in rows]), _b.verification_id.is_not(None)
            )
            for award_id, verification in self._db.execute(held):
                basis[award_id].append(verification)
            for row in rows:
                found[row.canonical_id].append(Award(*row, tuple(basis[row.id])))
        return dict(found)

    def make(
        self,
        badge: BadgeInForce,
        person: int,
        period: str,
        awarded_on: date,
        expires_on: date,
        basis: Mapping[int, int],
        exempt: Mapping[int, int],
    ) -> int:
        """Put an award together and hold it.

        `basis` maps competencies to verifications, `exempt` to decisions that they do not apply.
        The database refuses unless every requirement is met.
        """
        row = insert(t.awards).values(
            badge_version_id=badge.id,
            badge_key=badge.key,
            person_id=person,
            period=period,
            status="assembling",
            awarded_on=awarded_on,
            expires_on=expires_on,
        )
        award_id: int = self._db.execute(row.returning(_a.id)).scalar_one()
        self._add_basis(award_id, basis, exempt)
        self._set_status(award_id, "held")
        return award_id

    def _add_basis(
        self, award_id: int, basis: Mapping[int, int], exempt: Mapping[int, int]
    ) -> None:
        held = select(_b.verification_id, _b.not_applicable_id).where(_b.award_id == award_id)
        known = {(row[0], row[1]) for row in self._db.execute(held)}
        rows = [
            {"award_id": award_id, "competency_id": c, "verification_id": v,
             "not_applicable_id": n}
            for c, v, n in [
                *((c, v, None) for c, v in basis.items()),
                *((c, None, n) for c, n in exempt.items()),
            ]
            if (v, n) not in known
        ]  # fmt: skip
        if rows:
            self._db.execute(insert(t.award_basis), rows)

    def _set_status(self, award_id: int, status: str) -> None:
        self._db.execute(update(t.awards).where(_a.id == award_id).values(status=status))

    def renew(
        self,
        award: Award,
        badge: BadgeInForce,
        expires_on: date,
        basis: Mapping[int, int],
        exempt: Mapping[int, int],
    ) -> None:
        """Rest an award of the same period on newer verifications; it is held (again)."""
        self._db.execute(
            update(t.awards)
            .where(_a.id == award.id)
            .values(
                status="assembling",
                badge_version_id=badge.id,
                expires_on=expires_on,
                withdrawn_at=None,
                withdrawn_reason=None,
            )
        )
        self._add_basis(award.id, basis, exempt)
        self._set_status(award.id, "held")
        self.want_again(award.id)

    def lost_basis(self, award_id: int) -> set[int]:
        """The competencies of an award whose newest verification does not stand any more.

        It was revoked, or is of a claim that is another person's since a merge was undone.
        """
        holder = t.people.alias("holder")
        lost = or_(_REVOKED, holder.c.canonical_id != _p.canonical_id)
        rows = self._db.execute(
            select(_b.competency_id, lost)
            .join(t.verifications, _v.id == _b.verification_id)
            .join(t.claims, _c.id == _v.claim_id)
            .join(t.evidence, _e.id == _c.evidence_id)
            .join(t.people, _p.id == _e.person_id)
            .join(t.awards, _a.id == _b.award_id)
            .join(holder, holder.c.id == _a.person_id)
            .where(_b.award_id == award_id)
            .order_by(_b.id)
        )
        newest = {competency: gone for competency, gone in rows}
        return {competency for competency, gone in newest.items() if gone}

    def withdraw(self, award_id: int, reason: str, now: datetime) -> None:
        """A person's revocation took its ground away: targets should hold it no more (R10)."""
        self._db.execute(
            update(t.awards)
            .where(_a.id == award_id)
            .values(status="withdrawn", withdrawn_at=now, withdrawn_reason=reason)
        )
        self.want_no_more(award_id)
