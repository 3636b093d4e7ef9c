"""Statements: what tells of no learning, what takes back what was told, and the LMSs' addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards
from bridge.storage.types import Key, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "no_records",
        sa.Column("received_id", Key, autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["received_id"], ["received.id"], name=op.f("fk_no_records_received_id")
        ),
        sa.PrimaryKeyConstraint("received_id", name=op.f("pk_no_records")),
    )
    op.create_table(
        "retractions",
        sa.Column("received_id", Key, autoincrement=False, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("voids", sa.String(length=200), nullable=True),
        sa.Column("account_id", Key, nullable=True),
        sa.Column("alias_id", Key, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("voided_by", Key, nullable=True),
        sa.ForeignKeyConstraint(
            ["received_id"], ["received.id"], name=op.f("fk_retractions_received_id")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_retractions_source_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_retractions_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["alias_id"], ["activity_aliases.id"], name=op.f("fk_retractions_alias_id")
        ),
        sa.ForeignKeyConstraint(
            ["voided_by"], ["received.id"], name=op.f("fk_retractions_voided_by")
        ),
        sa.PrimaryKeyConstraint("received_id", name=op.f("pk_retractions")),
    )
    op.create_index("ix_retractions_alias_id", "retractions", ["alias_id"])
    op.create_index("ix_retractions_voids", "retractions", ["source_id", "voids"])
    op.create_index("ix_retractions_account_id", "retractions", ["account_id", "alias_id"])
    op.create_table(
        "lms_addresses",
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_lms_addresses")),
    )
    guards.install(op.get_bind())


def downgrade() -> None:
    op.drop_table("lms_addresses")
    op.drop_table("retractions")
    op.drop_table("no_records")
