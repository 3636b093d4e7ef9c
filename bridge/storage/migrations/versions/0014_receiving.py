"""Statements of our own endpoint without look-ups of rows that their own transaction writes."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TABLE = "lrs_statements"


def upgrade() -> None:
    with op.batch_alter_table(_TABLE) as statements:
        statements.drop_constraint(op.f("fk_lrs_statements_id"), type_="foreignkey")
        statements.drop_constraint(op.f("fk_lrs_statements_source_id"), type_="foreignkey")


def downgrade() -> None:
    with op.batch_alter_table(_TABLE) as statements:
        statements.create_foreign_key(op.f("fk_lrs_statements_id"), "received", ["id"], ["id"])
        statements.create_foreign_key(
            op.f("fk_lrs_statements_source_id"), "sources", ["source_id"], ["id"]
        )
