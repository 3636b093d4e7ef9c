"""Documents and credentials of the xAPI endpoint, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.lrs.documents import Document, Place
from bridge.domain.lrs.presenting import in_microseconds
from bridge.domain.lrs.senders import Scope, Sender, Trust
from bridge.storage import tables as t
from bridge.storage import tables_lrs as tl

_d, _c = tl.lrs_documents.c, tl.lrs_credentials.c


class SqlDocuments:
    """Implements `bridge.domain.lrs.documents.DocumentRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def get(self, place: Place, name: str, *, lock: bool = False) -> Document | None:
        """One document; with `lock`, nobody else changes it in the meantime."""
        key = place.key_of(name)
        if lock and self._db.dialect.name == "postgresql":
            # Also where there is none yet: two that make it at once would both find nothing.
            number = int.from_bytes(key[:8], "big", signed=True)
            self._db.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (number,))
        asked = select(_d.name, _d.media_type, _d.etag, _d.body, _d.updated).where(_d.key == key)
        row = self._db.execute(asked).first()
        return None if row is None else Document(*row)

    def put(self, place: Place, document: Document, now: datetime) -> None:
        """Keep a document, in the place of the one of its name."""
        dialect = postgresql if self._db.dialect.name == "postgresql" else sqlite
        row: Any = dialect.insert(tl.lrs_documents).values(
            source_id=place.source_id,
            kind=place.kind.value,
            place=place.key,
            key=place.key_of(document.name),
            activity=place.activity,
            agent=place.agent,
            registration=place.registration,
            name=document.name,
            media_type=document.media_type,
            etag=document.etag,
            body=document.body,
            updated=in_microseconds(now),
        )
        changed = ("media_type", "etag", "body", "updated")
        self._db.execute(
            row.on_conflict_do_update(
                index_elements=[_d.key], set_={name: row.excluded[name] for name in changed}
            )
        )

    def delete(self, place: Place, name: str) -> bool:
        """Remove a document; whether there was one."""
        done = self._db.execute(delete(tl.lrs_documents).where(_d.key == place.key_of(name)))
        return done.rowcount > 0

    def names(
        self, place: Place, since: int | None, *, any_registration: bool
    ) -> list[tuple[str, int]]:
        """Names and instants of change."""
        asked = select(_d.name, _d.updated).where(_d.place == place.key)
        if not any_registration:
            asked = asked.where(_d.registration == place.registration)
        if since is not None:
            asked = asked.where(_d.updated > since)
        return [(name, updated) for name, updated in self._db.execute(asked.order_by(_d.id))]

    def clear(self, place: Place, *, any_registration: bool) -> int:
        """Remove the documents of a place."""
        gone = delete(tl.lrs_documents).where(_d.place == place.key)
        if not any_registration:
            gone = gone.where(_d.registration == place.registration)
        return int(self._db.execute(gone).rowcount)

    def forget(self, before: datetime, sources: Sequence[int] | None = None) -> int:
        """Remove documents that nobody has changed since then."""
        gone = delete(tl.lrs_documents).where(_d.updated < in_microseconds(before))
        if sources is not None:
            gone = gone.where(_d.source_id.in_(sources))
        return int(self._db.execute(gone).rowcount)


class SqlSenders:
    """Implements `bridge.domain.lrs.senders.SenderRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(
        self,
        name: str,
        title: str,
        source_id: int,
        scopes: frozenset[Scope],
        origins: Sequence[str],
        sha256: bytes,
        now: datetime,
        by: str,
    ) -> Sender:
        """A new credential."""
        self._db.execute(
            insert(tl.lrs_credentials).values(
                name=name,
                title=title,
                source_id=source_id,
                scopes=sorted(scopes),
                origins=list(origins),
                sha256=sha256,
                issued_at=now,
                issued_by=by,
            )
        )
        made = self.find(name)
        assert made is not None  # noqa: S101  it was put there a moment ago
        return made

    def find(self, name: str) -> Sender | None:
        """A credential by its user name."""
        row = self._db.execute(_SENDERS.where(_c.name == name)).first()
        return None if row is None else _sender(row)

    def all(self) -> list[Sender]:
        """Every credential."""
        return [_sender(row) for row in self._db.execute(_SENDERS.order_by(_c.id))]

    def any_open(self) -> bool:
        """Whether there is one that is not revoked."""
        return self._db.scalar(select(_c.id).where(_c.revoked_at.is_(None)).limit(1)) is not None

    def use(self, sender_id: int, now: datetime) -> None:
        """Remember that it was used."""
        self._db.execute(update(tl.lrs_credentials).where(_c.id == sender_id).values(used_at=now))

    def revoke(self, sender_id: int, now: datetime) -> bool:
        """End it."""
        done = self._db.execute(
            update(tl.lrs_credentials)
            .where(_c.id == sender_id, _c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return done.rowcount > 0


_SENDERS = select(
    _c.id, _c.name, _c.title, _c.source_id, t.sources.c.key, t.sources.c.trust, _c.scopes,
    _c.origins, _c.sha256, _c.issued_at, _c.issued_by, _c.used_at, _c.revoked_at,
).join(t.sources, t.sources.c.id == _c.source_id)  # fmt: skip


def _sender(row: Any) -> Sender:
    (row_id, name, title, source_id, source_key, trust, scopes, origins, sha256, issued_at,
     issued_by, used_at, revoked_at) = row  # fmt: skip
    return Sender(
        row_id, name, title, source_id, source_key, Trust(trust),
        frozenset(map(Scope, scopes)), tuple(origins), bytes(sha256), issued_at, issued_by,
        used_at, revoked_at,
    )  # fmt: skip
