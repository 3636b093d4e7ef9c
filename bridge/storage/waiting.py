"""How much waits for somebody who verifies and manages, in one look at the database."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, distinct, func, or_, select

from bridge.domain.claims import ClaimState
from bridge.domain.standing import WaitsForMe
from bridge.storage import tables as t
from bridge.storage import tables_practice as tp

_o, _e, _c, _w, _v = (
    t.posts.c, t.evidence.c, t.claims.c, t.waiting.c, t.verifications.c
)  # fmt: skip
_verifier, _learner = t.people.alias("verifier"), t.people.alias("learner")
_manager, _deputy = t.people.alias("manager"), t.people.alias("deputy")
_holder, _revoked = t.people.alias("holder"), t.verifications.alias("revoked")


def waits_for(db: Connection, person: int, day: date, before: datetime) -> WaitsForMe:
    """What waits for a (canonical) person on that day; what came before that moment is late."""
    mine = _verifier.c.canonical_id == person
    row = db.execute(
        select(
            _submitted(mine),
            _submitted(mine, _w.submitted_at < before),
            _submitted(
                _verifier.c.canonical_id.in_(_around(person, day)),
                _verifier.c.canonical_id != person,
                _learner.c.canonical_id != person,
                _w.submitted_at < before,
            ),
            _in_doubt(person, day),
            _without_agreement(person, day),
        )
    ).one()
    return WaitsForMe(*row)


def _present(day: date) -> ColumnElement[bool]:
    return and_(_o.valid_from <= day, or_(_o.valid_to.is_(None), _o.valid_to >= day))


def _submitted(*which: ColumnElement[bool]) -> ScalarSelect[int]:
    """The pieces of evidence with claims that wait by these submissions."""
    return (
        select(func.count(distinct(_w.evidence_id)))
        .select_from(t.waiting)
        .join(_verifier, _verifier.c.id == _w.verifier_id)
        .join(t.evidence, _e.id == _w.evidence_id)
        .join(_learner, _learner.c.id == _e.person_id)
        .where(*which)
        .scalar_subquery()
    )


def _led(person: int, day: date) -> ColumnElement[bool]:
    """That a post (with its manager) is one that this person manages on that day."""
    return and_(_manager.c.canonical_id == person, _present(day))


def _around(person: int, day: date) -> ScalarSelect[int]:
    """Those whom somebody manages, and those for whom they stand in, on that day."""
    d = tp.deputies.c
    led = (
        select(_holder.c.canonical_id)
        .join(t.posts, _o.person_id == _holder.c.id)
        .join(_manager, _manager.c.id == _o.manager_id)
        .where(_led(person, day))
    )
    leads = (
        select(_manager.c.canonical_id)
        .join(tp.deputies, d.manager_id == _manager.c.id)
        .join(_deputy, _deputy.c.id == d.deputy_id)
        .where(_deputy.c.canonical_id == person, d.valid_from <= day,
               or_(d.valid_to.is_(None), d.valid_to >= day))
    )  # fmt: skip
    return led.union(leads).scalar_subquery()


def _in_doubt(person: int, day: date) -> ScalarSelect[int]:
    """The contested claims of others that somebody verified, or whose learner they manage (R6)."""
    led = (
        select(_holder.c.canonical_id)
        .join(t.posts, _o.person_id == _holder.c.id)
        .join(_manager, _manager.c.id == _o.manager_id)
        .where(_led(person, day))
    )
    # Both sets are one person's and small: made once, not looked up for each claim in doubt.
    decided = (
        select(_v.claim_id)
        .join(_verifier, _verifier.c.id == _v.verifier_id)
        .where(
            _verifier.c.canonical_id == person,
            _v.decision == "verified",
            ~select(_revoked.c.id).where(_revoked.c.revokes_id == _v.id).exists(),
        )
    )
    return (
        select(func.count())
        .select_from(t.claims)
        .join(t.evidence, _e.id == _c.evidence_id)
        .join(_learner, _learner.c.id == _e.person_id)
        .where(
            _c.state == ClaimState.VERIFIED,
            _c.contested_at.is_not(None),
            _learner.c.canonical_id != person,
            or_(_c.id.in_(decided), _learner.c.canonical_id.in_(led)),
        )
        .scalar_subquery()
    )


def _without_agreement(person: int, day: date) -> ScalarSelect[int]:
    """The posts that somebody manages on that day, and has agreed nothing for."""
    agreed = select(tp.post_agreements.c.id).where(tp.post_agreements.c.post_id == _o.id).exists()
    return (
        select(func.count(distinct(_o.id)))
        .select_from(t.posts)
        .join(_manager, _manager.c.id == _o.manager_id)
        .join(_holder, _holder.c.id == _o.person_id)
        .where(_led(person, day), _holder.c.canonical_id != person, ~agreed)
        .scalar_subquery()
    )
