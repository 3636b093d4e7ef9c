"""The outbox by its kinds: what each Learning Record Store is still to be told."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outbox_kind", "outbox", ["kind", "done_at"])


def downgrade() -> None:
    op.drop_index("ix_outbox_kind", table_name="outbox")
