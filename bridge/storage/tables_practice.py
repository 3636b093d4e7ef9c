"""Tables of the practice around evidence: autosaved words, agreements, deputies, addenda, files."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Integer, LargeBinary, String, Table, Text

from bridge.storage.tables import metadata, ref, row_id
from bridge.storage.types import JsonText, Key, UtcDateTime

#: What a practitioner has typed and ticked so far; replaced at each save, gone when submitted.
reflection_drafts = Table(
    "reflection_drafts",
    metadata,
    Column("evidence_id", Key, ForeignKey("evidence.id"), primary_key=True, autoincrement=False),
    ref("author_id", "people"),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("key_id", String(40), nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)
#: What a manager agreed with a person for a post; the newest goes before the staff list.
post_agreements = Table(
    "post_agreements",
    metadata,
    row_id(),
    Column("post_id", Key, ForeignKey("posts.id"), nullable=False, index=True),
    Column("target_groups", JsonText, nullable=False),
    Column("extra_competencies", JsonText, nullable=False),
    Column("london_level", String(10)),
    ref("agreed_by", "people"),
    Column("agreed_at", UtcDateTime, nullable=False),
)
#: Who stands in for a manager, from when until when (both days included).
deputies = Table(
    "deputies",
    metadata,
    row_id(),
    Column("manager_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("deputy_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("named_by", String(80), nullable=False),
    Column("named_at", UtcDateTime, nullable=False),
)
#: What is added to a signed log; the log itself stays as it was signed (R4).
log_addenda = Table(
    "log_addenda",
    metadata,
    row_id(),
    Column("log_id", Key, ForeignKey("logs.id"), nullable=False, index=True),
    ref("author_id", "people"),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("key_id", String(40), nullable=False),
    Column("written_at", UtcDateTime, nullable=False),
)
evidence_files = Table(
    "evidence_files",
    metadata,
    row_id(),
    Column("evidence_id", Key, ForeignKey("evidence.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("media_type", String(80), nullable=False),
    Column("size", Integer, nullable=False),
    Column("ciphertext", LargeBinary),
    Column("key_id", String(40), nullable=False),
    ref("added_by", "people"),
    Column("added_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
)
