"""Badges by several roads, badges that nobody awarded, what is made ready, and shown statuses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.storage import guards
from bridge.storage.types import JsonText, Key, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LIVE = {
    "sqlite_where": sa.text("moved_at IS NULL"), "postgresql_where": sa.text("moved_at IS NULL")
}  # fmt: skip
#: Building a table anew needs to know nothing of those that it points at.
_ALONE = {"resolve_fks": False}


def upgrade() -> None:
    with op.batch_alter_table("target_states", reflect_kwargs=_ALONE) as states:
        states.drop_constraint(op.f("uq_target_states_award_id_target_id"), type_="unique")
        states.add_column(sa.Column("road", sa.String(20), nullable=False, server_default=""))
        states.add_column(sa.Column("moved_at", UtcDateTime(), nullable=True))
    op.create_index(
        "uq_target_states_live", "target_states", ["award_id", "target_id"], unique=True, **_LIVE
    )
    op.create_index("ix_target_states_account_id", "target_states", ["account_id"])
    op.create_index("ix_target_states_award_id", "target_states", ["award_id"])
    op.add_column(
        "people",
        sa.Column("status_pending", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "targets",
        sa.Column("shows_status", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_people_status_pending",
        "people",
        ["id"],
        sqlite_where=sa.text("status_pending = 1"),
        postgresql_where=sa.text("status_pending"),
    )
    _strays()
    _preparations()
    _statuses()
    guards.install(op.get_bind())


def _strays() -> None:
    op.create_table(
        "badge_strays",
        sa.Column("id", Key, nullable=False),
        sa.Column("target_id", Key, nullable=False),
        sa.Column("place", sa.String(300), nullable=False),
        sa.Column("account", sa.String(100), nullable=False),
        sa.Column("badge_key", sa.String(80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("settings", JsonText(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=True),
        sa.Column("issued_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("said", sa.Text(), nullable=False, server_default=""),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_badge_strays_target_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_badge_strays")),
        sa.UniqueConstraint(
            "target_id", "place", "account", name=op.f("uq_badge_strays_target_id_place_account")
        ),
    )


def _preparations() -> None:
    op.create_table(
        "badge_preparations",
        sa.Column("id", Key, nullable=False),
        sa.Column("target_id", Key, nullable=False),
        sa.Column("badge_key", sa.String(80), nullable=False),
        sa.Column("period", sa.String(20), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("settings", JsonText(), nullable=False),
        sa.Column("left_by_hand", JsonText(), nullable=False),
        sa.Column("made", JsonText(), nullable=False),
        sa.Column("seen", sa.Boolean(), nullable=True),
        sa.Column("looked_at", UtcDateTime(), nullable=False),
        sa.Column("ready_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_badge_preparations_target_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_badge_preparations")),
        sa.UniqueConstraint(
            "target_id", "badge_key", "period",
            name=op.f("uq_badge_preparations_target_id_badge_key_period"),
        ),
    )  # fmt: skip


def _statuses() -> None:
    op.create_table(
        "profile_states",
        sa.Column("id", Key, nullable=False),
        sa.Column("target_id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("lines", JsonText(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("sent_sha256", sa.String(64), nullable=False, server_default=""),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("changes_on", sa.Date(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("holder", sa.String(120), nullable=True),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_profile_states_target_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_profile_states_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_profile_states_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_states")),
        sa.UniqueConstraint(
            "target_id", "account_id", name=op.f("uq_profile_states_target_id_account_id")
        ),
    )
    op.create_index("ix_profile_states_account_id", "profile_states", ["account_id"])
    op.create_index("ix_profile_states_person_id", "profile_states", ["person_id"])
    op.create_index("ix_profile_states_changes_on", "profile_states", ["changes_on"])


def downgrade() -> None:
    for table in ("profile_states", "badge_preparations", "badge_strays"):
        op.drop_table(table)
    op.drop_index("ix_people_status_pending", "people")
    op.drop_column("people", "status_pending")
    op.drop_column("targets", "shows_status")
    op.drop_index("uq_target_states_live", "target_states")
    # What was left by other roads is not told any more.
    op.execute("DELETE FROM target_states WHERE moved_at IS NOT NULL")
    for name in ("ix_target_states_account_id", "ix_target_states_award_id"):
        op.drop_index(name, "target_states")
    with op.batch_alter_table("target_states", reflect_kwargs=_ALONE) as states:
        states.drop_column("moved_at")
        states.drop_column("road")
        states.create_unique_constraint(
            op.f("uq_target_states_award_id_target_id"), ["award_id", "target_id"]
        )
    guards.install(op.get_bind())
