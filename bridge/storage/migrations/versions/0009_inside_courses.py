"""Activities inside courses have the names of their course; a bookmark has the source's own mark."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NAMES = ("module", "course_idnumber", "course_shortname")


def upgrade() -> None:
    for name in _NAMES:
        op.add_column("activity_aliases", sa.Column(name, sa.Text))
    mark = sa.Column("mark", sa.Text, nullable=False, server_default="")
    op.add_column("bookmarks", mark)
    guards.install(op.get_bind())


def downgrade() -> None:
    op.drop_column("bookmarks", "mark")
    for name in _NAMES:
        op.drop_column("activity_aliases", name)
