"""Long lists, a page at a time, each from where the one before it ended (keyset paging)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from bridge.domain.errors import Refused
from bridge.domain.identity import IdentifierKind
from bridge.domain.lists import ListPage, Only
from bridge.domain.model import Account, Alias, Person, TargetState
from bridge.domain.records import AccountFacts, ActivityFacts
from bridge.domain.scope import Scope
from bridge.storage import tables as t
from bridge.storage import tables_booking as tb
from bridge.storage.awards import SqlAwards
from bridge.storage.scoping import works_there
from bridge.storage.vanished import DELETED

_p, _i, _ts, _a = t.people.c, t.person_identifiers.c, t.target_states.c, t.activity_aliases.c
_r = t.learning_records.c
_after = t.people.alias("after")
_in_order = (_p.display_name, _p.id)
T = TypeVar("T")


def cut(rows: Sequence[Any], limit: int, made: Callable[[Any], T], mark: Callable[[Any], str]) -> (
    ListPage[T]
):  # fmt: skip
    """A page of at most `limit`, from a query that asked for one more to see whether it ends."""
    more = len(rows) > limit
    kept = rows[:limit]
    return ListPage(tuple(made(row) for row in kept), mark(kept[-1]) if more else None)


def numbers(after: str, count: int) -> list[int]:
    """What a page's `after` says. Raises Refused where it is not one of ours."""
    parts = after.split("-")
    if len(parts) != count or not all(p.isdecimal() and len(p) < 19 for p in parts):
        raise Refused("This link to the next page is broken. Go back to the first page.")
    return [int(part) for part in parts]


def named(text: str) -> ColumnElement[bool]:
    """That the person (`people`) has every word of `text` in the name."""
    name = func.lower(_p.display_name)
    return and_(*(name.contains(word, autoescape=True) for word in text.casefold().split()))


class SqlLists:
    """Implements `bridge.domain.lists.ListsRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def people(self, scope: Scope, text: str, after: str | None, limit: int) -> ListPage[Person]:
        """People in the order of their names whose name holds these words, or who are known by
        exactly this number, email address or staff number; all, without a text."""
        query = select(_p.id, _p.display_name, _p.canonical_id).where(_p.canonical_id == _p.id)
        if scope.narrowed:
            query = query.where(works_there(scope))
        elif not scope.unrestricted:
            query = query.where(_p.id == scope.person)
        wanted = text.strip().casefold()
        known = self._known_by(wanted) if wanted else []
        if known:
            query = query.where(_p.id.in_(known))
        elif wanted:
            query = query.where(named(wanted))
        if after is not None:
            (last,) = numbers(after, 1)
            name = select(_after.c.display_name).where(_after.c.id == last).scalar_subquery()
            same = and_(_p.display_name == name, _p.id > last)
            query = query.where(or_(_p.display_name > name, same))
        rows = self._db.execute(query.order_by(*_in_order).limit(limit + 1)).all()
        return cut(rows, limit, lambda row: Person(*row), lambda row: str(row.id))

    def _known_by(self, wanted: str) -> list[int]:
        """The canonical people whose number or identifier this is."""
        by_identifier = (
            select(_p.canonical_id)
            .join(t.person_identifiers, _i.person_id == _p.id)
            .where(_i.kind.in_(list(IdentifierKind)), _i.value == wanted,
                   _i.valid_to.is_(None))
        )  # fmt: skip
        found = set(self._db.scalars(by_identifier))
        if not found and wanted.isdecimal() and len(wanted) < 19:
            found = set(self._db.scalars(select(_p.canonical_id).where(_p.id == int(wanted))))
        return sorted(found)

    def target_states(
        self,
        scope: Scope,
        *,
        target: str | None,
        text: str,
        only: Only | None,
        person: int | None,
        today: date,
        after: str | None,
        limit: int,
    ) -> ListPage[TargetState]:
        """Desired against observed for these eyes, the newest first; `person` is canonical.

        A badge has lapsed that is still seen, though its claims ran out before `today` (R9).
        """
        query: Select[Any] = (
            select(_ts.id)
            .join(t.targets, t.targets.c.id == _ts.target_id)
            .join(t.awards, t.awards.c.id == _ts.award_id)
            .join(t.people, _p.id == t.awards.c.person_id)
        )
        if not scope.sees_badges:
            query = query.where(_p.canonical_id == scope.person)
        elif scope.organisations is not None:
            query = query.where(works_there(scope))
        if target is not None:
            query = query.where(t.targets.c.key == target)
        if person is not None:
            query = query.where(_p.canonical_id == person)
        if text.strip():
            query = query.where(named(text))
        if only is Only.LAPSED:
            # By the plugin a badge shows itself that it ran out.
            query = query.where(
                _ts.observed == "held", t.awards.c.expires_on < today, _ts.road != "plugin"
            )
        elif only is not None:
            query = query.where(_ONLY[only])
        if after is not None:
            query = query.where(_ts.id < numbers(after, 1)[0])
        ids = self._db.scalars(query.order_by(_ts.id.desc()).limit(limit + 1)).all()
        found = {state.id: state for state in SqlAwards(self._db).states_with(ids[:limit])}
        return cut(ids, limit, found.__getitem__, str)

    def unmapped(
        self, source: str | None, after: str | None, limit: int
    ) -> ListPage[tuple[Alias, int, int]]:
        """Activities that no rule names, the records and the accounts that wait on them; most
        accounts first."""
        waiting = (
            select(_r.alias_id, func.count().label("records"),
                   func.count(_r.account_id.distinct()).label("people"))
            .where(_r.disposition == "unmapped")
            .group_by(_r.alias_id)
            .subquery("waiting")
        )  # fmt: skip
        w = waiting.c
        query = (
            select(t.activity_aliases, t.sources.c.key.label("source_key"),
                   t.sources.c.kind.label("source_kind"), w.records, w.people)
            .join(waiting, w.alias_id == _a.id)
            .join(t.sources, t.sources.c.id == _a.source_id)
            .order_by(w.people.desc(), _a.id)
            .limit(limit + 1)
        )  # fmt: skip
        if source is not None:
            query = query.where(t.sources.c.key == source)
        if after is not None:
            people, last = numbers(after, 2)
            query = query.where(or_(w.people < people, and_(w.people == people, _a.id > last)))
        rows = self._db.execute(query).all()
        return cut(rows, limit, _unmapped, lambda row: f"{row.people}-{row.id}")

    def unmatched(
        self, source: str | None, after: str | None, limit: int
    ) -> ListPage[tuple[Account, str, int]]:
        """Accounts of nobody with records that would count, and how many; most first. What was
        said to be none of those shown is not asked again."""
        waiting = (
            select(_r.account_id, func.count().label("records"))
            .where(_r.disposition == "unmatched")
            .group_by(_r.account_id)
            .subquery("waiting")
        )
        a, w = t.accounts.c, waiting.c
        query = (
            select(a.id, a.kind, a.value, a.email, a.staff_number, a.username, a.display_name,
                   a.suspended, DELETED, t.sources.c.key, w.records)
            .join(waiting, w.account_id == a.id)
            .join(t.sources, t.sources.c.id == a.source_id)
            .where(a.id.not_in(_ANSWERED))
            .order_by(w.records.desc(), a.id)
            .limit(limit + 1)
        )  # fmt: skip
        if source is not None:
            query = query.where(t.sources.c.key == source)
        if after is not None:
            records, last = numbers(after, 2)
            query = query.where(or_(w.records < records, and_(w.records == records, a.id > last)))
        rows = self._db.execute(query).all()
        return cut(rows, limit, _unmatched, lambda row: f"{row.records}-{row.id}")


_ANSWERED = select(tb.account_answers.c.account_id).where(tb.account_answers.c.ended_at.is_(None))
_ONLY: dict[Only, ColumnElement[bool]] = {
    Only.OUT_OF_STEP: or_(_ts.observed.is_(None), _ts.observed != _ts.desired),
    Only.FAILING: _ts.error.is_not(None),
    Only.NEEDS_YOU: _ts.needs_you.is_not(None),
    Only.HELD: _ts.observed == "held",
    Only.WITHDRAWN: _ts.desired == "absent",
}


def _unmapped(row: Any) -> tuple[Alias, int, int]:
    facts = ActivityFacts(
        row.kind,
        row.value,
        row.title,
        row.idnumber,
        row.shortname,
        row.category,
        row.iri,
        row.module,
        row.course_idnumber,
        row.course_shortname,
    )
    # Whether its source is trusted makes no difference to what no rule names.
    alias = Alias(row.id, row.activity_id, row.source_key, row.source_kind, facts)
    return alias, row.records, row.people


def _unmatched(row: Any) -> tuple[Account, str, int]:
    return Account(row.id, AccountFacts(*row[1:9]), None), row.key, row.records
