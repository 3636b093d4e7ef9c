"""Our own xAPI endpoint: who may send, statements and what they are found by, documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards
from bridge.storage.types import Key, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.Uuid(as_uuid=False)


def upgrade() -> None:
    op.create_table(
        "lrs_credentials",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("origins", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("issued_by", sa.String(80), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_lrs_credentials_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lrs_credentials")),
        sa.UniqueConstraint("name", name=op.f("uq_lrs_credentials_name")),
    )
    op.create_table(
        "lrs_statements",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("statement_id", _ID, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("stored", Key, nullable=False),
        sa.Column("voided_by", Key, nullable=True),
        sa.ForeignKeyConstraint(["id"], ["received.id"], name=op.f("fk_lrs_statements_id")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_lrs_statements_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lrs_statements")),
        sa.UniqueConstraint("statement_id", name=op.f("uq_lrs_statements_statement_id")),
    )
    op.create_index("ix_lrs_statements_stored", "lrs_statements", ["stored", "id"])
    op.create_table(
        "lrs_queue",
        sa.Column("id", Key, nullable=False),
        sa.Column("work", sa.String(10), nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("stored", Key, nullable=False),
        sa.Column("statements", sa.Integer(), nullable=False),
        sa.Column("bytes", Key, nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_lrs_queue_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lrs_queue")),
    )
    op.create_index("ix_lrs_queue_work", "lrs_queue", ["work", "id"])
    op.create_table(
        "lrs_terms",
        sa.Column("term", Key, autoincrement=False, nullable=False),
        sa.Column("stored", Key, autoincrement=False, nullable=False),
        sa.Column("statement", Key, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("term", "stored", "statement", name=op.f("pk_lrs_terms")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lrs_references",
        sa.Column("target", _ID, nullable=False),
        sa.Column("statement", Key, autoincrement=False, nullable=False),
        sa.Column("voids", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("target", "statement", name=op.f("pk_lrs_references")),
    )
    op.create_table(
        "lrs_activities",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("iri_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_lrs_activities_source_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_lrs_activities")),
    )
    op.create_index(op.f("ix_lrs_activities_iri_digest"), "lrs_activities", ["iri_digest"])
    op.create_table(
        "lrs_attachments",
        sa.Column("sha2", sa.String(128), nullable=False),
        sa.Column("media_type", sa.String(255), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha2", name=op.f("pk_lrs_attachments")),
    )
    op.create_table(
        "lrs_documents",
        sa.Column("id", Key, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("place", sa.LargeBinary(32), nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("registration", sa.String(36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("etag", sa.String(40), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("updated", Key, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_lrs_documents_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lrs_documents")),
        sa.UniqueConstraint("key", name=op.f("uq_lrs_documents_key")),
    )
    op.create_index("ix_lrs_documents_place", "lrs_documents", ["place"])
    guards.install(op.get_bind())


def downgrade() -> None:
    for table in (
        "lrs_documents", "lrs_attachments", "lrs_activities", "lrs_references", "lrs_terms",
        "lrs_queue", "lrs_statements", "lrs_credentials",
    ):
        op.drop_table(table)
