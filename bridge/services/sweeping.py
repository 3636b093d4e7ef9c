"""After a complete full pull: what is known and was not shown is gone, and why it is."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b

from bridge.domain.errors import BadAnswer, NeedsAdministrator
from bridge.domain.model import Happened, SourceRow
from bridge.domain.policy import Policy
from bridge.domain.ports import TellsWhyGone
from bridge.domain.records import Page
from bridge.domain.repositories import UnitOfWork
from bridge.domain.vanishing import ASKED_AT_ONCE, Gone, looks_restored
from bridge.services.context import Context
from bridge.services.intake import Intake

#: Keys that a run has shown, kept so that a source can tell silence from absence.
SHOWN_KEPT = 2000
_LOOKED_AT = 100_000


def mark_of(key: str) -> int:
    """Eight bytes that stand for a key, the same in every process."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def missing_from(
    uow: UnitOfWork, source: SourceRow, seen: array[int], spans: tuple[str, ...]
) -> tuple[list[tuple[int, str]], int]:
    """(item, key) of what is known and was not seen; and how much is known.

    `spans` are the beginnings of the keys that the run has seen all of; none: of every key.
    """
    marks = array("q", sorted(seen))
    missing: list[tuple[int, str]] = []
    known = 0
    for received_id, key in uow.intake.present_keys(source.id):
        if spans and not key.startswith(spans):
            continue
        known += 1
        mark = mark_of(key)
        at = bisect_left(marks, mark)
        if at == len(marks) or marks[at] != mark:
            missing.append((received_id, key))
    return missing, known


def believable(policy: Policy, missing: int, known: int, seen: int) -> bool:
    """Whether so much may be gone at once: a lost permission looks just like it."""
    limit = max(policy.vanish_floor, int(known * policy.vanish_limit))
    return missing <= limit and seen > 0


def find_reasons(
    ctx: Context,
    connector: object,
    intake: Intake,
    missing: Sequence[tuple[int, str]],
    shown: Iterable[str],
    *,
    ask_again: bool = False,
) -> None:
    """Find out why these are gone, as far as the source can tell, into `intake.reasons`.

    No transaction is open meanwhile, and few calls are made: what is over the number asked about at
    once is said to be unshown, and asked about after the next sweep (`ask_again`). Raises TryLater.
    """
    if not isinstance(connector, TellsWhyGone):
        return
    source = intake.source
    with ctx.store.reading() as uow:
        again = uow.intake.gone_unexplained(source.id, ASKED_AT_ONCE) if ask_again else []
        if not missing and not again:
            return
        told = uow.intake.happened([row_id for row_id, _ in missing])
    asked = [*missing, *again][:ASKED_AT_ONCE]
    try:
        answer = connector.why_gone([key for _, key in asked], list(shown))
    except (NeedsAdministrator, BadAnswer):
        answer = {}
    if answer is None:
        return
    intake.explains = True
    found = dict.fromkeys((i for i, _ in missing), Gone.UNSHOWN) | {
        i: answer.get(key, Gone.UNSHOWN) for i, key in asked
    }
    intake.explained = {i for i, _ in again if found.get(i, Gone.UNSHOWN) is not Gone.UNSHOWN}
    reversed_ = [i for i, why in found.items() if why is Gone.REVERSED and i in told]
    if _restored(ctx, source, {i: told[i] for i in reversed_}, set(told)):
        found |= dict.fromkeys(reversed_, Gone.RESTORED)
    intake.reasons |= found


def _restored(
    ctx: Context, source: SourceRow, missing: Mapping[int, Happened], all_missing: Collection[int]
) -> bool:
    """Whether they went missing together, as when a source is put back from a backup."""
    lost = [(each.at, each.account_id, each.alias_id) for each in missing.values()]
    if not looks_restored(lost, ()):
        return False
    moments = [at for at, *_ in lost]
    with ctx.store.reading() as uow:
        there = uow.intake.instants_between(source.id, min(moments), max(moments), _LOOKED_AT)
    return looks_restored(lost, [at for row_id, at in there if row_id not in all_missing])


def absent_from(ctx: Context, intake: Intake, page: Page) -> list[tuple[int, str]]:
    """What is known under the stems that a page says are gone, and that it does not show."""
    if not page.absent:
        return []
    shown = {item.natural_key for item in page.items}
    with ctx.store.reading() as uow:
        under = uow.intake.keys_under(intake.source.id, page.absent)
    return [(row_id, key) for row_id, key in under if key not in shown]
