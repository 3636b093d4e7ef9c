"""Awards, the verifications they rest on, and what each target should hold and was seen to hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from bridge.domain.model import Award, BadgeInForce, Grounds, TargetState
from bridge.domain.scope import Scope
from bridge.storage import tables as t
from bridge.storage.bulk import chunks
from bridge.storage.marks import mark_for_counts
from bridge.storage.scoping import works_there

_a, _b, _p, _ts, _v, _c, _e = (
    t.awards.c, t.award_basis.c, t.people.c, t.target_states.c, t.verifications.c, t.claims.c,
    t.evidence.c,
)  # fmt: skip
_later = t.verifications.alias("later_word")
#: That somebody took this verification back; looked up for each apart.
_REVOKED = exists().where(_later.c.revokes_id == _v.id)


class SqlAwards:
    """Implements `bridge.domain.repositories.AwardRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

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
        self._db.execute(
            update(t.target_states)
            .where(_ts.award_id == award.id, _ts.desired == "absent")
            .values(desired="held", next_at=None, attempts=0, needs_you=None, error=None)
        )

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
        self._db.execute(
            update(t.target_states)
            .where(_ts.award_id == award_id)
            .values(desired="absent", next_at=None, attempts=0, needs_you=None, error=None)
        )

    # --- targets --------------------------------------------------------------------------------
    def want(self, award_id: int, target: str, kind: str, settings: Mapping[str, str]) -> None:
        """A target should hold this award."""
        target_id = self._db.scalar(select(t.targets.c.id).where(t.targets.c.key == target))
        if target_id is None:
            new = insert(t.targets).values(key=target, kind=kind).returning(t.targets.c.id)
            target_id = self._db.scalar(new)
        known = select(_ts.id).where(_ts.award_id == award_id, _ts.target_id == target_id)
        if self._db.scalar(known) is None:
            self._db.execute(
                insert(t.target_states).values(
                    award_id=award_id,
                    target_id=target_id,
                    settings=dict(settings),
                    desired="held",
                )
            )

    @staticmethod
    def _states() -> Select[Any]:
        """Target states with the learner's account there: the newest that is not suspended.

        A badge is withdrawn from the account on which it was seen, whoever has that by now.
        """
        source = t.sources.alias("account_source")
        owner = t.people.alias("owner")
        account = (
            select(func.max(t.accounts.c.id))
            .join(source, source.c.id == t.accounts.c.source_id)
            .join(
                t.account_links,
                and_(
                    t.account_links.c.account_id == t.accounts.c.id,
                    t.account_links.c.valid_to.is_(None),
                ),
            )
            .join(owner, owner.c.id == t.account_links.c.person_id)
            .where(
                source.c.key == t.targets.c.key,
                owner.c.canonical_id == _p.canonical_id,
                t.accounts.c.suspended.is_(False),
                # Deleted there, or its number given to somebody else.
                t.accounts.c.gone_at.is_(None),
            )
            .correlate(t.targets, t.people)
            .scalar_subquery()
        )
        to_withdraw = and_(
            _ts.desired == "absent", _ts.observed == "held", _ts.account_id.is_not(None)
        )
        # Once delivered, it stays with the account it went to while that is still theirs.
        same_link, same_owner = t.account_links.alias("same_link"), t.people.alias("same_owner")
        still_theirs = (
            select(same_link.c.id)
            .join(same_owner, same_owner.c.id == same_link.c.person_id)
            .where(
                same_link.c.account_id == _ts.account_id,
                same_link.c.valid_to.is_(None),
                same_owner.c.canonical_id == _p.canonical_id,
            )
            .correlate(t.target_states, t.people)
            .exists()
        )
        gone = t.accounts.alias("gone")
        is_gone = (
            select(gone.c.id)
            .where(gone.c.id == _ts.account_id, gone.c.gone_at.is_not(None))
            .correlate(t.target_states)
            .exists()
        )
        kept = and_(or_(to_withdraw, and_(_ts.observed == "held", still_theirs)), not_(is_gone))
        return (
            select(
                _ts.id, _ts.award_id, t.targets.c.key.label("target_key"), _a.badge_key,
                t.badge_versions.c.definition, _p.canonical_id, _p.display_name, _a.period,
                _ts.settings, t.accounts.c.id.label("account_id"),
                t.accounts.c.value.label("account"), _ts.desired, _ts.observed, _ts.observed_at,
                _ts.url, _ts.attempts, _ts.next_at, _ts.error, _ts.needs_you, _ts.fence,
                _a.expires_on, is_gone.label("account_gone"),
            )
            .join(t.targets, t.targets.c.id == _ts.target_id)
            .join(t.awards, _a.id == _ts.award_id)
            .join(t.badge_versions, t.badge_versions.c.id == _a.badge_version_id)
            .join(t.people, _p.id == _a.person_id)
            .outerjoin(
                t.accounts, t.accounts.c.id == case((kept, _ts.account_id), else_=account)
            )
            .order_by(_ts.id)
        )  # fmt: skip

    @staticmethod
    def _state(row: Any) -> TargetState:
        return TargetState(
            row.id, row.award_id, row.target_key, row.badge_key, row.definition["title"],
            row.canonical_id, row.display_name, row.period, row.settings, row.account_id,
            row.account, row.desired, row.observed, row.observed_at, row.url, row.attempts,
            row.next_at, row.error, row.needs_you, row.fence, row.expires_on,
            bool(row.account_gone),
        )  # fmt: skip

    def take_due(
        self, target: str, holder: str, now: datetime, until: datetime, limit: int
    ) -> list[TargetState]:
        """Claim states that are out of step and due, under a lease with a new fence each.

        States that need an administrator wait for `reconcile`, which looks at all of them.
        """
        due = (
            select(_ts.id)
            .join(t.targets, t.targets.c.id == _ts.target_id)
            .where(
                t.targets.c.key == target,
                or_(_ts.observed.is_(None), _ts.observed != _ts.desired),
                or_(_ts.next_at.is_(None), _ts.next_at <= now),
                or_(_ts.held_until.is_(None), _ts.held_until <= now),
            )
            .order_by(_ts.id)
            .limit(limit)
            .with_for_update(of=t.target_states, skip_locked=True)
        )
        ids = list(self._db.scalars(due))
        if not ids:
            return []
        self._db.execute(
            update(t.target_states)
            .where(_ts.id.in_(ids))
            .values(holder=holder, held_until=until, fence=_ts.fence + 1)
        )
        return [self._state(row) for row in self._db.execute(self._states().where(_ts.id.in_(ids)))]

    def states(
        self, scope: Scope, target: str | None = None, *, out_of_step: bool = False
    ) -> list[TargetState]:
        """Desired against observed, for these eyes; only what differs if asked."""
        query = self._states()
        if out_of_step:
            query = query.where(or_(_ts.observed.is_(None), _ts.observed != _ts.desired))
        if not scope.sees_badges:
            query = query.where(_p.canonical_id == scope.person)
        elif scope.organisations is not None:
            query = query.where(works_there(scope))
        if target is not None:
            query = query.where(t.targets.c.key == target)
        return [self._state(row) for row in self._db.execute(query)]

    def states_with(self, ids: Collection[int]) -> list[TargetState]:
        """The states with these keys."""
        return [self._state(row) for row in self._db.execute(self._states().where(_ts.id.in_(ids)))]

    def record_outcome(
        self,
        state: TargetState,
        *,
        observed: str | None,
        now: datetime,
        next_at: datetime | None,
        ref: str | None = None,
        url: str | None = None,
        error: str | None = None,
        needs_you: str | None = None,
        counted: bool = True,
    ) -> bool:
        """Write how an attempt ended, only while the fence still holds; whether it did."""
        values: dict[str, Any] = {
            "attempts": 0 if observed == state.desired else state.attempts + counted,
            "next_at": next_at,
            "error": error,
            "needs_you": needs_you,
            "account_id": state.account_id,
            "holder": None,
            "held_until": None,
        }
        if observed is not None:
            values |= {"observed": observed, "observed_at": now, "ref": ref, "url": url}
        done = self._db.execute(
            update(t.target_states)
            .where(_ts.id == state.id, _ts.fence == state.fence)
            .values(values)
        )
        return done.rowcount == 1

    def note_observed(
        self, state: TargetState, observed: str, now: datetime, ref: str | None, url: str | None
    ) -> bool:
        """Reconciling saw this; written only if it differs, and no delivery came between."""
        if state.observed == observed:
            return False
        values: dict[str, Any] = {
            "observed": observed, "observed_at": now, "ref": ref, "url": url, "next_at": None
        }  # fmt: skip
        if observed == state.desired:
            values |= {"attempts": 0, "error": None, "needs_you": None}
        done = self._db.execute(
            update(t.target_states)
            .where(_ts.id == state.id, _ts.fence == state.fence)
            .values(values)
        )
        return done.rowcount == 1
