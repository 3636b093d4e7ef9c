"""Opening the database: connection settings, migrations, and the check that its guards stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from bridge.domain.errors import Damaged
from bridge.storage import guards


def open_engine(url: str) -> Engine:
    """An engine for `url` (sqlite:///path or postgresql://...), with psycopg 3 for PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            # A failed statement's values are people's data: they stay out of messages and logs.
            hide_parameters=True,
            connect_args={"options": "-c timezone=UTC"},
        )
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        parsed, hide_parameters=True, connect_args={"timeout": 30, "check_same_thread": False}
    )
    event.listen(engine, "connect", _sqlite_settings)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_settings(dbapi: Any, _record: object) -> None:
    # The driver must not open transactions by itself: `_sqlite_begin` does, and at once.
    dbapi.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        # Without it, INSERT OR REPLACE deletes rows past the guards.
        "recursive_triggers = ON",
        "cache_size = -65536",
        "temp_store = MEMORY",
    ):
        dbapi.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    # A writer that starts by reading cannot be upgraded while another writes; take the lock first.
    read_only = connection.get_execution_options().get("bridge_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("bridge.storage") / "migrations"))
    config.attributes["connection"] = connection
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema up to `revision`; safe to call at every start, from several processes."""
    with _for_migrating(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4207849484)")
        command.upgrade(_config(connection), revision)
        absent = guards.missing(connection)
        if revision == "head" and absent:
            raise Damaged(
                f"The database lacks its guards {', '.join(absent)}. Nothing was written. "
                "Restore it from a backup, or ask for help before going on."
            )


@contextmanager
def _for_migrating(engine: Engine) -> Iterator[Connection]:
    """A transaction in which SQLite may build a table anew that other tables refer to.

    It then looks itself whether every reference still leads somewhere.
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # Without effect inside a transaction, so before one begins.
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
                lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if lost:
                    raise Damaged(
                        f"The table {lost[0][0]} refers to rows of {lost[0][2]} that are not "
                        "there. Nothing was written. Restore the database from a backup."
                    )
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def revisions() -> list[str]:
    """Every migration, first to last."""
    script = ScriptDirectory(str(files("bridge.storage") / "migrations"))
    return [r.revision for r in reversed(list(script.walk_revisions()))]


def current_revision(connection: Connection) -> str | None:
    """The migration that the database stands at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def read_only(engine: Engine) -> Iterator[Connection]:
    """A connection that looks at one moment and cannot write.

    It does not hold up a writer on SQLite.
    """
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect().execution_options(bridge_read_only=True) as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON" if sqlite else _READ_ONLY)
        try:
            yield connection
        finally:
            connection.rollback()
            if sqlite:
                connection.exec_driver_sql("PRAGMA query_only = OFF")
                connection.rollback()


_READ_ONLY = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
