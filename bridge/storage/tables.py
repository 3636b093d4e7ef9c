"""Every table, as SQLAlchemy Core; what may never be is in guards.py."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bridge.domain.claims import ClaimState
from bridge.domain.records import Disposition, Precision, Status
from bridge.storage.types import JsonText, Key, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, values: type[ClaimState] | type[Disposition] | tuple[str, ...]) -> str:
    """The SQL condition that a column holds one of these."""
    return f"{column} IN ({', '.join(repr(str(v)) for v in values)})"


def row_id() -> Column[int]:
    """A table's own key."""
    return Column("id", Key, primary_key=True)


def ref(name: str, target: str, *, null: bool = False) -> Column[int]:
    """A column that points at a row of another table."""
    return Column(name, Key, ForeignKey(f"{target}.id"), nullable=null)


# --- people ----------------------------------------------------------------------------------
organisations = Table(
    "organisations",
    metadata,
    row_id(),
    Column("key", String(80), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", String(40), nullable=False, server_default=""),
    Column("exempt", Boolean, nullable=False, server_default=text("false")),
    Column("exempt_framework", String(200)),
    Column("counts_due", Boolean, nullable=False, server_default=text("true")),
)
people = Table(
    "people",
    metadata,
    row_id(),
    Column("display_name", Text, nullable=False),
    Column("canonical_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("awards_pending", Boolean, nullable=False, server_default=text("false")),
    Column("counts_pending", Boolean, nullable=False, server_default=text("false")),
    Column("status_pending", Boolean, nullable=False, server_default=text("false")),
    # SQLite uses a partial index only for the very words of its condition; this is how
    # SQLAlchemy writes a Boolean column there.
    Index(
        "ix_people_awards_pending",
        "id",
        sqlite_where=text("awards_pending = 1"),
        postgresql_where=text("awards_pending"),
    ),
    Index(
        "ix_people_counts_pending",
        "id",
        sqlite_where=text("counts_pending = 1"),
        postgresql_where=text("counts_pending"),
    ),
    Index(
        "ix_people_status_pending",
        "id",
        sqlite_where=text("status_pending = 1"),
        postgresql_where=text("status_pending"),
    ),
    Index("ix_people_display_name", "display_name", "id"),
    Index(
        "ix_people_merged",
        "id",
        sqlite_where=text("canonical_id <> id"),
        postgresql_where=text("canonical_id <> id"),
    ),
)
#: The last word of a name, in SQL that SQLite and PostgreSQL both understand: rtrim takes away all
#: that is no space, so what is before the last word is left, and is taken out of the name.
LAST_WORD = "lower(replace(display_name, rtrim(display_name, replace(display_name, ' ', '')), ''))"
Index("ix_people_last_word", text(LAST_WORD), _table=people)
person_identifiers = Table(
    "person_identifiers",
    metadata,
    row_id(),
    ref("person_id", "people"),
    Column("kind", String(20), nullable=False),
    Column("value", String(320), nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    Index("ix_person_identifiers_lookup", "kind", "value"),
    Index("ix_person_identifiers_person_id", "person_id"),
)
person_merges = Table(
    "person_merges",
    metadata,
    row_id(),
    ref("person_id", "people"),
    ref("into_id", "people"),
    Column("reason", Text, nullable=False),
    Column("merged_at", UtcDateTime, nullable=False),
    Column("merged_by", String(80), nullable=False),
    Column("undone_at", UtcDateTime),
    Column("undone_by", String(80)),
    Column("undone_reason", Text),
)
posts = Table(
    "posts",
    metadata,
    row_id(),
    ref("person_id", "people"),
    ref("organisation_id", "organisations"),
    Column("title", Text, nullable=False),
    Column("target_groups", JsonText, nullable=False),
    Column("extra_competencies", JsonText, nullable=False),
    Column("london_level", String(10)),
    ref("manager_id", "people", null=True),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Index("ix_posts_person_id", "person_id"),
    Index("ix_posts_manager_id", "manager_id"),
)
person_tokens = Table(
    "person_tokens",
    metadata,
    row_id(),
    ref("person_id", "people"),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("name", String(80), nullable=False, server_default=""),
    Column("read_only", Boolean, nullable=False, server_default=text("false")),
)
verifier_approvals = Table(
    "verifier_approvals",
    metadata,
    row_id(),
    ref("person_id", "people"),
    Column("kind", String(20), nullable=False),
    Column("approved_at", UtcDateTime, nullable=False),
    Column("approved_by", String(80), nullable=False),
    # Where a verifier from outside, who holds no post here, works.
    Column("organisation", String(200)),
    Column("ended_at", UtcDateTime),
    CheckConstraint(one_of("kind", ("assessor", "peer")), name="kind"),
)

# --- sources, and what came from them ----------------------------------------------------------
sources = Table(
    "sources",
    metadata,
    row_id(),
    Column("key", String(80), nullable=False, unique=True),
    Column("kind", String(40), nullable=False),
    Column("trust", String(20), nullable=False),
)
bookmarks = Table(
    "bookmarks",
    metadata,
    Column("source_id", Key, ForeignKey("sources.id"), primary_key=True, autoincrement=False),
    Column("position", UtcDateTime),
    Column("last_full_at", UtcDateTime),
    Column("mark", Text, nullable=False, server_default=""),
)
pull_runs = Table(
    "pull_runs",
    metadata,
    row_id(),
    ref("source_id", "sources"),
    Column("kind", String(20), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(20), nullable=False),
    Column("message", Text, nullable=False, server_default=""),
    Column("counts", JsonText, nullable=False),
    Index("ix_pull_runs_source_id", "source_id", "id"),
)
leases = Table(
    "leases",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("holder", String(120), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
envelopes = Table(
    "envelopes",
    metadata,
    row_id(),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
)
received = Table(
    "received",
    metadata,
    row_id(),
    ref("source_id", "sources"),
    Column("natural_key", String(200), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("body", LargeBinary),
    ref("envelope_id", "envelopes"),
    Column("received_at", UtcDateTime, nullable=False),
    Column("gone_at", UtcDateTime),
    # Why, as bridge.domain.vanishing.Gone has it; empty while it is there.
    Column("gone_because", String(20), nullable=False, server_default=text("''")),
    UniqueConstraint("source_id", "natural_key"),
)
received_versions = Table(
    "received_versions",
    metadata,
    row_id(),
    Column("received_id", Key, ForeignKey("received.id"), nullable=False, index=True),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("body", LargeBinary),
    ref("envelope_id", "envelopes"),
    Column("replaced_at", UtcDateTime, nullable=False),
)
#: What each source gave and what became of it, as changes to be summed (upkeep.py).
ledger_counts = Table(
    "ledger_counts",
    metadata,
    row_id(),
    ref("source_id", "sources"),
    Column("what", String(20), nullable=False),
    Column("n", Key, nullable=False),
    Index("ix_ledger_counts_source_id", "source_id", "what"),
)
quarantine = Table(
    "quarantine",
    metadata,
    row_id(),
    Column("received_id", Key, ForeignKey("received.id"), nullable=False, unique=True),
    Column("code", String(40), nullable=False),
    Column("message", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
accounts = Table(
    "accounts",
    metadata,
    row_id(),
    ref("source_id", "sources"),
    Column("kind", String(40), nullable=False),
    Column("value", String(320), nullable=False),
    Column("email", Text),
    Column("staff_number", Text),
    Column("username", Text),
    Column("display_name", Text),
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    # The email as addresses are compared: whoever shares it is found by it.
    Column("address", String(320)),
    Column("suspended_at", UtcDateTime),
    # Deleted at its source, or its number given to somebody else.
    Column("gone_at", UtcDateTime),
    Column("gone_because", String(20), nullable=False, server_default=text("''")),
    UniqueConstraint("source_id", "value", "kind"),
    # By the address first: as the second of the key, a planner without statistics would go through
    # all accounts of a source for it.
    Index("ix_accounts_address", "address", "source_id"),
)
account_links = Table(
    "account_links",
    metadata,
    row_id(),
    ref("account_id", "accounts"),
    Column("person_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("rule", String(40), nullable=False),
    Column("proof", String(400), nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    Column("linked_by", String(80), nullable=False),
    Column("ended_reason", String(400)),
    # It ended because it is not theirs: no rule joins the two again.
    Column("parted", Boolean, nullable=False, server_default=text("false")),
    Index(
        "uq_account_links_open",
        "account_id",
        unique=True,
        sqlite_where=text("valid_to IS NULL"),
        postgresql_where=text("valid_to IS NULL"),
    ),
)
activities = Table(
    "activities",
    metadata,
    row_id(),
    Column("title", Text, nullable=False),
    # The activity that it is one with; NULL for itself. `activity_joins` says why.
    Column("canonical_id", Key, ForeignKey("activities.id"), index=True),
)
activity_aliases = Table(
    "activity_aliases",
    metadata,
    row_id(),
    Column("activity_id", Key, ForeignKey("activities.id"), nullable=False, index=True),
    ref("source_id", "sources"),
    Column("kind", String(40), nullable=False),
    Column("value", String(400), nullable=False),
    Column("title", Text),
    Column("idnumber", Text),
    Column("shortname", Text),
    Column("category", Text),
    Column("iri", Text),
    Column("module", Text),
    Column("course_idnumber", Text),
    Column("course_shortname", Text),
    Column("gone_at", UtcDateTime),
    Column("gone_because", String(20), nullable=False, server_default=text("''")),
    UniqueConstraint("source_id", "value", "kind"),
)
learning_records = Table(
    "learning_records",
    metadata,
    row_id(),
    ref("received_id", "received"),
    Column("ordinal", Integer, nullable=False, server_default="0"),
    Column("account_id", Key, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("alias_id", Key, ForeignKey("activity_aliases.id"), nullable=False, index=True),
    Column("status", String(20), nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("precision", String(10), nullable=False),
    Column("cycle", String(20), nullable=False),
    Column("score", Float),
    Column("attendance", Float),
    Column("booking_state", Integer),
    Column("said", Text),
    Column("minutes", Float),
    Column("planned", Float),
    Column("evaluated", Boolean),
    Column("session", Text),
    Column("sessions", Integer),
    ref("superseded_by", "learning_records", null=True),
    ref("voided_by", "received", null=True),
    Column("disposition", String(20), nullable=False),
    Column("reason", String(40), nullable=False),
    ref("rule_id", "rules", null=True),
    Column("pending", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("received_id", "ordinal"),
    CheckConstraint(one_of("disposition", tuple(Disposition)[1:]), name="disposition"),
    CheckConstraint(one_of("status", tuple(Status)), name="status"),
    CheckConstraint(one_of("precision", tuple(Precision)), name="precision"),
    # Lists of what waits, by activity and by account.
    Index(
        "ix_learning_records_unmapped",
        "alias_id",
        "account_id",
        sqlite_where=text("disposition = 'unmapped'"),
        postgresql_where=text("disposition = 'unmapped'"),
    ),
    Index(
        "ix_learning_records_unmatched",
        "account_id",
        sqlite_where=text("disposition = 'unmatched'"),
        postgresql_where=text("disposition = 'unmatched'"),
    ),
    Index(
        "ix_learning_records_pending",
        "id",
        sqlite_where=text("pending = 1"),
        postgresql_where=text("pending"),
    ),
)

# --- frameworks and mappings ---------------------------------------------------------------------
framework_editions = Table(
    "framework_editions",
    metadata,
    row_id(),
    Column("key", String(80), nullable=False, unique=True),
    Column("framework", String(80), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("document", JsonText, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
)
competencies = Table(
    "competencies",
    metadata,
    row_id(),
    ref("edition_id", "framework_editions"),
    Column("code", String(40), nullable=False),
    Column("text", Text, nullable=False),
    ref("organisation_id", "organisations", null=True),
    UniqueConstraint("edition_id", "code"),
)
mapping_versions = Table(
    "mapping_versions",
    metadata,
    row_id(),
    Column("mapping", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("source", LargeBinary, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("published_by", String(80), nullable=False),
    Column("comment", Text, nullable=False),
    Column("retired_at", UtcDateTime),
    UniqueConstraint("mapping", "version"),
)
rules = Table(
    "rules",
    metadata,
    row_id(),
    ref("mapping_version_id", "mapping_versions"),
    Column("position", Integer, nullable=False),
    Column("key", String(80), nullable=False),
    Column("content", JsonText, nullable=False),
    Column("content_hash", String(64), nullable=False),
    UniqueConstraint("mapping_version_id", "key"),
)

# --- evidence, and the two people's word ----------------------------------------------------------
logs = Table(
    "logs",
    metadata,
    row_id(),
    ref("person_id", "people"),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("signed_at", UtcDateTime),
    ref("signed_by", "people", null=True),
    Column("next_steps", LargeBinary),
    Column("key_id", String(40)),
    UniqueConstraint("person_id", "starts_on"),
)
evidence = Table(
    "evidence",
    metadata,
    row_id(),
    ref("person_id", "people"),
    ref("organisation_id", "organisations", null=True),
    Column("origin", String(10), nullable=False),
    ref("activity_id", "activities", null=True),
    Column("title", Text, nullable=False),
    Column("learning_activity", String(40)),
    Column("delivery", String(40)),
    Column("level", String(40)),
    Column("verification", String(20)),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("split_from_id", Key, ForeignKey("evidence.id")),
    Column("reference", Text),
    ref("log_id", "logs", null=True),
    Column("late", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(one_of("origin", ("record", "own")), name="origin"),
    Index("ix_evidence_person_activity", "person_id", "activity_id"),
    Index("ix_evidence_log_id", "log_id"),
)
evidence_records = Table(
    "evidence_records",
    metadata,
    Column(
        "record_id",
        Key,
        ForeignKey("learning_records.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("evidence_id", Key, ForeignKey("evidence.id"), nullable=False, index=True),
)
claims = Table(
    "claims",
    metadata,
    row_id(),
    ref("evidence_id", "evidence"),
    ref("competency_id", "competencies"),
    Column("state", String(12), nullable=False),
    Column("origin", String(10), nullable=False),
    ref("rule_id", "rules", null=True),
    Column("suggested", Boolean, nullable=False),
    Column("touched_at", UtcDateTime),
    Column("contested_at", UtcDateTime),
    Column("contested_reason", String(40)),
    UniqueConstraint("evidence_id", "competency_id"),
    CheckConstraint(one_of("state", ClaimState), name="state"),
    # Few claims are in doubt, and somebody's home page asks for them.
    Index(
        "ix_claims_contested",
        "evidence_id",
        sqlite_where=text("contested_at IS NOT NULL"),
        postgresql_where=text("contested_at IS NOT NULL"),
    ),
    Index(
        "ix_claims_contested_at",
        "contested_at",
        "id",
        sqlite_where=text("contested_at IS NOT NULL"),
        postgresql_where=text("contested_at IS NOT NULL"),
    ),
    CheckConstraint(one_of("origin", ("rule", "person")), name="origin"),
)
reflections = Table(
    "reflections",
    metadata,
    row_id(),
    ref("evidence_id", "evidence"),
    Column("version", Integer, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("key_id", String(40), nullable=False),
    ref("author_id", "people"),
    Column("written_at", UtcDateTime, nullable=False),
    UniqueConstraint("evidence_id", "version"),
)
submissions = Table(
    "submissions",
    metadata,
    row_id(),
    Column("evidence_id", Key, ForeignKey("evidence.id"), nullable=False, index=True),
    ref("reflection_id", "reflections"),
    Column("verifier_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("channel", String(20), nullable=False),
)
submission_claims = Table(
    "submission_claims",
    metadata,
    Column("submission_id", Key, ForeignKey("submissions.id"), primary_key=True),
    Column("claim_id", Key, ForeignKey("claims.id"), primary_key=True, index=True),
)
#: The claims that wait for a verifier, and the submission they wait by; the database keeps it up
#: (upkeep.py).
waiting = Table(
    "waiting",
    metadata,
    Column("claim_id", Key, ForeignKey("claims.id"), primary_key=True, autoincrement=False),
    ref("submission_id", "submissions"),
    ref("evidence_id", "evidence"),
    ref("verifier_id", "people"),
    Column("submitted_at", UtcDateTime, nullable=False),
    Index("ix_waiting_verifier_id", "verifier_id", "submitted_at"),
    Index("ix_waiting_submitted_at", "submitted_at", "submission_id"),
)
verifications = Table(
    "verifications",
    metadata,
    row_id(),
    Column("claim_id", Key, ForeignKey("claims.id"), nullable=False, index=True),
    ref("submission_id", "submissions"),
    Column("verifier_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("decision", String(12), nullable=False),
    Column("method", String(60)),
    Column("authority", String(20), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("note", LargeBinary),
    Column("key_id", String(40)),
    Column("reciprocal", Boolean, nullable=False, server_default=text("false")),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("revokes_id", Key, ForeignKey("verifications.id"), unique=True),
    CheckConstraint(
        one_of("decision", ("verified", "returned", "revoked", "upheld")), name="decision"
    ),
)

# --- badges and where they are held ---------------------------------------------------------------
badge_versions = Table(
    "badge_versions",
    metadata,
    row_id(),
    Column("key", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("definition", JsonText, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("published_by", String(80), nullable=False),
    Column("retired_at", UtcDateTime),
    UniqueConstraint("key", "version"),
)
badge_requirements = Table(
    "badge_requirements",
    metadata,
    Column("badge_version_id", Key, ForeignKey("badge_versions.id"), primary_key=True),
    Column("competency_id", Key, ForeignKey("competencies.id"), primary_key=True),
)
not_applicable = Table(
    "not_applicable",
    metadata,
    row_id(),
    Column("person_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    ref("competency_id", "competencies"),
    ref("decided_by", "people"),
    Column("reason", Text, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)
awards = Table(
    "awards",
    metadata,
    row_id(),
    ref("badge_version_id", "badge_versions"),
    Column("badge_key", String(80), nullable=False),
    Column("person_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("period", String(20), nullable=False),
    Column("status", String(12), nullable=False),
    Column("awarded_on", Date, nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("withdrawn_reason", String(200)),
    UniqueConstraint("badge_key", "person_id", "period"),
    CheckConstraint(one_of("status", ("assembling", "held", "withdrawn")), name="status"),
)
award_basis = Table(
    "award_basis",
    metadata,
    row_id(),
    ref("award_id", "awards"),
    ref("competency_id", "competencies"),
    Column("verification_id", Key, ForeignKey("verifications.id"), index=True),
    ref("not_applicable_id", "not_applicable", null=True),
    CheckConstraint("(verification_id IS NULL) <> (not_applicable_id IS NULL)", name="one_ground"),
    UniqueConstraint("award_id", "competency_id", "verification_id", "not_applicable_id"),
)
targets = Table(
    "targets",
    metadata,
    row_id(),
    Column("key", String(80), nullable=False, unique=True),
    Column("kind", String(40), nullable=False),
    Column("shows_status", Boolean, nullable=False, server_default=text("false")),
)
target_states = Table(
    "target_states",
    metadata,
    row_id(),
    ref("award_id", "awards"),
    ref("target_id", "targets"),
    Column("settings", JsonText, nullable=False),
    ref("account_id", "accounts", null=True),
    Column("desired", String(10), nullable=False),
    Column("observed", String(10)),
    Column("observed_at", UtcDateTime),
    Column("ref", Text),
    Column("url", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime),
    Column("error", Text),
    Column("needs_you", Text),
    Column("holder", String(120)),
    Column("held_until", UtcDateTime),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("road", String(20), nullable=False, server_default=""),
    # It goes by another road since then, and this row is what the old one left there.
    Column("moved_at", UtcDateTime),
    CheckConstraint(one_of("desired", ("held", "absent")), name="desired"),
    Index("ix_target_states_target_id", "target_id", "desired", "observed"),
    Index("ix_target_states_account_id", "account_id"),
    Index("ix_target_states_award_id", "award_id"),
    Index(
        "uq_target_states_live",
        "award_id",
        "target_id",
        unique=True,
        sqlite_where=text("moved_at IS NULL"),
        postgresql_where=text("moved_at IS NULL"),
    ),
)
outbox = Table(
    "outbox",
    metadata,
    row_id(),
    Column("kind", String(40), nullable=False),
    Column("dedupe_key", String(200), nullable=False, unique=True),
    Column("payload", JsonText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    Column("error", Text),
    ref("person_id", "people", null=True),
    Column("held_until", UtcDateTime),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("needs_you", Boolean, nullable=False, server_default=text("false")),
    Index(
        "ix_outbox_open",
        "next_at",
        "id",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    Index("ix_outbox_person_id", "person_id", "kind", "done_at"),
    Index("ix_outbox_kind", "kind", "done_at"),
)

# --- the trail --------------------------------------------------------------------------------
audit = Table(
    "audit",
    metadata,
    row_id(),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("on_behalf_of", Key),
    Column("channel", String(20), nullable=False),
    Column("os_user", String(80), nullable=False),
    Column("act", String(60), nullable=False),
    Column("subject", String(80), nullable=False, index=True),
    Column("detail", JsonText, nullable=False),
)
