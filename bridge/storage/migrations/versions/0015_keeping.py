"""Received statements that are forgotten in time, and which source brought which file."""

from __future__ import annotations

import orjson
import sqlalchemy as sa
from alembic import op

from bridge.storage import guards
from bridge.storage.types import Key, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_AT_ONCE = 500


def upgrade() -> None:
    op.add_column("lrs_statements", sa.Column("forgotten_at", UtcDateTime(), nullable=True))
    op.drop_index("ix_lrs_statements_stored", table_name="lrs_statements")
    op.create_index(
        "ix_lrs_statements_stored",
        "lrs_statements",
        ["stored", "id"],
        sqlite_where=sa.text("forgotten_at IS NULL"),
        postgresql_where=sa.text("forgotten_at IS NULL"),
    )
    op.create_table(
        "lrs_attached",
        sa.Column("sha2", sa.String(128), nullable=False),
        sa.Column("source_id", Key, autoincrement=False, nullable=False),
        sa.Column("statement", Key, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["sha2"], ["lrs_attachments.sha2"], name=op.f("fk_lrs_attached_sha2")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_lrs_attached_source_id")),
        sa.ForeignKeyConstraint(["statement"], ["lrs_statements.id"], name=op.f("fk_lrs_attached_statement")),
        sa.PrimaryKeyConstraint("sha2", "source_id", "statement", name=op.f("pk_lrs_attached")),
    )
    op.create_index("ix_lrs_attached_statement", "lrs_attached", ["statement"])
    _say_who_brought_what(op.get_bind())
    guards.install(op.get_bind())


def _say_who_brought_what(connection: sa.Connection) -> None:
    """Of files that were kept before: a statement brought one if it could not have come without it
    (it names no address where the file is), or came at the very moment when the file did."""
    kept = {
        sha2: moment
        for sha2, moment in connection.execute(
            sa.select(_files.c.sha2, _files.c.stored_at).select_from(_files)
        )
    }
    if not kept:
        return
    holds = sa.text(
        "position('attachments'::bytea in r.body) > 0"
        if connection.dialect.name == "postgresql"
        else "instr(r.body, CAST('attachments' AS BLOB)) > 0"
    )
    r = _received.alias("r")
    asked = (
        sa.select(_statements.c.id, _statements.c.source_id, _statements.c.stored, r.c.body)
        .join(r, r.c.id == _statements.c.id)
        .where(holds)
        .order_by(_statements.c.id)
        .limit(_AT_ONCE)
    )
    after = 0
    while rows := connection.execute(asked.where(_statements.c.id > after)).all():
        after = rows[-1][0]
        brought = {
            (sha2, source_id, row)
            for row, source_id, stored, body in rows
            for sha2, alone in _declared(orjson.loads(body))
            if sha2 in kept and (alone or _microseconds(kept[sha2]) == stored)
        }
        if brought:
            connection.execute(
                sa.insert(_attached),
                [
                    {"sha2": sha2, "source_id": source_id, "statement": row}
                    for sha2, source_id, row in sorted(brought)
                ],
            )


def _declared(statement: dict) -> list[tuple[str, bool]]:
    """(hash, whether it names no address) of every file that a statement declares."""
    about = statement["object"]
    told = list(statement.get("attachments", ()))
    if about.get("objectType") == "SubStatement":
        told += about.get("attachments", ())
    return [(str(one.get("sha2", "")).lower(), "fileUrl" not in one) for one in told]


def _microseconds(moment) -> int:
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond


_files = sa.table("lrs_attachments", sa.column("sha2", sa.String), sa.column("stored_at", UtcDateTime()))
_received = sa.table("received", sa.column("id", Key), sa.column("body", sa.LargeBinary))
_statements = sa.table(
    "lrs_statements", sa.column("id", Key), sa.column("source_id", Key), sa.column("stored", Key)
)
_attached = sa.table(
    "lrs_attached", sa.column("sha2", sa.String), sa.column("source_id", Key), sa.column("statement", Key)
)


def downgrade() -> None:
    op.drop_table("lrs_attached")
    op.drop_index("ix_lrs_statements_stored", table_name="lrs_statements")
    op.create_index("ix_lrs_statements_stored", "lrs_statements", ["stored", "id"])
    op.drop_column("lrs_statements", "forgotten_at")
