"""What profiles on targets should show of how people stand, and what was sent."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, or_, select, update

from bridge.domain.target_records import StatusHolder, StatusState, StatusSum
from bridge.domain.targets import StatusLine
from bridge.storage import tables as t
from bridge.storage import tables_targets as tt
from bridge.storage.bulk import among
from bridge.storage.target_states import row_of_target
from bridge.storage.vanished import ANEW

_c, _p, _acc = tt.profile_states.c, t.people.c, t.accounts.c
_AFRESH: dict[str, Any] = {"attempts": 0, "next_at": None, "error": None}
#: What an empty status comes to: it need not be sent where none ever was.
_NOTHING = ""


def _number(row: Any, taken: Collection[str]) -> str:
    """The account that a row is sent to. What an account showed before its number was given to
    another is taken down there, unless the other's own takes its place."""
    number: str = row.value.partition(ANEW)[0]
    return row.value if row.lines or number in taken else number


class SqlProfileStatus:
    """Implements `bridge.domain.target_records.StatusRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # --- whose to work out ------------------------------------------------------------------
    def take_pending(self, limit: int) -> list[int]:
        """Canonical people whose status may have changed; whoever is being marked now waits."""
        rows = self._db.execute(
            select(_p.id, _p.canonical_id)
            .where(_p.status_pending)
            .order_by(_p.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        if rows:
            self._db.execute(
                update(t.people)
                .where(among(self._db, _p.id, [row.id for row in rows]))
                .values(status_pending=False)
            )
        # An entry that was merged shows nothing of its own any more: it is looked at too.
        return sorted({each for row in rows for each in row})

    def mark_changing(self, today: date) -> None:
        """Mark whoever's status says something else from today on, by the calendar alone."""
        those = select(_c.person_id).where(_c.changes_on.is_not(None), _c.changes_on <= today)
        self._db.execute(
            update(t.people)
            .where(_p.id.in_(those), _p.status_pending.is_(False))
            .values(status_pending=True)
        )

    def holders(self, people: Collection[int], targets: Collection[str]) -> list[StatusHolder]:
        """The accounts there that are these people's, and those that show something of them."""
        links, owner = t.account_links.c, t.people.alias("owner")
        mine = owner.c.canonical_id
        current = (
            select(
                t.targets.c.key, t.targets.c.id.label("target_id"), _acc.id, _acc.value,
                _acc.suspended, _acc.gone_at, mine.label("person"),
            )
            .join(t.sources, t.sources.c.key == t.targets.c.key)
            .join(t.accounts, _acc.source_id == t.sources.c.id)
            .join(t.account_links, links.account_id == _acc.id)
            .join(owner, owner.c.id == links.person_id)
            .where(links.valid_to.is_(None), t.targets.c.key.in_(sorted(targets)),
                   among(self._db, mine, people))
            .order_by(_acc.id)
        )  # fmt: skip
        found = self._db.execute(current).all()
        newest: dict[tuple[str, int], int] = {}
        for row in found:
            # Its number may be somebody else's by now.
            if not row.suspended and row.gone_at is None:
                newest[row.key, row.person] = row.id
        # Only a row knows what is shown on an account that is somebody else's by now, or nobody's.
        shown = self._db.execute(
            select(_c.id, _c.account_id, _acc.value, t.targets.c.key)
            .join(t.targets, t.targets.c.id == _c.target_id)
            .join(t.accounts, _acc.id == _c.account_id)
            .where(
                t.targets.c.key.in_(sorted(targets)),
                or_(
                    among(self._db, _c.person_id, people),
                    among(self._db, _c.account_id, {row.id for row in found}),
                ),
            )
        ).all()
        rows = {(row.key, row.account_id): row.id for row in shown}
        holders = [
            StatusHolder(row.key, row.id, row.value, row.person,
                         newest.get((row.key, row.person)) == row.id, rows.pop((row.key, row.id),
                                                                               None))
            for row in found
        ]  # fmt: skip
        others = {row.account_id for row in shown} - {row.id for row in found}
        owners = self._owners(others)
        holders += [
            StatusHolder(
                left.key, left.account_id, left.value, owners.get(left.account_id), False, left.id
            )
            for left in shown
            if left.account_id in others
        ]
        return holders

    def _owners(self, accounts: Collection[int]) -> dict[int, int]:
        links = t.account_links.c
        rows = self._db.execute(
            select(links.account_id, _p.canonical_id)
            .join(t.people, _p.id == links.person_id)
            .where(links.valid_to.is_(None), among(self._db, links.account_id, accounts))
        )
        return {account: person for account, person in rows}

    def put(
        self,
        holder: StatusHolder,
        person: int,
        lines: Sequence[StatusLine],
        changes_on: date | None,
        now: datetime,
    ) -> None:
        """What an account's profile should show from now on; sent where that is something else."""
        told = [[line.title, line.text, line.state] for line in lines]
        digest = hashlib.sha256(orjson.dumps(told)).hexdigest() if told else _NOTHING
        values: dict[str, Any] = {
            "person_id": person, "lines": told, "sha256": digest, "changes_on": changes_on
        }  # fmt: skip
        if holder.row is None:
            if told:
                target = select(t.targets.c.id).where(t.targets.c.key == holder.target_key)
                self._db.execute(
                    insert(tt.profile_states).values(
                        target_id=target.scalar_subquery(), account_id=holder.account_id,
                        updated_at=now, **values,
                    )
                )  # fmt: skip
            return
        mine = _c.id == holder.row
        self._db.execute(update(tt.profile_states).where(mine).values(values | {"fence": _c.fence}))
        self._db.execute(
            update(tt.profile_states)
            .where(mine, _c.sha256 != _c.sent_sha256)
            .values(updated_at=now, fence=_c.fence + 1, **_AFRESH)
        )

    def shows(self) -> list[str]:
        """The targets whose profiles show statuses."""
        return list(
            self._db.scalars(
                select(t.targets.c.key).where(t.targets.c.shows_status).order_by("key")
            )
        )

    def begin(self, target: str) -> None:
        """A target shows statuses from now on: everybody's is worked out."""
        row = row_of_target(self._db, target)
        self._db.execute(update(t.targets).where(t.targets.c.id == row).values(shows_status=True))
        self._db.execute(
            update(t.people).where(_p.status_pending.is_(False)).values(status_pending=True)
        )

    def end(self, target: str, now: datetime) -> None:
        """Nothing of anybody is to be shown there any more."""
        row = row_of_target(self._db, target)
        self._db.execute(update(t.targets).where(t.targets.c.id == row).values(shows_status=False))
        self._db.execute(
            update(tt.profile_states)
            .where(_c.target_id == row, _c.sha256 != _NOTHING)
            .values(sha256=_NOTHING, lines=[], changes_on=None, updated_at=now,
                    fence=_c.fence + 1, **_AFRESH)
        )  # fmt: skip

    # --- sending ----------------------------------------------------------------------------
    def take_due(
        self, target: str, holder: str, now: datetime, until: datetime, limit: int
    ) -> list[StatusState]:
        """Claim what differs from what was sent and is due, under a new fence each."""
        due = (
            select(_c.id)
            .join(t.targets, t.targets.c.id == _c.target_id)
            .where(
                t.targets.c.key == target,
                _c.sha256 != _c.sent_sha256,
                or_(_c.next_at.is_(None), _c.next_at <= now),
                or_(_c.held_until.is_(None), _c.held_until <= now),
            )
            .order_by(_c.id)
            .limit(limit)
            .with_for_update(of=tt.profile_states, skip_locked=True)
        )
        ids = list(self._db.scalars(due))
        if not ids:
            return []
        self._db.execute(
            update(tt.profile_states)
            .where(_c.id.in_(ids))
            .values(holder=holder, held_until=until, fence=_c.fence + 1)
        )
        rows = self._db.execute(
            select(tt.profile_states, _acc.value)
            .join(t.accounts, _acc.id == _c.account_id)
            .where(_c.id.in_(ids))
            .order_by(_c.id)
        ).all()
        numbers = {row.value.partition(ANEW)[0] for row in rows if ANEW in row.value}
        taken = self._shown_on(target, numbers)
        return [
            StatusState(row.id, _number(row, taken), row.sha256,
                        tuple(StatusLine(*line) for line in row.lines), row.updated_at,
                        row.attempts, row.fence)
            for row in rows
        ]  # fmt: skip

    def _shown_on(self, target: str, accounts: Collection[str]) -> set[str]:
        """Those of these accounts that show something of whoever has them."""
        rows = self._db.scalars(
            select(_acc.value)
            .join(tt.profile_states, _c.account_id == _acc.id)
            .join(t.targets, t.targets.c.id == _c.target_id)
            .where(t.targets.c.key == target, _acc.value.in_(accounts), _c.sha256 != _NOTHING)
        )
        return set(rows)

    def record(
        self,
        state: StatusState,
        sent: bool,
        now: datetime,
        next_at: datetime | None,
        error: str | None,
    ) -> bool:
        """Write how an attempt ended, only while the fence still holds; whether it did."""
        values: dict[str, Any] = {
            "holder": None, "held_until": None, "next_at": next_at, "error": error,
            "attempts": 0 if sent else state.attempts + 1,
        }  # fmt: skip
        if sent:
            values |= {"sent_sha256": state.sha256, "sent_at": now}
        done = self._db.execute(
            update(tt.profile_states)
            .where(_c.id == state.id, _c.fence == state.fence)
            .values(values)
        )
        return done.rowcount == 1

    def sums(self) -> list[StatusSum]:
        """By target, how many profiles show what they should, and how many wait."""
        same = _c.sha256 == _c.sent_sha256
        rows = self._db.execute(
            select(
                t.targets.c.key,
                func.count(_c.id).filter(same, _c.sha256 != _NOTHING),
                func.count(_c.id).filter(~same),
                func.coalesce(func.max(_c.error).filter(~same), ""),
            )
            .join(tt.profile_states, _c.target_id == t.targets.c.id)
            .group_by(t.targets.c.key)
            .order_by(t.targets.c.key)
        )
        return [StatusSum(*row) for row in rows]
