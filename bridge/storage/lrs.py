"""Statements of the xAPI endpoint, in SQL: a bulk insert a request, and an index made later."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from bridge.domain.lrs.presenting import in_microseconds
from bridge.domain.lrs.statements import Kept, NewStatement, Query, Waiting, Work
from bridge.storage import tables as t
from bridge.storage import tables_lrs as tl
from bridge.storage.bulk import PlainUuid, among, chunks, insert_rows, new_ids
from bridge.storage.lrs_files import Files
from bridge.storage.ops import TRUSTED

_s, _q, _t, _f = tl.lrs_statements.c, tl.lrs_queue.c, tl.lrs_terms.c, tl.lrs_references.c
#: The advisory lock (PostgreSQL) that whoever receives shares, so that readers see them coming.
_RECEIVING = 4207849490
#: More bytes of statements are not held in memory at once, but for those of a single request.
MOST_BYTES = 8_000_000
#: No longer definition of an activity is kept beside the statements that give it, in bytes.
LONGEST_DEFINITION = 250_000
_STORED = ("id", "statement_id", "source_id", "stored")
_RECEIVED = ("id", "source_id", "natural_key", "sha256", "body", "envelope_id", "received_at")
#: The lock, and rows for what comes.
_BEGIN = (
    f"WITH here AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({_RECEIVING}))"
    " SELECT array_agg(nextval('received_id_seq')) FROM here, generate_series(1, %s)"
)
_WAIT = (
    "INSERT INTO lrs_queue (work, source_id, stored, statements, bytes, rows)"
    " VALUES ({0}, {0}, {0}, {0}, {0}, {0}), ({0}, {0}, {0}, {0}, {0}, {0})"
)
_ENVELOPES, _MOST_ENVELOPES = "xapi envelopes", 100
_COMING = (
    "SELECT min(a.xact_start) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    f" WHERE l.locktype = 'advisory' AND l.objid = {_RECEIVING} AND l.classid = 0"
    " AND l.mode = 'ShareLock' AND l.granted"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class SqlLrs(Files):
    """Implements `bridge.domain.lrs.statements.LrsRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._postgresql = connection.dialect.name == "postgresql"

    # --- receiving --------------------------------------------------------------------------
    def begin_receiving(self, count: int) -> Sequence[int]:
        """Rows for so many statements."""
        if self._postgresql:
            found: list[int] = self._db.exec_driver_sql(_BEGIN, (count,)).scalar_one()
            return found
        return new_ids(self._db, t.received, count)

    def add(
        self,
        source_id: int,
        statements: Sequence[tuple[int, NewStatement]],
        stored: datetime,
        envelopes: tuple[bytes, bytes],
    ) -> bool:
        """Keep statements; whether all of them were new."""
        of_moment = {
            moment: self._envelope_id(envelope)
            for moment, envelope in zip((True, False), envelopes, strict=True)
            if any(new.moment is moment for _, new in statements)
        }
        at = in_microseconds(stored)
        # Always in the same order: two that send the same statements at once then wait for each
        # other in one direction, never in both.
        by_key = sorted(statements, key=lambda each: each[1].natural_key)
        by_id = sorted(statements, key=lambda each: each[1].id)
        try:
            insert_rows(
                self._db,
                t.received,
                _RECEIVED,
                (
                    (row, source_id, new.natural_key, new.sha256, new.body,
                     of_moment[new.moment], stored)
                    for row, new in by_key
                ),
            )  # fmt: skip
            insert_rows(
                self._db,
                tl.lrs_statements,
                _STORED,
                ((row, self._as_uuid(new.id), source_id, at) for row, new in by_id),
            )
        except IntegrityError:
            self._db.info.pop(_ENVELOPES, None)
            return False
        voiding = [(new.voids, row, True) for row, new in statements if new.voids is not None]
        if voiding:
            self.add_references(voiding)
        rows = orjson.dumps([row for row, _ in statements]).decode()
        same = (source_id, at, len(statements), sum(len(new.body) for _, new in statements), rows)
        # In words of its own, and both at once: it is written with every request.
        wait = _WAIT.format("%s" if self._postgresql else "?")
        self._db.exec_driver_sql(wait, (Work.DRAIN, *same, Work.INDEX, *same))
        return True

    def _as_uuid(self, hexadecimal: str) -> Any:
        return PlainUuid(int(hexadecimal, 16)) if self._postgresql else hexadecimal

    def _envelope_id(self, envelope: bytes) -> int:
        """An envelope's id; one that is met again is remembered with the connection."""
        remembered: dict[bytes, int] = self._db.info.setdefault(_ENVELOPES, {})
        found = remembered.get(envelope)
        if found is None:
            e = t.envelopes.c
            digest = hashlib.sha256(envelope).digest()
            found = self._db.scalar(select(e.id).where(e.sha256 == digest))
            if found is None:
                # Another may store it at this very moment.
                row = {"sha256": digest, "body": envelope}
                self._db.execute(self._insert(t.envelopes).values(row).on_conflict_do_nothing())
                return int(self._db.execute(select(e.id).where(e.sha256 == digest)).scalar_one())
            if len(remembered) >= _MOST_ENVELOPES:
                remembered.clear()
            remembered[envelope] = found
        return found

    def known(self, source_id: int, statements: Sequence[NewStatement]) -> dict[str, Kept]:
        """Those that are kept already."""
        by_id = {kept.id: kept for kept in self._kept(
            _s.statement_id.in_([new.id for new in statements])
        )}  # fmt: skip
        return {new.id: by_id[new.id] for new in statements if new.id in by_id}

    def rename(self, row: int, statement_id: str) -> None:
        """Let a kept statement go by another id."""
        self._db.execute(
            update(tl.lrs_statements).where(_s.id == row).values(statement_id=statement_id)
        )

    def through(self, now: datetime) -> int:
        """Up to which instant everything that was stored can be seen."""
        if not self._postgresql:
            # One writer at a time, and this transaction is it, or began when there was none.
            return in_microseconds(now)
        coming = self._db.exec_driver_sql(_COMING).scalar()
        return in_microseconds(now if coming is None else min(now, coming))

    # --- reading ----------------------------------------------------------------------------
    def one(self, statement_id: str) -> Kept | None:
        """A statement by its id."""
        found = self._kept(_s.statement_id == statement_id)
        return found[0] if found else None

    def _kept(self, *where: Any) -> list[Kept]:
        return [_as_kept(row) for row in self._db.execute(_KEPT.where(*where))]

    def rows(self, ids: Sequence[int]) -> list[Kept]:
        """Kept statements by their rows."""
        found: dict[int, Kept] = {}
        for part in chunks(ids):
            if self._postgresql:
                kept = self._rows(part)
            else:
                kept = self._kept(among(self._db, _s.id, part))
            found |= {each.row: each for each in kept}
        return [found[row] for row in ids if row in found]

    def _rows(self, ids: Sequence[int]) -> list[Kept]:
        """Straight from the driver, in binary form: as text, bytes are written and sent twice."""
        driver: Any = self._db.connection.driver_connection
        with driver.cursor(binary=True) as cursor:
            cursor.execute(_ROWS, (f"{{{','.join(map(str, ids))}}}",))
            return [Kept(*row) for row in cursor.fetchall()]

    def find(self, query: Query) -> tuple[list[Kept], bool]:
        """A page of statements, and whether there are more."""
        found = self._db.execute(self._chosen(query)).all()
        ids: list[int] = []
        weight = 0
        for each in found[: query.limit]:
            weight += each[1] or 0
            if ids and weight > MOST_BYTES:
                break
            ids.append(each[0])
        return self.rows(ids), len(ids) < len(found)

    def _chosen(self, query: Query) -> Select[Any]:
        """The rows of a page, in its order.

        By the first term whose numbers are few, and only then by whether the others fit, so that a
        page costs as much as it shows.
        """
        drive = next((terms for terms in query.terms if len(terms) == 1), None)
        rest = [terms for terms in query.terms if terms is not drive]
        # Of PostgreSQL's two, the one that need not read what is counted.
        length = func.octet_length if self._postgresql else func.length
        asked = select(_s.id, length(t.received.c.body)).where(
            _s.voided_by.is_(None), _s.forgotten_at.is_(None)
        )
        asked = asked.where(t.received.c.id == _s.id)
        if drive is None:
            stored, row = _s.stored, _s.id
        else:
            d = tl.lrs_terms.alias("d").c
            stored, row = d.stored, d.statement
            asked = asked.where(_s.id == d.statement, d.term == drive[0])
        for number, terms in enumerate(rest):
            o = tl.lrs_terms.alias(f"o{number}").c
            asked = asked.where(
                exists().where(o.term.in_(terms), o.stored == stored, o.statement == row)
            )
        if query.since is not None:
            asked = asked.where(stored > query.since)
        if query.until is not None:
            asked = asked.where(stored <= query.until)
        if query.after is not None:
            at, after = query.after
            if query.ascending:
                asked = asked.where(or_(stored > at, and_(stored == at, row > after)))
            else:
                asked = asked.where(or_(stored < at, and_(stored == at, row < after)))
        order = (stored, row) if query.ascending else (stored.desc(), row.desc())
        return asked.order_by(*order).limit(query.limit + 1)

    # --- what waits ---------------------------------------------------------------------------
    def waiting(self, work: str, limit: int) -> list[Waiting]:
        """Requests whose statements wait, oldest first."""
        return self._some(_waiting(work, limit).with_for_update(skip_locked=True), limit)

    def coming(self, work: str, after: int, limit: int) -> list[Waiting]:
        """Requests behind `after`, oldest first."""
        return self._some(_waiting(work, limit).where(_q.id > after), limit)

    def _some(self, asked: Select[Any], limit: int) -> list[Waiting]:
        found: list[Waiting] = []
        total = weight = 0
        for row_id, source_id, rows, size in self._db.execute(asked):
            each = Waiting(row_id, source_id, tuple(orjson.loads(rows)))
            if found and (total + len(each.rows) > limit or weight + size > MOST_BYTES):
                break
            total += len(each.rows)
            weight += size
            found.append(each)
        return found

    def oldest_waiting(self, work: str) -> int | None:
        """When the oldest that waits was stored."""
        found: int | None = self._db.scalar(select(func.min(_q.stored)).where(_q.work == work))
        return found

    def count_waiting(self, work: str) -> dict[str, int]:
        """How many statements of each source wait."""
        asked = (
            select(t.sources.c.key, func.sum(_q.statements))
            .join(t.sources, t.sources.c.id == _q.source_id)
            .where(_q.work == work)
            .group_by(t.sources.c.key)
        )
        return {key: int(count) for key, count in self._db.execute(asked)}

    def done(self, waiting: Sequence[Waiting]) -> None:
        """They wait no more."""
        self._db.execute(
            delete(tl.lrs_queue).where(among(self._db, _q.id, [each.id for each in waiting]))
        )

    def shorten(self, waiting: Waiting) -> None:
        """The first of them waits no more."""
        rows = waiting.rows[1:]
        if not rows:
            self.done([waiting])
            return
        self._db.execute(
            update(tl.lrs_queue)
            .where(_q.id == waiting.id)
            .values(rows=orjson.dumps(rows).decode(), statements=len(rows))
        )

    # --- the index ----------------------------------------------------------------------------
    def _insert(self, table: Any) -> Any:
        dialect = postgresql if self._postgresql else sqlite
        return dialect.insert(table)

    def add_terms(self, rows: Collection[tuple[int, int, int]]) -> None:
        """(term, stored, row)."""
        insert_rows(self._db, tl.lrs_terms, ("term", "stored", "statement"), sorted(rows))

    def missing_terms(self, row: int, stored: int, terms: Collection[int]) -> set[int]:
        """Those of the terms that a statement is not found by yet."""
        there = self._db.scalars(
            select(_t.term).where(
                _t.term.in_(list(terms)), _t.stored == stored, _t.statement == row
            )
        )
        return set(terms) - set(there)

    def add_references(self, rows: Collection[tuple[str, int, bool]]) -> None:
        """(target, row, voids); what is there already stays."""
        if rows:
            self._db.execute(
                self._insert(tl.lrs_references).on_conflict_do_nothing(),
                [
                    {"target": target, "statement": row, "voids": voids}
                    for target, row, voids in sorted(rows)
                ],
            )

    def references_to(self, ids: Collection[str]) -> list[tuple[str, int, bool]]:
        """What refers to these statements."""
        found: list[tuple[str, int, bool]] = []
        for part in chunks(list(ids), 1000):
            asked = select(_f.target, _f.statement, _f.voids).where(_f.target.in_(part))
            found += [(_hex(a), b, c) for a, b, c in self._db.execute(asked)]
        return found

    def void(self, row: int, by: int) -> None:
        """Mark a statement as voided."""
        self._db.execute(update(tl.lrs_statements).where(_s.id == row).values(voided_by=by))

    def define(self, source_id: int, definitions: Mapping[str, Any], now: datetime) -> None:
        """What a source says of activities."""
        a = tl.lrs_activities.c
        digests = {iri: _digest(f"{source_id} {iri}") for iri in definitions}
        known: dict[bytes, str] = {}
        for part in chunks(list(digests.values()), 1000):
            asked = select(a.digest, a.definition).where(a.digest.in_(part))
            known |= {row.digest: row.definition for row in self._db.execute(asked)}
        new = []
        for iri, digest in sorted(digests.items(), key=lambda pair: pair[1]):
            before = orjson.loads(known[digest]) if digest in known else None
            after = _laid_over(before or {}, definitions[iri])
            if after != before:
                written = orjson.dumps(after)
                if len(written) > LONGEST_DEFINITION:
                    # Nor does it grow without end by a little more each time.
                    written = orjson.dumps(definitions[iri])
                if len(written) > LONGEST_DEFINITION:
                    continue
                new.append(
                    {
                        "digest": digest,
                        "source_id": source_id,
                        "iri_digest": _digest(iri),
                        "definition": written.decode(),
                        "updated_at": now,
                    }
                )
        if new:
            row = self._insert(tl.lrs_activities)
            self._db.execute(
                row.on_conflict_do_update(
                    index_elements=[a.digest],
                    set_={
                        "definition": row.excluded.definition,
                        "updated_at": row.excluded.updated_at,
                    },
                ),
                new,
            )

    def definitions(self, source_ids: Sequence[int] | None, ids: Collection[str]) -> dict[str, Any]:
        """What is known of activities."""
        a = tl.lrs_activities.c
        by_digest = {_digest(iri): iri for iri in ids}
        found: dict[str, Any] = {}
        for part in chunks(list(by_digest), 1000):
            asked = select(a.iri_digest, a.definition).where(a.iri_digest.in_(part))
            asked = asked.join(t.sources, t.sources.c.id == a.source_id)
            if source_ids is not None:
                asked = asked.where(a.source_id.in_(source_ids))
            # What a learner can write comes first, to be laid over.
            asked = asked.order_by(t.sources.c.trust == TRUSTED, a.updated_at)
            for row in self._db.execute(asked):
                iri = by_digest[row.iri_digest]
                found[iri] = _laid_over(found.get(iri, {}), orjson.loads(row.definition))
        return found


_KEPT = (
    select(
        _s.id, _s.statement_id, _s.source_id, _s.stored, t.received.c.body, t.envelopes.c.body,
        _s.voided_by,
    )
    .join(t.received, t.received.c.id == _s.id)
    .join(t.envelopes, t.envelopes.c.id == t.received.c.envelope_id)
)  # fmt: skip


#: The same for PostgreSQL, by rows, with what `_as_kept` makes of them. Each is looked up by itself
#: (OFFSET 0 keeps it so): of all at once, the planner would rather go through the whole of tables
#: that grow faster than they are analysed.
_ROWS = (
    "SELECT k.* FROM unnest(%s::bigint[]) AS wanted(id) CROSS JOIN LATERAL ("
    "SELECT s.id, encode(uuid_send(s.statement_id), 'hex'), s.source_id, s.stored, r.body, e.body,"
    " s.voided_by IS NOT NULL FROM lrs_statements s JOIN received r ON r.id = s.id"
    " JOIN envelopes e ON e.id = r.envelope_id WHERE s.id = wanted.id OFFSET 0) k"
)


def _waiting(work: str, limit: int) -> Select[Any]:
    return (
        select(_q.id, _q.source_id, _q.rows, _q.bytes)
        .where(_q.work == work)
        .order_by(_q.id)
        .limit(limit)
    )


def _hex(written: str) -> str:
    return written.replace("-", "")


def _as_kept(row: Any) -> Kept:
    number, statement_id, source_id, stored, body, envelope, voided_by = row
    return Kept(
        number, _hex(statement_id), source_id, stored, body, envelope, voided_by is not None
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _laid_over(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A definition after another was given; languages and extensions come together."""
    after = {**old, **new}
    for name in ("name", "description", "extensions"):
        if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
            after[name] = {**old[name], **new[name]}
    return after
