"""Lists for the training team's desk: accounts, merges, versions, runs, quarantine, the trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, update

from bridge.domain.desk import (
    AccountLink,
    Approval,
    BadgeVersion,
    MappingVersion,
    Merge,
    SetAside,
    Unplaced,
)
from bridge.domain.model import Quarantined, Run, TrailEntry
from bridge.domain.scope import Scope
from bridge.storage import tables as t
from bridge.storage.scoping import works_there

_p, _s, _r, _q = t.people.c, t.sources.c, t.pull_runs.c, t.quarantine.c
_v = t.mapping_versions.c


class SqlDesk:
    """Implements `bridge.domain.desk.DeskRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # --- a person -------------------------------------------------------------------------------
    def links_of(self, person: int) -> list[AccountLink]:
        """The accounts that are and were a (canonical) person's; the present ones first."""
        c, a = t.account_links.c, t.accounts.c
        query = (
            select(a.id, _s.key, a.value, a.display_name, a.email, a.suspended, c.person_id,
                   c.rule, c.proof, c.valid_from, c.valid_to, c.linked_by, c.ended_reason,
                   c.parted, a.suspended_at, a.gone_at, a.gone_because)
            .join(t.accounts, a.id == c.account_id)
            .join(t.sources, _s.id == a.source_id)
            .join(t.people, _p.id == c.person_id)
            .where(_p.canonical_id == person)
            .order_by(c.valid_to.is_not(None), c.id.desc())
            .limit(100)
        )  # fmt: skip
        found: Sequence[Any] = self._db.execute(query).all()
        return [AccountLink(*row) for row in found]

    def merges_of(self, person: int) -> list[Merge]:
        """The entries that are one human being with a (canonical) person."""
        m = t.person_merges.c
        one, other = t.people.alias("one"), t.people.alias("other")
        query = (
            select(m.person_id, one.c.display_name, m.into_id, other.c.display_name, m.reason,
                   m.merged_at, m.merged_by)
            .join(one, one.c.id == m.person_id)
            .join(other, other.c.id == m.into_id)
            .where(one.c.canonical_id == person, m.undone_at.is_(None))
            .order_by(m.id)
        )  # fmt: skip
        return [Merge(*row) for row in self._db.execute(query)]

    def approvals(self, person: int) -> list[Approval]:
        """As what a (canonical) person may verify besides managing."""
        v = t.verifier_approvals.c
        query = (
            select(v.id, v.kind, v.approved_at, v.approved_by, v.organisation)
            .join(t.people, _p.id == v.person_id)
            .where(_p.canonical_id == person, v.ended_at.is_(None))
            .order_by(v.id)
        )
        return [Approval(*row) for row in self._db.execute(query)]

    def end_approval(self, approval_id: int, now: datetime) -> int | None:
        """End an approval; whose it was, or None where it has ended already."""
        v = t.verifier_approvals.c
        open_one = and_(v.id == approval_id, v.ended_at.is_(None))
        person = self._db.scalar(
            select(_p.canonical_id).join(t.verifier_approvals, v.person_id == _p.id).where(open_one)
        )
        if person is not None:
            self._db.execute(update(t.verifier_approvals).where(open_one).values(ended_at=now))
        return person

    def organisations(self) -> list[tuple[str, str]]:
        """Keys and names, by name."""
        o = t.organisations.c
        query = select(o.key, o.name).order_by(func.lower(o.name), o.key)
        return [(key, name) for key, name in self._db.execute(query)]

    def without_post(self, scope: Scope, day: date, after: int, limit: int) -> list[Unplaced]:
        """People who hold no post on that day. Those never employed here belong to nobody's
        organisation, so a training team of some organisations sees none of them."""
        if not scope.unrestricted:
            return []
        entry, c = t.people.alias("entry"), t.posts.c
        own = select(c.id).where(c.person_id == _p.id, _holds(day)).exists()
        # Few entries are merged into another: they are asked for once, and so is who they are.
        merged = select(entry.c.id).where(entry.c.canonical_id != entry.c.id)
        by_another = (
            select(entry.c.canonical_id)
            .join(t.posts, c.person_id == entry.c.id)
            .where(entry.c.canonical_id != entry.c.id, _holds(day))
        )
        query = (
            select(_p.id, _p.display_name)
            .where(_p.id > after, _p.id.not_in(merged), ~own, _p.id.not_in(by_another))
            .order_by(_p.id)
            .limit(limit)
        )
        return [Unplaced(i, i, name, "", "", None) for i, name in self._db.execute(query)]

    def without_manager(self, scope: Scope, day: date, after: int, limit: int) -> list[Unplaced]:
        """Posts held on that day that name no manager; `after` is a post's id."""
        c, o = t.posts.c, t.organisations.c
        query = (
            select(c.id, _p.canonical_id, _p.display_name, c.title, o.name, c.valid_from)
            .join(t.people, _p.id == c.person_id)
            .join(t.organisations, o.id == c.organisation_id)
            .where(c.manager_id.is_(None), c.id > after, _holds(day))
            .order_by(c.id)
            .limit(limit)
        )
        if scope.narrowed:
            query = query.where(works_there(scope))
        elif not scope.unrestricted:
            return []
        return [Unplaced(*row) for row in self._db.execute(query)]

    # --- what was published -----------------------------------------------------------------------
    def versions(self, before: int | None, limit: int) -> list[MappingVersion]:
        """Published mapping files, the newest first."""
        query = _versions().order_by(_v.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_v.id < before)
        return [MappingVersion(*row) for row in self._db.execute(query)]

    def version_source(self, version_id: int) -> tuple[MappingVersion, bytes] | None:
        """One version with the file as it was published."""
        query = _versions().add_columns(_v.source).where(_v.id == version_id)
        row = self._db.execute(query).first()
        return None if row is None else (MappingVersion(*row[:-1]), row[-1])

    def badges(self) -> list[BadgeVersion]:
        """The badges in force, with what they ask for."""
        b, q = t.badge_versions.c, t.badge_requirements.c
        required: dict[int, list[int]] = {}
        for version_id, competency in self._db.execute(
            select(q.badge_version_id, q.competency_id)
            .join(t.badge_versions, b.id == q.badge_version_id)
            .where(b.retired_at.is_(None))
            .order_by(q.competency_id)
        ):
            required.setdefault(version_id, []).append(competency)
        rows = self._db.execute(
            select(b.id, b.key, b.version, b.definition, b.published_at)
            .where(b.retired_at.is_(None))
            .order_by(b.key)
        )
        return [
            BadgeVersion(key, version, definition, at, tuple(required.get(row_id, ())))
            for row_id, key, version, definition, at in rows
        ]

    # --- what happened ----------------------------------------------------------------------------
    def trail(self, subject: str | None, before: int | None, limit: int) -> list[TrailEntry]:
        """Lines of the audit trail, the newest first; those about one thing if asked."""
        a = t.audit.c
        query = select(t.audit).order_by(a.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(a.subject == subject)
        if before is not None:
            query = query.where(a.id < before)
        rows = self._db.execute(query).all()
        m, k = t.person_merges.c, t.account_links.c
        reasons = {
            name: self._reasons(table, column, {r.detail[name] for r in rows if name in r.detail})
            for name, table, column in (
                ("unmerged", m.id, m.undone_reason), ("unlinked", k.id, k.ended_reason)
            )
        }  # fmt: skip
        return [
            TrailEntry(
                r.id, r.at, r.actor, r.channel, r.os_user, r.act, r.subject, r.detail,
                next((reasons[n].get(r.detail[n], "") for n in reasons if n in r.detail), ""),
            )
            for r in rows
        ]  # fmt: skip

    def _reasons(
        self, key: ColumnElement[int], reason: ColumnElement[str], ids: set[int]
    ) -> dict[int, str]:
        """What was given as the reason in these rows."""
        if not ids:
            return {}
        rows = self._db.execute(select(key, reason).where(key.in_(sorted(ids))))
        return {row_id: words or "" for row_id, words in rows}

    def runs(self, source: str | None, before: int | None, limit: int) -> list[tuple[int, Run]]:
        """Pulls with their ids, the newest first."""
        query = (
            select(_r.id, _s.key, _r.kind, _r.started_at, _r.ended_at, _r.outcome, _r.message,
                   _r.counts)
            .join(t.sources, _s.id == _r.source_id)
            .order_by(_r.id.desc())
            .limit(limit)
        )  # fmt: skip
        if source is not None:
            query = query.where(_s.key == source)
        if before is not None:
            query = query.where(_r.id < before)
        return [(i, Run(*row)) for i, *row in self._db.execute(query)]

    # --- quarantine -------------------------------------------------------------------------------
    def set_aside(self) -> list[SetAside]:
        """What is in quarantine, by source and reason; most first."""
        count = func.count()
        query = (
            select(_s.key, _q.code, count, func.min(_q.message))
            .join(t.received, t.received.c.id == _q.received_id)
            .join(t.sources, _s.id == t.received.c.source_id)
            .group_by(_s.key, _q.code)
            .order_by(count.desc(), _s.key, _q.code)
        )
        return [SetAside(*row) for row in self._db.execute(query)]

    def quarantined(
        self, source: str | None, after: int, limit: int
    ) -> list[tuple[int, Quarantined]]:
        """Items with their ids in the queue, oldest first, without the envelope they came in."""
        query = _set_aside().where(_q.id > after).order_by(_q.id).limit(limit)
        if source is not None:
            query = query.where(_s.key == source)
        return [(i, _item(row, b"")) for i, *row in self._db.execute(query)]

    def quarantined_item(self, received_id: int) -> Quarantined | None:
        """One item, whole, with the envelope it came in."""
        e = t.envelopes.c
        query = (
            _set_aside()
            .add_columns(e.body.label("envelope"))
            .join(t.envelopes, e.id == t.received.c.envelope_id)
            .where(_q.received_id == received_id)
        )
        row = self._db.execute(query).first()
        return None if row is None else _item(row[1:-1], row[-1])


def _holds(day: date) -> ColumnElement[bool]:
    c = t.posts.c
    return and_(c.valid_from <= day, or_(c.valid_to.is_(None), c.valid_to >= day))


def _versions() -> Select[Any]:
    return select(
        _v.id, _v.mapping, _v.version, _v.published_at, _v.published_by, _v.comment, _v.retired_at
    )


def _set_aside() -> Select[Any]:
    r = t.received.c
    return (
        select(_q.id, r.id, _s.key, r.natural_key, _q.code, _q.message, _q.since, r.gone_at,
               r.body)
        .select_from(t.quarantine)
        .join(t.received, r.id == _q.received_id)
        .join(t.sources, _s.id == r.source_id)
    )  # fmt: skip


def _item(row: Any, envelope: bytes) -> Quarantined:
    received_id, source, key, code, message, since, gone_at, body = row
    return Quarantined(
        received_id, source, key, code, message, since, gone_at is not None, body, envelope
    )
