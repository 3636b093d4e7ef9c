"""The guards stand after every migration, and nothing opens without them."""

from __future__ import annotations

import json
import warnings

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

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
        with warnings.catch_warnings():
            # An index on an expression cannot be read back from SQLite.
            warnings.filterwarnings("ignore", ".*expression-based index")
            found = compare_metadata(context, metadata)
        if engine.name == "sqlite":
            there = "SELECT count(*) FROM sqlite_master WHERE name = 'ix_people_last_word'"
            assert connection.scalar(text(there)) == 1
        assert found == []
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


def test_an_existing_database_comes_up_to_attendance_with_all_it_held(empty_url: str) -> None:
    with opened(empty_url) as engine:
        migrate(engine, "0002")
        with engine.begin() as connection:
            for statement in _AS_OF_0002:
                connection.execute(text(statement))
        migrate(engine)
        with engine.begin() as connection:
            assert guards.missing(connection) == []
            told = connection.execute(
                text("SELECT status, minutes, session, pending FROM learning_records ORDER BY id")
            ).all()
            assert [(s, m, n, bool(p)) for s, m, n, p in told] == [
                ("attended", None, None, False),
                ("missed", None, None, False),
            ]
            assert connection.scalar(text("SELECT address FROM accounts")) == "ann@example.org"
            kept = connection.execute(text("SELECT record_id, evidence_id FROM split_records"))
            assert [tuple(row) for row in kept] == [(2, 1)]
            connection.execute(text("UPDATE learning_records SET status = 'waitlisted'"))
            partial = {i["name"]: i for i in inspect(connection).get_indexes("learning_records")}
            for name in ("unmapped", "unmatched", "pending"):
                where = partial[f"ix_learning_records_{name}"]["dialect_options"]
                assert name in str(where[f"{engine.name}_where"])
        for wrong in ("status = 'asleep'", "disposition = 'lost'", "precision = 'year'"):
            with pytest.raises(IntegrityError), engine.begin() as connection:
                connection.execute(text(f"UPDATE learning_records SET {wrong}"))
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(text("UPDATE evidence_records SET record_id = 9"))


def test_files_of_before_are_read_by_those_who_brought_them(empty_url: str) -> None:
    with opened(empty_url) as engine:
        migrate(engine, "0013")
        with engine.begin() as connection:
            for statement, values in _as_of_0013():
                connection.execute(text(statement), values)
        migrate(engine)
        with engine.begin() as connection:
            told = connection.execute(
                text("SELECT sha2, source_id, statement FROM lrs_attached ORDER BY statement, sha2")
            )
            # The third merely names a hash, and the fifth that of no file that is kept.
            assert [tuple(row) for row in told] == [("aa", 1, 1), ("bb", 1, 2), ("aa", 2, 4)]
            index = next(
                i for i in inspect(connection).get_indexes("lrs_statements")
                if i["name"] == "ix_lrs_statements_stored"
            )  # fmt: skip
            assert "forgotten_at" in str(index["dialect_options"][f"{engine.name}_where"])


def _as_of_0013() -> list[tuple[str, dict[str, object]]]:
    stored = 1_777_626_000_000_000
    there = {"fileUrl": "https://x.example/f"}
    sub = {"objectType": "SubStatement", "attachments": [{"sha2": "AA"}]}
    told: list[tuple[int, int, dict[str, object]]] = [
        (1, stored + 5, {"attachments": [{"sha2": "aa"}], "object": {}}),
        # It came at the very moment when the file did.
        (1, stored, {"attachments": [{"sha2": "bb", **there}], "object": {}}),
        (2, stored + 9, {"attachments": [{"sha2": "bb", **there}], "object": {}}),
        (2, stored + 9, {"object": sub}),
        (2, stored + 9, {"attachments": [{"sha2": "cc", **there}], "object": {}}),
        (2, stored + 9, {"object": {}}),
    ]
    made: list[tuple[str, dict[str, object]]] = [
        (f"INSERT INTO sources (id, key, kind, trust) VALUES ({n}, 's{n}', 'xapi', 'trusted')", {})
        for n in (1, 2)
    ]
    made.append(("INSERT INTO envelopes (id, sha256, body) VALUES (1, '1', '')", {}))
    for number, (source, at, value) in enumerate(told, 1):
        made += [
            (
                "INSERT INTO received (id, source_id, natural_key, sha256, body, envelope_id,"
                f" received_at) VALUES ({number}, {source}, 'k{number}', '1', :body, 1, {_WHEN})",
                {"body": json.dumps(value).encode()},
            ),
            (
                "INSERT INTO lrs_statements (id, statement_id, source_id, stored)"
                f" VALUES ({number}, '{number:032x}', {source}, {at})",
                {},
            ),
        ]
    made += [
        (
            "INSERT INTO lrs_attachments (sha2, media_type, size, body, stored_at)"
            f" VALUES ('{sha2}', 'text/plain', 1, 'x', {_WHEN})",
            {},
        )
        for sha2 in ("aa", "bb")
    ]
    return made


_WHEN = "'2026-05-01 09:00:00.000000'"
_AS_OF_0002 = (
    "INSERT INTO people (id, display_name, canonical_id, created_at)"
    f" VALUES (1, 'Ann', 1, {_WHEN})",
    "INSERT INTO sources (id, key, kind, trust) VALUES (1, 'events', 'files', 'trusted')",
    "INSERT INTO envelopes (id, sha256, body) VALUES (1, '1', '')",
    *(
        "INSERT INTO received (id, source_id, natural_key, sha256, envelope_id, received_at)"
        f" VALUES ({n}, 1, 'k{n}', '{n}', 1, {_WHEN})"
        for n in (1, 2)
    ),
    "INSERT INTO accounts (id, source_id, kind, value, email)"
    " VALUES (1, 1, 'booking', 'a', ' Ann@Example.ORG ')",
    "INSERT INTO activities (id, title) VALUES (1, 'S47')",
    "INSERT INTO activity_aliases (id, activity_id, source_id, kind, value)"
    " VALUES (1, 1, 1, 'event', 'e1')",
    *(
        "INSERT INTO learning_records (id, received_id, account_id, alias_id, status, occurred_at,"
        " precision, cycle, disposition, reason)"
        f" VALUES ({n}, {n}, 1, 1, '{status}', {_WHEN}, 'day', 'c', 'evidence', 'counts')"
        for n, status in ((1, "attended"), (2, "missed"))
    ),
    *(
        "INSERT INTO evidence (id, person_id, origin, activity_id, title, occurred_at, occurred_on,"
        f" created_at, split_from_id) VALUES ({n}, 1, 'record', 1, 'S47', {_WHEN}, '2026-05-01',"
        f" {_WHEN}, {split})"
        for n, split in ((1, "NULL"), (2, "1"))
    ),
    *(f"INSERT INTO evidence_records (record_id, evidence_id) VALUES ({n}, {n})" for n in (1, 2)),
)
