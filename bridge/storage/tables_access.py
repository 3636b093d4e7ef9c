"""Tables of the door: who may sign in and how, sessions, roles, and mail that people chose."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bridge.domain.permissions import GRANTED
from bridge.storage.tables import metadata, one_of, ref, row_id
from bridge.storage.types import JsonText, Key, UtcDateTime

passwords = Table(
    "passwords",
    metadata,
    Column("person_id", Key, ForeignKey("people.id"), primary_key=True, autoincrement=False),
    Column("login", String(320), nullable=False, unique=True),
    Column("hash", String(400), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    Column("set_by", String(80), nullable=False),
)
#: Who somebody is at an identity provider: `provider` its configured name, `subject` the tenant
#: and object id (Entra ID) or the issuer's subject; never an email address.
identities = Table(
    "identities",
    metadata,
    row_id(),
    Column("provider", String(80), nullable=False),
    Column("subject", String(400), nullable=False),
    Column("person_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("proof", String(400), nullable=False),
    Column("linked_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index(
        "uq_identities_open",
        "provider",
        "subject",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
#: Sign-ins, by the SHA-256 of the secret in the browser's cookie.
sessions = Table(
    "sessions",
    metadata,
    row_id(),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("person_id", Key, ForeignKey("people.id"), index=True),
    Column("method", String(40), nullable=False),
    Column("data", JsonText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("revoked_at", UtcDateTime),
)
#: Roles that are given, not derived from posts; without an organisation, for all of them.
grants = Table(
    "grants",
    metadata,
    row_id(),
    Column("person_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    Column("role", String(40), nullable=False),
    ref("organisation_id", "organisations", null=True),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("granted_by", String(80), nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(80)),
    CheckConstraint(one_of("role", tuple(sorted(GRANTED))), name="role"),
)
#: Links in mails, by the SHA-256 of their secret: good for one use. `evidence_id` narrows a
#: verifier's link to what it was sent for.
one_time_links = Table(
    "one_time_links",
    metadata,
    row_id(),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("purpose", String(20), nullable=False),
    Column("person_id", Key, ForeignKey("people.id"), nullable=False, index=True),
    ref("evidence_id", "evidence", null=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    CheckConstraint(one_of("purpose", ("sign-in", "verify")), name="purpose"),
)
#: Conversations with an identity provider or an LTI platform that have begun: state and nonce, each
#: good for one answer.
handshakes = Table(
    "handshakes",
    metadata,
    Column("state_sha256", LargeBinary(32), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("nonce_sha256", LargeBinary(32), nullable=False),
    Column("data", JsonText, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
)
#: How often something was tried in a window of time, for every process together.
attempts = Table(
    "attempts",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("window_start", UtcDateTime, primary_key=True),
    Column("count", Integer, nullable=False),
)
lti_platforms = Table(
    "lti_platforms",
    metadata,
    row_id(),
    Column("title", Text, nullable=False),
    Column("issuer", String(400), nullable=False),
    Column("client_id", String(200), nullable=False),
    Column("deployments", JsonText, nullable=False),
    Column("auth_url", Text, nullable=False),
    Column("token_url", Text, nullable=False),
    Column("jwks_url", Text, nullable=False),
    Column("source_key", String(80), nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("registered_by", String(80), nullable=False),
    Column("ended_at", UtcDateTime),
    Index(
        "uq_lti_platforms_open",
        "issuer",
        "client_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
#: Kinds of mail that somebody has switched off.
mail_off = Table(
    "mail_off",
    metadata,
    Column("person_id", Key, ForeignKey("people.id"), primary_key=True, autoincrement=False),
    Column("kind", String(40), primary_key=True),
    Column("off_at", UtcDateTime, nullable=False),
)
preferences = Table(
    "preferences",
    metadata,
    Column("person_id", Key, ForeignKey("people.id"), primary_key=True, autoincrement=False),
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)
#: The partnership's counts, worked out ahead: for people of one target group ("everyone" for the
#: core) in one organisation, or in all of them (NULL), how many stand where with one competency.
#: Bit n of `hidden` says that the n-th number is not to be published (`bridge.domain.counts`).
coverage = Table(
    "coverage",
    metadata,
    row_id(),
    ref("organisation_id", "organisations", null=True),
    Column("group_key", String(80), nullable=False),
    ref("competency_id", "competencies"),
    Column("people", Integer, nullable=False),
    Column("current", Integer, nullable=False),
    Column("due", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("draft", Integer, nullable=False),
    Column("hidden", Integer, nullable=False),
    Column("counted_at", UtcDateTime, nullable=False),
    # Of the organisations of this kind together; then no organisation is named.
    Column("kind", String(80)),
    UniqueConstraint("organisation_id", "group_key", "competency_id"),
)
