"""Opening the database: connection settings, migrations, and the check that its guards stand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError

from bridge.domain.errors import Damaged
from bridge.storage import guards

#: A connection that was used so recently is taken to be alive.
_FRESH_SECONDS = 1.0


def open_engine(url: str) -> Engine:
    """An engine for `url` (sqlite:///path or postgresql://...), with psycopg 3 for PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            # A failed statement's values are people's data: they stay out of messages and logs.
            hide_parameters=True,
            connect_args={"options": "-c timezone=UTC"},
        )
        event.listen(engine, "checkin", _put_back)
        event.listen(engine, "checkout", _see_whether_it_lives(engine.dialect))
        return engine
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        parsed, hide_parameters=True, connect_args={"timeout": 30, "check_same_thread": False}
    )
    event.listen(engine, "connect", _sqlite_settings)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _put_back(_dbapi: Any, record: Any) -> None:
    record.info["put back"] = time.monotonic()


def _see_whether_it_lives(dialect: Dialect) -> Callable[[Any, Any, Any], None]:
    """As `pool_pre_ping`, but not of a connection that was in use a moment ago: that would be a
    question more for each of a thousand requests."""

    def look(dbapi: Any, record: Any, _proxy: Any) -> None:
        before = record.info.get("put back")
        if before is None or time.monotonic() - before < _FRESH_SECONDS:
            return
        try:
            alive = dialect.do_ping(dbapi)
        except dialect.loaded_dbapi.Error:
            alive = False
        if not alive:
            # The pool then opens others.
            raise InvalidatePoolError

    return look


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
