"""Logs of 12 months, their sign-off, and what was added to them afterwards (R4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from bridge.domain.errors import NotFound
from bridge.domain.model import Evidence
from bridge.domain.teams import Log, Sealed, SealedAddendum
from bridge.storage import tables as t
from bridge.storage import tables_practice as tp
from bridge.storage.evidence import EVIDENCE_COLUMNS

_l, _p, _e, _x = t.logs.c, t.people.c, t.evidence.c, tp.log_addenda.c
_signer = t.people.alias("signer")


class SqlLogs:
    """Implements `bridge.domain.teams.LogRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _logs(self) -> Select[Any]:
        return (
            select(_l.id, _p.canonical_id, _p.display_name, _l.starts_on, _l.ends_on, _l.signed_at,
                   _signer.c.canonical_id, _signer.c.display_name)
            .join(t.people, _p.id == _l.person_id)
            .outerjoin(_signer, _signer.c.id == _l.signed_by)
        )  # fmt: skip

    def of(self, person: int) -> list[Log]:
        """The logs of a (canonical) person, the latest first."""
        query = self._logs().where(_p.canonical_id == person)
        rows = self._db.execute(query.order_by(_l.starts_on.desc(), _l.id))
        return [Log(*row) for row in rows]

    def get(self, log_id: int) -> Log:
        """One log. Raises NotFound."""
        row = self._db.execute(self._logs().where(_l.id == log_id)).first()
        if row is None:
            raise NotFound("There is no such log for you to see.")
        return Log(*row)

    def open(self, person: int, starts_on: date, ends_on: date) -> int:
        """The log of that person which starts then, made where there is none yet."""
        found: int | None = self._db.scalar(
            select(_l.id).where(_l.person_id == person, _l.starts_on == starts_on)
        )
        if found is not None:
            return found
        new = insert(t.logs).values(person_id=person, starts_on=starts_on, ends_on=ends_on)
        made: int = self._db.execute(new.returning(_l.id)).scalar_one()
        return made

    def evidence(self, log_id: int) -> list[Evidence]:
        """What was filed in a log, the newest activity first: submitted at least once."""
        query = (
            select(*EVIDENCE_COLUMNS)
            .join(t.people, _p.id == _e.person_id)
            .where(_e.log_id == log_id)
            .order_by(_e.occurred_on.desc(), _e.id)
        )
        return [Evidence(*row) for row in self._db.execute(query)]

    def sign(self, log_id: int, by: int, words: Sealed, now: datetime) -> bool:
        """Sign a log off; False where somebody has just done so."""
        done = self._db.execute(
            update(t.logs)
            .where(_l.id == log_id, _l.signed_at.is_(None))
            .values(signed_at=now, signed_by=by, next_steps=words.ciphertext, key_id=words.key_id)
        )
        return done.rowcount > 0

    def words(self, log_id: int) -> Sealed | None:
        """What was written at the sign-off, sealed."""
        row = self._db.execute(
            select(_l.next_steps, _l.key_id).where(_l.id == log_id, _l.next_steps.is_not(None))
        ).first()
        return None if row is None else Sealed(row.next_steps, row.key_id)

    def addenda(self, log_id: int) -> list[SealedAddendum]:
        """What was added since it was signed, in order."""
        rows = self._db.execute(
            select(_p.display_name, _x.written_at, _x.ciphertext, _x.key_id)
            .join(t.people, _p.id == _x.author_id)
            .where(_x.log_id == log_id)
            .order_by(_x.id)
        )
        return [
            SealedAddendum(ordinal, author, at, Sealed(text, key))
            for ordinal, (author, at, text, key) in enumerate(rows)
        ]

    def add(self, log_id: int, author: int, words: Sealed, now: datetime) -> None:
        """Add to a signed log."""
        self._db.execute(
            insert(tp.log_addenda).values(
                log_id=log_id, author_id=author, ciphertext=words.ciphertext,
                key_id=words.key_id, written_at=now,
            )
        )  # fmt: skip
