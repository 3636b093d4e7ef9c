"""The guards stand after every migration, and nothing opens without them."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from bridge.domain.errors import Damaged
from bridge.storage import guards
from bridge.storage.engine import current_revision, migrate, revisions
from bridge.storage.tables import metadata
from tests.support import opened


def test_the_guards_stand_after_every_migration(empty_url: str) -> None:
    with opened(empty_url) as engine:
        with engine.connect() as connection:
            assert current_revision(connection) is None
        for revision in revisions():
            migrate(engine, revision)
            with engine.connect() as connection:
                assert current_revision(connection) == revision
                assert guards.missing(connection) == []
        assert len(guards.GUARDS) > 30
        assert len({guard.name for guard in guards.GUARDS}) == len(guards.GUARDS)


def test_the_migrations_make_the_very_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        assert current_revision(connection) == revisions()[-1]


@pytest.mark.parametrize("guard", ["guard_awards_held_on_verifications", "guard_audit_no_delete"])
def test_opening_refuses_a_database_without_a_guard(engine: Engine, guard: str) -> None:
    table = next(g.table for g in guards.GUARDS if g.name == guard)
    drop = f"DROP TRIGGER {guard}"
    with engine.begin() as connection:
        connection.execute(text(drop if engine.name == "sqlite" else f"{drop} ON {table}"))
    with pytest.raises(Damaged, match=guard):
        migrate(engine)


@pytest.mark.parametrize("how", ["DISABLE", "ENABLE REPLICA"])
def test_opening_refuses_a_guard_that_is_switched_off(postgres_url: str, how: str) -> None:
    with opened(postgres_url) as engine:
        with engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE claims {how} TRIGGER guard_claims_identity"))
        with pytest.raises(Damaged, match="guard_claims_identity"):
            migrate(engine)
