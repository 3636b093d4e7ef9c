"""The spine: every table of the design, and the guards that keep the one rule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards
from bridge.storage.types import JsonText, Key, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activities",
        sa.Column("id", Key, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
    )
    op.create_table(
        "audit",
        sa.Column("id", Key, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("on_behalf_of", Key, nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("os_user", sa.String(length=80), nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("detail", JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_subject"), ["subject"], unique=False)

    op.create_table(
        "badge_versions",
        sa.Column("id", Key, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("definition", JsonText(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_badge_versions")),
        sa.UniqueConstraint("key", "version", name=op.f("uq_badge_versions_key_version")),
    )
    op.create_table(
        "envelopes",
        sa.Column("id", Key, nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_envelopes")),
        sa.UniqueConstraint("sha256", name=op.f("uq_envelopes_sha256")),
    )
    op.create_table(
        "framework_editions",
        sa.Column("id", Key, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("framework", sa.String(length=80), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("document", JsonText(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_framework_editions")),
        sa.UniqueConstraint("key", name=op.f("uq_framework_editions_key")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "mapping_versions",
        sa.Column("id", Key, nullable=False),
        sa.Column("mapping", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_versions")),
        sa.UniqueConstraint("mapping", "version", name=op.f("uq_mapping_versions_mapping_version")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", Key, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=40), server_default="", nullable=False),
        sa.Column("exempt", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("exempt_framework", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("key", name=op.f("uq_organisations_key")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("payload", JsonText(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_dedupe_key")),
    )
    op.create_table(
        "people",
        sa.Column("id", Key, nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("canonical_id", Key, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column(
            "awards_pending", sa.Boolean(), server_default=sa.text("(false)"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["canonical_id"], ["people.id"], name=op.f("fk_people_canonical_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index(
            "ix_people_awards_pending",
            ["id"],
            unique=False,
            sqlite_where=sa.text("awards_pending = 1"),
            postgresql_where=sa.text("awards_pending"),
        )
        batch_op.create_index(batch_op.f("ix_people_canonical_id"), ["canonical_id"], unique=False)

    op.create_table(
        "sources",
        sa.Column("id", Key, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("trust", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("key", name=op.f("uq_sources_key")),
    )
    op.create_table(
        "targets",
        sa.Column("id", Key, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_targets")),
        sa.UniqueConstraint("key", name=op.f("uq_targets_key")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", Key, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=320), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("staff_number", sa.Text(), nullable=True),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("suspended", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_accounts_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint(
            "source_id", "value", "kind", name=op.f("uq_accounts_source_id_value_kind")
        ),
    )
    op.create_table(
        "activity_aliases",
        sa.Column("id", Key, nullable=False),
        sa.Column("activity_id", Key, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=400), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("idnumber", sa.Text(), nullable=True),
        sa.Column("shortname", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("iri", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_activity_aliases_activity_id")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_activity_aliases_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_aliases")),
        sa.UniqueConstraint(
            "source_id", "value", "kind", name=op.f("uq_activity_aliases_source_id_value_kind")
        ),
    )
    with op.batch_alter_table("activity_aliases", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_activity_aliases_activity_id"), ["activity_id"], unique=False
        )

    op.create_table(
        "awards",
        sa.Column("id", Key, nullable=False),
        sa.Column("badge_version_id", Key, nullable=False),
        sa.Column("badge_key", sa.String(length=80), nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("period", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("awarded_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "status IN ('assembling', 'held', 'withdrawn')", name=op.f("ck_awards_status")
        ),
        sa.ForeignKeyConstraint(
            ["badge_version_id"], ["badge_versions.id"], name=op.f("fk_awards_badge_version_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_awards_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awards")),
        sa.UniqueConstraint(
            "badge_key", "person_id", "period", name=op.f("uq_awards_badge_key_person_id_period")
        ),
    )
    with op.batch_alter_table("awards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_awards_person_id"), ["person_id"], unique=False)

    op.create_table(
        "bookmarks",
        sa.Column("source_id", Key, autoincrement=False, nullable=False),
        sa.Column("position", UtcDateTime(), nullable=True),
        sa.Column("last_full_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_bookmarks_source_id")),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_bookmarks")),
    )
    op.create_table(
        "competencies",
        sa.Column("id", Key, nullable=False),
        sa.Column("edition_id", Key, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("organisation_id", Key, nullable=True),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["framework_editions.id"], name=op.f("fk_competencies_edition_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_competencies_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competencies")),
        sa.UniqueConstraint("edition_id", "code", name=op.f("uq_competencies_edition_id_code")),
    )
    op.create_table(
        "logs",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("signed_by", Key, nullable=True),
        sa.Column("next_steps", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_logs_person_id")),
        sa.ForeignKeyConstraint(["signed_by"], ["people.id"], name=op.f("fk_logs_signed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logs")),
        sa.UniqueConstraint("person_id", "starts_on", name=op.f("uq_logs_person_id_starts_on")),
    )
    op.create_table(
        "person_identifiers",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=320), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_identifiers_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_identifiers")),
    )
    with op.batch_alter_table("person_identifiers", schema=None) as batch_op:
        batch_op.create_index("ix_person_identifiers_lookup", ["kind", "value"], unique=False)

    op.create_table(
        "person_merges",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("into_id", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("merged_at", UtcDateTime(), nullable=False),
        sa.Column("merged_by", sa.String(length=80), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("undone_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["into_id"], ["people.id"], name=op.f("fk_person_merges_into_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_merges_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_merges")),
    )
    op.create_table(
        "person_tokens",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_tokens_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_person_tokens_sha256")),
    )
    op.create_table(
        "posts",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("target_groups", JsonText(), nullable=False),
        sa.Column("extra_competencies", JsonText(), nullable=False),
        sa.Column("london_level", sa.String(length=10), nullable=True),
        sa.Column("manager_id", Key, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["manager_id"], ["people.id"], name=op.f("fk_posts_manager_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_posts_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_posts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
    )
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.create_index("ix_posts_manager_id", ["manager_id"], unique=False)
        batch_op.create_index("ix_posts_person_id", ["person_id"], unique=False)

    op.create_table(
        "pull_runs",
        sa.Column("id", Key, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("counts", JsonText(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_pull_runs_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull_runs")),
    )
    with op.batch_alter_table("pull_runs", schema=None) as batch_op:
        batch_op.create_index("ix_pull_runs_source_id", ["source_id", "id"], unique=False)

    op.create_table(
        "received",
        sa.Column("id", Key, nullable=False),
        sa.Column("source_id", Key, nullable=False),
        sa.Column("natural_key", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("envelope_id", Key, nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("gone_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["envelope_id"], ["envelopes.id"], name=op.f("fk_received_envelope_id")
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_received_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received")),
        sa.UniqueConstraint(
            "source_id", "natural_key", name=op.f("uq_received_source_id_natural_key")
        ),
    )
    op.create_table(
        "rules",
        sa.Column("id", Key, nullable=False),
        sa.Column("mapping_version_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("content", JsonText(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["mapping_version_id"],
            ["mapping_versions.id"],
            name=op.f("fk_rules_mapping_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules")),
        sa.UniqueConstraint(
            "mapping_version_id", "key", name=op.f("uq_rules_mapping_version_id_key")
        ),
    )
    op.create_table(
        "verifier_approvals",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('assessor', 'peer')", name=op.f("ck_verifier_approvals_kind")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_verifier_approvals_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verifier_approvals")),
    )
    op.create_table(
        "account_links",
        sa.Column("id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("proof", sa.String(length=400), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.Column("linked_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_links_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_account_links_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_links")),
    )
    with op.batch_alter_table("account_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_links_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "uq_account_links_open",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("valid_to IS NULL"),
            postgresql_where=sa.text("valid_to IS NULL"),
        )

    op.create_table(
        "badge_requirements",
        sa.Column("badge_version_id", Key, nullable=False),
        sa.Column("competency_id", Key, nullable=False),
        sa.ForeignKeyConstraint(
            ["badge_version_id"],
            ["badge_versions.id"],
            name=op.f("fk_badge_requirements_badge_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["competency_id"], ["competencies.id"], name=op.f("fk_badge_requirements_competency_id")
        ),
        sa.PrimaryKeyConstraint(
            "badge_version_id", "competency_id", name=op.f("pk_badge_requirements")
        ),
    )
    op.create_table(
        "evidence",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("activity_id", Key, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("learning_activity", sa.String(length=40), nullable=True),
        sa.Column("delivery", sa.String(length=40), nullable=True),
        sa.Column("level", sa.String(length=40), nullable=True),
        sa.Column("verification", sa.String(length=20), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("split_from_id", Key, nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("log_id", Key, nullable=True),
        sa.Column("late", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.CheckConstraint("origin IN ('record', 'own')", name=op.f("ck_evidence_origin")),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_evidence_activity_id")
        ),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_evidence_log_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_evidence_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_evidence_person_id")),
        sa.ForeignKeyConstraint(
            ["split_from_id"], ["evidence.id"], name=op.f("fk_evidence_split_from_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(
            "ix_evidence_person_activity", ["person_id", "activity_id"], unique=False
        )

    op.create_table(
        "learning_records",
        sa.Column("id", Key, nullable=False),
        sa.Column("received_id", Key, nullable=False),
        sa.Column("ordinal", sa.Integer(), server_default="0", nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("alias_id", Key, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("precision", sa.String(length=10), nullable=False),
        sa.Column("cycle", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("attendance", sa.Float(), nullable=True),
        sa.Column("superseded_by", Key, nullable=True),
        sa.Column("voided_by", Key, nullable=True),
        sa.Column("disposition", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("rule_id", Key, nullable=True),
        sa.Column("pending", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.CheckConstraint(
            "disposition IN ('unmapped', 'not counting', 'unmatched', 'evidence')",
            name=op.f("ck_learning_records_disposition"),
        ),
        sa.CheckConstraint(
            "precision IN ('second', 'minute', 'day')", name=op.f("ck_learning_records_precision")
        ),
        sa.CheckConstraint(
            "status IN ('completed', 'passed', 'failed', 'attended', 'missed')",
            name=op.f("ck_learning_records_status"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_learning_records_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["alias_id"], ["activity_aliases.id"], name=op.f("fk_learning_records_alias_id")
        ),
        sa.ForeignKeyConstraint(
            ["received_id"], ["received.id"], name=op.f("fk_learning_records_received_id")
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["rules.id"], name=op.f("fk_learning_records_rule_id")
        ),
        sa.ForeignKeyConstraint(
            ["superseded_by"],
            ["learning_records.id"],
            name=op.f("fk_learning_records_superseded_by"),
        ),
        sa.ForeignKeyConstraint(
            ["voided_by"], ["received.id"], name=op.f("fk_learning_records_voided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learning_records")),
        sa.UniqueConstraint(
            "received_id", "ordinal", name=op.f("uq_learning_records_received_id_ordinal")
        ),
    )
    with op.batch_alter_table("learning_records", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_learning_records_account_id"), ["account_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_learning_records_alias_id"), ["alias_id"], unique=False
        )
        batch_op.create_index(
            "ix_learning_records_pending",
            ["id"],
            unique=False,
            sqlite_where=sa.text("pending = 1"),
            postgresql_where=sa.text("pending"),
        )

    op.create_table(
        "not_applicable",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("competency_id", Key, nullable=False),
        sa.Column("decided_by", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["competency_id"], ["competencies.id"], name=op.f("fk_not_applicable_competency_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["people.id"], name=op.f("fk_not_applicable_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_not_applicable_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_not_applicable")),
    )
    with op.batch_alter_table("not_applicable", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_not_applicable_person_id"), ["person_id"], unique=False
        )

    op.create_table(
        "quarantine",
        sa.Column("id", Key, nullable=False),
        sa.Column("received_id", Key, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["received_id"], ["received.id"], name=op.f("fk_quarantine_received_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("received_id", name=op.f("uq_quarantine_received_id")),
    )
    op.create_table(
        "received_versions",
        sa.Column("id", Key, nullable=False),
        sa.Column("received_id", Key, nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("envelope_id", Key, nullable=False),
        sa.Column("replaced_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["envelope_id"], ["envelopes.id"], name=op.f("fk_received_versions_envelope_id")
        ),
        sa.ForeignKeyConstraint(
            ["received_id"], ["received.id"], name=op.f("fk_received_versions_received_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_versions")),
    )
    with op.batch_alter_table("received_versions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_received_versions_received_id"), ["received_id"], unique=False
        )

    op.create_table(
        "target_states",
        sa.Column("id", Key, nullable=False),
        sa.Column("award_id", Key, nullable=False),
        sa.Column("target_id", Key, nullable=False),
        sa.Column("settings", JsonText(), nullable=False),
        sa.Column("account_id", Key, nullable=True),
        sa.Column("desired", sa.String(length=10), nullable=False),
        sa.Column("observed", sa.String(length=10), nullable=True),
        sa.Column("observed_at", UtcDateTime(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("needs_you", sa.Text(), nullable=True),
        sa.Column("holder", sa.String(length=120), nullable=True),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("desired IN ('held', 'absent')", name=op.f("ck_target_states_desired")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_target_states_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["award_id"], ["awards.id"], name=op.f("fk_target_states_award_id")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_target_states_target_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target_states")),
        sa.UniqueConstraint(
            "award_id", "target_id", name=op.f("uq_target_states_award_id_target_id")
        ),
    )
    with op.batch_alter_table("target_states", schema=None) as batch_op:
        batch_op.create_index(
            "ix_target_states_target_id", ["target_id", "desired", "observed"], unique=False
        )

    op.create_table(
        "claims",
        sa.Column("id", Key, nullable=False),
        sa.Column("evidence_id", Key, nullable=False),
        sa.Column("competency_id", Key, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("rule_id", Key, nullable=True),
        sa.Column("suggested", sa.Boolean(), nullable=False),
        sa.Column("touched_at", UtcDateTime(), nullable=True),
        sa.Column("contested_at", UtcDateTime(), nullable=True),
        sa.Column("contested_reason", sa.String(length=40), nullable=True),
        sa.CheckConstraint("origin IN ('rule', 'person')", name=op.f("ck_claims_origin")),
        sa.CheckConstraint(
            "state IN ('suggested', 'submitted', 'verified', 'returned', 'dismissed', 'withdrawn', 'revoked')",
            name=op.f("ck_claims_state"),
        ),
        sa.ForeignKeyConstraint(
            ["competency_id"], ["competencies.id"], name=op.f("fk_claims_competency_id")
        ),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence.id"], name=op.f("fk_claims_evidence_id")
        ),
        sa.ForeignKeyConstraint(["rule_id"], ["rules.id"], name=op.f("fk_claims_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.UniqueConstraint(
            "evidence_id", "competency_id", name=op.f("uq_claims_evidence_id_competency_id")
        ),
    )
    op.create_table(
        "evidence_records",
        sa.Column("record_id", Key, autoincrement=False, nullable=False),
        sa.Column("evidence_id", Key, nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence.id"], name=op.f("fk_evidence_records_evidence_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["learning_records.id"], name=op.f("fk_evidence_records_record_id")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_evidence_records")),
    )
    with op.batch_alter_table("evidence_records", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_evidence_records_evidence_id"), ["evidence_id"], unique=False
        )

    op.create_table(
        "reflections",
        sa.Column("id", Key, nullable=False),
        sa.Column("evidence_id", Key, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("author_id", Key, nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["people.id"], name=op.f("fk_reflections_author_id")
        ),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence.id"], name=op.f("fk_reflections_evidence_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reflections")),
        sa.UniqueConstraint(
            "evidence_id", "version", name=op.f("uq_reflections_evidence_id_version")
        ),
    )
    op.create_table(
        "submissions",
        sa.Column("id", Key, nullable=False),
        sa.Column("evidence_id", Key, nullable=False),
        sa.Column("reflection_id", Key, nullable=False),
        sa.Column("verifier_id", Key, nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence.id"], name=op.f("fk_submissions_evidence_id")
        ),
        sa.ForeignKeyConstraint(
            ["reflection_id"], ["reflections.id"], name=op.f("fk_submissions_reflection_id")
        ),
        sa.ForeignKeyConstraint(
            ["verifier_id"], ["people.id"], name=op.f("fk_submissions_verifier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
    )
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_submissions_evidence_id"), ["evidence_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_submissions_verifier_id"), ["verifier_id"], unique=False
        )

    op.create_table(
        "submission_claims",
        sa.Column("submission_id", Key, nullable=False),
        sa.Column("claim_id", Key, nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claims.id"], name=op.f("fk_submission_claims_claim_id")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_submission_claims_submission_id")
        ),
        sa.PrimaryKeyConstraint("submission_id", "claim_id", name=op.f("pk_submission_claims")),
    )
    with op.batch_alter_table("submission_claims", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_submission_claims_claim_id"), ["claim_id"], unique=False
        )

    op.create_table(
        "verifications",
        sa.Column("id", Key, nullable=False),
        sa.Column("claim_id", Key, nullable=False),
        sa.Column("submission_id", Key, nullable=False),
        sa.Column("verifier_id", Key, nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("method", sa.String(length=60), nullable=True),
        sa.Column("authority", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.String(length=40), nullable=True),
        sa.Column("reciprocal", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("revokes_id", Key, nullable=True),
        sa.CheckConstraint(
            "decision IN ('verified', 'returned', 'revoked', 'upheld')",
            name=op.f("ck_verifications_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claims.id"], name=op.f("fk_verifications_claim_id")
        ),
        sa.ForeignKeyConstraint(
            ["revokes_id"], ["verifications.id"], name=op.f("fk_verifications_revokes_id")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_verifications_submission_id")
        ),
        sa.ForeignKeyConstraint(
            ["verifier_id"], ["people.id"], name=op.f("fk_verifications_verifier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verifications")),
        sa.UniqueConstraint("revokes_id", name=op.f("uq_verifications_revokes_id")),
    )
    with op.batch_alter_table("verifications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verifications_claim_id"), ["claim_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_verifications_verifier_id"), ["verifier_id"], unique=False
        )

    op.create_table(
        "award_basis",
        sa.Column("id", Key, nullable=False),
        sa.Column("award_id", Key, nullable=False),
        sa.Column("competency_id", Key, nullable=False),
        sa.Column("verification_id", Key, nullable=True),
        sa.Column("not_applicable_id", Key, nullable=True),
        sa.CheckConstraint(
            "(verification_id IS NULL) <> (not_applicable_id IS NULL)",
            name=op.f("ck_award_basis_one_ground"),
        ),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name=op.f("fk_award_basis_award_id")),
        sa.ForeignKeyConstraint(
            ["competency_id"], ["competencies.id"], name=op.f("fk_award_basis_competency_id")
        ),
        sa.ForeignKeyConstraint(
            ["not_applicable_id"],
            ["not_applicable.id"],
            name=op.f("fk_award_basis_not_applicable_id"),
        ),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verifications.id"], name=op.f("fk_award_basis_verification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award_basis")),
        sa.UniqueConstraint(
            "award_id",
            "competency_id",
            "verification_id",
            "not_applicable_id",
            name=op.f("uq_award_basis_award_id_competency_id_verification_id_not_applicable_id"),
        ),
    )
    with op.batch_alter_table("award_basis", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_award_basis_verification_id"), ["verification_id"], unique=False
        )

    guards.install(op.get_bind())
