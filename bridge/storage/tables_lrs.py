"""Tables of our own xAPI endpoint: who may send, statements and what they are found by, documents.

A statement's bytes are in `received`; here is what an LRS keeps besides. Instants of storing are
microseconds since 1970: they order pages, and are part of keys.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from bridge.storage.tables import metadata, ref, row_id
from bridge.storage.types import JsonText, Key, UtcDateTime

Id = Uuid(as_uuid=False)

lrs_credentials = Table(
    "lrs_credentials",
    metadata,
    row_id(),
    Column("name", String(40), nullable=False, unique=True),
    Column("title", String(120), nullable=False),
    ref("source_id", "sources"),
    Column("scopes", JsonText, nullable=False),
    Column("origins", JsonText, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("issued_by", String(80), nullable=False),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
lrs_statements = Table(
    "lrs_statements",
    metadata,
    # The row of `received` with its bytes.
    Column("id", Key, ForeignKey("received.id"), primary_key=True, autoincrement=False),
    Column("statement_id", Id, nullable=False, unique=True),
    ref("source_id", "sources"),
    Column("stored", Key, nullable=False),
    Column("voided_by", Key),
    Index("ix_lrs_statements_stored", "stored", "id"),
)
#: What waits, a request a row: its statements to be read into records, or to be indexed.
lrs_queue = Table(
    "lrs_queue",
    metadata,
    row_id(),
    Column("work", String(10), nullable=False),
    ref("source_id", "sources"),
    Column("stored", Key, nullable=False),
    Column("statements", Integer, nullable=False),
    Column("bytes", Key, nullable=False),
    Column("rows", Text, nullable=False),
    Index("ix_lrs_queue_work", "work", "id"),
)
#: What statements are found by, in the order in which pages show them.
lrs_terms = Table(
    "lrs_terms",
    metadata,
    Column("term", Key, primary_key=True, autoincrement=False),
    Column("stored", Key, primary_key=True, autoincrement=False),
    Column("statement", Key, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
#: Statements that are about another, which may come later.
lrs_references = Table(
    "lrs_references",
    metadata,
    Column("target", Id, primary_key=True),
    Column("statement", Key, primary_key=True, autoincrement=False),
    Column("voids", Boolean, nullable=False, server_default=text("false")),
)
lrs_activities = Table(
    "lrs_activities",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    ref("source_id", "sources"),
    Column("iri_digest", LargeBinary(32), nullable=False, index=True),
    Column("definition", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
lrs_attachments = Table(
    "lrs_attachments",
    metadata,
    Column("sha2", String(128), primary_key=True),
    Column("media_type", String(255), nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("stored_at", UtcDateTime, nullable=False),
)
#: Which sources sent a file; whoever knows only its hash has no claim to it.
lrs_attachment_sources = Table(
    "lrs_attachment_sources",
    metadata,
    Column("sha2", String(128), ForeignKey("lrs_attachments.sha2"), primary_key=True),
    Column("source_id", Key, ForeignKey("sources.id"), primary_key=True, autoincrement=False),
)
lrs_documents = Table(
    "lrs_documents",
    metadata,
    row_id(),
    ref("source_id", "sources"),
    Column("kind", String(20), nullable=False),
    # Digests of where it lies, and of its own name there: the names themselves may be long.
    Column("place", LargeBinary(32), nullable=False),
    Column("key", LargeBinary(32), nullable=False, unique=True),
    Column("activity", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("registration", String(36), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("etag", String(40), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("updated", Key, nullable=False),
    Index("ix_lrs_documents_place", "place"),
)
