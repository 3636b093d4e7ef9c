"""States and profiles: keeping, merging, listing and removing them, and concurrency."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bridge.bootstrap_lrs import forget_documents
from bridge.config import Config
from bridge.config_endpoint import XapiSection
from bridge.domain.lrs.senders import Scope
from bridge.domain.xapi.instants import read_instant
from tests.lrs.site import Client, Endpoint, activity, agent, new_id

STATE, AGENTS, ACTIVITIES = "/activities/state", "/agents/profile", "/activities/profile"
ALL = (STATE, AGENTS, ACTIVITIES)
REGISTRATION = "994c38e9-96e6-51ba-8e16-a072b7f9c800"
ANY = {"If-None-Match": "*"}


def place(path: str, **more: Any) -> dict[str, Any]:
    """Parameters of a document that no other test uses."""
    where: dict[str, Any] = {}
    if path != AGENTS:
        where["activityId"] = activity(new_id())["id"]
    if path != ACTIVITIES:
        where["agent"] = agent(new_id())
    where["stateId" if path == STATE else "profileId"] = "a name, with / and é"
    return {**where, **more}


def name_of(path: str) -> str:
    """The parameter that names a document there."""
    return "stateId" if path == STATE else "profileId"


def put(client: Client, path: str, body: bytes, where: dict[str, Any], **more: Any) -> int:
    """Put a document; the status."""
    more.setdefault("headers", ANY)
    return int(client.send("PUT", path, body, **more, **where).status_code)


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_a_document_is_kept_as_it_came_and_removed(
    shared: Endpoint, path: str, version: str
) -> None:
    client, where = shared.client(version=version), place(path)
    body = b"\x00\xffany bytes"
    assert client.get(path, **where).status_code == 404
    assert put(client, path, body, where, kind="image/x-any") == 204
    answer = client.get(path, **where)
    assert (answer.status_code, answer.data) == (200, body)
    assert answer.content_type == "image/x-any"
    assert answer.headers["ETag"].startswith('"')
    assert answer.last_modified is not None
    assert client.send("HEAD", path, **where).headers["ETag"] == answer.headers["ETag"]
    assert client.send("HEAD", path, **where).data == b""
    assert client.send("DELETE", path, **where).status_code == 204
    assert client.get(path, **where).status_code == 404
    assert client.send("DELETE", path, **where).status_code == 204


WRONG = [
    ("activityId", None),
    ("activityId", "no iri"),
    ("agent", None),
    ("agent", "no json"),
    ("agent", {"name": "nobody"}),
    ("registration", "no uuid"),
    ("stateId", None),
    ("profileId", None),
    ("since", "yesterday"),
    ("unknown", "x"),
    ("ActivityId", "https://x.example"),
]


def may_be_left_out(path: str, method: str, name: str) -> bool:
    """Whether a request without that parameter is in order."""
    if name == name_of(path):
        return method == "GET" or (method == "DELETE" and path == STATE)
    return name not in place(path)


@pytest.mark.parametrize(
    ("path", "method", "name", "value"),
    [
        (path, method, name, value)
        for path in ALL
        for method in ("GET", "PUT", "POST", "DELETE")
        for name, value in WRONG
        if value is not None or not may_be_left_out(path, method, name)
    ],
)
def test_parameters_are_checked(
    client: Client, path: str, method: str, name: str, value: Any
) -> None:
    where = place(path)
    where.pop(name, None)
    if value is not None:
        where[name] = value
    body = b"{}" if method in ("PUT", "POST") else None
    assert client.send(method, path, body, headers=ANY, **where).status_code == 400


@pytest.mark.parametrize("path", ALL)
def test_posting_lays_json_over_json(client: Client, path: str) -> None:
    where = place(path)
    first = json.dumps({"a": 1, "b": {"x": 1}, "c": [1]}).encode()
    assert client.send("POST", path, first, **where).status_code == 204
    second = json.dumps({"b": {"y": 2}, "d": None}).encode()
    assert client.send("POST", path, second, **where).status_code == 204
    assert client.get(path, **where).json == {"a": 1, "b": {"y": 2}, "c": [1], "d": None}


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize(
    ("there", "comes"),
    [
        ((b"plain", "text/plain"), (b"{}", "application/json")),
        ((b"{}", "application/json"), (b"plain", "text/plain")),
        ((b"{}", "application/json"), (b"no json", "application/json")),
        ((b"{}", "application/json"), (b"[1]", "application/json")),
        ((b"[1]", "application/json"), (b"{}", "application/json")),
        (None, (b"no json", "application/json")),
    ],
)
def test_what_cannot_be_merged_is_400_and_changes_nothing(
    client: Client, path: str, there: tuple[bytes, str] | None, comes: tuple[bytes, str]
) -> None:
    where = place(path)
    if there is not None:
        assert put(client, path, there[0], where, kind=there[1]) == 204
    assert client.send("POST", path, comes[0], kind=comes[1], **where).status_code == 400
    left = client.get(path, **where)
    assert left.data == there[0] if there else left.status_code == 404


@pytest.mark.parametrize("path", ALL)
def test_names_are_listed_and_those_since(client: Client, path: str) -> None:
    where = place(path)
    del where[name_of(path)]
    for name in ("one", "two"):
        put(client, path, b"{}", {**where, name_of(path): name})
    first = client.get(path, **where)
    assert sorted(first.json) == ["one", "two"]
    between = client.get("/statements").headers["X-Experience-API-Consistent-Through"]
    assert read_instant(between, second=True) is not None
    put(client, path, b"{}", {**where, name_of(path): "three"})
    assert client.get(path, since=between, **where).json == ["three"]


def test_states_of_registrations_are_apart_and_all_go_together(client: Client) -> None:
    where = place(STATE)
    other = {**where, "registration": REGISTRATION}
    put(client, STATE, b"none", where, kind="text/plain")
    put(client, STATE, b"one", other, kind="text/plain")
    assert client.get(STATE, **where).data == b"none"
    assert client.get(STATE, **{**other, "registration": REGISTRATION.upper()}).data == b"one"
    everywhere = {k: v for k, v in where.items() if k != "stateId"}
    assert client.get(STATE, **everywhere).json == [where["stateId"]]
    one_only = {**everywhere, "registration": REGISTRATION}
    assert client.send("DELETE", STATE, **one_only).status_code == 204
    assert client.get(STATE, **other).status_code == 404
    assert client.get(STATE, **where).data == b"none"
    assert client.send("DELETE", STATE, **everywhere).status_code == 204
    assert client.get(STATE, **where).status_code == 404


# --- concurrency ------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_another_document_than_the_expected_is_412(
    shared: Endpoint, path: str, method: str, version: str
) -> None:
    client, where = shared.client(version=version), place(path)
    put(client, path, b'{"v":1}', where)
    etag = client.get(path, **where).headers["ETag"]
    body = b'{"v":2}' if method != "DELETE" else None
    wrong = client.send(method, path, body, headers={"If-Match": '"1234"'}, **where)
    assert wrong.status_code == 412
    assert client.get(path, **where).json == {"v": 1}
    right = client.send(method, path, body, headers={"If-Match": f'"x", {etag}'}, **where)
    assert right.status_code == 204
    again = client.send(method, path, body, headers={"If-Match": etag}, **where)
    assert again.status_code == 412


@pytest.mark.parametrize("path", ALL)
def test_none_may_be_there_where_that_is_expected(client: Client, path: str) -> None:
    where = place(path)
    assert put(client, path, b"1", where, kind="text/plain") == 204
    assert put(client, path, b"2", where, kind="text/plain") == 412
    assert client.get(path, **where).data == b"1"


@pytest.mark.parametrize(
    ("version", "path", "new", "replaced"),
    [
        ("1.0.3", STATE, 204, 204),
        ("1.0.3", AGENTS, 400, 409),
        ("1.0.3", ACTIVITIES, 400, 409),
        ("2.0.0", STATE, 204, 409),
        ("2.0.0", AGENTS, 204, 409),
        ("2.0.0", ACTIVITIES, 204, 409),
    ],
)
def test_whoever_puts_says_what_they_expect_as_each_edition_asks(
    shared: Endpoint, version: str, path: str, new: int, replaced: int
) -> None:
    client, where = shared.client(version=version), place(path)
    assert put(client, path, b"1", where, headers={}, kind="text/plain") == new
    put(client, path, b"1", where, kind="text/plain")
    answer = client.send("PUT", path, b"2", kind="text/plain", **where)
    assert answer.status_code == replaced
    assert client.get(path, **where).data == (b"2" if replaced == 204 else b"1")
    if replaced == 409:
        assert "ETag" in answer.json["title"]


# --- whose ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ALL)
def test_documents_are_of_their_source_alone(shared: Endpoint, path: str) -> None:
    mine, same, other = shared.client("m" + new_id()), None, shared.client()
    same = shared.client(mine.sender.source_key, (Scope.DOCUMENTS,))
    where = place(path)
    put(mine, path, b"mine", where, kind="text/plain")
    assert same.get(path, **where).data == b"mine"
    assert other.get(path, **where).status_code == 404
    put(other, path, b"theirs", where, kind="text/plain")
    assert mine.get(path, **where).data == b"mine"
    listed = {k: v for k, v in where.items() if k != name_of(path)}
    other.send("DELETE", path, **where)
    assert other.get(path, **listed).json == []
    assert mine.get(path, **listed).json == [where[name_of(path)]]


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_whoever_may_only_send_or_read_statements_has_no_documents(
    shared: Endpoint, path: str, method: str
) -> None:
    client = _without(shared)
    body = b"{}" if method in ("PUT", "POST") else None
    assert client.send(method, path, body, **place(path)).status_code == 403


def _without(shared: Endpoint) -> Client:
    if not hasattr(shared, "without"):
        shared.without = shared.client(scopes=(Scope.WRITE, Scope.READ_ALL))  # type: ignore[attr-defined]
    found: Client = shared.without  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("path", ALL)
def test_a_document_larger_than_the_limit_is_413(client: Client, path: str) -> None:
    where = place(path)
    answer = client.send("PUT", path, b"x" * 20_001, kind="text/plain", headers=ANY, **where)
    assert answer.status_code == 413
    assert answer.json["limit"] == {"setting": "largest_document_kilobytes", "bytes": 20_000}
    assert put(client, path, b"x" * 20_000, where, kind="text/plain") == 204


def test_json_too_deep_to_be_merged_is_400(client: Client) -> None:
    where = place(STATE)
    client.send("POST", STATE, b'{"a":1}', **where)
    deep = b'{"b":' + b"[" * 600 + b"]" * 600 + b"}"
    assert client.send("POST", STATE, deep, **where).status_code == 400
    assert client.get(STATE, **where).json == {"a": 1}


def test_what_nobody_changes_is_forgotten_in_time(fresh: Endpoint) -> None:
    client, old, new = fresh.client(), place(STATE), place(STATE)
    put(client, STATE, b"old", old, kind="text/plain")
    fresh.clock.pass_by(timedelta(days=40))
    put(client, STATE, b"new", new, kind="text/plain")
    config = Config(xapi=XapiSection(keep_documents_days=30))
    assert forget_documents(fresh.ctx, Config())() == 0
    assert forget_documents(fresh.ctx, config)() == 1
    assert client.get(STATE, **old).status_code == 404
    assert client.get(STATE, **new).data == b"new"
