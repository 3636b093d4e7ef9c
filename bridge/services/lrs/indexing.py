"""The index of the endpoint's statements: what each is found by, what voids what, activities."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson

from bridge.domain.lrs.statements import Kept, Work
from bridge.domain.lrs.terms import SOURCE, activities_in, refers_to, term, terms_of
from bridge.domain.records import from_epoch
from bridge.domain.repositories import UnitOfWork
from bridge.domain.xapi.exact import VOIDED
from bridge.services.context import Context

Json = dict[str, Any]
#: Whoever makes the index holds this lock: two that did at once would not see each other's
#: references.
INDEXING = "lrs-index"
AT_ONCE = 1000
#: A chain of statements about statements is followed so far.
LONGEST_CHAIN = 50
#: So many statements about one are found by what it is found by; others by what they say alone.
MOST_REFERRING = 200
#: Of their bytes no more are looked at for what came at once; so many are read together.
MOST_BYTES, FEW = 8_000_000, 20


def up_to_date(ctx: Context, seconds: float) -> int:
    """Index what waits, for no longer than that; up to which instant the index is right then.

    In microseconds since 1970: what was stored later may be missing from it.
    """
    until = time.monotonic() + seconds
    while True:
        with ctx.store.begin() as uow:
            uow.ops.lock(INDEXING)
            through = uow.lrs.through(ctx.clock.now())
            waits = _index_some(ctx, uow)
            if not waits:
                return through
            if time.monotonic() >= until:
                oldest = uow.lrs.oldest_waiting(Work.INDEX)
                return through if oldest is None else min(through, oldest - 1)


def index_waiting(ctx: Context, stop: Callable[[], bool] = lambda: False) -> int:
    """Index everything that waits, a batch a transaction; how many statements."""
    total = 0
    while not stop():
        with ctx.store.begin() as uow:
            uow.ops.lock(INDEXING)
            done = _index_some(ctx, uow)
        if not done:
            break
        total += done
    return total


def _index_some(ctx: Context, uow: UnitOfWork) -> int:
    waiting = uow.lrs.waiting(Work.INDEX, AT_ONCE)
    if not waiting:
        return 0
    rows = [row for each in waiting for row in each.rows]
    kept = [each for each in uow.lrs.rows(rows) if each.body is not None]
    values = {each.row: orjson.loads(each.body or b"") for each in kept}
    terms: list[tuple[int, int, int]] = []
    references: list[tuple[str, int, bool]] = []
    defined: dict[int, dict[str, Json]] = {}
    for each in kept:
        value = values[each.row]
        own = {term(SOURCE, str(each.source_id)), *terms_of(value)}
        target = refers_to(value)
        if target is not None:
            # What it is about may have come here first, and handed its own terms on.
            own = uow.lrs.missing_terms(each.row, each.stored, own)
        terms += [(number, each.stored, each.row) for number in own]
        if target is not None:
            references.append((target.replace("-", ""), each.row, value["verb"]["id"] == VOIDED))
        _define(defined.setdefault(each.source_id, {}), value)
    uow.lrs.add_terms(terms)
    uow.lrs.add_references(references)
    for source_id, definitions in defined.items():
        _known_activities.define(ctx, uow, source_id, definitions)
    _Chains(uow, values).follow(kept)
    uow.lrs.done(waiting)
    return len(rows)


def _define(defined: dict[str, Json], statement: Json) -> None:
    for activity in activities_in(statement):
        before = defined.get(activity["id"])
        if before is None:
            defined[activity["id"]] = activity["definition"]
        elif before != activity["definition"]:
            after = {**before, **activity["definition"]}
            for name in ("name", "description", "extensions"):
                if name in before and name in activity["definition"]:
                    after[name] = {**before[name], **activity["definition"][name]}
            defined[activity["id"]] = after


class _KnownActivities:
    """Which definitions were stored not long ago, so that the database need not be asked."""

    MOST = 50_000
    #: Others forget definitions that nothing names any more, always after longer than this.
    LASTS = timedelta(hours=1)

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._until = from_epoch(0)

    def define(
        self, ctx: Context, uow: UnitOfWork, source_id: int, definitions: Mapping[str, Json]
    ) -> None:
        """Store what is not known yet."""
        store, now = id(ctx.store), ctx.clock.now()
        if not now < self._until <= now + self.LASTS:
            self._seen.clear()
            self._until = now + self.LASTS
        marks = {
            iri: hash((store, source_id, iri, orjson.dumps(definition)))
            for iri, definition in definitions.items()
        }
        new = {iri: definitions[iri] for iri, mark in marks.items() if mark not in self._seen}
        if not new:
            return
        uow.lrs.define(source_id, new, now)
        if len(self._seen) > self.MOST:
            self._seen.clear()
        self._seen.update(marks[iri] for iri in new)


_known_activities = _KnownActivities()


class _Chains:
    """Statements about statements: they are found by what those are found by, and may void them."""

    def __init__(self, uow: UnitOfWork, values: dict[int, Json]) -> None:
        self._uow = uow
        self._values = values
        self._forgotten: dict[int, Kept] = {}
        self._weight = 0

    def follow(self, kept: Sequence[Kept]) -> None:
        """Bring what refers to these statements, and what of them refers, into step."""
        by_row = {each.row: each for each in kept}
        referring = {row for row in by_row if refers_to(self._values[row]) is not None}
        level = [each.id for each in kept]
        for _ in range(LONGEST_CHAIN):
            found = self._uow.lrs.references_to(level)
            if not found:
                break
            # However many refer to one, what voids it is among those that are looked at.
            found.sort(key=lambda each: not each[2])
            others = [row for _, row, _ in found if row not in by_row][:MOST_REFERRING]
            for each in self._some_of(others):
                by_row[each.row] = each
                self._values[each.row] = orjson.loads(each.body or b"")
            fresh = {row for _, row, _ in found if row in by_row} - referring
            referring |= {row for _, row, _ in found if row in by_row}
            self._void(found, by_row)
            level = [by_row[row].id for row in fresh]
            if not level:
                break
        for row in referring:
            self._inherit(by_row[row], by_row)
        self._void_targets_of(referring, by_row)

    def _some_of(self, rows: Sequence[int]) -> Iterator[Kept]:
        """Statements by their rows, until they are more than is held in memory at once."""
        for at in range(0, len(rows), FEW):
            if self._weight > MOST_BYTES:
                return
            for each in self._uow.lrs.rows(rows[at : at + FEW]):
                if each.body is None:
                    # Its bytes are kept no longer; what it voids is void all the same.
                    self._forgotten[each.row] = each
                else:
                    self._weight += len(each.body)
                    yield each

    def _void(self, found: Sequence[tuple[str, int, bool]], by_row: Mapping[int, Kept]) -> None:
        by_id = {each.id: each for each in by_row.values()}
        for target, row, voids in found:
            by = by_row.get(row) or self._forgotten.get(row)
            if voids and target in by_id and by is not None:
                self._void_one(by_id[target], by)

    def _void_targets_of(self, referring: set[int], by_row: Mapping[int, Kept]) -> None:
        for row in referring:
            value = self._values[row]
            if value["verb"]["id"] == VOIDED:
                target = self._uow.lrs.one(value["object"]["id"].lower().replace("-", ""))
                if target is not None:
                    self._void_one(target, by_row[row])

    def _void_one(self, target: Kept, by: Kept) -> None:
        if target.voided or target.source_id != by.source_id or target.body is None:
            return
        value = self._values.get(target.row) or orjson.loads(target.body)
        if value["verb"]["id"] != VOIDED:
            self._uow.lrs.void(target.row, by.row)

    def _inherit(self, each: Kept, by_row: Mapping[int, Kept]) -> None:
        """Let a statement be found by whatever is found by what it is about."""
        terms: set[int] = set()
        seen = {each.id}
        target = refers_to(self._values[each.row])
        by_id = {known.id: known for known in by_row.values()}
        while target is not None and len(seen) <= LONGEST_CHAIN:
            key = target.replace("-", "")
            if key in seen:
                break
            seen.add(key)
            known = by_id.get(key) or self._uow.lrs.one(key)
            # What another source said is not for whoever may read this one's to find out.
            if known is None or known.body is None or known.source_id != each.source_id:
                break
            value = self._values.get(known.row) or orjson.loads(known.body)
            terms |= terms_of(value)
            target = refers_to(value)
        if terms:
            missing = self._uow.lrs.missing_terms(each.row, each.stored, terms)
            self._uow.lrs.add_terms([(n, each.stored, each.row) for n in missing])
