"""What the database keeps up by itself; why accounts and people were parted; outside verifiers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards, upkeep
from bridge.storage.types import Key, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "verifier_approvals", sa.Column("organisation", sa.String(length=200), nullable=True)
    )
    op.add_column("coverage", sa.Column("kind", sa.String(length=80), nullable=True))
    op.add_column("person_merges", sa.Column("undone_reason", sa.Text(), nullable=True))
    op.add_column("account_links", sa.Column("ended_reason", sa.String(length=400), nullable=True))
    op.add_column(
        "account_links",
        sa.Column("parted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    # Until now every link that had ended was taken apart by somebody.
    op.execute("UPDATE account_links SET parted = true WHERE valid_to IS NOT NULL")
    op.create_table(
        "waiting",
        sa.Column("claim_id", Key, autoincrement=False, nullable=False),
        sa.Column("submission_id", Key, nullable=False),
        sa.Column("evidence_id", Key, nullable=False),
        sa.Column("verifier_id", Key, nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_waiting_claim_id")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_waiting_submission_id")
        ),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence.id"], name=op.f("fk_waiting_evidence_id")
        ),
        sa.ForeignKeyConstraint(["verifier_id"], ["people.id"], name=op.f("fk_waiting_verifier_id")),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_waiting")),
    )
    op.create_index("ix_waiting_verifier_id", "waiting", ["verifier_id", "submitted_at"])
    op.create_index("ix_waiting_submitted_at", "waiting", ["submitted_at", "submission_id"])
    op.create_table(
        "ledger_counts",
        sa.Column("id", Key, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("n", Key, nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_ledger_counts_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_counts")),
    )
    op.create_index("ix_ledger_counts_source_id", "ledger_counts", ["source_id", "what"])
    # Nothing else asks for all that is submitted any more.
    op.drop_index("ix_claims_submitted", "claims")
    for name, table, columns, where in (
        ("ix_people_merged", "people", ["id"], "canonical_id <> id"),
        ("ix_claims_contested_at", "claims", ["contested_at", "id"], "contested_at IS NOT NULL"),
    ):
        op.create_index(
            name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    last_word = "replace(display_name, rtrim(display_name, replace(display_name, ' ', '')), '')"
    op.create_index("ix_people_last_word", "people", [sa.text(f"lower({last_word})")])
    op.create_index("ix_evidence_log_id", "evidence", ["log_id"])
    op.create_index("ix_person_identifiers_person_id", "person_identifiers", ["person_id"])
    guards.install(op.get_bind())
    upkeep.rebuild(op.get_bind())
