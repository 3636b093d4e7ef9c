"""What is no longer at its source: records, accounts and activities, since when and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from bridge.domain.model import Happened
from bridge.domain.vanishing import Gone
from bridge.storage import tables as t
from bridge.storage.bulk import among, chunks
from bridge.storage.marks import mark_for_status

_r, _l = t.received.c, t.learning_records.c
_acc, _a = t.accounts.c, t.activity_aliases.c
#: An account's `deleted`, as facts have it.
DELETED: ColumnElement[bool] = _acc.gone_because == Gone.ACCOUNT_DELETED.value
#: Behind the number of an account or activity that was given to another: "42~1", "42~2".
ANEW = "~"


class VanishedQueries:
    """The part of the intake repository about what is gone, and comes back."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def mark_gone(
        self, received_ids: Sequence[int], now: datetime, because: Gone = Gone.REVERSED
    ) -> None:
        """The source no longer has these, for this reason; their records are decided on again.

        What was gone before keeps its day.
        """
        for part in chunks(received_ids):
            self._db.execute(
                update(t.received).where(_r.id.in_(part), _r.gone_at.is_(None)).values(gone_at=now)
            )
            self._db.execute(
                update(t.received).where(_r.id.in_(part)).values(gone_because=because.value)
            )
            self._pend(part)

    def mark_returned(self, received_ids: Sequence[int]) -> None:
        """The source has these again."""
        for part in chunks(received_ids):
            self._db.execute(
                update(t.received).where(_r.id.in_(part)).values(gone_at=None, gone_because="")
            )
            self._pend(part)
            there_again = {"gone_at": None, "gone_because": ""}
            named = select(_l.account_id, _l.alias_id).where(_l.received_id.in_(part)).subquery()
            self._db.execute(
                update(t.accounts)
                .where(_acc.id.in_(select(named.c.account_id)), DELETED)
                .values(there_again)
            )
            self._db.execute(
                update(t.activity_aliases)
                .where(
                    _a.id.in_(select(named.c.alias_id)),
                    _a.gone_because == Gone.COURSE_DELETED.value,
                )
                .values(there_again)
            )

    def _pend(self, received_ids: Sequence[int]) -> None:
        self._db.execute(
            update(t.learning_records).where(_l.received_id.in_(received_ids)).values(pending=True)
        )

    def keys_under(self, source_id: int, stems: Collection[str]) -> list[tuple[int, str]]:
        """What the source still has, as far as is known, whose key begins with one of these.

        A part of a stem may be "*", for any: "completion:*:7:".
        """
        found: dict[int, str] = {}
        for stem in stems:
            pattern = (
                stem.replace("!", "!!").replace("%", "!%").replace("_", "!_").replace("*", "%")
            )
            rows = self._db.execute(
                select(_r.id, _r.natural_key).where(
                    _r.source_id == source_id,
                    _r.gone_at.is_(None),
                    # The range lets the index on the key serve.
                    _r.natural_key >= stem.split("*", 1)[0],
                    _r.natural_key < stem.split("*", 1)[0] + "\U0010ffff",
                    _r.natural_key.like(f"{pattern}%", escape="!"),
                )
            )
            parts = stem.split(":")
            for row_id, key in rows:
                if all(
                    wanted in ("*", "", given)
                    for wanted, given in zip(parts, key.split(":"), strict=False)
                ):
                    found[row_id] = key
        return sorted(found.items())

    def gone_unexplained(self, source_id: int, limit: int) -> list[tuple[int, str]]:
        """What the source no longer shows, and it is not known why; the longest gone first."""
        query = (
            select(_r.id, _r.natural_key)
            .where(_r.source_id == source_id, _r.gone_because == Gone.UNSHOWN.value)
            .order_by(_r.gone_at, _r.id)
            .limit(limit)
        )
        return [(row.id, row.natural_key) for row in self._db.execute(query)]

    def happened(self, received_ids: Sequence[int]) -> dict[int, Happened]:
        """When the records of these items happened, of which accounts and activities."""
        query = (
            select(_l.received_id, _l.occurred_at, _l.account_id, _l.alias_id, _acc.value,
                   _acc.gone_because, _a.value)
            .join(t.accounts, _acc.id == _l.account_id)
            .join(t.activity_aliases, _a.id == _l.alias_id)
            .where(among(self._db, _l.received_id, received_ids))
        )  # fmt: skip
        return {row[0]: Happened(*row[1:]) for row in self._db.execute(query)}

    def instants_between(
        self, source_id: int, first: datetime, last: datetime, limit: int
    ) -> list[tuple[int, datetime]]:
        """(item, when) of what the source is known to have, of that stretch of time."""
        query = (
            select(_r.id, _l.occurred_at)
            .join(t.learning_records, _l.received_id == _r.id)
            .where(
                _r.source_id == source_id,
                _r.gone_at.is_(None),
                _l.occurred_at >= first,
                _l.occurred_at <= last,
            )
            .limit(limit)
        )
        return [(row.id, row.occurred_at) for row in self._db.execute(query)]

    # --- accounts and activities ----------------------------------------------------------------
    def mark_accounts_deleted(self, account_ids: Collection[int], now: datetime) -> None:
        """These accounts are no more at their source; what was known of them stays."""
        for part in chunks(sorted(account_ids)):
            self._db.execute(
                update(t.accounts)
                .where(_acc.id.in_(part), _acc.gone_at.is_(None))
                .values(gone_at=now, gone_because=Gone.ACCOUNT_DELETED.value)
            )

    def mark_activities_gone(self, alias_ids: Collection[int], now: datetime) -> None:
        """The source no longer shows these activities."""
        for part in chunks(sorted(alias_ids)):
            self._db.execute(
                update(t.activity_aliases)
                .where(_a.id.in_(part), _a.gone_at.is_(None))
                .values(gone_at=now, gone_because=Gone.COURSE_DELETED.value)
            )

    def retire_account(self, account_id: int, now: datetime) -> None:
        """Its number is somebody else's from now on: it keeps its records, and no more."""
        row = self._db.execute(
            select(_acc.source_id, _acc.kind, _acc.value).where(_acc.id == account_id)
        ).one()
        earlier = select(_acc.value).where(
            _acc.source_id == row.source_id,
            _acc.kind == row.kind,
            _acc.value.startswith(f"{row.value}{ANEW}", autoescape=True),
        )
        number = len(self._db.scalars(earlier).all()) + 1
        self._db.execute(
            update(t.accounts)
            .where(_acc.id == account_id)
            .values(
                value=f"{row.value}{ANEW}{number}",
                gone_at=now,
                gone_because=Gone.GIVEN_ANEW.value,
            )
        )
        # What its profile shows is not about whoever has the number now.
        owner = select(t.people.c.canonical_id).join(
            t.account_links, t.account_links.c.person_id == t.people.c.id
        )
        mark_for_status(
            self._db,
            list(
                self._db.scalars(
                    owner.where(
                        t.account_links.c.account_id == account_id,
                        t.account_links.c.valid_to.is_(None),
                    )
                )
            ),
        )

    def retire_alias(self, alias_id: int, now: datetime) -> None:
        """Its number is another activity's from now on."""
        row = self._db.execute(
            select(_a.source_id, _a.kind, _a.value).where(_a.id == alias_id)
        ).one()
        earlier = select(_a.value).where(
            _a.source_id == row.source_id,
            _a.kind == row.kind,
            _a.value.startswith(f"{row.value}{ANEW}", autoescape=True),
        )
        number = len(self._db.scalars(earlier).all()) + 1
        self._db.execute(
            update(t.activity_aliases)
            .where(_a.id == alias_id)
            .values(
                value=f"{row.value}{ANEW}{number}",
                gone_at=now,
                gone_because=Gone.GIVEN_ANEW.value,
            )
        )
