"""The stand-in LRS takes statements as real ones do, and says no as they do."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

import pytest
import requests

from bridge.connectors.xapi import ahead
from bridge.demo.lrs import Fault
from tests.connectors.xapi.conftest import Trouble, items_of, statement


def send(trouble: Trouble, method: str, value: Any, **query: str) -> requests.Response:
    return requests.request(
        method,
        f"{trouble.lrs.base_url}/statements",
        json=value,
        params=query,
        auth=(trouble.lrs.user, trouble.lrs.secret),
        headers={"X-Experience-API-Version": "1.0.3"},
        timeout=10,
    )


def test_the_same_again_succeeds_and_another_of_its_id_does_not(trouble: Trouble) -> None:
    told = statement()
    for _ in range(2):
        answer = send(trouble, "POST", [told])
        assert (answer.status_code, answer.json()) == (200, [told["id"]])
    assert send(trouble, "PUT", told, statementId=told["id"]).status_code == 204
    other = {**told, "verb": {"id": "urn:x"}}
    assert send(trouble, "POST", other).status_code == 409
    assert len(trouble.store) == 1
    trouble.lrs.faults.add(Fault.CONFLICT)
    assert send(trouble, "POST", [statement(2), told]).status_code == 409


def test_one_that_is_not_valid_is_told_with_its_pointer(trouble: Trouble) -> None:
    answer = send(trouble, "POST", [statement(), {**statement(), "actor": {}}])
    assert answer.status_code == 400
    assert "/1/actor" in answer.json()["error"]
    assert len(trouble.store) == 0


def test_a_voided_statement_is_found_by_its_id_among_the_voided_alone(trouble: Trouble) -> None:
    told = trouble.put()
    ref = {"objectType": "StatementRef", "id": told}
    trouble.store.put(statement(verb="http://adlnet.gov/expapi/verbs/voided", object=ref))
    assert send(trouble, "GET", None, statementId=told).status_code == 404
    assert send(trouble, "GET", None, voidedStatementId=told).json()["id"] == told


def test_whoever_stops_in_the_middle_leaves_nothing_running(trouble: Trouble) -> None:
    for n in range(1, 60):
        trouble.put(n)
    trouble.lrs.faults.add(Fault.CAPPED)
    pages = trouble.source().pull(None)
    assert isinstance(pages, Generator)
    next(pages)
    pages.close()
    assert [t.name for t in threading.enumerate() if t.name == "lrs-lrs"] == []


def test_links_are_not_followed_without_end(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "WAITING_BYTES", 1000)
    ids = {trouble.put(n) for n in range(1, 30)}
    trouble.lrs.faults.add(Fault.CAPPED)
    assert set(items_of(trouble.source().pull(None))) == ids
