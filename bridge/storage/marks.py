"""Marks on people: their counts and shown status are to be made again, by a later job."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, or_, update

from bridge.storage import tables as t
from bridge.storage.bulk import among

_p = t.people.c


def mark_for_counts(connection: Connection, people: Collection[int] | Select[Any]) -> None:
    """Mark these people, in the transaction of what changed; whoever is marked stays untouched."""
    those = _p.id.in_(people) if isinstance(people, Select) else among(connection, _p.id, people)
    connection.execute(
        update(t.people)
        .where(those, or_(_p.counts_pending.is_(False), _p.status_pending.is_(False)))
        .values(counts_pending=True, status_pending=True)
    )


def mark_for_status(connection: Connection, people: Collection[int]) -> None:
    """Mark these people where only what is shown of them may have changed, as by an account."""
    connection.execute(
        update(t.people)
        .where(among(connection, _p.id, people), _p.status_pending.is_(False))
        .values(status_pending=True)
    )
