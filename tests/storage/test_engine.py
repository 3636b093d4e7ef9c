"""What opening the database promises: a connection that was cut while idle does no harm."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bridge.storage import engine as opening


def test_a_connection_that_was_cut_is_replaced(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_FRESH_SECONDS", 0.0)
    engine, other = opening.open_engine(postgres_url), opening.open_engine(postgres_url)
    pid = text("SELECT pg_backend_pid()")
    with engine.connect() as first, engine.connect() as second:
        cut = {first.execute(pid).scalar_one(), second.execute(pid).scalar_one()}
    with other.connect() as connection:
        for each in cut:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": each})
    with engine.connect() as first, engine.connect() as second:
        assert {first.execute(pid).scalar_one(), second.execute(pid).scalar_one()}.isdisjoint(cut)
    engine.dispose()
    other.dispose()
