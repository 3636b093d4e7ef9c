"""Sources, runs, bookmarks, leases, the ledger, and the audit trail."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, false, func, insert, select, update

from bridge.domain.errors import LostLease
from bridge.domain.model import Bookmark, Deliveries, Lease, Run, SourceRow, TrailEntry
from bridge.domain.records import Disposition, from_epoch
from bridge.domain.scope import Actor
from bridge.storage import tables as t
from bridge.storage import tables_statements as ts
from bridge.storage import upkeep

_s, _l, _r = t.sources.c, t.leases.c, t.pull_runs.c
_RECEIVED = "received"


#: How a source is trusted whose records draft without further ado.
TRUSTED = "trusted"


class SqlOps:
    """Implements `bridge.domain.repositories.OpsRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def source(self, key: str, kind: str, trust: str) -> SourceRow:
        """A configured source, known by its key for ever."""
        query = select(_s.id, _s.kind, _s.trust).where(_s.key == key)
        row = self._db.execute(query).first()
        if row is None:
            self.lock(f"source:{key}")
            row = self._db.execute(query).first()
        if row is None:
            new = insert(t.sources).values(key=key, kind=kind, trust=trust).returning(_s.id)
            return SourceRow(self._db.execute(new).scalar_one(), key, kind, trust == TRUSTED)
        if (row.kind, row.trust) != (kind, trust):
            self._db.execute(
                update(t.sources).where(_s.id == row.id).values(kind=kind, trust=trust)
            )
        if row.trust != trust:
            # What it told counts now, or no more.
            own = select(t.accounts.c.id).where(t.accounts.c.source_id == row.id)
            self._db.execute(
                update(t.learning_records)
                .where(t.learning_records.c.account_id.in_(own))
                .values(pending=True)
            )
        return SourceRow(row.id, key, kind, trust == TRUSTED)

    def sources(self) -> list[SourceRow]:
        """Every source that was ever pulled."""
        rows = self._db.execute(select(_s.id, _s.key, _s.kind, _s.trust))
        return [SourceRow(a, b, c, trust == TRUSTED) for a, b, c, trust in rows]

    def bookmark(self, source_id: int) -> Bookmark:
        """How far a source has been read."""
        b = t.bookmarks.c
        row = self._db.execute(
            select(b.position, b.last_full_at, b.mark).where(b.source_id == source_id)
        ).first()
        return Bookmark() if row is None else Bookmark(*row)

    def bookmarks(self) -> dict[int, Bookmark]:
        """How far each source, by its id, has been read."""
        b = t.bookmarks.c
        rows = self._db.execute(select(b.source_id, b.position, b.last_full_at, b.mark))
        return {source_id: Bookmark(*told) for source_id, *told in rows}

    def set_bookmark(self, source_id: int, bookmark: Bookmark) -> None:
        """Move the bookmark, in the transaction of the records it stands for."""
        values = {"position": bookmark.position, "last_full_at": bookmark.last_full_at,
                  "mark": bookmark.mark}  # fmt: skip
        b = t.bookmarks
        done = self._db.execute(update(b).where(b.c.source_id == source_id).values(values))
        if not done.rowcount:
            self._db.execute(insert(b).values(source_id=source_id, **values))

    # --- runs -------------------------------------------------------------------------------
    def start_run(self, source_id: int, kind: str, now: datetime) -> int:
        """A line of the run history."""
        row = insert(t.pull_runs).values(
            source_id=source_id, kind=kind, started_at=now, outcome="running", counts={}
        )
        run: int = self._db.execute(row.returning(_r.id)).scalar_one()
        return run

    def end_run(
        self, run: int, now: datetime, outcome: str, message: str, counts: Mapping[str, int]
    ) -> None:
        """How a run ended."""
        self._db.execute(
            update(t.pull_runs)
            .where(_r.id == run)
            .values(ended_at=now, outcome=outcome, message=message, counts=dict(counts))
        )

    def forget_run(self, run: int) -> None:
        """Take back a line of the run history that tells nothing new."""
        self._db.execute(delete(t.pull_runs).where(_r.id == run))

    def runs(self, limit: int) -> list[Run]:
        """The latest runs, newest first."""
        rows = self._db.execute(
            select(_s.key, _r.kind, _r.started_at, _r.ended_at, _r.outcome, _r.message, _r.counts)
            .join(t.sources, _s.id == _r.source_id)
            .order_by(_r.id.desc())
            .limit(limit)
        )
        return [Run(*row) for row in rows]

    # --- leases -----------------------------------------------------------------------------
    def take_lease(self, name: str, holder: str, now: datetime, seconds: int) -> Lease | None:
        """The right to work on `name` for a while, or None while another has it.

        A lease that ran out, or that this holder left behind, is taken over with a new fence.
        """
        self.lock(f"lease:{name}")
        until = now + timedelta(seconds=seconds)
        row = self._db.execute(select(_l.fence, _l.until).where(_l.name == name)).first()
        if row is None:
            self._db.execute(
                insert(t.leases).values(name=name, holder=holder, fence=1, until=until)
            )
            return Lease(name, holder, 1)
        if row.until > now:
            return None
        fence: int = row.fence + 1
        self._db.execute(
            update(t.leases).where(_l.name == name).values(holder=holder, fence=fence, until=until)
        )
        return Lease(name, holder, fence)

    def keep_lease(self, lease: Lease, now: datetime, seconds: int) -> None:
        """Prolong a lease, and hold its row until this transaction ends. Raises LostLease."""
        done = self._db.execute(
            update(t.leases)
            .where(_l.name == lease.name, _l.holder == lease.holder, _l.fence == lease.fence)
            .values(until=now + timedelta(seconds=seconds))
        )
        if done.rowcount != 1:
            raise LostLease(f"Another process has taken over '{lease.name}'; nothing was written.")

    def release_lease(self, lease: Lease) -> None:
        """Give it back, if it is still ours; the fence is kept, so that it only ever rises."""
        self._db.execute(
            update(t.leases)
            .where(_l.name == lease.name, _l.holder == lease.holder, _l.fence == lease.fence)
            .values(until=from_epoch(0))
        )

    def lease_ends(self) -> dict[str, datetime]:
        """When each lease runs out, or ran out; one that was given back did so long ago."""
        return {name: until for name, until in self._db.execute(select(_l.name, _l.until))}

    def lock(self, name: str) -> None:
        """Hold off other processes from `name` until this transaction ends."""
        if self._db.dialect.name == "postgresql":
            number = zlib.crc32(name.encode()) - (1 << 31)
            self._db.execute(select(func.pg_advisory_xact_lock(number)))

    # --- the ledger -------------------------------------------------------------------------
    def ledger(self) -> dict[str, tuple[int, dict[str, int]]]:
        """For each source: what was received, and how many have each disposition; as the database
        keeps it up."""
        k = t.ledger_counts.c
        rows = self._db.execute(
            select(_s.key, k.what, func.sum(k.n))
            .outerjoin(t.ledger_counts, k.source_id == _s.id)
            .group_by(_s.key, k.what)
            .order_by(_s.key)
        )
        sums: dict[str, dict[str, int]] = defaultdict(dict)
        for key, what, n in rows:
            if n:
                sums[key][what] = int(n)
            sums[key].setdefault(_RECEIVED, 0)
        return {key: (counts.pop(_RECEIVED), counts) for key, counts in sums.items()}

    def recount_ledger(self) -> None:
        """Draw the ledger's counts anew."""
        upkeep.recount(self._db)

    def ledger_counted(self) -> dict[str, tuple[int, dict[str, int]]]:
        """The same as `ledger`, counted now, item by item."""
        received = {
            key: count
            for key, count in self._db.execute(
                select(_s.key, func.count(t.received.c.id))
                .outerjoin(t.received, t.received.c.source_id == _s.id)
                .group_by(_s.key)
                .order_by(_s.key)
            )
        }
        sums: dict[str, dict[str, int]] = defaultdict(dict)
        set_aside = (
            select(_s.key, func.count())
            .join(t.received, t.received.c.source_id == _s.id)
            .join(t.quarantine, t.quarantine.c.received_id == t.received.c.id)
            .group_by(_s.key)
        )
        for key, count in self._db.execute(set_aside):
            sums[key][Disposition.QUARANTINED.value] = count
        r = t.learning_records.c
        decided = (
            # By the account, which is of the source: there are far fewer of these than of items.
            select(_s.key, r.disposition, func.count())
            .join(t.accounts, t.accounts.c.source_id == _s.id)
            .join(t.learning_records, and_(r.account_id == t.accounts.c.id, r.ordinal == 0))
            .group_by(_s.key, r.disposition)
        )
        for key, disposition, count in self._db.execute(decided):
            sums[key][disposition] = count
        not_counting = Disposition.NOT_COUNTING.value
        for key, count in self._db.execute(
            select(_s.key, func.count())
            .join(t.received, t.received.c.source_id == _s.id)
            .join(ts.no_records, ts.no_records.c.received_id == t.received.c.id)
            .group_by(_s.key)
        ):
            sums[key][not_counting] = sums[key].get(not_counting, 0) + count
        return {key: (count, sums[key]) for key, count in received.items()}

    def reasons(self) -> list[tuple[str, str, str, int]]:
        """(source, disposition, reason, count), most first."""
        r = t.learning_records.c
        count = func.count()
        rows = self._db.execute(
            select(_s.key, r.disposition, r.reason, count)
            .join(t.received, t.received.c.source_id == _s.id)
            .join(t.learning_records, r.received_id == t.received.c.id)
            .group_by(_s.key, r.disposition, r.reason)
            .order_by(_s.key, count.desc(), r.reason)
        )
        found = [(a, b, c, d) for a, b, c, d in rows]
        n = ts.no_records.c
        beside = self._db.execute(
            select(_s.key, n.reason, count)
            .select_from(t.sources)
            .join(t.received, t.received.c.source_id == _s.id)
            .join(ts.no_records, n.received_id == t.received.c.id)
            .group_by(_s.key, n.reason)
        )
        found += [(key, Disposition.NOT_COUNTING.value, why, many) for key, why, many in beside]
        return sorted(found, key=lambda row: (row[0], -row[3], row[2]))

    def deliveries(self) -> list[Deliveries]:
        """How many target states there are of each sort, by target; nobody is named."""
        ts = t.target_states.c
        sort = (
            t.targets.c.key,
            ts.desired,
            func.coalesce(ts.observed == ts.desired, false()),
            ts.needs_you.is_not(None),
            ts.account_id.is_not(None),
        )
        query = (
            select(*sort, func.count())
            .join(t.targets, t.targets.c.id == ts.target_id)
            .group_by(*sort)
            .order_by(t.targets.c.key, ts.desired)
        )
        return [
            Deliveries(key, desired, bool(in_step), bool(stuck), bool(account), count)
            for key, desired, in_step, stuck, account, count in self._db.execute(query)
        ]


class SqlTrail:
    """Implements `bridge.domain.repositories.TrailRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(
        self, actor: Actor, act: str, subject: str, detail: Mapping[str, object], now: datetime
    ) -> None:
        """One line: who did what to which thing, by which way."""
        self._db.execute(
            insert(t.audit).values(
                at=now,
                actor=actor.label,
                on_behalf_of=actor.on_behalf_of,
                channel=actor.channel,
                os_user=actor.os_user,
                act=act,
                subject=subject,
                detail=dict(detail),
            )
        )

    def add_each(self, actor: Actor, act: str, subjects: Sequence[str], now: datetime) -> None:
        """One line for each of several things, in one statement."""
        line = {
            "at": now, "actor": actor.label, "on_behalf_of": actor.on_behalf_of,
            "channel": actor.channel, "os_user": actor.os_user, "act": act, "detail": {},
        }  # fmt: skip
        if subjects:
            self._db.execute(insert(t.audit), [{**line, "subject": each} for each in subjects])

    def of(self, subject: str) -> list[TrailEntry]:
        """What happened to one thing, in order."""
        return self._read(
            select(t.audit).where(t.audit.c.subject == subject).order_by(t.audit.c.id)
        )

    def latest(self, limit: int) -> list[TrailEntry]:
        """The newest lines."""
        return self._read(select(t.audit).order_by(t.audit.c.id.desc()).limit(limit))

    def _read(self, query: Select[Any]) -> list[TrailEntry]:
        return [
            TrailEntry(r.id, r.at, r.actor, r.channel, r.os_user, r.act, r.subject, r.detail)
            for r in self._db.execute(query)
        ]
