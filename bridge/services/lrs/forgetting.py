"""Received statements that are kept no longer: their bytes go, and that they came is remembered.

What was read from them stands: records, drafts, claims and what people wrote are not touched.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from bridge.domain.lrs.forgetting import Batch, Old
from bridge.domain.lrs.presenting import in_microseconds
from bridge.domain.lrs.statements import Kept, Work
from bridge.domain.lrs.terms import (
    ACTIVITY,
    RELATED_ACTIVITY,
    SOURCE,
    activities_named,
    refers_to,
    term,
    terms_of,
)
from bridge.domain.repositories import UnitOfWork
from bridge.domain.xapi.exact import VOIDED
from bridge.domain.xapi.reading import MOST_MEMBERS, member_key
from bridge.services.context import Context
from bridge.services.lrs.indexing import INDEXING, LONGEST_CHAIN

Json = dict[str, Any]
AT_ONCE = 500
#: Statements that refer to what is forgotten are looked at so many at a time.
REFERRING_AT_ONCE = 100
#: Between two batches, in seconds: others write meanwhile.
REST = 0.1


@dataclass
class Forgotten:
    """What went, or would go; `needed` counts what is old enough and stays, by the reason."""

    statements: int = 0
    files: int = 0
    definitions: int = 0
    needed: Counter[str] = field(default_factory=Counter)


def forget_old(
    ctx: Context, before: datetime, stop: Callable[[], bool] = lambda: False
) -> Forgotten:
    """Forget the statements that were stored before then, a batch a transaction.

    It can be stopped and begun again at any time. Statements that wait to be read or indexed stay,
    and so do those that wait in quarantine or carry a draft that nobody has decided on.
    """
    told = Forgotten()
    after = (0, 0)
    while not stop():
        with ctx.store.begin() as uow:
            # The index is not made meanwhile: it reads the same statements.
            uow.ops.lock(INDEXING)
            old = uow.forgetting.old(_edge(uow, before), after, AT_ONCE)
            if not old:
                break
            _forget(ctx, uow, _batch(uow, old, told), told)
        after = old[-1].stored, old[-1].row
        time.sleep(REST)
    return told


def look(ctx: Context, before: datetime) -> Forgotten:
    """How many statements would be forgotten, and how many stay for what reason."""
    told = Forgotten()
    after = (0, 0)
    with ctx.store.reading() as uow:
        edge = _edge(uow, before)
        while old := uow.forgetting.old(edge, after, AT_ONCE):
            told.statements += len(_batch(uow, old, told).statements)
            after = old[-1].stored, old[-1].row
    return told


def _edge(uow: UnitOfWork, before: datetime) -> int:
    """Before which instant nothing waits any more."""
    waiting = [uow.lrs.oldest_waiting(Work.DRAIN), uow.lrs.oldest_waiting(Work.INDEX)]
    return min([in_microseconds(before), *(at for at in waiting if at is not None)])


def _batch(uow: UnitOfWork, old: Sequence[Old], told: Forgotten) -> Batch:
    """Those of which nothing is needed any more."""
    items = {each.row: [each.row] for each in old}
    members: dict[int, dict[str, int]] = defaultdict(dict)
    for each in old:
        members[each.source_id] |= dict.fromkeys(_member_keys(each), each.row)
    for source_id, keys in members.items():
        if keys:
            for key, item in uow.forgetting.rows_of(source_id, keys).items():
                items[keys[key]].append(item)
    needed = uow.forgetting.needed([item for several in items.values() for item in several])
    free = []
    for each in old:
        reasons = [needed[item] for item in items[each.row] if item in needed]
        if reasons:
            told.needed[min(reasons).value] += 1
        else:
            free.append(each)
    return Batch(free, [item for each in free for item in items[each.row]])


def _member_keys(each: Old) -> list[str]:
    """What a statement about a group may have been read into, for each of its members."""
    count = len(orjson.loads(each.body)["actor"].get("member", ()))
    return [member_key(each.natural_key, number) for number in range(min(count, MOST_MEMBERS))]


def _forget(ctx: Context, uow: UnitOfWork, batch: Batch, told: Forgotten) -> None:
    rows = [each.row for each in batch.statements]
    if not rows:
        return
    told.statements += len(rows)
    told.files += uow.forgetting.drop_files(rows)
    values: dict[int, Json] = {e.row: orjson.loads(e.body) for e in batch.statements}
    terms: set[tuple[int, int, int]] = set()
    references: list[tuple[str, int]] = []
    for each in batch.statements:
        value = values[each.row]
        found = {term(SOURCE, str(each.source_id)), *terms_of(value)}
        target = refers_to(value)
        if target is not None:
            chain = _chain(uow, each.id, value)
            found = found.union(*(terms_of(of) for _, of in chain))
            # What it voids may come yet, and is void then.
            if value["verb"]["id"] != VOIDED:
                references.append((target.replace("-", ""), each.row))
        terms |= {(number, each.stored, each.row) for number in found}
    _let_go(uow, batch.statements)
    uow.forgetting.drop_terms(terms)
    uow.forgetting.drop_references(references)
    uow.forgetting.drop_bytes(rows, batch.items, ctx.clock.now())
    told.definitions += _drop_definitions(uow, values.values())


def _chain(uow: UnitOfWork, statement_id: str, value: Json) -> list[tuple[Kept, Json]]:
    """What a statement is about, what that is about, and so on, as far as it is kept."""
    found: list[tuple[Kept, Json]] = []
    seen = {statement_id}
    target = refers_to(value)
    while target is not None and len(seen) <= LONGEST_CHAIN:
        key = target.replace("-", "")
        known = None if key in seen else uow.lrs.one(key)
        if known is None or known.body is None:
            break
        seen.add(key)
        about = orjson.loads(known.body)
        found.append((known, about))
        target = refers_to(about)
    return found


def _let_go(uow: UnitOfWork, going: Sequence[Old]) -> None:
    """Statements that refer to those that go are no longer found by what those are found by."""
    gone = {each.row for each in going}
    met = set(gone)
    level = [each.id for each in going]
    for _ in range(LONGEST_CHAIN):
        others = sorted({row for _, row, _ in uow.lrs.references_to(level)} - met)
        met.update(others)
        level = []
        for start in range(0, len(others), REFERRING_AT_ONCE):
            for each in uow.lrs.rows(others[start : start + REFERRING_AT_ONCE]):
                level.append(each.id)
                if each.body is not None:
                    _let_one_go(uow, each, gone)
        if not level:
            break


def _let_one_go(uow: UnitOfWork, each: Kept, gone: set[int]) -> None:
    value = orjson.loads(each.body or b"")
    stays = {term(SOURCE, str(each.source_id)), *terms_of(value)}
    lost: set[int] = set()
    broken = False
    for known, about in _chain(uow, each.id, value):
        broken = broken or known.row in gone
        (lost if broken else stays).update(terms_of(about))
    uow.forgetting.drop_terms({(number, each.stored, each.row) for number in lost - stays})


def _drop_definitions(uow: UnitOfWork, values: Iterable[Json]) -> int:
    """What was said of activities goes with the last statement that names them."""
    iris = {iri for value in values for iri in activities_named(value)}
    by_term = {term(kind, iri): iri for iri in iris for kind in (ACTIVITY, RELATED_ACTIVITY)}
    still = {by_term[number] for number in uow.forgetting.named(by_term)}
    return uow.forgetting.drop_definitions(iris - still)
