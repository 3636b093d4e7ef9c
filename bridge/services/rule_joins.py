"""What a mapping's rule with `one_activity` says is one activity becomes one, and two again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from bridge.domain.bookings import BY_MAPPING
from bridge.domain.model import Alias
from bridge.domain.repositories import UnitOfWork
from bridge.services.mapped import Mapped

#: Activity to (join, what it is joined to), of one rule.
_Rows = dict[int, tuple[int, int]]


def settle_rule_joins(
    uow: UnitOfWork, mapped: Mapped, aliases: Sequence[Alias], now: datetime
) -> bool:
    """Join these names as the rules in force say, and part what none joins any more.

    What a person has taken apart stays apart. Records whose activity is another now are decided
    on again. Returns whether anything changed.
    """
    standing: dict[str, _Rows] = defaultdict(dict)
    for join_id, activity, into, rule in uow.bookings.rule_joins():
        standing[rule][activity] = (join_id, into)
    if not standing and not mapped.index.joins:
        return False
    own = uow.bookings.own_activities([alias.id for alias in aliases])
    says = {own[alias.id]: mapped.decision(alias).names_one for alias in aliases}
    by_hand = uow.bookings.ended_by_hand()
    changed = False
    for rule in sorted({*standing, *(name for names in says.values() for name in names)}):
        rows = standing.get(rule, {})
        members = {a for a in rows if a not in says} | {a for a, n in says.items() if rule in n}
        members -= {activity for activity, name in by_hand if name == rule}
        changed |= _settle(uow, rule, rows, members, now)
    return changed


def _settle(uow: UnitOfWork, rule: str, rows: _Rows, members: set[int], now: datetime) -> bool:
    """Let exactly these activities be one by this rule."""
    if members == rows.keys():
        return False
    first = next((into for _, into in rows.values()), None)
    if first not in members:
        # What all others are joined to is none of them any more: join them anew.
        first = min(members, default=None)
        over = list(rows)
    else:
        over = [activity for activity in rows if activity not in members]
    moved: set[int] = set()
    for activity in over:
        moved |= set(uow.bookings.end_join(rows[activity][0], BY_MAPPING, now) or ())
    said = f"The rule {rule} says that these are names of one activity."
    for activity in sorted(members - (rows.keys() - set(over))):
        assert first is not None  # noqa: S101  there are members
        moved |= set(uow.bookings.join(activity, first, rule, said, BY_MAPPING, now))
    uow.intake.mark_activities(moved)
    return True
