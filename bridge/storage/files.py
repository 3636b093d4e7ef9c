"""Files beside evidence, encrypted; the bytes of a removed one are gone at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bridge.domain.notebook import FileFacts
from bridge.domain.vault import Vault
from bridge.storage import tables as t
from bridge.storage import tables_practice as tp
from bridge.storage.bulk import among, new_ids

_f = tp.evidence_files.c
_FACTS = (_f.id, _f.evidence_id, _f.name, _f.media_type, _f.size, t.people.c.canonical_id,
          _f.added_at)  # fmt: skip


def _place(evidence_id: int, file_id: int) -> str:
    return f"file:{evidence_id}:{file_id}"


class SqlFiles:
    """Implements `bridge.domain.notebook.FileRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, facts: FileFacts, body: bytes, vault: Vault) -> int:
        """A new file; its id. The id in `facts` says nothing yet."""
        (file_id,) = new_ids(self._db, tp.evidence_files, 1)
        ciphertext, key_id = vault.seal_bytes(body, _place(facts.evidence_id, file_id))
        self._db.execute(
            insert(tp.evidence_files).values(
                id=file_id, evidence_id=facts.evidence_id, name=facts.name,
                media_type=facts.media_type, size=facts.size, ciphertext=ciphertext,
                key_id=key_id, added_by=facts.added_by, added_at=facts.added_at,
            )
        )  # fmt: skip
        return file_id

    def of(self, evidence_id: int) -> list[FileFacts]:
        """The files of a piece of evidence, in the order they came."""
        rows = self._db.execute(
            select(*_FACTS)
            .join(t.people, t.people.c.id == _f.added_by)
            .where(_f.evidence_id == evidence_id, _f.removed_at.is_(None))
            .order_by(_f.id)
        )
        return [FileFacts(*row) for row in rows]

    def of_each(self, evidence_ids: Collection[int]) -> dict[int, list[FileFacts]]:
        """The files of several pieces of evidence."""
        rows = self._db.execute(
            select(*_FACTS)
            .join(t.people, t.people.c.id == _f.added_by)
            .where(among(self._db, _f.evidence_id, evidence_ids), _f.removed_at.is_(None))
            .order_by(_f.id)
        )
        found: dict[int, list[FileFacts]] = defaultdict(list)
        for row in rows:
            facts = FileFacts(*row)
            found[facts.evidence_id].append(facts)
        return dict(found)

    def get(self, evidence_id: int, file_id: int, vault: Vault) -> tuple[FileFacts, bytes] | None:
        """A file with its content; None where there is none."""
        row = self._db.execute(
            select(*_FACTS, _f.ciphertext, _f.key_id)
            .join(t.people, t.people.c.id == _f.added_by)
            .where(
                _f.id == file_id, _f.evidence_id == evidence_id, _f.removed_at.is_(None),
                _f.ciphertext.is_not(None),
            )
        ).first()  # fmt: skip
        if row is None:
            return None
        body = vault.open_bytes(row.ciphertext, row.key_id, _place(evidence_id, file_id))
        return FileFacts(*row[: len(_FACTS)]), body

    def remove(self, file_id: int, now: datetime) -> None:
        """Its bytes are gone; that it was there stays."""
        self._db.execute(
            update(tp.evidence_files)
            .where(_f.id == file_id, _f.removed_at.is_(None))
            .values(removed_at=now, ciphertext=None)
        )
