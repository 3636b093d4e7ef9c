"""A course held on several days has its own trainers on each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OPEN = {"sqlite_where": sa.text("ended_at IS NULL"), "postgresql_where": sa.text("ended_at IS NULL")}


def upgrade() -> None:
    held_on = sa.Column("held_on", sa.String(10), nullable=False, server_default="")
    op.add_column("event_trainers", held_on)
    _open_by("alias_id", "account_id", "held_on")
    guards.install(op.get_bind())


def downgrade() -> None:
    _open_by("alias_id", "account_id")
    op.drop_column("event_trainers", "held_on")


def _open_by(*columns: str) -> None:
    op.drop_index("uq_event_trainers_open", "event_trainers")
    op.create_index("uq_event_trainers_open", "event_trainers", columns, unique=True, **_OPEN)
