"""Badges of ours seen on accounts for which no award is held, and what was decided about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, select, update

from bridge.domain.errors import NotFound
from bridge.domain.lists import ListPage
from bridge.domain.target_records import Stray
from bridge.domain.targets import Seen
from bridge.storage import tables as t
from bridge.storage import tables_targets as tt
from bridge.storage.lists import cut, numbers
from bridge.storage.target_states import row_of_target

_s = tt.badge_strays.c
_OPEN = ("open", "taking")


class SqlStrays:
    """Implements `bridge.domain.target_records.StrayRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def note(
        self,
        target: str,
        seen: Sequence[Seen],
        now: datetime,
        shows: Callable[[str], bool] = lambda place: True,
    ) -> int:
        """All that is there now and should not be; how many of them are new. The others are gone,
        but for those at places that the target could not show.

        One that was left stays left; one that comes back, or was issued anew, is open again.
        """
        target_id = row_of_target(self._db, target)
        known = {
            (row.place, row.account): row
            for row in self._db.execute(select(tt.badge_strays).where(_s.target_id == target_id))
        }
        new = 0
        for one in seen:
            row = known.pop((one.place, one.account), None)
            facts: dict[str, Any] = {
                "badge_key": one.badge, "title": one.title, "ref": one.ref, "url": one.url,
                "settings": dict(one.settings), "by_hand": one.by_hand,
                "issued_at": one.issued_at, "expires_at": one.expires_at, "seen_at": now,
            }  # fmt: skip
            if row is None:
                self._db.execute(
                    insert(tt.badge_strays).values(
                        target_id=target_id, place=one.place, account=one.account,
                        first_seen_at=now, state="open", **facts,
                    )
                )  # fmt: skip
                new += 1
                continue
            if row.state == "gone" or row.issued_at != one.issued_at:
                facts |= {"state": "open", "said": "", "decided_at": None, "decided_by": None,
                          "first_seen_at": now}  # fmt: skip
                new += 1
            self._db.execute(update(tt.badge_strays).where(_s.id == row.id).values(facts))
        gone = [row.id for row in known.values() if row.state != "gone" and shows(row.place)]
        if gone:
            self._db.execute(
                update(tt.badge_strays).where(_s.id.in_(gone)).values(state="gone", said="")
            )
        return new

    @staticmethod
    def _query() -> Select[Any]:
        """With whose account it is now: the source of a target's accounts has its key."""
        links, owner, entry = t.account_links.c, t.people.alias("owner"), t.people.alias("entry")
        return (
            select(tt.badge_strays, t.targets.c.key.label("target_key"),
                   owner.c.id.label("person"), owner.c.display_name.label("name"))
            .join(t.targets, t.targets.c.id == _s.target_id)
            .outerjoin(t.sources, t.sources.c.key == t.targets.c.key)
            .outerjoin(
                t.accounts,
                and_(t.accounts.c.source_id == t.sources.c.id,
                     t.accounts.c.value == _s.account),
            )
            .outerjoin(
                t.account_links,
                and_(links.account_id == t.accounts.c.id, links.valid_to.is_(None)),
            )
            .outerjoin(entry, entry.c.id == links.person_id)
            .outerjoin(owner, owner.c.id == entry.c.canonical_id)
        )  # fmt: skip

    def listed(
        self, target: str | None, open_only: bool, after: str | None, limit: int
    ) -> ListPage[Stray]:
        """Those that are there, the newest first; only what somebody should decide on if asked."""
        query = self._query().where(_s.state.in_(_OPEN) if open_only else _s.state != "gone")
        if target is not None:
            query = query.where(t.targets.c.key == target)
        if after is not None:
            query = query.where(_s.id < numbers(after, 1)[0])
        rows = self._db.execute(query.order_by(_s.id.desc()).limit(limit + 1)).all()
        return cut(rows, limit, _stray, lambda row: str(row.id))

    def get(self, stray_id: int) -> Stray:
        """One of them. Raises NotFound."""
        row = self._db.execute(self._query().where(_s.id == stray_id)).first()
        if row is None:
            raise NotFound("There is no such badge in the list.")
        return _stray(row)

    def waiting(self, target: str) -> list[Stray]:
        """Those that somebody decided to take away, and that are still there."""
        query = self._query().where(t.targets.c.key == target, _s.state == "taking")
        return [_stray(row) for row in self._db.execute(query.order_by(_s.id))]

    def decide(self, stray_id: int, state: str, by: str, now: datetime) -> None:
        """Somebody's decision."""
        self._db.execute(
            update(tt.badge_strays)
            .where(_s.id == stray_id)
            .values(state=state, said="", decided_at=now, decided_by=by)
        )

    def record(self, stray_id: int, state: str, said: str, now: datetime) -> None:
        """How it went."""
        self._db.execute(
            update(tt.badge_strays)
            .where(_s.id == stray_id, _s.state != "gone")
            .values(state=state, said=said, seen_at=now)
        )

    def open_count(self) -> dict[str, int]:
        """How many wait for somebody, by target."""
        rows = self._db.execute(
            select(t.targets.c.key, func.count())
            .join(tt.badge_strays, _s.target_id == t.targets.c.id)
            .where(_s.state.in_(_OPEN))
            .group_by(t.targets.c.key)
        )
        return {key: count for key, count in rows}


def _stray(row: Any) -> Stray:
    seen = Seen(row.place, row.account, row.badge_key, row.title, row.ref, row.url, row.issued_at,
                row.expires_at, row.by_hand, row.settings)  # fmt: skip
    return Stray(row.id, row.target_key, seen, row.person, row.name or "", row.first_seen_at,
                 row.seen_at, row.state, row.said, row.decided_at, row.decided_by)  # fmt: skip
