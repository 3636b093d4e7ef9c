"""Files beside statements of the xAPI endpoint, in SQL: each kept once, and who sent it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.lrs.statements import Attachment
from bridge.storage import tables_lrs as tl
from bridge.storage.bulk import chunks


class FileQueries:
    """The part of the repository of statements about files."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _insert(self, table: Any) -> Any:
        dialect = postgresql if self._db.dialect.name == "postgresql" else sqlite
        return dialect.insert(table)

    def add_attachments(
        self, source_id: int, attachments: Sequence[Attachment], now: datetime
    ) -> None:
        """Keep files, each once, and who sent them."""
        for each in sorted(attachments):
            self._db.execute(
                self._insert(tl.lrs_attachments).on_conflict_do_nothing(),
                {
                    "sha2": each.sha2,
                    "media_type": each.media_type[:255],
                    "size": len(each.body),
                    "body": each.body,
                    "stored_at": now,
                },
            )
            self._db.execute(
                self._insert(tl.lrs_attachment_sources).on_conflict_do_nothing(),
                {"sha2": each.sha2, "source_id": source_id},
            )

    def attachment_sizes(self, source_id: int | None, hashes: Collection[str]) -> dict[str, int]:
        """How large files are."""
        a = tl.lrs_attachments.c
        sizes: dict[str, int] = {}
        for part in chunks(list(hashes), 1000):
            asked = select(a.sha2, a.size).where(a.sha2.in_(part), *_sent_by(source_id))
            sizes |= {sha2: size for sha2, size in self._db.execute(asked)}
        return sizes

    def attachments(self, hashes: Collection[str]) -> list[Attachment]:
        """Files by their hashes."""
        a = tl.lrs_attachments.c
        asked = select(a.sha2, a.media_type, a.body).where(a.sha2.in_(list(hashes)))
        return [Attachment(*row) for row in self._db.execute(asked.order_by(a.sha2))]


def _sent_by(source_id: int | None) -> list[ColumnElement[bool]]:
    if source_id is None:
        return []
    sent = tl.lrs_attachment_sources.c
    return [exists().where(sent.sha2 == tl.lrs_attachments.c.sha2, sent.source_id == source_id)]
