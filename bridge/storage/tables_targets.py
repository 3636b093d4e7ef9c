"""Tables of what targets hold beside awards: strays, what is made ready, shown statuses."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bridge.storage.tables import metadata, ref, row_id
from bridge.storage.types import JsonText, Key, UtcDateTime

#: Badges of ours seen on accounts for which no award is held. `state`: open, left, taking, gone.
badge_strays = Table(
    "badge_strays",
    metadata,
    row_id(),
    ref("target_id", "targets"),
    Column("place", String(300), nullable=False),
    Column("account", String(100), nullable=False),
    Column("badge_key", String(80), nullable=False),
    Column("title", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("settings", JsonText, nullable=False),
    Column("by_hand", Boolean),
    Column("issued_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("state", String(10), nullable=False),
    Column("said", Text, nullable=False, server_default=""),
    Column("decided_at", UtcDateTime),
    Column("decided_by", String(80)),
    UniqueConstraint("target_id", "place", "account"),
)
#: How far the badge of a period is ready on a target. `left_by_hand` lists [words, page].
badge_preparations = Table(
    "badge_preparations",
    metadata,
    row_id(),
    ref("target_id", "targets"),
    Column("badge_key", String(80), nullable=False),
    Column("period", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("settings", JsonText, nullable=False),
    Column("left_by_hand", JsonText, nullable=False),
    Column("made", JsonText, nullable=False),
    Column("seen", Boolean),
    Column("looked_at", UtcDateTime, nullable=False),
    Column("ready_at", UtcDateTime),
    UniqueConstraint("target_id", "badge_key", "period"),
)
#: What an account's profile should show of its person, and what was last sent. `changes_on` is the
#: first London day on which it says something else by itself.
profile_states = Table(
    "profile_states",
    metadata,
    row_id(),
    ref("target_id", "targets"),
    ref("account_id", "accounts"),
    Column("person_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("lines", JsonText, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("sent_sha256", String(64), nullable=False, server_default=""),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("changes_on", Date, index=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime),
    Column("error", Text),
    Column("holder", String(120)),
    Column("held_until", UtcDateTime),
    Column("fence", Integer, nullable=False, server_default="0"),
    UniqueConstraint("target_id", "account_id"),
    Index("ix_profile_states_account_id", "account_id"),
)
