"""The roll-up of the partnership's counts, and the marks of what has changed since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from bridge.domain.counts import Agency, Counted, Summary
from bridge.storage import tables as t
from bridge.storage import tables_access as ta
from bridge.storage.bulk import among, chunks

_c, _o, _p, _post = ta.coverage.c, t.organisations.c, t.people.c, t.posts.c
_COUNTED = (_c.organisation_id, _c.group_key, _c.competency_id, _c.people, _c.current, _c.due,
            _c.waiting, _c.draft, _c.hidden, _c.kind)  # fmt: skip


class SqlCounts:
    """Implements `bridge.domain.counts.CountsRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def note_changes(self, everybody: bool) -> None:
        """Let the organisations of everybody who is marked be counted again, or all of them.

        Organisations of the past too: somebody who has left counts there no longer.
        """
        query = select(_p.id).where(_p.counts_pending).order_by(_p.id)
        # Whoever is being marked at this moment waits for the next time, not we for them.
        marked = self._db.scalars(query.with_for_update(skip_locked=True)).all()
        changed = t.people.alias("changed")
        for part in chunks(marked):
            theirs = (
                select(_post.organisation_id)
                .join(t.people, _p.id == _post.person_id)
                .join(changed, changed.c.canonical_id == _p.canonical_id)
                .where(changed.c.id.in_(part))
            )
            self._db.execute(
                update(t.organisations).where(_o.id.in_(theirs)).values(counts_due=True)
            )
            self._db.execute(update(t.people).where(_p.id.in_(part)).values(counts_pending=False))
        if everybody:
            self._db.execute(update(t.organisations).values(counts_due=True))

    def due(self) -> list[int]:
        """The organisations to be counted again."""
        return list(self._db.scalars(select(_o.id).where(_o.counts_due).order_by(_o.id)))

    def people_at(self, organisation: int, day: date) -> list[int]:
        """The (canonical) people who hold a post there on that day."""
        query = (
            select(_p.canonical_id)
            .join(t.posts, _post.person_id == _p.id)
            .where(_post.organisation_id == organisation, _post.valid_from <= day,
                   or_(_post.valid_to.is_(None), _post.valid_to >= day))
            .distinct()
            .order_by(_p.canonical_id)
        )  # fmt: skip
        return list(self._db.scalars(query))

    def rolled_up(self) -> list[Counted]:
        """Everything that is counted, but for the totals."""
        query = select(*_COUNTED).where(_c.organisation_id.is_not(None))
        return [Counted._make(row) for row in self._db.execute(query)]

    def store(
        self,
        organisations: Collection[int],
        rows: Sequence[Counted],
        hidden: Sequence[Counted],
        now: datetime,
    ) -> None:
        """Put `rows` in place of all totals and of all counts of these organisations, which are
        then counted; and hide in others what `hidden` says."""
        ids = sorted(organisations)
        self._db.execute(
            delete(ta.coverage).where(
                or_(_c.organisation_id.is_(None), among(self._db, _c.organisation_id, ids))
            )
        )
        if rows:
            names = [column.name for column in _COUNTED]
            self._db.execute(
                insert(ta.coverage),
                [dict(zip(names, row, strict=True)) | {"counted_at": now} for row in rows],
            )
        if hidden:
            self._db.execute(
                update(ta.coverage)
                .where(_c.organisation_id == bindparam("o"), _c.group_key == bindparam("g"),
                       _c.competency_id == bindparam("k"))
                .values(hidden=bindparam("h")),
                [{"o": row.organisation, "g": row.group, "k": row.competency_id, "h": row.hidden}
                 for row in hidden],
            )  # fmt: skip
        self._db.execute(update(t.organisations).where(_o.id.in_(ids)).values(counts_due=False))

    # --- reading --------------------------------------------------------------------------------
    def agencies(self) -> list[Agency]:
        """Every organisation, by name."""
        query = select(_o.id, _o.key, _o.name, _o.exempt, _o.exempt_framework, _o.kind)
        return [
            Agency(row_id, key, name, (framework or "another framework") if exempt else None,
                   " ".join(kind.split()).casefold()[:80])
            for row_id, key, name, exempt, framework, kind in self._db.execute(
                query.order_by(func.lower(_o.name), _o.id)
            )
        ]  # fmt: skip

    def read(
        self,
        *,
        organisation: int | None = None,
        each: bool = False,
        kind: str | None = None,
        each_kind: bool = False,
        group: str | None = None,
        competency: int | None = None,
    ) -> list[Counted]:
        """The counts of one organisation, or of `each` of them and of all together; of one kind of
        organisation, or of each of those; or else of all together."""
        query = select(*_COUNTED).order_by(_c.group_key, _c.competency_id, _c.kind)
        if not each:
            query = query.where(_c.organisation_id.is_not_distinct_from(organisation))
        if each_kind:
            query = query.where(_c.kind.is_not(None))
        else:
            query = query.where(_c.kind.is_not_distinct_from(kind))
        if group is not None:
            query = query.where(_c.group_key == group)
        if competency is not None:
            query = query.where(_c.competency_id == competency)
        return [Counted._make(row) for row in self._db.execute(query)]

    def summary(self) -> Summary:
        """What the sums are of, and when they were made."""
        query = (
            select(_c.group_key, _c.kind, func.max(_c.counted_at))
            .where(_c.organisation_id.is_(None))
            .group_by(_c.group_key, _c.kind)
        )
        rows = self._db.execute(query).all()
        return Summary(
            sorted({group for group, *_ in rows}),
            sorted({kind for _, kind, _ in rows if kind is not None}),
            max((moment for *_, moment in rows), default=None),
        )
