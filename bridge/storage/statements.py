"""Statements that take others back, what tells of no learning, and accounts by an LMS's address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Exists, FromClause, delete, func, insert, or_, select, update

from bridge.domain.identity import HOME_KIND
from bridge.domain.model import Account
from bridge.domain.records import AccountFacts
from bridge.domain.statements import CAN_BE_TAKEN_BACK, NewRetraction, Pair, SameActivity, ToldOf
from bridge.domain.xapi.reading import MOST_MEMBERS, member_key
from bridge.storage import tables as t
from bridge.storage import tables_booking as tb
from bridge.storage import tables_statements as ts
from bridge.storage.bulk import among, chunks, insert_rows

_x, _r, _rec = ts.retractions.c, t.learning_records.c, t.received.c


class SqlStatements:
    """Implements `bridge.domain.statements.StatementRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # --- what tells of no learning ------------------------------------------------------------
    def add_no_records(self, rows: Sequence[tuple[int, str]]) -> None:
        """Keep (received, reason) as what does not count."""
        insert_rows(self._db, ts.no_records, ("received_id", "reason"), rows)

    def no_records_among(self, received_ids: Collection[int]) -> set[int]:
        """Those of these received items that tell of no learning."""
        n = ts.no_records.c.received_id
        return set(self._db.scalars(select(n).where(among(self._db, n, received_ids))))

    def set_no_record(self, received_id: int, reason: str) -> bool:
        """Another reason now; whether it was one of these at all."""
        done = self._db.execute(
            update(ts.no_records)
            .where(ts.no_records.c.received_id == received_id)
            .values(reason=reason)
        )
        return done.rowcount > 0

    def drop_no_record(self, received_id: int) -> bool:
        """It tells of learning after all; whether it was one of these."""
        done = self._db.execute(
            delete(ts.no_records).where(ts.no_records.c.received_id == received_id)
        )
        return done.rowcount > 0

    # --- what is taken back -------------------------------------------------------------------
    def add_retractions(self, rows: Sequence[NewRetraction]) -> None:
        """Keep what takes others back, unless it is kept; `settle_voids` and `settle_pairs` then
        do so."""
        query = select(_x.received_id).where(
            among(self._db, _x.received_id, {row.received_id for row in rows})
        )
        known = set(self._db.scalars(query))
        new = [row for row in rows if row.received_id not in known]
        insert_rows(self._db, ts.retractions, NewRetraction._fields, new)

    def voided_among(self, source_id: int, keys: Collection[str]) -> set[str]:
        """Those of these statements that another one voids."""
        query = select(_x.voids).where(
            _x.source_id == source_id, among(self._db, _x.voids, set(keys))
        )
        return set(self._db.scalars(query))

    def retracted_among(self, pairs: Collection[Pair]) -> set[Pair]:
        """Those of these of which something was taken back by a later result."""
        return {(account, alias) for account, alias, *_ in self._retractions(pairs)} & set(pairs)

    def _retractions(self, pairs: Collection[Pair]) -> list[tuple[int, int, _TakesBack]]:
        if not pairs:
            return []
        # A failure is a record of its own; an "uncompleted" is none.
        failed = select(_r.id).where(_r.received_id == _x.received_id).exists()
        rows = self._db.execute(
            select(_x.account_id, _x.alias_id, _x.received_id, _x.at, _x.days, failed).where(
                among(self._db, _x.account_id, {account for account, _ in pairs}),
                among(self._db, _x.alias_id, {alias for _, alias in pairs}),
                _x.voided_by.is_(None),
            )
        )
        return [(row[0], row[1], _TakesBack(row[2], row[3], row[4], bool(row[5]))) for row in rows]

    def settle_voids(self, source_id: int, keys: Collection[str]) -> set[Pair]:
        """Of these statements, take back those that others void; what else has to be settled.

        Their records are marked to be decided on again. What a voided "uncompleted" or failure
        took back is given again by settling the pairs that are returned.
        """
        query = (
            select(_x.voids, func.min(_x.received_id))
            .where(_x.source_id == source_id, among(self._db, _x.voids, set(keys)))
            .group_by(_x.voids)
        )
        freed: set[Pair] = set()
        for key, by in self._db.execute(query).all():
            targets = self._stored(source_id, key)
            for part in chunks(targets):
                self._db.execute(
                    update(t.learning_records)
                    .where(
                        _r.received_id.in_(part), or_(_r.voided_by.is_(None), _r.voided_by != by)
                    )
                    .values(voided_by=by, pending=True)
                )
                freed |= {
                    (account, alias)
                    for account, alias in self._db.execute(
                        update(ts.retractions)
                        .where(_x.received_id.in_(part), _x.voids.is_(None), _x.voided_by.is_(None))
                        .values(voided_by=by)
                        .returning(_x.account_id, _x.alias_id)
                    )
                }
        return freed

    def told_of(self, key: str) -> list[ToldOf]:
        """What became of a statement, by its key: of each of its items, in every source."""
        by = t.received.alias("by")
        query = (
            select(
                t.sources.c.key, _rec.natural_key, _rec.received_at, _rec.body, _r.id,
                t.quarantine.c.message, ts.no_records.c.reason, by.c.natural_key,
            )
            .select_from(t.received)
            .join(t.sources, t.sources.c.id == _rec.source_id)
            .outerjoin(t.learning_records, _r.received_id == _rec.id)
            .outerjoin(t.quarantine, t.quarantine.c.received_id == _rec.id)
            .outerjoin(ts.no_records, ts.no_records.c.received_id == _rec.id)
            .outerjoin(by, by.c.id == _r.voided_by)
            .order_by(_rec.id)
        )  # fmt: skip
        sources = self._db.execute(select(t.sources.c.id)).scalars().all()
        ids = [each for source_id in sources for each in self._stored(source_id, key)]
        rows = self._db.execute(query.where(among(self._db, _rec.id, ids)))
        return [ToldOf(*row) for row in rows]

    def _stored(self, source_id: int, key: str) -> list[int]:
        """The received items of a statement: itself, or one for each member of a group."""
        members = [member_key(key, number) for number in range(MOST_MEMBERS)]
        query = select(_rec.id).where(_rec.source_id == source_id)
        found = list(self._db.scalars(query.where(_rec.natural_key.in_([key, members[0]]))))
        more = self._db.scalars(query.where(among(self._db, _rec.natural_key, members[1:])))
        return [*found, *more] if found else found

    def settle_pairs(self, pairs: Collection[Pair]) -> None:
        """Bring what is taken back by later results into step, whatever the order of arrival."""
        if not pairs:
            return
        against: dict[Pair, list[_TakesBack]] = defaultdict(list)
        for account, alias, told in self._retractions(pairs):
            against[account, alias].append(told)
        voidings = select(_x.received_id).where(_x.voids.is_not(None)).scalar_subquery()
        rows = self._db.execute(
            select(
                _r.id, _r.received_id, _r.account_id, _r.alias_id, _r.occurred_at, _r.voided_by
            ).where(
                among(self._db, _r.account_id, {account for account, _ in pairs}),
                among(self._db, _r.alias_id, {alias for _, alias in pairs}),
                _r.status.in_(CAN_BE_TAKEN_BACK),
                or_(_r.voided_by.is_(None), _r.voided_by.not_in(voidings)),
            )
        ).all()
        for row in rows:
            pair = row.account_id, row.alias_id
            if pair not in pairs:
                continue
            by = _taken_back(row.occurred_at, against[pair])
            if by != row.voided_by:
                self._db.execute(
                    update(t.learning_records)
                    .where(_r.id == row.id)
                    .values(voided_by=by, pending=True)
                )

    # --- accounts and courses by the address of an LMS ----------------------------------------
    def set_addresses(self, sites: Mapping[str, str]) -> None:
        """Where each LMS is; what was there before and is not named is forgotten."""
        a = ts.lms_addresses
        if dict(self._db.execute(select(a.c.address, a.c.source_key)).all()) == sites:
            return
        self._db.execute(delete(ts.lms_addresses))
        if sites:
            self._db.execute(
                insert(a), [{"address": where, "source_key": key} for where, key in sites.items()]
            )

    def waiting_accounts(self, source_id: int) -> list[Account]:
        """Accounts by a home page that are nobody's yet."""
        a, links = t.accounts.c, t.account_links.c
        linked = select(links.id).where(links.account_id == a.id, links.valid_to.is_(None))
        query = select(
            a.id, a.kind, a.value, a.email, a.staff_number, a.username, a.display_name, a.suspended
        ).where(a.source_id == source_id, a.kind == HOME_KIND, ~linked.exists())
        return [Account(row[0], AccountFacts(*row[1:]), None) for row in self._db.execute(query)]

    def same_courses(self, source_id: int) -> list[SameActivity]:
        """Activities of this source that are a course of an LMS by its address, and were never
        joined with it."""
        l, told, own = ts.lms_addresses.c, t.activity_aliases.alias(), t.activity_aliases.alias()  # noqa: E741
        query = (
            select(told.c.activity_id, own.c.activity_id, told.c.iri)
            .select_from(ts.lms_addresses)
            .join(t.sources, t.sources.c.key == l.source_key)
            .join(own, own.c.source_id == t.sources.c.id)
            .join(told, told.c.iri == l.address + "/course/view.php?id=" + own.c.value)
            .where(told.c.source_id == source_id, ~_joined(told, own))
        )
        return [SameActivity(*row) for row in self._db.execute(query)]

    def same_iris(self, source_id: int) -> list[SameActivity]:
        """Activities of this source that another source of statements, of the same trust, names by
        the same IRI, and that were never joined."""
        told, other = t.activity_aliases.alias(), t.activity_aliases.alias()
        own, there = t.sources.alias(), t.sources.alias()
        query = (
            select(told.c.activity_id, other.c.activity_id, told.c.iri)
            .select_from(own)
            .join(there, (there.c.kind == own.c.kind) & (there.c.trust == own.c.trust)
                  & (there.c.id != own.c.id))
            .join(told, told.c.source_id == own.c.id)
            .join(other, (other.c.source_id == there.c.id) & (other.c.value == told.c.value)
                  & (other.c.kind == told.c.kind))
            .where(own.c.id == source_id, told.c.iri == other.c.iri, ~_joined(told, other))
        )  # fmt: skip
        return [SameActivity(*row) for row in self._db.execute(query)]


def _joined(one: FromClause, other: FromClause) -> Exists:
    """Whether a person or the bridge has joined two activities ever, whether they still are or
    not."""
    j = tb.activity_joins.c
    return (
        select(j.id)
        .where(
            or_(
                (j.activity_id == one.c.activity_id) & (j.into_id == other.c.activity_id),
                (j.activity_id == other.c.activity_id) & (j.into_id == one.c.activity_id),
            )
        )
        .exists()
    )


class _TakesBack(NamedTuple):
    """What takes back what was achieved up to `days` before `at`."""

    received_id: int
    at: datetime
    days: int
    failed: bool


def _taken_back(achieved: datetime, against: Sequence[_TakesBack]) -> int | None:
    """What takes back what was achieved then: the first later result near enough.

    Of two things of one moment it makes no difference which came first. A failure takes back what
    was achieved at its moment. An "uncompleted" does not: when something is looked at, Moodle says
    first that it is not complete, and in the same second that it is.
    """
    later = [
        (each.at, each.received_id)
        for each in against
        if (each.at > achieved or (each.failed and each.at == achieved))
        and each.at - achieved <= timedelta(days=each.days)
    ]
    return min(later)[1] if later else None
