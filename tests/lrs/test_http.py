"""HTTP around the resources: versions, HEAD, methods, forms, about, agents, activities, CORS."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from bridge.domain.lrs.senders import Scope, Trust
from bridge.services.lrs.senders import REMEMBERED
from tests.lrs.site import COMPLETED, Client, Endpoint, activity, agent, new_id, statement

RESOURCES: dict[str, dict[str, Any]] = {
    "/statements": {},
    "/activities": {"activityId": "https://lms.example.org/a"},
    "/agents": {"agent": agent("a")},
    "/activities/state": {"activityId": "https://lms.example.org/a", "agent": agent("a")},
    "/activities/profile": {"activityId": "https://lms.example.org/a"},
    "/agents/profile": {"agent": agent("a")},
}
VERSION = "X-Experience-API-Version"


@pytest.mark.parametrize("path", RESOURCES)
@pytest.mark.parametrize(
    ("version", "status", "answered"),
    [
        ("1.0", 200, "1.0.3"),
        ("1.0.0", 200, "1.0.3"),
        ("1.0.3", 200, "1.0.3"),
        ("1.0.9", 200, "1.0.3"),
        ("2.0", 200, "2.0.0"),
        ("2.0.0", 200, "2.0.0"),
        ("", 400, "0.9"),
        ("0.95", 400, "1.0.3"),
        ("1.1.0", 400, "1.0.3"),
        ("1", 400, "1.0.3"),
        ("3.0.0", 400, "1.0.3"),
        ("x", 400, "1.0.3"),
    ],
)
def test_the_version_is_asked_for_and_told(
    client: Client, path: str, version: str, status: int, answered: str
) -> None:
    answer = client.get(path, headers={VERSION: version}, **RESOURCES[path])
    assert answer.status_code == status
    assert answer.headers[VERSION] == answered


@pytest.mark.parametrize("path", RESOURCES)
def test_head_is_get_without_its_body(client: Client, path: str) -> None:
    whole, head = (client.send(m, path, **RESOURCES[path]) for m in ("GET", "HEAD"))
    assert (whole.status_code, head.status_code) == (200, 200)
    assert whole.data
    assert head.data == b""
    assert head.content_type == whole.content_type


@pytest.mark.parametrize("path", RESOURCES)
@pytest.mark.parametrize("login", ["", "Basic", "Basic !!!", "Basic Zm9vOmJhcg==", "Bearer x"])
def test_without_a_known_credential_it_is_401(shared: Endpoint, path: str, login: str) -> None:
    head = {"Authorization": login} if login else {}
    answer = shared.app.test_client().get(f"/xapi{path}", headers={**head, VERSION: "1.0.3"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/statements"), ("PUT", "/agents"), ("POST", "/activities"), ("POST", "/about"),
     ("DELETE", "/activities")],
)  # fmt: skip
def test_other_methods_are_405_and_name_those_there_are(
    client: Client, method: str, path: str
) -> None:
    answer = client.send(method, path, **RESOURCES.get(path, {}))
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_other_addresses_are_404_in_json(client: Client) -> None:
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_about_says_to_anybody_which_versions_there_are(shared: Endpoint) -> None:
    answer = shared.app.test_client().get("/xapi/about")
    assert answer.status_code == 200
    assert {"1.0.3", "2.0.0"} <= set(answer.get_json()["version"])
    assert shared.app.test_client().get("/xapi/about?x=1").status_code == 400


def test_an_agent_is_told_as_a_person_with_what_was_asked_by_alone(client: Client) -> None:
    client.kept(statement(actor={"name": "Secret Name", **agent("known")}))
    assert client.get("/agents", agent=agent("known")).json == {
        "objectType": "Person",
        "mbox": ["mailto:known@example.org"],
    }
    account = {"account": {"homePage": "https://x.example", "name": "n"}}
    named = client.get("/agents", agent={"objectType": "Agent", "name": "N", **account}).json
    assert named == {"objectType": "Person", "name": ["N"], "account": [account["account"]]}


@pytest.mark.parametrize("path", ["/agents", "/activities"])
@pytest.mark.parametrize("asked", [{}, {"agent": "x", "activityId": "x"}, {"unknown": "x"}])
def test_an_agent_or_activity_must_be_one(client: Client, path: str, asked: dict[str, str]) -> None:
    assert client.get(path, **asked).status_code == 400


def test_an_activity_is_told_with_all_that_was_said_of_it(shared: Endpoint) -> None:
    client, other = shared.client(scopes=(Scope.WRITE, Scope.READ_MINE)), shared.client()
    iri = activity(new_id())["id"]
    unknown = client.get("/activities", activityId=iri)
    assert unknown.json == {"objectType": "Activity", "id": iri}
    client.kept(statement(object={"id": iri, "definition": {"name": {"en": "Course"}}}))
    client.kept(
        statement(
            context={
                "contextActivities": {
                    "parent": [{"id": iri, "definition": {"name": {"de": "Kurs"}, "type": iri}}]
                }
            }
        )
    )
    other.kept(statement(object={"id": iri, "definition": {"name": {"en": "Forged"}}}))
    assert client.get("/activities", activityId=iri).json["definition"] == {
        "name": {"en": "Course", "de": "Kurs"},
        "type": iri,
    }


# --- requests inside forms (1.0.3) ---------------------------------------------------------------
def form(client: Client, method: str, path: str = "/statements", **fields: str) -> Any:
    """A request inside a form, with its credential in the form too."""
    body = urlencode({"Authorization": client.authorization, VERSION: "1.0.3", **fields}).encode()
    return client.app.test_client().post(
        f"/xapi{path}?method={method}",
        data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )


def test_a_form_stands_for_the_request_in_it(client: Client) -> None:
    key = new_id()
    sent = json.dumps(statement(id=None, actor={"name": "Zoë & +", **agent("z")}))
    put = form(client, "PUT", statementId=key, content=sent, **{"Content-Type": "application/json"})
    assert put.status_code == 204
    got = form(client, "GET", statementId=key)
    assert got.json["actor"]["name"] == "Zoë & +"
    where = {"agent": json.dumps(agent("f")), "profileId": "p"}
    profile = form(
        client, "PUT", "/agents/profile", content="hello", **where,
        **{"If-None-Match": "*", "Content-Type": "text/plain"},
    )  # fmt: skip
    assert profile.status_code == 204
    assert form(client, "GET", "/agents/profile", **where).data == b"hello"
    assert form(client, "DELETE", "/agents/profile", **where).status_code == 204


def test_a_form_that_is_none_is_400(client: Client) -> None:
    sent = json.dumps(statement(id=None))
    key = new_id()
    assert form(client, "PUT", statementId=key).status_code == 400
    assert form(client, "PATCH", statementId=key, content=sent).status_code == 400
    assert form(client, "PUT", statementId=key, content=sent, other="x").status_code == 400
    extra = form(client, f"PUT&statementId={key}", content=sent)
    assert extra.status_code == 400
    second = form(client, "GET", statementId=key, **{VERSION: "2.0.0"})
    assert second.status_code == 400
    put = client.send("PUT", "/statements?method=POST", sent.encode())
    assert put.status_code == 400
    json_form = client.send("POST", "/statements?method=PUT", sent.encode())
    assert json_form.status_code == 400
    old = form(client, "PUT", statementId=key, content=sent, **{VERSION: "0.8"})
    assert old.status_code == 400
    assert client.get("/statements", statementId=key).status_code == 404


# --- content in a browser ------------------------------------------------------------------------
ORIGIN = "https://content.example.org"


def test_a_page_of_a_named_origin_may_ask_and_no_other(shared: Endpoint) -> None:
    client = shared.client(origins=[ORIGIN], trust=Trust.UNTRUSTED)
    plain = shared.client()
    shared.clock.pass_by(2 * REMEMBERED)
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None)):
        before = shared.app.test_client().options(
            "/xapi/statements",
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        )
        assert before.status_code == 204
        assert before.headers.get("Access-Control-Allow-Origin") == allowed
        answer = client.get("/statements", headers={"Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        policy = "cross-origin" if allowed else "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == policy
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert (
        "Access-Control-Allow-Origin"
        not in plain.get("/statements", headers={"Origin": ORIGIN}).headers
    )


def test_a_page_sees_about_and_why_its_credential_was_not_taken(shared: Endpoint) -> None:
    shared.client(origins=[ORIGIN], trust=Trust.UNTRUSTED)
    shared.clock.pass_by(2 * REMEMBERED)
    browser = shared.app.test_client()
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None)):
        about = browser.get("/xapi/about", headers={"Origin": origin})
        wrong = browser.get(
            "/xapi/statements",
            headers={"Origin": origin, "Authorization": "Basic Zm9vOmJhcg==", VERSION: "1.0.3"},
        )
        twice = browser.get("/xapi/statements?limit=1&limit=2", headers={"Origin": origin})
        assert (about.status_code, wrong.status_code, twice.status_code) == (200, 401, 400)
        for answer in (about, wrong, twice):
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed


def test_a_cookie_opens_nothing_and_none_is_set(shared: Endpoint) -> None:
    browser = shared.app.test_client()
    browser.set_cookie("bridge", "x" * 43)
    answer = browser.get("/xapi/statements", headers={VERSION: "1.0.3"})
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_what_is_read_is_not_stored_on_the_way_and_not_compressed(client: Client) -> None:
    client.kept(*(statement(verb={"id": COMPLETED}) for _ in range(5)))
    answer = client.get("/statements", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
