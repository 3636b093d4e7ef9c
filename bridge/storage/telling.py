"""The queue of decisions that Learning Record Stores are told of: a part of the outbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.identity import IdentifierKind
from bridge.domain.telling import Decided, OpenTelling, Stage, TellingCounts, Waits
from bridge.storage import tables as t
from bridge.storage.bulk import among, chunks

_o, _v, _c, _e = t.outbox.c, t.verifications.c, t.claims.c, t.evidence.c
_i = t.person_identifiers.c
_learner, _decider = t.people.alias("learner"), t.people.alias("decider")
_PREFIX = "lrs:"
_OPEN = _o.done_at.is_(None)
#: So many words of why some wait are shown.
REASONS = 5


def _kind(target: str) -> str:
    return _PREFIX + target


def _key(target: str, verification: int) -> str:
    return f"{_PREFIX}{target}:{verification}"


def _is(target: str) -> ColumnElement[bool]:
    return _o.kind == _kind(target)


class SqlTellings:
    """Implements `bridge.domain.telling.TellingRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # --- queueing -----------------------------------------------------------------------------
    def put(self, target: str, verifications: Sequence[int], now: datetime) -> int:
        """Queue these decisions; how many were not there yet. One that ever was is left alone."""
        dialect = postgresql if self._db.dialect.name == "postgresql" else sqlite
        new = 0
        for part in chunks(verifications):
            learners = {d.id: d.learner for d in self.decisions(part).values()}
            row = dialect.insert(t.outbox).on_conflict_do_nothing(index_elements=[_o.dedupe_key])
            known = self.queued(target, part)
            rows = [
                {"kind": _kind(target), "dedupe_key": _key(target, each),
                 "person_id": learners[each], "payload": {"verification": each},
                 "created_at": now, "next_at": now}
                for each in part
                if each not in known
            ]  # fmt: skip
            if rows:
                self._db.execute(row, rows)
            new += len(rows)
        return new

    def queued(self, target: str, verifications: Collection[int]) -> set[int]:
        """Which of these were ever queued, sent or not."""
        return set(self.stages(target, verifications))

    def missing(self, target: str, since: datetime, limit: int) -> list[int]:
        """What ought to be queued and never was, the oldest first: verifications from `since` on
        that stand, and revocations of what is queued."""
        told = t.outbox.alias("told")

        def was_queued(verification: ColumnElement[int]) -> ColumnElement[bool]:
            key = literal(f"{_PREFIX}{target}:") + cast(verification, String)
            return exists(select(told.c.id).where(told.c.dedupe_key == key))

        later = t.verifications.alias("later")
        revoked = exists(select(later.c.id).where(later.c.revokes_id == _v.id))
        stands = and_(_v.decision == "verified", _v.decided_at >= since, ~revoked)
        takes_back = and_(_v.revokes_id.is_not(None), was_queued(_v.revokes_id))
        query = (
            select(_v.id)
            .where(or_(stands, takes_back), ~was_queued(_v.id))
            .order_by(_v.id)
            .limit(limit)
        )
        return list(self._db.scalars(query))

    # --- claiming -----------------------------------------------------------------------------
    @staticmethod
    def _due(target: str, now: datetime) -> ColumnElement[bool]:
        free = or_(_o.held_until.is_(None), _o.held_until <= now)
        return and_(_is(target), _OPEN, _o.next_at <= now, free)

    def any_due(self, target: str, now: datetime) -> bool:
        """Whether there is anything to send."""
        query = select(_o.id).where(self._due(target, now)).limit(1)
        return self._db.scalar(query) is not None

    def take_due(self, target: str, now: datetime, until: datetime, limit: int) -> list[Waits]:
        """The next ones in the order in which they were decided, held until then."""
        rows = self._db.execute(
            select(_o.id, _o.payload, _o.attempts, _o.fence)
            .where(self._due(target, now))
            .order_by(_o.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        if rows:
            self._db.execute(
                update(t.outbox)
                .where(_o.id.in_([row.id for row in rows]))
                .values(held_until=until, fence=_o.fence + 1)
            )
        return [
            Waits(row.id, int(row.payload["verification"]), row.attempts, row.fence + 1)
            for row in rows
        ]

    def stages(self, target: str, verifications: Collection[int]) -> dict[int, Stage]:
        """How far telling of each has come; those that were never queued are left out."""
        by_key = {_key(target, each): each for each in verifications}
        found = {}
        for part in chunks(sorted(by_key)):
            query = select(_o.dedupe_key, _o.done_at, _o.error, _o.next_at).where(
                _o.dedupe_key.in_(part)
            )
            for key, done_at, error, next_at in self._db.execute(query):
                done = done_at is not None
                found[by_key[key]] = Stage(done and error is None, done and bool(error), next_at)
        return found

    # --- how it went ----------------------------------------------------------------------------
    def _settle(self, waits: Waits, **values: Any) -> bool:
        """Where it is still ours: it has the fence that it was taken with, and is open."""
        done = self._db.execute(
            update(t.outbox)
            .where(_OPEN, _o.id == waits.id, _o.fence == waits.fence)
            .values(held_until=None, **values)
        )
        return done.rowcount == 1

    def finish(self, waits: Waits, now: datetime, reason: str | None) -> bool:
        """Done with it: told, or (with a `reason`) not to be told. False where it is not ours."""
        return self._settle(waits, done_at=now, error=reason, needs_you=False, next_at=None)

    def put_off(
        self,
        waits: Waits,
        next_at: datetime,
        error: str | None,
        *,
        needs_you: bool = False,
    ) -> bool:
        """Try it again then. Without an `error` it was no attempt."""
        values: dict[str, Any] = {"next_at": next_at}
        if error is not None:
            values |= {"error": error, "needs_you": needs_you, "attempts": _o.attempts + 1}
        return self._settle(waits, **values)

    def put_off_rest(self, target: str, now: datetime, until: datetime) -> None:
        """Leave the LRS in peace until then: what is due and nobody has taken waits so long."""
        self._db.execute(update(t.outbox).where(self._due(target, now)).values(next_at=until))

    # --- for people who look after it -------------------------------------------------------------
    def release(self, target: str, now: datetime) -> int:
        """Try everything that waits again at once; how many."""
        done = self._db.execute(
            update(t.outbox).where(_is(target), _OPEN).values(next_at=now, needs_you=False)
        )
        return done.rowcount

    def open_tellings(self, *, limit: int, after: int = 0) -> list[OpenTelling]:
        """What is not done and failed or needs somebody, the oldest first, from an id on."""
        rows = self._db.execute(
            select(_o.id, _o.kind, _o.payload, _o.created_at, _o.next_at, _o.attempts,
                   _o.needs_you, _o.error)
            .where(_o.kind.startswith(_PREFIX, autoescape=True), _OPEN, _o.error.is_not(None),
                   _o.id > after)
            .order_by(_o.id)
            .limit(limit)
        ).all()  # fmt: skip
        about = {int(row.payload["verification"]) for row in rows}
        decided = self.decisions(about)
        return [
            OpenTelling(
                row.id, row.kind.removeprefix(_PREFIX), int(row.payload["verification"]),
                decided[int(row.payload["verification"])].decision, row.created_at, row.next_at,
                row.attempts, row.needs_you, row.error,
            )
            for row in rows
        ]  # fmt: skip

    def counts(self, targets: Collection[str]) -> list[TellingCounts]:
        """How the queues of these LRSs stand, and of any other for which something waits."""
        ours = _o.kind.startswith(_PREFIX, autoescape=True)
        rows = self._db.execute(
            select(
                _o.kind,
                func.count().filter(_o.error.is_(None)),
                func.count().filter(and_(_o.error.is_not(None), ~_o.needs_you)),
                func.count().filter(_o.needs_you),
            )
            .where(ours, _OPEN)
            .group_by(_o.kind)
        )
        waits = {row[0].removeprefix(_PREFIX): (row[1], row[2], row[3]) for row in rows}
        why: dict[str, list[str]] = defaultdict(list)
        stuck = select(_o.kind, _o.error).where(ours, _OPEN, _o.needs_you, _o.error.is_not(None))
        for kind, error in self._db.execute(stuck.distinct().order_by(_o.error)):
            why[kind.removeprefix(_PREFIX)].append(error)
        return [
            TellingCounts(target, waiting, failing, needs_you, self._told_at(target),
                          tuple(why[target][:REASONS]))
            for target in sorted({*targets, *waits})
            for waiting, failing, needs_you in [waits.get(target, (0, 0, 0))]
        ]  # fmt: skip

    def _told_at(self, target: str) -> datetime | None:
        query = select(_o.done_at).where(_is(target), _o.done_at.is_not(None), _o.error.is_(None))
        last: datetime | None = self._db.scalar(query.order_by(_o.done_at.desc()).limit(1))
        return last

    # --- what is told -----------------------------------------------------------------------------
    def decisions(self, verifications: Collection[int]) -> dict[int, Decided]:
        """These decisions, with what and whom they are about."""
        query = (
            select(
                _v.id, _v.claim_id, _v.decision, _v.method, _v.decided_at, _v.revokes_id,
                _decider.c.canonical_id, _learner.c.canonical_id, _e.id, _e.occurred_on,
                t.framework_editions.c.key, t.competencies.c.code, t.competencies.c.text,
            )
            .join(_decider, _decider.c.id == _v.verifier_id)
            .join(t.claims, _c.id == _v.claim_id)
            .join(t.evidence, _e.id == _c.evidence_id)
            .join(_learner, _learner.c.id == _e.person_id)
            .join(t.competencies, t.competencies.c.id == _c.competency_id)
            .join(t.framework_editions, t.framework_editions.c.id == t.competencies.c.edition_id)
            .where(among(self._db, _v.id, verifications))
        )  # fmt: skip
        rows = (tuple(row) for row in self._db.execute(query))
        return {row[0]: Decided(*row) for row in rows}

    def identifiers(self, people: Collection[int]) -> dict[int, dict[IdentifierKind, str]]:
        """The newest identifier of each kind of these (canonical) people, and of whoever was merged
        into them."""
        p = t.people.c
        rows = self._db.execute(
            select(p.canonical_id, _i.kind, _i.value)
            .join(t.people, p.id == _i.person_id)
            .where(among(self._db, p.canonical_id, people), _i.valid_to.is_(None))
            .order_by(_i.valid_from, _i.id)
        )
        found: dict[int, dict[IdentifierKind, str]] = {each: {} for each in people}
        for person, kind, value in rows:
            found[person][IdentifierKind(kind)] = value
        return found
