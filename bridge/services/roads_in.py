"""Tells by which natural keys one thing came by several roads, and which reading says more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.domain.model import Reading
from bridge.domain.records import (
    UNDATED,
    LearningFact,
    NoRecord,
    Precision,
    Pulled,
    Unreadable,
    cycle_of,
    neighbouring_cycles,
    same_cycle,
)
from bridge.domain.repositories import UnitOfWork


def told_by_another_road(
    uow: UnitOfWork, source_id: int, items: Sequence[Pulled]
) -> dict[str, str | None]:
    """Which keys tell what is told less than a minute apart under another key (DESIGN 5.1).

    The other key where that is stored, None where it is in the same page.
    """
    near: list[tuple[str, Pulled, datetime]] = []
    for item in items:
        if isinstance(item.fact, LearningFact):
            occurred_at = item.fact.occurred_at
            stem = item.natural_key.removesuffix(cycle_of(occurred_at))
            if stem != item.natural_key:
                cycles = neighbouring_cycles(occurred_at)
                near += [(stem + cycle, item, occurred_at) for cycle in cycles]
    if not near:
        return {}
    told = uow.intake.times_of(source_id, [key for key, _, _ in near])
    in_page = {i.natural_key: i.fact.occurred_at for i in items if isinstance(i.fact, LearningFact)}
    same: dict[str, str | None] = {}
    for key, item, occurred_at in near:
        stored = told.get(key)
        if stored is not None and same_cycle(stored, occurred_at):
            same[item.natural_key] = key
        elif key < item.natural_key and key not in same:
            other = in_page.get(key)
            if other is not None and same_cycle(other, occurred_at):
                same[item.natural_key] = None
    return same


def dated_by_another_road(
    uow: UnitOfWork, source_id: int, items: Sequence[Pulled]
) -> dict[str, str | None]:
    """Which keys say without a date what is known with one."""
    stems = {
        item.natural_key.removesuffix(UNDATED): item.natural_key
        for item in items
        if isinstance(item.fact, Unreadable) and item.natural_key.endswith(UNDATED)
    }
    if not stems:
        return {}
    return {stems[s]: None for s in uow.intake.dated_under(source_id, list(stems))}


def not_coarser(
    uow: UnitOfWork, changed: Sequence[tuple[Pulled, int]], envelope: bytes
) -> list[tuple[Pulled, int]]:
    """Those that tell as much as what is stored, or something else altogether.

    Of the same status, a reading with a score stands before one without, and then the more
    precise one (DESIGN 5.1): a report's minutes never replace a plugin's seconds. What came
    by the same road may well say less than it did.
    """
    stored = uow.intake.readings([received_id for _, received_id in changed])
    same = uow.intake.envelope_id(envelope)
    return [
        (item, received_id)
        for item, received_id in changed
        if (before := stored.get(received_id)) is None
        or before.envelope_id == same
        or not _tells_less(item.fact, before)
    ]


_FINENESS = {Precision.DAY: 0, Precision.MINUTE: 1, Precision.SECOND: 2}


def _tells_less(fact: LearningFact | Unreadable | NoRecord, stored: Reading) -> bool:
    """Whether an item is a coarser reading of what is stored."""
    if not isinstance(fact, LearningFact) or fact.status is not stored.status:
        return False
    if (fact.score is None) is not (stored.score is None):
        return fact.score is None
    return _FINENESS[fact.precision] < _FINENESS[stored.precision]
