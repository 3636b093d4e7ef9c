"""${message}: what changes, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
from bridge.storage import guards
from bridge.storage.types import JsonText, Key, UtcDateTime

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
    guards.install(op.get_bind())
