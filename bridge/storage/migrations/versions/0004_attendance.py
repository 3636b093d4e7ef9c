"""Attendance: what bookings say, trainers, activities that are one, shared addresses, splits kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.domain.identity import normal_email
from bridge.storage import guards
from bridge.storage.types import JsonText, Key, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATUSES = (
    "status IN ('completed', 'passed', 'failed', 'attended', 'partly attended', 'missed', "
    "'booked', 'waitlisted', 'cancelled', 'unknown')"
)
_OPEN = {"sqlite_where": sa.text("ended_at IS NULL"), "postgresql_where": sa.text("ended_at IS NULL")}
#: As in 0001 and 0002; building the table anew for SQLite would lose their conditions.
_PARTIAL = (
    ("ix_learning_records_unmapped", ["alias_id", "account_id"], "disposition = 'unmapped'", None),
    ("ix_learning_records_unmatched", ["account_id"], "disposition = 'unmatched'", None),
    ("ix_learning_records_pending", ["id"], "pending = 1", "pending"),
)


def upgrade() -> None:
    _bookings()
    _activities()
    _accounts()
    op.create_table(
        "event_trainers",
        sa.Column("id", Key, nullable=False),
        sa.Column("alias_id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alias_id"], ["activity_aliases.id"], name=op.f("fk_event_trainers_alias_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_event_trainers_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_trainers")),
    )
    op.create_index(
        "uq_event_trainers_open", "event_trainers", ["alias_id", "account_id"], unique=True, **_OPEN
    )
    op.create_index("ix_event_trainers_account_id", "event_trainers", ["account_id"])
    op.create_table(
        "split_records",
        sa.Column("record_id", Key, autoincrement=False, nullable=False),
        sa.Column("evidence_id", Key, nullable=False),
        sa.Column("split_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["learning_records.id"], name=op.f("fk_split_records_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence.id"], name=op.f("fk_split_records_evidence_id")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_split_records")),
    )
    op.create_index("ix_split_records_evidence_id", "split_records", ["evidence_id"])
    # What was split before now stays split as well.
    op.execute(
        "INSERT INTO split_records (record_id, evidence_id, split_at)"
        " SELECT er.record_id, e.split_from_id, e.created_at FROM evidence e"
        " JOIN evidence_records er ON er.evidence_id = e.id WHERE e.split_from_id IS NOT NULL"
    )
    guards.install(op.get_bind())


def _bookings() -> None:
    """What a booking system says beside the status, and the statuses of the booking systems."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_learning_records_status"), "learning_records")
        op.create_check_constraint(op.f("ck_learning_records_status"), "learning_records", _STATUSES)
        for column in _booking_columns():
            op.add_column("learning_records", column)
        return
    # SQLite changes a CHECK only by building the table anew.
    for name, *_ in _PARTIAL:
        op.drop_index(name, "learning_records")
    with op.batch_alter_table("learning_records", schema=None, recreate="always") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_learning_records_status"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_learning_records_status"), _STATUSES)
        for column in _booking_columns():
            batch_op.add_column(column)
    for name, columns, where, on_postgresql in _PARTIAL:
        op.create_index(
            name,
            "learning_records",
            columns,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(on_postgresql or where),
        )


def _booking_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("booking_state", sa.Integer(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("minutes", sa.Float(), nullable=True),
        sa.Column("planned", sa.Float(), nullable=True),
        sa.Column("evaluated", sa.Boolean(), nullable=True),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("sessions", sa.Integer(), nullable=True),
    )


def _activities() -> None:
    """Activities that are one: each leads to another, and why is kept beside."""
    # Inline, so that SQLite too adds the column without building the table anew.
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE activities ADD COLUMN canonical_id {kind}"
        " CONSTRAINT fk_activities_canonical_id REFERENCES activities (id)"
    )
    op.create_index("ix_activities_canonical_id", "activities", ["canonical_id"])
    op.create_table(
        "activity_joins",
        sa.Column("id", Key, nullable=False),
        sa.Column("activity_id", Key, nullable=False),
        sa.Column("into_id", Key, nullable=False),
        sa.Column("rule", sa.String(length=170), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("joined_at", UtcDateTime(), nullable=False),
        sa.Column("joined_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_activity_joins_activity_id")
        ),
        sa.ForeignKeyConstraint(
            ["into_id"], ["activities.id"], name=op.f("fk_activity_joins_into_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_joins")),
    )
    op.create_index("ix_activity_joins_activity_id", "activity_joins", ["activity_id"])
    op.create_index("ix_activity_joins_into_id", "activity_joins", ["into_id"])


def _accounts() -> None:
    """Addresses as they are compared, accounts in doubt, and what was answered about them."""
    op.add_column("accounts", sa.Column("address", sa.String(length=320), nullable=True))
    bind = op.get_bind()
    accounts = sa.table("accounts", sa.column("id", Key), sa.column("email"), sa.column("address"))
    rows = bind.execute(
        sa.select(accounts.c.id, accounts.c.email).where(accounts.c.email.is_not(None))
    ).all()
    known = [(row.id, normal_email(row.email)) for row in rows]
    told = [{"this": row_id, "now": address} for row_id, address in known if address]
    if told:
        bind.execute(
            sa.update(accounts)
            .where(accounts.c.id == sa.bindparam("this"))
            .values(address=sa.bindparam("now")),
            told,
        )
    op.create_index("ix_accounts_address", "accounts", ["address", "source_id"])
    op.create_table(
        "account_doubts",
        sa.Column("id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_doubts_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_doubts")),
    )
    op.create_index(
        "uq_account_doubts_open", "account_doubts", ["account_id", "code"], unique=True, **_OPEN
    )
    op.create_table(
        "account_answers",
        sa.Column("id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("refused", JsonText(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("answered_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_answers_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_answers")),
    )
    op.create_index(
        "uq_account_answers_open", "account_answers", ["account_id"], unique=True, **_OPEN
    )
