"""Which competencies a Moodle links its courses to is kept, as it was last read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards
from bridge.storage.types import Key, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "course_links",
        sa.Column("id", Key, nullable=False),
        sa.Column("source_key", sa.String(80), nullable=False),
        sa.Column("course", sa.String(200), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("competency_id", sa.Integer(), nullable=True),
        sa.Column("framework", sa.Text(), nullable=False),
        sa.Column("idnumber", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Integer(), nullable=False),
        sa.Column("said", sa.String(200), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_links")),
        sa.UniqueConstraint(
            "source_key", "course", "link_id", name=op.f("uq_course_links_source_key_course_link_id")
        ),
    )
    op.create_index(
        op.f("ix_course_links_source_key_course"), "course_links", ["source_key", "course"]
    )
    guards.install(op.get_bind())


def downgrade() -> None:
    op.drop_table("course_links")
