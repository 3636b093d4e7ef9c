"""Learning records, read with what deciding on them takes, and settled."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, or_, select, update

from bridge.domain.errors import NotFound
from bridge.domain.model import Alias, Record
from bridge.domain.records import (
    ActivityFacts,
    AttendanceState,
    Booking,
    Disposition,
    LearningFact,
    Status,
    cycle_of,
)
from bridge.domain.times import LONDON, add_months, london_date
from bridge.domain.vanishing import Gone
from bridge.storage import tables as t
from bridge.storage import upkeep
from bridge.storage.bulk import CHUNK, among, chunks
from bridge.storage.ops import TRUSTED

_r, _a, _e = t.learning_records.c, t.activity_aliases.c, t.evidence_records.c
_owner = t.people.alias("owner")
_holder = t.people.alias("holder")
_act, _filed_under = t.activities.c, t.activities.alias("filed_under")


def _query() -> Select[Any]:
    open_link = and_(
        t.account_links.c.account_id == _r.account_id, t.account_links.c.valid_to.is_(None)
    )
    return (
        select(
            _r.id, _r.received_id, t.sources.c.key.label("source_key"),
            t.sources.c.kind.label("source_kind"), t.sources.c.trust, t.received.c.natural_key,
            t.received.c.gone_at, t.received.c.gone_because, _r.voided_by, _r.account_id,
            _owner.c.canonical_id.label("person"),
            _r.status, _r.occurred_at, _r.score, _r.attendance, _r.disposition, _r.reason,
            _r.rule_id, _r.booking_state, _r.said, _r.minutes, _r.planned, _r.evaluated,
            _r.session, _r.sessions, _e.evidence_id,
            _holder.c.canonical_id.label("evidence_person"),
            func.coalesce(_filed_under.c.canonical_id, _filed_under.c.id).label(
                "evidence_activity"
            ),
            t.evidence.c.occurred_on.label("evidence_on"),
            _a.id.label("alias_id"),
            func.coalesce(_act.canonical_id, _act.id).label("activity_id"),
            _a.kind, _a.value, _a.title, _a.idnumber, _a.shortname, _a.category, _a.iri,
            _a.module, _a.course_idnumber, _a.course_shortname,
        )
        .join(t.received, t.received.c.id == _r.received_id)
        .join(t.sources, t.sources.c.id == t.received.c.source_id)
        .join(t.activity_aliases, _a.id == _r.alias_id)
        .join(t.activities, _act.id == _a.activity_id)
        .outerjoin(t.account_links, open_link)
        .outerjoin(_owner, _owner.c.id == t.account_links.c.person_id)
        .outerjoin(t.evidence_records, _e.record_id == _r.id)
        .outerjoin(t.evidence, t.evidence.c.id == _e.evidence_id)
        .outerjoin(_filed_under, _filed_under.c.id == t.evidence.c.activity_id)
        .outerjoin(_holder, _holder.c.id == t.evidence.c.person_id)
        .order_by(_r.id)
    )  # fmt: skip


def _record(row: Row[Any]) -> Record:
    return Record(
        id=row.id,
        received_id=row.received_id,
        source_key=row.source_key,
        natural_key=row.natural_key,
        account_id=row.account_id,
        person=row.person,
        alias=Alias(
            row.alias_id,
            row.activity_id,
            row.source_key,
            row.source_kind,
            ActivityFacts(
                row.kind,
                row.value,
                row.title,
                row.idnumber,
                row.shortname,
                row.category,
                row.iri,
                row.module,
                row.course_idnumber,
                row.course_shortname,
            ),
            row.trust == TRUSTED,
        ),
        status=Status(row.status),
        occurred_at=row.occurred_at,
        score=row.score,
        attendance=row.attendance,
        disposition=Disposition(row.disposition),
        reason=row.reason,
        rule_id=row.rule_id,
        gone=row.gone_because == Gone.REVERSED.value or row.voided_by is not None,
        evidence_id=row.evidence_id,
        evidence_person=row.evidence_person,
        evidence_activity=row.evidence_activity,
        evidence_on=row.evidence_on,
        booking=_booking(row),
        gone_at=row.gone_at,
        gone_because=row.gone_because,
        voided=row.voided_by is not None,
    )


def _booking(row: Row[Any]) -> Booking | None:
    """What a booking system said of the record; None where it comes from elsewhere."""
    told = (row.booking_state, row.said, row.minutes, row.planned, row.evaluated, row.session,
            row.sessions)  # fmt: skip
    if told == _NOT_BOOKED:
        return None
    state, said, minutes, planned, evaluated, session, sessions = told
    return Booking(
        None if state is None else AttendanceState(state),
        said or "",
        minutes,
        planned,
        evaluated,
        session or "",
        sessions,
    )


_NOT_BOOKED = (None,) * 7


def booking_columns(booking: Booking | None) -> dict[str, Any]:
    """What is stored of a booking, by column; the session is empty for a whole event."""
    if booking is None:
        names = ("booking_state", "said", "minutes", "planned", "evaluated", "session", "sessions")
        return dict.fromkeys(names)
    return {
        "booking_state": None if booking.state is None else int(booking.state),
        "said": booking.said,
        "minutes": booking.minutes,
        "planned": booking.planned,
        "evaluated": booking.evaluated,
        "session": booking.session,
        "sessions": booking.sessions,
    }


class RecordQueries:
    """The part of the intake repository that reads and settles records."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def record(self, record_id: int) -> Record:
        """One record. Raises NotFound."""
        row = self._db.execute(_query().where(_r.id == record_id)).first()
        if row is None:
            raise NotFound(f"There is no learning record {record_id}.")
        return _record(row)

    def pending_records(self, limit: int) -> list[Record]:
        """Records to decide on again, oldest first; nobody else marks them meanwhile."""
        pending = select(_r.id).where(_r.pending).order_by(_r.id).limit(limit)
        # What marked them is committed once the lock is ours, so the next query sees it.
        ids = self._db.scalars(pending.with_for_update()).all()
        if not ids:
            # After most pages there are none, and planning the great join is dearer than this.
            return []
        rows = self._db.execute(_query().where(among(self._db, _r.id, ids)))
        return [_record(row) for row in rows]

    def records_of_evidence(self, evidence_ids: Sequence[int]) -> list[Record]:
        """The records that support these pieces of evidence."""
        found: list[Record] = []
        for part in chunks(evidence_ids):
            rows = self._db.execute(_query().where(_e.evidence_id.in_(part)))
            found += [_record(row) for row in rows]
        return found

    def sessions_of(self, records: Sequence[Record]) -> list[Record]:
        """The records of sessions of the same events, by the same people or accounts; these too."""
        accounts = {r.account_id for r in records}
        people = {r.person for r in records if r.person is not None}
        # First by accounts, so that the index on them serves for the records.
        owned = (
            select(t.account_links.c.account_id)
            .join(_owner, _owner.c.id == t.account_links.c.person_id)
            .where(t.account_links.c.valid_to.is_(None),
                   among(self._db, _owner.c.canonical_id, people))
        )  # fmt: skip
        accounts |= set(self._db.scalars(owned))
        query = _query().where(
            _r.session != "",
            among(self._db, _r.account_id, accounts),
            among(self._db, _r.alias_id, {r.alias.id for r in records}),
        )
        return [_record(row) for row in self._db.execute(query)]

    def mark_sessions(self, people: Collection[int]) -> None:
        """Decide again on the sessions of these people: they may count together now, or no more."""
        self._db.execute(
            update(t.learning_records)
            .where(_r.session != "", _r.account_id.in_(self._accounts_of(people)))
            .values(pending=True)
        )

    def mark_siblings(self, received_id: int) -> None:
        """Decide again on the other sessions of this record's event before it changes."""
        own = select(_r.account_id).where(_r.received_id == received_id)
        persons = (
            select(_owner.c.canonical_id)
            .join(t.account_links, t.account_links.c.person_id == _owner.c.id)
            .where(t.account_links.c.valid_to.is_(None), t.account_links.c.account_id.in_(own))
        )
        alias = select(_r.alias_id).where(_r.received_id == received_id, _r.session != "")
        self._db.execute(
            update(t.learning_records)
            .where(
                _r.alias_id.in_(alias),
                _r.session != "",
                or_(_r.account_id.in_(own), _r.account_id.in_(self._accounts_of(persons))),
            )
            .values(pending=True)
        )

    @staticmethod
    def _accounts_of(people: Any) -> Select[Any]:
        return (
            select(t.account_links.c.account_id)
            .join(_owner, _owner.c.id == t.account_links.c.person_id)
            .where(t.account_links.c.valid_to.is_(None), _owner.c.canonical_id.in_(people))
        )

    def records_of_person(self, person: int) -> list[Record]:
        """Everything known of a (canonical) person's learning, newest first."""
        query = _query().where(_owner.c.canonical_id == person)
        return [
            _record(row)
            for row in self._db.execute(query.order_by(None).order_by(_r.occurred_at.desc(), _r.id))
        ]

    def records_with(self, disposition: str, source: str | None, limit: int) -> list[Record]:
        """Records with a disposition, newest first."""
        query = _query().where(_r.disposition == disposition)
        if source is not None:
            query = query.where(t.sources.c.key == source)
        query = query.order_by(None).order_by(_r.occurred_at.desc(), _r.id).limit(limit)
        return [_record(row) for row in self._db.execute(query)]

    def settle(self, rows: Sequence[tuple[int, str, str, int | None]]) -> None:
        """Write (record, disposition, reason, rule) for records that were decided on again."""
        for record_id, disposition, reason, rule_id in rows:
            self._db.execute(
                update(t.learning_records)
                .where(_r.id == record_id)
                .values(disposition=disposition, reason=reason, rule_id=rule_id, pending=False)
            )
        upkeep.sum_up(self._db)

    def update_record(
        self, received_id: int, fact: LearningFact, account_id: int, alias_id: int
    ) -> None:
        """The source corrected itself: take the new facts, and decide again.

        What belongs to whoever had the account's number before stays theirs (DESIGN 5.9).
        """
        holder = t.accounts.c
        theirs = (
            select(holder.id)
            .where(holder.id == _r.account_id, holder.gone_because == Gone.GIVEN_ANEW.value)
            .correlate(t.learning_records)
            .exists()
        )
        self._db.execute(
            update(t.learning_records)
            .where(_r.received_id == received_id)
            .values(
                account_id=case((theirs, _r.account_id), else_=account_id),
                alias_id=alias_id,
                status=fact.status,
                occurred_at=fact.occurred_at,
                precision=fact.precision,
                cycle=cycle_of(fact.occurred_at),
                score=fact.score,
                attendance=fact.attendance,
                pending=True,
                **booking_columns(fact.booking),
            )
        )

    # --- the names of what came ---------------------------------------------------------------
    def name_anew(self, received_id: int, key: str) -> None:
        """It is known now what an item is about that was kept under its bytes alone."""
        self._db.execute(
            update(t.received).where(t.received.c.id == received_id).values(natural_key=key)
        )

    def came_in(self, source_id: int, envelope: bytes) -> bool:
        """Whether anything of this source came in this very envelope."""
        digest = hashlib.sha256(envelope).digest()
        known = select(t.envelopes.c.id).where(t.envelopes.c.sha256 == digest)
        found: int | None = self._db.scalar(known)
        if found is None:
            return False
        r = t.received.c
        any_ = select(r.id).where(r.source_id == source_id, r.envelope_id == found).limit(1)
        return self._db.scalar(any_) is not None

    def kept_rows(self, source_id: int) -> Iterator[tuple[int, str, bytes, bytes]]:
        """(id, natural key, bytes, envelope) of what this source gave and is still kept, a chunk in
        memory at a time."""
        r = t.received.c
        query = (
            select(r.id, r.natural_key, r.body, t.envelopes.c.body)
            .join(t.envelopes, t.envelopes.c.id == r.envelope_id)
            .where(r.source_id == source_id, r.body.is_not(None))
            .order_by(r.id)
            .limit(CHUNK)
        )
        rows = self._db.execute(query).all()
        while rows:
            for row in rows:
                yield row[0], row[1], row[2], row[3]
            rows = self._db.execute(query.where(r.id > rows[-1][0])).all()

    # --- to be decided on again --------------------------------------------------------------
    def mark_people(self, people: Collection[int]) -> None:
        """Decide again on the records of these canonical people's accounts."""
        self._db.execute(
            update(t.learning_records)
            .where(_r.account_id.in_(self._accounts_of(people)))
            .values(pending=True)
        )

    def mark_records(self, record_ids: Collection[int]) -> None:
        """Decide again on these records."""
        for part in chunks(sorted(record_ids)):
            self._db.execute(update(t.learning_records).where(_r.id.in_(part)).values(pending=True))

    def mark_arrived(self, now: datetime) -> int:
        """Decide again on records that lay in the future and do no more; how many there are."""
        done = self._db.execute(
            update(t.learning_records)
            .where(_r.reason == "in-the-future", _r.occurred_at <= now)
            .values(pending=True)
        )
        return done.rowcount

    def mark_older_than(self, now: datetime, months: int) -> int:
        """Decide again on drafts whose activity is no longer recordable; how many there are."""
        edge = add_months(london_date(now), -months)
        before = datetime.combine(edge, time(), LONDON).astimezone(UTC)
        open_claims = (
            select(t.claims.c.id)
            .where(
                t.claims.c.evidence_id == _e.evidence_id,
                t.claims.c.state == "suggested",
                t.claims.c.touched_at.is_(None),
            )
            .exists()
        )
        records = (
            select(_r.id)
            .join(t.evidence_records, _e.record_id == _r.id)
            .where(_r.disposition == "evidence", _r.occurred_at < before, open_claims)
        )
        done = self._db.execute(
            update(t.learning_records).where(_r.id.in_(records)).values(pending=True)
        )
        return done.rowcount
