"""Tables of what other systems tell us: the addresses they may use, and the notes they left."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bridge.storage.tables import metadata, row_id
from bridge.storage.types import UtcDateTime

#: Addresses of webhooks, by the SHA-256 of the secret in them.
hooks = Table(
    "hooks",
    metadata,
    row_id(),
    Column("source_key", String(80), nullable=False, index=True),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("issued_by", String(80), nullable=False),
    Column("ends_at", UtcDateTime),
    Column("used_at", UtcDateTime),
)
#: What is to be read again. `dedupe` is the sender's own number of the notice.
inbox = Table(
    "inbox",
    metadata,
    row_id(),
    Column("source_key", String(80), nullable=False),
    Column("dedupe", String(200), nullable=False),
    Column("note", String(200), nullable=False),
    Column("noted_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("done_at", UtcDateTime),
    Column("error", Text, nullable=False),
    UniqueConstraint("source_key", "dedupe"),
    Index(
        "ix_inbox_waiting",
        "source_key",
        "next_at",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
)
