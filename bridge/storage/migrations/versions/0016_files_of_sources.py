"""Which sources sent each file beside statements, so that no other gets it by its hash."""

from __future__ import annotations

import orjson
import sqlalchemy as sa
from alembic import op

from bridge.domain.lrs.presenting import in_microseconds
from bridge.storage import guards
from bridge.storage.types import Key, UtcDateTime

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lrs_attachment_sources",
        sa.Column("sha2", sa.String(128), nullable=False),
        sa.Column("source_id", Key, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["sha2"], ["lrs_attachments.sha2"], name=op.f("fk_lrs_attachment_sources_sha2")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_lrs_attachment_sources_source_id")),
        sa.PrimaryKeyConstraint("sha2", "source_id", name=op.f("pk_lrs_attachment_sources")),
    )
    _find_sources(op.get_bind())
    guards.install(op.get_bind())


def _find_sources(connection: sa.Connection) -> None:
    """Of files that are there: whose statement came with one.

    A statement without an address of its file cannot have come without the file; one with it came
    with the file if both were stored at one moment.
    """
    files = sa.table("lrs_attachments", sa.column("sha2"), sa.column("stored_at", UtcDateTime()))
    known = {
        sha2: in_microseconds(at)
        for sha2, at in connection.execute(sa.select(files.c.sha2, files.c.stored_at))
    }
    if not known:
        return
    within = (
        "position('\"sha2\"'::bytea in r.body) > 0"
        if connection.dialect.name == "postgresql"
        else "instr(r.body, CAST('\"sha2\"' AS BLOB)) > 0"
    )
    rows = connection.exec_driver_sql(
        "SELECT s.source_id, s.stored, r.body FROM lrs_statements s JOIN received r ON r.id = s.id"
        f" WHERE r.body IS NOT NULL AND {within}"
    )
    found = {
        (sha2, source_id)
        for source_id, stored, body in rows
        for one in _declared(orjson.loads(bytes(body)))
        if (sha2 := str(one.get("sha2", "")).lower()) in known
        and ("fileUrl" not in one or known[sha2] == stored)
    }
    sources = sa.table("lrs_attachment_sources", sa.column("sha2"), sa.column("source_id"))
    if found:
        connection.execute(
            sources.insert(),
            [{"sha2": sha2, "source_id": source_id} for sha2, source_id in sorted(found)],
        )


def _declared(statement: dict) -> list[dict]:
    about = statement["object"]
    return [*statement.get("attachments", ()), *about.get("attachments", ())]


def downgrade() -> None:
    op.drop_table("lrs_attachment_sources")
