"""Why something is no longer at its source, peers that are left in peace, sweeps that go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards
from bridge.storage.types import Key, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BECAUSE = ("received", "accounts", "activity_aliases")


def upgrade() -> None:
    for table in _BECAUSE:
        because = sa.Column("gone_because", sa.String(20), nullable=False, server_default="")
        op.add_column(table, because)
    op.execute("UPDATE received SET gone_because = 'reversed' WHERE gone_at IS NOT NULL")
    op.add_column("accounts", sa.Column("gone_at", UtcDateTime(), nullable=True))
    op.add_column("accounts", sa.Column("suspended_at", UtcDateTime(), nullable=True))
    op.add_column("activity_aliases", sa.Column("gone_at", UtcDateTime(), nullable=True))
    op.create_table(
        "peer_rests",
        sa.Column("peer", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_peer_rests")),
    )
    op.create_table(
        "sweep_parts",
        sa.Column("id", Key, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("mark", sa.String(200), nullable=False),
        sa.Column("seen", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_sweep_parts_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep_parts")),
    )
    op.create_index("ix_sweep_parts_source_id", "sweep_parts", ["source_id", "id"])
    guards.install(op.get_bind())


def downgrade() -> None:
    op.drop_table("sweep_parts")
    op.drop_table("peer_rests")
    op.drop_column("activity_aliases", "gone_at")
    op.drop_column("accounts", "suspended_at")
    op.drop_column("accounts", "gone_at")
    for table in _BECAUSE:
        op.drop_column(table, "gone_because")
