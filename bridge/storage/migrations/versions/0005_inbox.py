"""What other systems tell us: the addresses they may use, and the notes they left."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards
from bridge.storage.types import Key, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WAITING = {"sqlite_where": sa.text("done_at IS NULL"), "postgresql_where": sa.text("done_at IS NULL")}


def upgrade() -> None:
    op.create_table(
        "hooks",
        sa.Column("id", Key, nullable=False),
        sa.Column("source_key", sa.String(80), nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("issued_by", sa.String(80), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hooks")),
        sa.UniqueConstraint("sha256", name=op.f("uq_hooks_sha256")),
    )
    op.create_index(op.f("ix_hooks_source_key"), "hooks", ["source_key"])
    op.create_table(
        "inbox",
        sa.Column("id", Key, nullable=False),
        sa.Column("source_key", sa.String(80), nullable=False),
        sa.Column("dedupe", sa.String(200), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("source_key", "dedupe", name=op.f("uq_inbox_source_key_dedupe")),
    )
    op.create_index("ix_inbox_waiting", "inbox", ["source_key", "next_at"], **_WAITING)
    guards.install(op.get_bind())


def downgrade() -> None:
    op.drop_table("inbox")
    op.drop_table("hooks")
