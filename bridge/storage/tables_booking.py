"""Tables around bookings: trainers, activities that are one, accounts in doubt, what is split."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, text

from bridge.storage.tables import metadata, ref, row_id
from bridge.storage.types import JsonText, Key, UtcDateTime

#: Who trained at which event, by a booking system's list; ended when the list changes. `held_on`
#: is the London date, where one name stands for a course that is held on several; empty: on all.
event_trainers = Table(
    "event_trainers",
    metadata,
    row_id(),
    ref("alias_id", "activity_aliases"),
    Column("account_id", Key, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("held_on", String(10), nullable=False, server_default=""),
    Column("since", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index(
        "uq_event_trainers_open",
        "alias_id",
        "account_id",
        "held_on",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
#: Two activities are one: by a mapping's rule ("mapping/rule"), or by a person (no rule).
activity_joins = Table(
    "activity_joins",
    metadata,
    row_id(),
    Column("activity_id", Key, ForeignKey("activities.id"), nullable=False, index=True),
    Column("into_id", Key, ForeignKey("activities.id"), nullable=False, index=True),
    Column("rule", String(170)),
    Column("reason", Text, nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    Column("joined_by", String(80), nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(80)),
)
#: Accounts that were somebody's by an address which is seen to be shared now.
account_doubts = Table(
    "account_doubts",
    metadata,
    row_id(),
    ref("account_id", "accounts"),
    Column("code", String(40), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(80)),
    Index(
        "uq_account_doubts_open",
        "account_id",
        "code",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
#: "None of these": whom an account was said not to be, so that it is not asked again.
account_answers = Table(
    "account_answers",
    metadata,
    row_id(),
    ref("account_id", "accounts"),
    Column("refused", JsonText, nullable=False),
    Column("reason", Text, nullable=False),
    Column("answered_at", UtcDateTime, nullable=False),
    Column("answered_by", String(80), nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(80)),
    Index(
        "uq_account_answers_open",
        "account_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
#: Records that a person split off from evidence; they join nothing by machine again.
split_records = Table(
    "split_records",
    metadata,
    Column(
        "record_id",
        Key,
        ForeignKey("learning_records.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("evidence_id", Key, ForeignKey("evidence.id"), nullable=False, index=True),
    Column("split_at", UtcDateTime, nullable=False),
)
