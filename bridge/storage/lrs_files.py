"""Files beside statements, in SQL: each once by its hash, and which source brought it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, false, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.lrs.statements import Attachment
from bridge.storage import tables_lrs as tl
from bridge.storage.bulk import chunks

_a, _by = tl.lrs_attachments.c, tl.lrs_attached.c


class Files:
    """The part of the endpoint's repository that keeps files."""

    _db: Connection

    def add_attachments(self, attachments: Sequence[Attachment], now: datetime) -> None:
        """Keep files, each once."""
        dialect = postgresql if self._db.dialect.name == "postgresql" else sqlite
        for each in sorted(attachments):
            row: Any = dialect.insert(tl.lrs_attachments)
            self._db.execute(
                # Nothing is changed of one that is there, but on PostgreSQL its row is held: who
                # forgets files waits until this transaction has said whose it is.
                row.on_conflict_do_update(
                    index_elements=[_a.sha2], set_={"size": row.excluded.size}, where=false()
                ),
                {
                    "sha2": each.sha2,
                    "media_type": each.media_type[:255],
                    "size": len(each.body),
                    "body": each.body,
                    "stored_at": now,
                },
            )

    def attach(self, source_id: int, files: Collection[tuple[str, int]]) -> None:
        """(hash, row) of files and the statements that brought them."""
        rows = [
            {"sha2": sha2, "source_id": source_id, "statement": row}
            for sha2, row in sorted(set(files))
        ]
        if rows:
            self._db.execute(tl.lrs_attached.insert(), rows)

    def attachment_sizes(self, hashes: Collection[str], source_id: int | None) -> dict[str, int]:
        """How large files are."""
        sizes: dict[str, int] = {}
        for part in chunks(list(hashes), 1000):
            asked = select(_a.sha2, _a.size).where(_a.sha2.in_(part), *_brought_by(source_id))
            sizes |= {sha2: size for sha2, size in self._db.execute(asked)}
        return sizes

    def attachments(self, hashes: Collection[str], source_id: int | None) -> list[Attachment]:
        """Files by their hashes."""
        found: list[Attachment] = []
        for part in chunks(sorted(hashes), 1000):
            asked = select(_a.sha2, _a.media_type, _a.body).where(
                _a.sha2.in_(part), *_brought_by(source_id)
            )
            found += [Attachment(*row) for row in self._db.execute(asked.order_by(_a.sha2))]
        return found


def _brought_by(source_id: int | None) -> list[ColumnElement[bool]]:
    """That a source brought a file in a request of its own, and did not merely name its hash."""
    if source_id is None:
        return []
    return [exists().where(_by.sha2 == _a.sha2, _by.source_id == source_id)]
