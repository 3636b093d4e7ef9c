"""Statements that are kept no longer, in SQL: what goes of them, and what must stay."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)

from bridge.domain.claims import ClaimState
from bridge.domain.lrs.forgetting import Needed, Old
from bridge.storage import tables as t
from bridge.storage import tables_lrs as tl
from bridge.storage.bulk import among, chunks
from bridge.storage.lrs import MOST_BYTES

_s, _r, _t, _f = tl.lrs_statements.c, t.received.c, tl.lrs_terms.c, tl.lrs_references.c
_by, _file = tl.lrs_attached.c, tl.lrs_attachments.c
#: A person still has to act on a claim in one of these.
_UNDECIDED = (ClaimState.SUGGESTED, ClaimState.SUBMITTED, ClaimState.RETURNED)


class SqlForgetting:
    """Implements `bridge.domain.lrs.forgetting.ForgettingRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._postgresql = connection.dialect.name == "postgresql"

    def old(self, before: int, after: tuple[int, int], limit: int) -> list[Old]:
        """Statements that are old enough, oldest first."""
        length = func.octet_length if self._postgresql else func.length
        asked = (
            select(_s.id, length(_r.body))
            .join(t.received, _r.id == _s.id)
            .where(
                _s.forgotten_at.is_(None),
                _s.stored < before,
                tuple_(_s.stored, _s.id) > tuple_(*after),
            )
            .order_by(_s.stored, _s.id)
            .limit(limit)
        )
        ids: list[int] = []
        weight = 0
        for row, size in self._db.execute(asked):
            weight += size or 0
            if ids and weight > MOST_BYTES:
                break
            ids.append(row)
        whole = (
            select(_s.id, _s.statement_id, _s.source_id, _s.stored, _r.natural_key, _r.body)
            .join(t.received, _r.id == _s.id)
            .where(among(self._db, _s.id, ids))
            .order_by(_s.stored, _s.id)
        )
        return [
            Old(row, told.replace("-", ""), source, stored, key, body or b"")
            for row, told, source, stored, key, body in self._db.execute(whole)
        ]

    def rows_of(self, source_id: int, keys: Collection[str]) -> dict[str, int]:
        """The received items of a source by their natural keys."""
        asked = select(_r.natural_key, _r.id).where(
            _r.source_id == source_id, among(self._db, _r.natural_key, keys)
        )
        return {key: row for key, row in self._db.execute(asked)}

    def needed(self, rows: Collection[int]) -> dict[int, Needed]:
        """Those whose bytes are needed still."""
        record, of, claim = t.learning_records.c, t.evidence_records.c, t.claims.c
        undecided = (
            select(record.received_id)
            .join(t.evidence_records, of.record_id == record.id)
            .join(t.claims, claim.evidence_id == of.evidence_id)
            .where(
                among(self._db, record.received_id, rows),
                or_(claim.state.in_(_UNDECIDED), claim.contested_at.is_not(None)),
            )
            .distinct()
        )
        found = dict.fromkeys(self._db.scalars(undecided), Needed.UNDECIDED)
        held = t.quarantine.c.received_id
        asked = select(held).where(among(self._db, held, rows))
        return found | dict.fromkeys(self._db.scalars(asked), Needed.QUARANTINED)

    def drop_files(self, rows: Collection[int]) -> int:
        """Files that came with these statements and no other."""
        theirs = among(self._db, _by.statement, rows)
        hashes = sorted(set(self._db.scalars(select(_by.sha2).where(theirs))))
        if not hashes:
            return 0
        # Whoever sends one of them at this moment is waited for, and seen by what follows.
        for part in chunks(hashes, 1000):
            self._db.execute(
                select(_file.sha2)
                .where(_file.sha2.in_(part))
                .order_by(_file.sha2)
                .with_for_update()
            ).all()
        self._db.execute(delete(tl.lrs_attached).where(theirs))
        gone = 0
        for part in chunks(hashes, 1000):
            others = exists().where(_by.sha2 == _file.sha2)
            done = self._db.execute(delete(tl.lrs_attachments).where(_file.sha2.in_(part), ~others))
            gone += done.rowcount
        return gone

    def drop_terms(self, terms: Collection[tuple[int, int, int]]) -> None:
        """(term, stored, row)."""
        if terms:
            names = ("a_term", "a_moment", "a_row")
            self._db.execute(_DROP_TERM, _bound(names, sorted(terms)))

    def drop_references(self, references: Collection[tuple[str, int]]) -> None:
        """(target, row)."""
        if references:
            self._db.execute(_DROP_REFERENCE, _bound(("a_target", "a_row"), sorted(references)))

    def named(self, terms: Collection[int]) -> set[int]:
        """Those of these by which some statement is found."""
        found: set[int] = set()
        for part in chunks(sorted(terms), 1000):
            # One look for each: of a term that is common, not all rows are wanted.
            found |= {each for each in part if self._db.scalar(_ANY_OF_TERM, {"a_term": each})}
        return found

    def drop_definitions(self, iris: Collection[str]) -> int:
        """What was said of these activities."""
        digests = [hashlib.sha256(iri.encode("utf-8", "surrogatepass")).digest() for iri in iris]
        gone = 0
        for part in chunks(digests, 1000):
            done = self._db.execute(
                delete(tl.lrs_activities).where(tl.lrs_activities.c.iri_digest.in_(part))
            )
            gone += done.rowcount
        return gone

    def drop_bytes(self, rows: Collection[int], items: Collection[int], now: datetime) -> None:
        """Statements by their rows, and the received items read from them."""
        self._db.execute(update(t.received).where(among(self._db, _r.id, items)).values(body=None))
        self._db.execute(
            update(tl.lrs_statements).where(among(self._db, _s.id, rows)).values(forgotten_at=now)
        )

    def stock(self) -> tuple[int, int | None]:
        """How many statements are kept whole, and when the oldest was stored."""
        asked = select(func.count(_s.id), func.min(_s.stored)).where(_s.forgotten_at.is_(None))
        count, oldest = self._db.execute(asked).one()
        return count, oldest


_DROP_TERM = delete(tl.lrs_terms).where(
    _t.term == bindparam("a_term"),
    _t.stored == bindparam("a_moment"),
    _t.statement == bindparam("a_row"),
)
_DROP_REFERENCE = delete(tl.lrs_references).where(
    _f.target == bindparam("a_target"), _f.statement == bindparam("a_row")
)
_ANY_OF_TERM = select(_t.statement).where(_t.term == bindparam("a_term")).limit(1)


def _bound(names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]
