"""The endpoint: one for all tests of a database kind, and a fresh one where a test needs that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import Engine

from bridge.domain.lrs.senders import Scope
from tests.conftest import Databases
from tests.lrs.site import Client, Endpoint, TickingClock
from tests.support import World

Engines = Callable[[str], AbstractContextManager[Engine]]


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def shared(
    request: pytest.FixtureRequest, databases: Databases, engines: Engines
) -> Iterator[Endpoint]:
    """An endpoint that many tests share: each uses a credential, agents and ids of its own."""
    with databases(request.param) as url, engines(url) as engine:
        clock = TickingClock()
        yield Endpoint(World(engine, clock), clock)  # type: ignore[arg-type]


@pytest.fixture
def client(shared: Endpoint) -> Client:
    """A credential that may do everything, of a source of its own that it sees alone."""
    return shared.client(scopes=(Scope.WRITE, Scope.READ_MINE, Scope.DOCUMENTS))


@pytest.fixture
def fresh(engine: Engine) -> Endpoint:
    """An endpoint over a database of its own."""
    clock = TickingClock()
    return Endpoint(World(engine, clock), clock)  # type: ignore[arg-type]
