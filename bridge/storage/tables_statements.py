"""Tables around statements: what tells of no learning, what takes back, and the LMSs' addresses."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from bridge.storage.tables import metadata, ref
from bridge.storage.types import Key, UtcDateTime

#: Received items that tell of no learning: "not counting" in the ledger, with the reason.
no_records = Table(
    "no_records",
    metadata,
    Column("received_id", Key, ForeignKey("received.id"), primary_key=True, autoincrement=False),
    Column("reason", String(40), nullable=False),
)
#: Items that take others back: one by its key (`voids`), or what an account achieved of an
#: activity in the `days` up to `at`. One that was voided itself takes nothing back any more.
retractions = Table(
    "retractions",
    metadata,
    Column("received_id", Key, ForeignKey("received.id"), primary_key=True, autoincrement=False),
    ref("source_id", "sources"),
    Column("voids", String(200)),
    Column("account_id", Key, ForeignKey("accounts.id")),
    Column("alias_id", Key, ForeignKey("activity_aliases.id"), index=True),
    Column("at", UtcDateTime),
    Column("days", Integer),
    ref("voided_by", "received", null=True),
    Index("ix_retractions_voids", "source_id", "voids"),
    Index("ix_retractions_account_id", "account_id", "alias_id"),
)
#: Where each LMS is, as accounts of statements name it.
lms_addresses = Table(
    "lms_addresses",
    metadata,
    Column("address", String(400), primary_key=True),
    Column("source_key", String(80), nullable=False),
)
