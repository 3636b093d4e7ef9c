"""Tables of how other systems are spoken with: who is left in peace, and sweeps that go on."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from bridge.storage.tables import metadata, ref, row_id
from bridge.storage.types import UtcDateTime

#: Peers that could not be spoken with, since when, and when each is tried again.
peer_rests = Table(
    "peer_rests",
    metadata,
    Column("peer", String(80), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("words", Text, nullable=False),
)
#: What a full pull that is not at its end has seen so far, a row a page, and where it goes on.
sweep_parts = Table(
    "sweep_parts",
    metadata,
    row_id(),
    ref("source_id", "sources"),
    Column("started_at", UtcDateTime, nullable=False),
    Column("mark", String(200), nullable=False),
    # Hashes of natural keys, eight bytes each.
    Column("seen", LargeBinary, nullable=False),
    Index("ix_sweep_parts_source_id", "source_id", "id"),
)
