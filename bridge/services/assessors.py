"""Trainers who assess: those whom an event names, where the mapping says so, and for it alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from bridge.domain.repositories import UnitOfWork


def assessors_of(uow: UnitOfWork, evidence_ids: Collection[int]) -> dict[int, set[int]]:
    """The (canonical) people who may verify each piece of evidence as the trainer of its event.

    They train at an event whose record counts towards it, by the source's list of trainers as it
    stands now, and the rule that counts the record says `assessed: true` (DESIGN 6).
    """
    found: dict[int, set[int]] = defaultdict(set)
    for evidence_id, person, rule in uow.bookings.trained(evidence_ids):
        if rule.get("assessed"):
            found[evidence_id].add(person)
    return found
