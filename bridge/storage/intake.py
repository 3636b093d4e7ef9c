"""What sources gave: received items and quarantine; with accounts and activities, all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, delete, insert, select, update

from bridge.domain.model import (
    Known,
    NewQuarantine,
    NewReceived,
    NewRecord,
    Quarantined,
    Reading,
)
from bridge.domain.records import Precision, Status, Unreadable
from bridge.storage import tables as t
from bridge.storage.bulk import CHUNK, among, insert_rows, new_ids
from bridge.storage.records import RecordQueries
from bridge.storage.source_accounts import AccountQueries
from bridge.storage.source_activities import AliasQueries


class SqlIntake(RecordQueries, AccountQueries, AliasQueries):
    """Implements `bridge.domain.repositories.IntakeRepository`."""

    def __init__(self, connection: Connection) -> None:
        RecordQueries.__init__(self, connection)
        self._db = connection

    def new_ids(self, table: str, count: int) -> Sequence[int]:
        """Unused keys of `table`."""
        return new_ids(self._db, t.metadata.tables[table], count)

    def envelope_id(self, body: bytes) -> int:
        """The id of an envelope, stored once however many items came in it."""
        digest = hashlib.sha256(body).digest()
        query = select(t.envelopes.c.id).where(t.envelopes.c.sha256 == digest)
        found: int | None = self._db.scalar(query)
        if found is None:
            row = insert(t.envelopes).values(sha256=digest, body=body).returning(t.envelopes.c.id)
            found = self._db.scalar(row)
        assert found is not None  # noqa: S101  RETURNING gave it
        return found

    def known(self, source_id: int, keys: Sequence[str]) -> dict[str, Known]:
        """Those of these items that the source gave before."""
        r = t.received.c
        query = select(r.natural_key, r.id, r.sha256, r.gone_at.is_not(None)).where(
            r.source_id == source_id, among(self._db, r.natural_key, keys)
        )
        return {
            key: Known(row_id, sha256, gone)
            for key, row_id, sha256, gone in self._db.execute(query).all()
        }

    def times_of(self, source_id: int, keys: Sequence[str]) -> dict[str, datetime]:
        """When the records of these items happened."""
        r = t.received.c
        query = (
            select(r.natural_key, t.learning_records.c.occurred_at)
            .join(t.learning_records, t.learning_records.c.received_id == r.id)
            .where(r.source_id == source_id, among(self._db, r.natural_key, keys))
        )
        return {key: moment for key, moment in self._db.execute(query)}

    def readings(self, received_ids: Sequence[int]) -> dict[int, Reading]:
        """What the records of these items say, and in which envelope they came."""
        c, r = t.learning_records.c, t.received.c
        query = (
            select(r.id, c.status, c.precision, c.score, r.envelope_id)
            .join(t.learning_records, c.received_id == r.id)
            .where(among(self._db, r.id, received_ids))
        )
        return {
            row_id: Reading(Status(status), Precision(precision), score, envelope_id)
            for row_id, status, precision, score, envelope_id in self._db.execute(query)
        }

    def dated_under(self, source_id: int, stems: Sequence[str]) -> set[str]:
        """Those beginnings of natural keys under which the source has a record now."""
        r = t.received.c
        records = select(r.id).join(
            t.learning_records, t.learning_records.c.received_id == r.id
        ).where(r.source_id == source_id, r.gone_at.is_(None))  # fmt: skip
        return {
            stem
            for stem in stems
            if self._db.scalar(
                records.where(r.natural_key.startswith(stem, autoescape=True)).limit(1)
            )
        }

    def present_keys(self, source_id: int) -> Iterator[tuple[int, str]]:
        """Everything the source gave and still has, in no order, a chunk in memory at a time."""
        r = t.received.c
        # The sum keeps SQLite from going by the index on the key, and so from row to row all
        # over the table: nearly every row is wanted.
        query = select(r.id, r.natural_key).where(r.source_id + 0 == source_id, r.gone_at.is_(None))
        for row in self._db.execute(query, execution_options={"yield_per": CHUNK}):
            yield row.id, row.natural_key

    def replace_bytes(
        self, received_id: int, sha256: bytes, body: bytes, envelope_id: int, now: datetime
    ) -> None:
        """The source says something else now: the earlier bytes are kept as a version."""
        r, v = t.received.c, t.received_versions
        before = select(r.id, r.sha256, r.body, r.envelope_id).where(r.id == received_id)
        row = self._db.execute(before).one()
        if row.sha256 == sha256:
            return  # Only how it is read has changed.
        self._db.execute(
            insert(v).values(
                received_id=row.id,
                sha256=row.sha256,
                body=row.body,
                envelope_id=row.envelope_id,
                replaced_at=now,
            )
        )
        self._db.execute(
            update(t.received)
            .where(r.id == received_id)
            .values(sha256=sha256, body=body, envelope_id=envelope_id)
        )

    # --- adding in bulk ---------------------------------------------------------------------
    def add_received(self, rows: Sequence[NewReceived]) -> None:
        """Store items as they came."""
        self._insert(t.received, NewReceived._fields, rows)

    def add_records(self, rows: Sequence[NewRecord]) -> None:
        """Store records with their dispositions."""
        self._insert(t.learning_records, NewRecord._fields, rows)

    def add_quarantine(self, rows: Sequence[NewQuarantine]) -> None:
        """Set items aside."""
        self._insert(t.quarantine, NewQuarantine._fields, rows)

    def _insert(
        self, table: Table, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
    ) -> None:
        insert_rows(self._db, table, columns, rows)

    # --- quarantine -------------------------------------------------------------------------
    def update_quarantine(self, received_id: int, why: Unreadable) -> bool:
        """It cannot be read still; keep the newest reason. Whether it is set aside at all."""
        done = self._db.execute(
            update(t.quarantine)
            .where(t.quarantine.c.received_id == received_id)
            .values(code=why.code, message=why.message)
        )
        return done.rowcount > 0

    def release(self, received_id: int) -> bool:
        """Let an item out of quarantine; whether it was there."""
        gone = self._db.execute(
            delete(t.quarantine).where(t.quarantine.c.received_id == received_id)
        )
        return gone.rowcount > 0

    def quarantined(self, source: str | None) -> list[Quarantined]:
        """What is set aside, oldest first."""
        q, r = t.quarantine.c, t.received.c
        query = (
            select(r.id, t.sources.c.key, r.natural_key, q.code, q.message, q.since, r.gone_at,
                   r.body, t.envelopes.c.body)
            .join(t.received, r.id == q.received_id)
            .join(t.sources, t.sources.c.id == r.source_id)
            .join(t.envelopes, t.envelopes.c.id == r.envelope_id)
            .order_by(q.id)
        )  # fmt: skip
        if source is not None:
            query = query.where(t.sources.c.key == source)
        return [
            Quarantined(a, b, c, d, e, f, g is not None, h, i)
            for a, b, c, d, e, f, g, h, i in self._db.execute(query)
        ]
