"""Marks on people: their counts are to be made again. A later job looks at whoever is marked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, update

from bridge.storage import tables as t
from bridge.storage.bulk import among

_p = t.people.c


def mark_for_counts(connection: Connection, people: Collection[int] | Select[Any]) -> None:
    """Mark these people, in the transaction of what changed; whoever is marked stays untouched."""
    those = _p.id.in_(people) if isinstance(people, Select) else among(connection, _p.id, people)
    connection.execute(
        update(t.people).where(those, _p.counts_pending.is_(False)).values(counts_pending=True)
    )
