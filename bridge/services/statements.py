"""Statements among what is taken in: what they take back, and whose they are by address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.model import Account, Alias, SourceRow
from bridge.domain.records import LearningFact, NoRecord, Pulled
from bridge.domain.repositories import UnitOfWork
from bridge.domain.statements import CAN_BE_TAKEN_BACK, STATEMENTS, NewRetraction, Pair

#: Who joins two courses that have one address; a person may part them.
BY_ADDRESS = "the bridge, by address"

Accounts = Mapping[str, Account]
Aliases = Mapping[str, Alias]


def statement_key(natural_key: str) -> str:
    """The key of the statement that an item is of: of a group's, one item is each member's."""
    return natural_key.split("#", 1)[0]


def pair_of(item: Pulled, accounts: Accounts, aliases: Aliases) -> Pair | None:
    """Which account's doing of which activity an item is about; None where it is about neither."""
    fact = item.fact
    if isinstance(fact, LearningFact) or (isinstance(fact, NoRecord) and fact.account is not None):
        assert fact.account is not None and fact.activity is not None  # noqa: S101, PT018
        return accounts[fact.account.value].id, aliases[fact.activity.value].id
    return None


@dataclass(frozen=True, slots=True)
class Doubts:
    """Of some items: the keys of those that something takes back, or may.

    `voided` are statements that others void, `pairs` those of which something is taken back.
    """

    keys: frozenset[str] = frozenset()
    voided: frozenset[str] = frozenset()
    pairs: frozenset[Pair] = frozenset()


def doubts_of(
    uow: UnitOfWork,
    source: SourceRow,
    items: Sequence[Pulled],
    accounts: Accounts,
    aliases: Aliases,
) -> Doubts:
    """What something takes back among these: in this page, or kept before.

    They are settled before anything is drafted from them.
    """
    if source.kind != STATEMENTS:
        return Doubts()
    pairs = {
        item.natural_key: pair
        for item in items
        if (pair := pair_of(item, accounts, aliases)) is not None
    }
    achieved = {
        item.natural_key
        for item in items
        if isinstance(item.fact, LearningFact) and item.fact.status in CAN_BE_TAKEN_BACK
    }
    voided = {i.fact.voids for i in items if isinstance(i.fact, NoRecord) and i.fact.voids}
    voided |= uow.statements.voided_among(source.id, {statement_key(key) for key in pairs})
    against = {
        pairs[i.natural_key] for i in items if _takes_back(i.fact) and i.natural_key in pairs
    }
    against |= uow.statements.retracted_among({pairs[key] for key in achieved})
    keys = {
        key
        for key, pair in pairs.items()
        if (key in achieved and pair in against) or statement_key(key) in voided
    }
    return Doubts(frozenset(keys), frozenset(voided), frozenset(against))


def _takes_back(fact: object) -> tuple[datetime, int] | None:
    """Until when, and for how many days before, an item takes back what was achieved."""
    if isinstance(fact, LearningFact) and fact.takes_back_days:
        return fact.occurred_at, fact.takes_back_days
    if isinstance(fact, NoRecord) and fact.at is not None and fact.days:
        return fact.at, fact.days
    return None


def settle(
    uow: UnitOfWork,
    source: SourceRow,
    stored: Sequence[tuple[int, Pulled]],
    accounts: Accounts,
    aliases: Aliases,
    doubts: Doubts,
) -> None:
    """Of items just stored, with their ids: keep what takes others back, and let it do so.

    In whichever order they came: what is taken back may be here already, or come later. Records
    that count no more, or again, are marked to be decided on again.
    """
    if not (doubts.voided or doubts.pairs):
        return
    retractions: list[NewRetraction] = []
    for received_id, item in stored:
        fact, pair = item.fact, pair_of(item, accounts, aliases)
        if isinstance(fact, NoRecord) and fact.voids:
            retractions.append(NewRetraction(received_id, source.id, voids=fact.voids))
        elif pair is not None and (told := _takes_back(fact)):
            retractions.append(NewRetraction(received_id, source.id, None, *pair, *told))
    if retractions:
        uow.statements.add_retractions(retractions)
    freed = uow.statements.settle_voids(source.id, doubts.voided)
    uow.statements.settle_pairs(freed | doubts.pairs)


def join_same_courses(uow: UnitOfWork, source: SourceRow, now: datetime) -> None:
    """What statements tell of a course by its address in a configured LMS is that course, and what
    two sources of statements call by one address is one activity.

    Who parts the two again is not contradicted.
    """
    for told, course, address in uow.statements.same_courses(source.id):
        reason = f"Both are {address}."
        moved = uow.bookings.join(
            max(told, course), min(told, course), None, reason, BY_ADDRESS, now
        )
        uow.intake.mark_activities(moved)
