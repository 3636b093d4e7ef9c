"""Activities that are one, and who trained at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update

from bridge.domain.bookings import BY_MAPPING, Activity, Held, Join, Name
from bridge.domain.lists import ListPage
from bridge.domain.times import london_date
from bridge.storage import tables as t
from bridge.storage import tables_booking as tb
from bridge.storage.bulk import among, insert_rows, new_ids
from bridge.storage.doubts import DoubtQueries
from bridge.storage.lists import cut, numbers

_act, _a, _j, _t = t.activities.c, t.activity_aliases.c, tb.activity_joins.c, tb.event_trainers.c
_r, _p = t.learning_records.c, t.people.c
_into = t.activities.alias("into")
#: The activity that one is, with whatever it is joined to.
CANONICAL: Any = func.coalesce(_act.canonical_id, _act.id)


class SqlBookings(DoubtQueries):
    """Implements `bridge.domain.bookings.BookingRepository`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._db = connection

    # --- activities that are one ------------------------------------------------------------
    def rule_joins(self) -> list[tuple[int, int, int, str]]:
        """(join, activity, into, rule) for what mappings join now."""
        query = select(_j.id, _j.activity_id, _j.into_id, _j.rule).where(
            _j.rule.is_not(None), _j.ended_at.is_(None)
        )
        return [tuple(row) for row in self._db.execute(query.order_by(_j.id))]

    def ended_by_hand(self) -> set[tuple[int, str]]:
        """(activity, rule) of joins that a person took apart: no rule joins them again."""
        query = select(_j.activity_id, _j.rule).where(
            _j.rule.is_not(None), _j.ended_by != BY_MAPPING
        )
        return {(activity, rule) for activity, rule in self._db.execute(query)}

    def joins_of(self, activity: int) -> list[Join]:
        """What makes this canonical activity one, the oldest join first."""
        members = select(_act.id).where(activity == CANONICAL)
        query = self._joins().where(_j.activity_id.in_(members), _j.activity_id != _j.into_id)
        return [Join(*row) for row in self._db.execute(query.order_by(_j.id))]

    @staticmethod
    def _joins() -> Select[Any]:
        return (
            select(_j.id, _act.id, _act.title, _into.c.id, _into.c.title, _j.rule, _j.reason,
                   _j.joined_at, _j.joined_by)
            .join(t.activities, _act.id == _j.activity_id)
            .join(_into, _into.c.id == _j.into_id)
            .where(_j.ended_at.is_(None))
        )  # fmt: skip

    def join(
        self, activity: int, into: int, rule: str | None, reason: str, by: str, now: datetime
    ) -> list[int]:
        """Two activities are one from now on; the aliases that lead elsewhere since.

        An activity that is joined to itself is the first of its rule.
        """
        self._db.execute(
            insert(tb.activity_joins).values(
                activity_id=activity, into_id=into, rule=rule, reason=reason, joined_at=now,
                joined_by=by,
            )
        )  # fmt: skip
        ends = set(self._db.scalars(select(CANONICAL).where(_act.id.in_([activity, into]))))
        lead = min(ends)
        members = list(self._db.scalars(select(_act.id).where(CANONICAL.in_(ends - {lead}))))
        return self._lead(members, lead)

    def end_join(self, join_id: int, by: str, now: datetime) -> list[int] | None:
        """Two activities are two again, unless another join holds them together; the aliases that
        lead elsewhere since. None where there is no such join."""
        row = self._db.execute(
            update(tb.activity_joins)
            .where(_j.id == join_id, _j.ended_at.is_(None))
            .values(ended_at=now, ended_by=by)
            .returning(_j.activity_id)
        ).first()
        if row is None:
            return None
        canonical = self._db.scalar(select(CANONICAL).where(_act.id == row.activity_id))
        members = set(self._db.scalars(select(_act.id).where(canonical == CANONICAL)))
        rows = self._db.execute(
            select(_j.activity_id, _j.into_id).where(
                _j.activity_id.in_(members), _j.ended_at.is_(None)
            )
        )
        lead = _components(members, [(one, other) for one, other in rows])
        moved: list[int] = []
        for head in set(lead.values()):
            moved += self._lead([m for m, to in lead.items() if to == head != canonical], head)
        return moved

    def _lead(self, members: list[int], lead: int) -> list[int]:
        if not members:
            return []
        self._db.execute(update(t.activities).where(_act.id.in_(members)).values(canonical_id=lead))
        return list(self._db.scalars(select(_a.id).where(_a.activity_id.in_(members))))

    def own_activities(self, alias_ids: Collection[int]) -> dict[int, int]:
        """The activity of each alias as it was first seen, without any join."""
        query = select(_a.id, _a.activity_id).where(among(self._db, _a.id, alias_ids))
        return {alias: own for alias, own in self._db.execute(query)}

    def activity(self, activity: int) -> Activity | None:
        """The canonical activity that this one is, with all its names."""
        canonical = self._db.scalar(select(CANONICAL).where(_act.id == activity))
        found = self._with_names([canonical]) if canonical is not None else []
        return found[0] if found else None

    def activities(
        self, text: str, after: str | None, limit: int, *, joined: bool
    ) -> ListPage[Activity]:
        """Canonical activities whose title or a name holds these words, in the order of their
        first mention; only those of several names, if `joined`."""
        other = t.activities.alias("other")
        query = select(_act.id).where(
            or_(_act.canonical_id.is_(None), _act.canonical_id == _act.id)
        )
        if joined:
            query = query.where(
                select(other.c.id)
                .where(other.c.canonical_id == _act.id, other.c.id != _act.id)
                .exists()
            )
        for word in text.casefold().split():
            named = select(func.coalesce(other.c.canonical_id, other.c.id)).join(
                t.activity_aliases, _a.activity_id == other.c.id
            )
            holds = [
                func.lower(func.coalesce(column, "")).contains(word, autoescape=True)
                for column in (_a.title, _a.idnumber, _a.shortname, other.c.title)
            ]
            query = query.where(_act.id.in_(named.where(or_(*holds))))
        if after is not None:
            query = query.where(_act.id > numbers(after, 1)[0])
        ids = self._db.scalars(query.order_by(_act.id).limit(limit + 1)).all()
        found = {each.id: each for each in self._with_names(ids[:limit])}
        return cut(ids, limit, found.__getitem__, str)

    def _with_names(self, ids: Collection[int]) -> list[Activity]:
        counted = (
            select(func.count())
            .where(_r.alias_id == _a.id)
            .correlate(t.activity_aliases)
            .scalar_subquery()
        )
        gone = (
            select(func.count())
            .join(t.received, t.received.c.id == _r.received_id)
            .where(_r.alias_id == _a.id, t.received.c.gone_at.is_not(None))
            .correlate(t.activity_aliases)
            .scalar_subquery()
        )
        head = t.activities.alias("head")
        query = (
            select(head.c.id, head.c.title, _a.id, _a.activity_id, t.sources.c.key,
                   func.coalesce(_a.title, _a.shortname, _a.value), _a.value,
                   counted, _a.gone_at, _a.gone_because, gone)
            .join(t.activities, head.c.id == CANONICAL)
            .join(t.activity_aliases, _a.activity_id == _act.id)
            .join(t.sources, t.sources.c.id == _a.source_id)
            .where(among(self._db, head.c.id, ids))
            .order_by(head.c.id, _a.id)
        )  # fmt: skip
        names: dict[tuple[int, str], list[Name]] = defaultdict(list)
        for activity, title, *name in self._db.execute(query):
            names[activity, title].append(Name(*name))
        trainers = self._trainers([n.alias_id for each in names.values() for n in each])
        return [
            Activity(
                activity,
                title,
                tuple(found),
                tuple(dict.fromkeys(w for n in found for w in trainers.get(n.alias_id, ()))),
            )
            for (activity, title), found in names.items()
        ]

    def _trainers(self, alias_ids: Collection[int]) -> dict[int, list[str]]:
        acc = t.accounts.c
        query = (
            select(_t.alias_id, func.coalesce(acc.display_name, acc.email, acc.value))
            .join(t.accounts, acc.id == _t.account_id)
            .where(among(self._db, _t.alias_id, alias_ids), _t.ended_at.is_(None))
            .order_by(_t.id)
        )
        found: dict[int, list[str]] = defaultdict(list)
        for alias, name in self._db.execute(query):
            found[alias].append(name)
        return found

    # --- who trained ----------------------------------------------------------------------------
    def set_trainers(
        self, by_event: Mapping[Held, Collection[int]], now: datetime
    ) -> tuple[int, int]:
        """These accounts, and no others, train at these events; how many were added and ended."""
        events = {(alias, _day(on)): accounts for (alias, on), accounts in by_event.items()}
        standing: dict[tuple[int, str], dict[int, int]] = defaultdict(dict)
        query = select(_t.id, _t.alias_id, _t.held_on, _t.account_id).where(
            among(self._db, _t.alias_id, {alias for alias, _ in events}), _t.ended_at.is_(None)
        )
        for row_id, alias, held_on, account in self._db.execute(query):
            standing[alias, held_on][account] = row_id
        over = [
            row_id
            for event, accounts in events.items()
            for account, row_id in standing[event].items()
            if account not in accounts
        ]
        new = [
            (*event, account)
            for event, accounts in events.items()
            for account in sorted(set(accounts) - standing[event].keys())
        ]
        self._end_trainers(over, now)
        ids = new_ids(self._db, tb.event_trainers, len(new))
        insert_rows(
            self._db,
            tb.event_trainers,
            ("id", "alias_id", "held_on", "account_id", "since"),
            [(row_id, *each, now) for row_id, each in zip(ids, new, strict=True)],
        )
        return len(new), len(over)

    def end_trainers(self, source_id: int, keep: Collection[Held], now: datetime) -> int:
        """Nobody trains at the other events of this source; how many ended."""
        kept = {(alias, _day(on)) for alias, on in keep}
        query = (
            select(_t.id, _t.alias_id, _t.held_on)
            .join(t.activity_aliases, _a.id == _t.alias_id)
            .where(_a.source_id == source_id, _t.ended_at.is_(None))
        )
        over = [row_id for row_id, *event in self._db.execute(query) if tuple(event) not in kept]
        self._end_trainers(over, now)
        return len(over)

    def _end_trainers(self, row_ids: list[int], now: datetime) -> None:
        if row_ids:
            self._db.execute(
                update(tb.event_trainers).where(_t.id.in_(row_ids)).values(ended_at=now)
            )

    def trained(self, evidence_ids: Collection[int]) -> list[tuple[int, int, dict[str, Any]]]:
        """(evidence, canonical person, content of the rule) for whoever trained at an event whose
        record supports one of these; whether they assess is what the rule says."""
        er, link = t.evidence_records.c, t.account_links.c
        query = (
            select(er.evidence_id, _p.canonical_id, t.rules.c.content, _t.held_on, _r.occurred_at)
            .join(t.learning_records, _r.id == er.record_id)
            .join(tb.event_trainers, and_(_t.alias_id == _r.alias_id, _t.ended_at.is_(None)))
            .join(t.account_links, and_(link.account_id == _t.account_id, link.valid_to.is_(None)))
            .join(t.people, _p.id == link.person_id)
            .join(t.rules, t.rules.c.id == _r.rule_id)
            .where(
                among(self._db, er.evidence_id, evidence_ids),
                _r.disposition == "evidence",
                _r.reason == "counts",
            )
        )
        return [
            (evidence, person, rule)
            for evidence, person, rule, held_on, at in self._db.execute(query)
            if trained_then(held_on, at)
        ]


def _day(on: date | None) -> str:
    return "" if on is None else on.isoformat()


def trained_then(held_on: str, at: datetime) -> bool:
    """Whether whoever trained on that London date, or on every one, did so at that instant."""
    return not held_on or held_on == london_date(at).isoformat()


def _components(members: Collection[int], pairs: list[tuple[int, int]]) -> dict[int, int]:
    """The smallest number that each member can be reached from."""
    lead = {member: member for member in members}

    def head(member: int) -> int:
        while lead[member] != member:
            member = lead[member]
        return member

    for one, other in pairs:
        ends = sorted((head(one), head(other)))
        lead[ends[1]] = ends[0]
    return {member: head(member) for member in members}
