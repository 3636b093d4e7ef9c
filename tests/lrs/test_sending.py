"""Sending statements: what is kept, what is refused and in which words, and what a retry does."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from bridge.domain.lrs.senders import Scope
from tests.domain.xapi.making import WHOLE
from tests.lrs.site import Client, Endpoint, activity, agent, new_id, statement


def test_a_statement_is_kept_under_its_id_and_read_with_what_we_add(client: Client) -> None:
    sent = statement()
    assert client.post(sent, alone=True).json == [sent["id"]]
    found = client.one(sent["id"])
    assert {name: found[name] for name in sent} == sent
    assert found["stored"] == found["timestamp"]
    assert found["version"] == "1.0.3"
    assert found["authority"]["account"] == {
        "homePage": "https://bridge.example.org",
        "name": client.sender.source_key,
    }


def test_what_a_sender_says_of_authority_and_storing_is_not_believed(client: Client) -> None:
    sent = statement(
        authority=agent("me"), stored="2001-01-01T00:00:00Z", version="1.0.0",
        timestamp="2026-01-05T10:00:00+01:00",
    )  # fmt: skip
    client.kept(sent)
    found = client.one(sent["id"])
    assert found["authority"]["account"]["name"] == client.sender.source_key
    assert found["stored"] > "2026"
    assert found["version"] == "1.0.0"
    assert found["timestamp"] == "2026-01-05T10:00:00+01:00"


def test_2_0_reads_moments_in_utc(shared: Endpoint) -> None:
    client = shared.client(version="2.0.0")
    sent = statement(timestamp="2026-01-05T10:00:00.25+01:00")
    client.kept(sent)
    assert client.one(sent["id"])["timestamp"] == "2026-01-05T09:00:00.250000Z"


def test_the_bytes_are_those_that_came(client: Client) -> None:
    sent = statement(
        result={"score": {"raw": 1.50}, "extensions": {"http://x.example/n": 123456789012345678901}}
    )
    body = json.dumps(sent).replace("1.5", "1.50").encode()
    assert client.send("POST", "/statements", body).status_code == 200
    read = client.get("/statements", statementId=sent["id"]).data
    assert b'"raw": 1.50' in read
    assert b"123456789012345678901" in read


def test_put_keeps_one_statement_under_the_id_of_the_address(client: Client) -> None:
    key = new_id()
    sent = json.dumps(statement(id=None)).encode()
    answer = client.send("PUT", "/statements", sent, statementId=key.upper())
    assert (answer.status_code, answer.data) == (204, b"")
    assert client.one(key)["id"] == key
    assert client.send("PUT", "/statements", sent, statementId=key).status_code == 204


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        (statement(), {}),
        (statement(), {"statementId": "no-uuid"}),
        (statement(), {"statementId": new_id()}),
        ([statement(), statement()], {"statementId": new_id()}),
        (statement(), {"statementID": new_id()}),
        (statement(id=None), {"statementId": new_id(), "more": "x"}),
    ],
)
def test_put_refuses_what_is_not_one_statement_of_that_id(
    client: Client, body: Any, parameters: dict[str, Any]
) -> None:
    answer = client.send("PUT", "/statements", json.dumps(body).encode(), **parameters)
    assert answer.status_code == 400


def test_ids_without_are_given_in_the_order_of_the_batch(client: Client) -> None:
    names = [f"course-{n}" for n in range(8)]
    ids = client.kept(*(statement(id=None, object=activity(name)) for name in names))
    assert [client.one(key)["object"]["id"] for key in ids] == [activity(n)["id"] for n in names]


# --- retries ------------------------------------------------------------------------------------
def test_the_same_statements_again_succeed_and_are_kept_once(client: Client) -> None:
    batch = [statement(), statement(id=None, timestamp="2026-01-05T10:00:00Z")]
    first = client.kept(*batch)
    assert client.kept(*batch) == first
    assert client.kept(statement(), *batch)[1:] == first
    assert len(client.found(limit=20)) == 3


def test_without_id_and_moment_nothing_tells_two_apart_so_both_are_kept(client: Client) -> None:
    sent = statement(id=None)
    assert client.kept(sent) != client.kept(sent)


def test_one_statement_twice_in_a_batch_is_one(client: Client) -> None:
    sent = statement(id=None, timestamp="2026-01-05T10:00:00Z")
    first, second = client.kept(sent, sent)
    assert first == second
    assert client.found() == [first]


@pytest.mark.parametrize(
    "changed",
    [
        {"verb": {"id": WHOLE["verb"]["id"], "display": {"de": "fertig"}}},
        {"timestamp": "2026-11-02T10:30:00.123+01:00"},
        {"authority": agent("somebody")},
        {"id": WHOLE["id"].upper()},
        {"object": {"id": WHOLE["object"]["id"]}},
        {"result": {**WHOLE["result"], "duration": "PT1H30M"}},
    ],
)
def test_the_same_in_other_words_is_the_same(shared: Endpoint, changed: dict[str, Any]) -> None:
    client = shared.client()
    key = new_id()
    whole = {**WHOLE, "id": key}
    client.kept(whole)
    again = {**whole, **changed}
    again["id"] = key.upper() if changed.get("id") else key
    assert client.post(again).status_code == 200


def test_what_somebody_beside_the_actor_is_called_makes_no_difference(shared: Endpoint) -> None:
    client = shared.client(scopes=(Scope.WRITE, Scope.READ_MINE), version="2.0.0")
    group = {"objectType": "Group", "member": [agent("ana"), agent("ben")]}

    def told(who: dict[str, Any], several: dict[str, Any]) -> dict[str, Any]:
        return {
            "contextAgents": [{"objectType": "contextAgent", "agent": who}],
            "contextGroups": [{"objectType": "contextGroup", "group": several}],
        }

    sent = statement(context=told(agent("tia"), group))
    client.kept(sent)
    named = told({**agent("tia"), "name": "Tia"}, {**group, "member": group["member"][::-1]})
    assert client.post({**sent, "context": named}).status_code == 200
    assert client.post({**sent, "context": told(agent("tom"), group)}).status_code == 409
    assert client.found(agent=agent("tia"), related_agents=True) == [sent["id"]]
    assert client.found(agent=agent("ben"), related_agents=True) == [sent["id"]]


@pytest.mark.parametrize(
    "changed",
    [
        {"actor": agent("ben")},
        {"verb": {"id": "http://adlnet.gov/expapi/verbs/failed"}},
        {"object": activity("another")},
        {"timestamp": "2026-11-02T09:30:00.124Z"},
        {"result": {"success": False}},
    ],
)
def test_another_statement_under_a_known_id_is_409_and_nothing_is_kept(
    shared: Endpoint, changed: dict[str, Any]
) -> None:
    client, other = shared.client(), shared.client()
    key, new = new_id(), statement()
    client.kept({**WHOLE, "id": key})
    for sender in (client, other):
        answer = sender.post(new, {**WHOLE, "id": key, **changed})
        assert answer.status_code == 409
        assert answer.json["statement"] == key
        assert client.get("/statements", statementId=new["id"]).status_code == 404
    put = json.dumps({**WHOLE, "id": key, **changed}).encode()
    assert client.send("PUT", "/statements", put, statementId=key).status_code == 409


# --- what is refused ------------------------------------------------------------------------------
def test_one_bad_statement_fails_its_batch_and_says_where_and_by_which_rule(client: Client) -> None:
    good = statement()
    bad = statement(result={"score": {"scaled": 7}}, context={"language": "a b"})
    answer = client.post(good, bad, statement())
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    told = {each["pointer"]: each for each in answer.json["problems"]}
    assert set(told) == {"/1/result/score/scaled", "/1/context/language"}
    assert "2.4.5.1" in told["/1/result/score/scaled"]["section"]
    assert "1" in told["/1/result/score/scaled"]["rule"]
    assert client.found() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b"\xff\xfe{}",
        b'{"actor":1}',
        b'[{"id":"x"}]',
        b'{"actor":{"mbox":"mailto:a@b.c"},"actor":{"mbox":"mailto:d@e.f"}}',
        b"[" * 5000,
        b'{"a":' * 5000,
        b"[1,",
    ],
)
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_what_is_no_statement_is_400(shared: Endpoint, version: str, body: bytes) -> None:
    client = shared.client(version=version)
    answer = client.send("POST", "/statements", body)
    assert answer.status_code == 400
    assert answer.json["problems"][0]["section"]


def test_the_same_id_twice_in_a_batch_is_400(client: Client) -> None:
    key = new_id()
    answer = client.post(statement(id=key), statement(id=key.upper()))
    assert answer.status_code == 400
    assert answer.json["problems"][0]["pointer"] == "/1/id"


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "", "application/xml"]
)
def test_statements_are_json_or_multipart(client: Client, kind: str) -> None:
    body = json.dumps(statement()).encode()
    answer = client.send("POST", "/statements", body, headers={"Content-Type": kind}, kind=None)
    assert answer.status_code == 400


def test_an_empty_batch_is_nothing(client: Client) -> None:
    answer = client.post()
    assert (answer.status_code, answer.json) == (200, [])


def test_more_than_a_request_may_bring_is_413_and_names_the_limit(shared: Endpoint) -> None:
    client = shared.client()
    large = client.post(*(statement(object=activity("x" * 3000)) for _ in range(25)))
    assert large.status_code == 413
    assert large.json["limit"] == {"setting": "largest_megabytes", "bytes": 60_000}
    assert "60,000" in large.json["title"]
    many = client.post(*(statement() for _ in range(41)))
    assert many.status_code == 413
    assert many.json["limit"] == {"setting": "largest_batch", "statements": 40}
    assert client.post(*(statement() for _ in range(40))).status_code == 200


def test_a_body_without_a_length_is_read_no_further_than_the_limit(shared: Endpoint) -> None:
    client = shared.client()
    sent = 0

    class Endless(io.RawIOBase):
        def tell(self) -> int:
            return 0

        def seek(self, *_: int) -> int:
            return 0

        def readable(self) -> bool:
            return True

        def readinto(self, into: Any) -> int:
            nonlocal sent
            sent += (count := min(len(into), 10_000))
            into[:count] = b" " * count
            return count

    answer = shared.app.test_client().post(
        "/xapi/statements",
        input_stream=Endless(),
        content_type="application/json",
        headers={"Authorization": client.authorization, "X-Experience-API-Version": "1.0.3"},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == 413
    assert sent < 200_000


def test_whoever_may_not_send_is_403(shared: Endpoint) -> None:
    reader = shared.client(scopes=(Scope.READ_ALL,))
    assert reader.post(statement()).status_code == 403
    body = json.dumps(statement(id=None)).encode()
    assert reader.send("PUT", "/statements", body, statementId=new_id()).status_code == 403
