"""How far the badges of a period are ready on each target, ahead of their first award."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bridge.domain.target_records import Preparation
from bridge.domain.targets import ByHand, Prepared
from bridge.storage import tables as t
from bridge.storage import tables_targets as tt
from bridge.storage.target_states import row_of_target

_c = tt.badge_preparations.c


class SqlPreparations:
    """Implements `bridge.domain.target_records.PreparationRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def all(self, target: str | None = None) -> list[Preparation]:
        """Every one, of one target if asked, by period and badge."""
        query = (
            select(tt.badge_preparations, t.targets.c.key.label("target_key"))
            .join(t.targets, t.targets.c.id == _c.target_id)
            .order_by(_c.period.desc(), _c.title, _c.id)
        )
        if target is not None:
            query = query.where(t.targets.c.key == target)
        return [
            Preparation(
                row.target_key, row.badge_key, row.period, row.title, row.settings,
                tuple(ByHand(words, page) for words, page in row.left_by_hand), tuple(row.made),
                row.seen, row.looked_at, row.ready_at,
            )
            for row in self._db.execute(query)
        ]  # fmt: skip

    def put(
        self,
        target: str,
        badge: tuple[str, str],
        title: str,
        settings: Mapping[str, str],
        found: Prepared,
        now: datetime,
    ) -> None:
        """How one (badge key, period) stands now; what was made adds to what was made before."""
        target_id = row_of_target(self._db, target)
        key, period = badge
        row = self._db.execute(
            select(_c.id, _c.made, _c.ready_at).where(
                _c.target_id == target_id, _c.badge_key == key, _c.period == period
            )
        ).first()
        values = {
            "title": title,
            "settings": dict(settings),
            "left_by_hand": [[one.words, one.page] for one in found.left],
            "made": list(dict.fromkeys([*(row.made if row else ()), *found.made])),
            "seen": found.seen,
            "looked_at": now,
            "ready_at": None if found.left else (row.ready_at if row else None) or now,
        }
        if row is None:
            values |= {"target_id": target_id, "badge_key": key, "period": period}
            self._db.execute(insert(tt.badge_preparations).values(values))
        else:
            self._db.execute(update(tt.badge_preparations).where(_c.id == row.id).values(values))

    def seen_held(self, target: str) -> set[tuple[str, str]]:
        """The (badge key, period) pairs that somebody was seen to hold there."""
        a, s = t.awards.c, t.target_states.c
        rows = self._db.execute(
            select(a.badge_key, a.period)
            .join(t.target_states, s.award_id == a.id)
            .join(t.targets, t.targets.c.id == s.target_id)
            .where(t.targets.c.key == target, s.observed == "held", s.moved_at.is_(None))
            .distinct()
        )
        return {(key, period) for key, period in rows}
