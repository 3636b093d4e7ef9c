"""Hooks and the notes left at them, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.inbox import Backlog, Due, Hook
from bridge.storage import tables_inbox as ti

_h, _n = ti.hooks.c, ti.inbox.c


class SqlInbox:
    """Implements `bridge.domain.inbox.InboxRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add_hook(self, source_key: str, sha256: bytes, by: str, now: datetime) -> int:
        """A new address for a source; its id."""
        row = insert(ti.hooks).values(
            source_key=source_key, sha256=sha256, issued_at=now, issued_by=by
        )
        made: int = self._db.execute(row.returning(_h.id)).scalar_one()
        return made

    def end_hooks(self, source_key: str, at: datetime, but: int | None = None) -> int:
        """Let a source's hooks end then; how many that changes."""
        done = self._db.execute(
            update(ti.hooks)
            .where(
                _h.source_key == source_key,
                or_(_h.ends_at.is_(None), _h.ends_at > at),
                _h.id != (but or 0),
            )
            .values(ends_at=at)
        )
        return int(done.rowcount)

    def hooks(self, source_key: str | None, now: datetime) -> list[Hook]:
        """The open hooks, oldest first."""
        asked = select(_h.id, _h.source_key, _h.sha256, _h.issued_at, _h.ends_at, _h.used_at).where(
            or_(_h.ends_at.is_(None), _h.ends_at > now)
        )
        if source_key is not None:
            asked = asked.where(_h.source_key == source_key)
        return [Hook(*row) for row in self._db.execute(asked.order_by(_h.id))]

    def use_hook(self, hook_id: int, now: datetime) -> None:
        """Remember that it was used."""
        self._db.execute(update(ti.hooks).where(_h.id == hook_id).values(used_at=now))

    def add_note(self, source_key: str, dedupe: str, note: str, now: datetime) -> bool:
        """Keep a note; whether it is new."""
        values: dict[str, Any] = {
            "source_key": source_key, "dedupe": dedupe, "note": note, "noted_at": now,
            "next_at": now, "attempts": 0, "error": "",
        }  # fmt: skip
        dialect = postgresql if self._db.dialect.name == "postgresql" else sqlite
        row = dialect.insert(ti.inbox).values(**values).on_conflict_do_nothing()
        return self._db.execute(row).rowcount == 1

    def waiting(self, source_key: str) -> int:
        """How many notes wait."""
        asked = select(func.count()).where(_n.source_key == source_key, _n.done_at.is_(None))
        return int(self._db.execute(asked).scalar_one())

    def backlog(self, since: datetime) -> list[Backlog]:
        """How the notes of each source stand."""
        waits = _n.done_at.is_(None)
        failed = and_(_n.done_at.is_not(None), _n.error != "")
        asked = (
            select(
                _n.source_key,
                func.count().filter(waits),
                func.count().filter(failed),
                func.max(case((_n.error != "", _n.id))),
            )
            .where(or_(waits, _n.noted_at >= since))
            .group_by(_n.source_key)
            .order_by(_n.source_key)
        )
        found = self._db.execute(asked).all()
        ids = [latest for *_, latest in found if latest is not None]
        words = {
            row.id: row.error
            for row in self._db.execute(select(_n.id, _n.error).where(_n.id.in_(ids)))
        }
        return [
            Backlog(key, waiting, given_up, words.get(latest, ""))
            for key, waiting, given_up, latest in found
        ]

    def sources_due(self, now: datetime) -> list[str]:
        """The sources of which something is to be looked at now."""
        asked = select(_n.source_key).where(_n.done_at.is_(None), _n.next_at <= now).distinct()
        return list(self._db.scalars(asked))

    def due(self, source_key: str, now: datetime, limit: int) -> list[Due]:
        """What is to be looked at now, each thing once."""
        asked = (
            select(_n.note, func.max(_n.id), func.max(_n.attempts))
            .where(_n.source_key == source_key, _n.done_at.is_(None), _n.next_at <= now)
            .group_by(_n.note)
            .order_by(func.min(_n.id))
            .limit(limit)
        )
        return [Due(*row) for row in self._db.execute(asked)]

    def done(self, source_key: str, due: Due, now: datetime, error: str = "") -> None:
        """It was looked at, or given up."""
        self._change(source_key, due, done_at=now, error=error)

    def postpone(self, source_key: str, due: Due, until: datetime, error: str) -> None:
        """Later, and one attempt more in vain."""
        self._change(source_key, due, next_at=until, attempts=due.attempts + 1, error=error)

    def _change(self, source_key: str, due: Due, **values: Any) -> None:
        self._db.execute(
            update(ti.inbox)
            .where(
                _n.source_key == source_key, _n.note == due.note, _n.id <= due.newest,
                _n.done_at.is_(None),
            )
            .values(**values)
        )  # fmt: skip

    def forget(self, source_keys: Sequence[str] | None, before: datetime) -> int:
        """Remove notes that were done before then."""
        gone = delete(ti.inbox).where(_n.done_at < before)
        if source_keys is not None:
            gone = gone.where(_n.source_key.in_(source_keys))
        return int(self._db.execute(gone).rowcount)
