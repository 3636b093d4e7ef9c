"""Many senders at once: no statement is lost or kept twice, and nobody waits for ever."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from tests.lrs.site import Client, Endpoint, statement


def test_the_same_statements_from_many_at_once_are_kept_once(fresh: Endpoint) -> None:
    clients = [fresh.client("shared") for _ in range(4)]
    batch = [statement() for _ in range(20)]
    statuses: list[int] = []

    def send(client: Client, statements: list[dict[str, Any]]) -> None:
        for start in range(0, 20, 5):
            some = statements[start:] + statements[:start]
            statuses.append(client.post(*some[:15]).status_code)

    threads = [
        threading.Thread(target=send, args=(client, batch if n % 2 else batch[::-1]))
        for n, client in enumerate(clients)
    ]
    drain = threading.Thread(target=fresh.drained)
    for thread in (*threads, drain):
        thread.start()
    for thread in (*threads, drain):
        thread.join()
    assert statuses == [200] * 16
    fresh.drained()
    with fresh.world.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM received")) == 20
        assert connection.scalar(text("SELECT count(*) FROM lrs_statements")) == 20
    assert len(clients[0].found(limit=20)) == 20
    fresh.world.check_what_is_kept_up()


def test_of_two_that_change_a_document_at_once_one_is_told(fresh: Endpoint) -> None:
    client = fresh.client()
    where = {"activityId": "https://x.example/a", "profileId": "p"}
    statuses: list[int] = []

    def put(number: int) -> None:
        body = json.dumps({"n": number}).encode()
        answer = client.send(
            "PUT", "/activities/profile", body, headers={"If-None-Match": "*"}, **where
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=put, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [204] + [412] * 5


def test_what_is_being_stored_is_not_said_to_be_read_already(fresh: Endpoint) -> None:
    """A reader in the middle of somebody's storing is told an instant before it."""
    if fresh.world.engine.dialect.name != "postgresql":
        return  # SQLite has one writer at a time: the reader waits for it
    client = fresh.client()
    with fresh.world.store.begin() as uow:
        uow.lrs.begin_receiving(1)
        began = uow.connection.exec_driver_sql("SELECT now()").scalar_one()
        with fresh.world.store.reading() as other:
            through = other.lrs.through(began + timedelta(days=1))
    assert through <= began.timestamp() * 1_000_000 + 1
    assert client.found() == []
