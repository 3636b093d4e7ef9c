"""Runs migrations on the connection it is given; nothing is read from an alembic.ini."""

from __future__ import annotations

from alembic import context

from bridge.storage import (  # noqa: F401  their tables count too
    tables_access,
    tables_booking,
    tables_inbox,
    tables_links,
    tables_practice,
    tables_statements,
    tables_targets,
)
from bridge.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by building it anew; the guards go back on at the end of each step.
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
