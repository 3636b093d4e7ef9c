"""The very JSON that leaves: what tincan makes of our statements, in either version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from bridge.connectors.xapi import LrsSettings, LrsTeller
from bridge.connectors.xapi.told import statement_of
from bridge.domain.identity import IdentifierKind
from bridge.domain.records import NoRecord
from bridge.domain.telling import (
    Act,
    Agent,
    Decided,
    KnownAs,
    NewStatement,
    Telling,
    agent,
    opaque_name,
    statement_id,
)
from bridge.domain.xapi import Version, validate
from bridge.domain.xapi.reading import items_of

HOME = "https://bridge.example.org"
NEW = NewStatement(
    key=1,
    id=UUID("0d4e5f60-1111-5222-8333-444455556666"),
    act=Act.VERIFIED,
    actor=Agent(HOME, "p-assessor"),
    learner=Agent(HOME, "p-learner"),
    decided_at=datetime(2026, 6, 15, 9, 0, 0, 123456, tzinfo=UTC),
    home=HOME,
    framework="llr",
    edition="llr-2020",
    title="Leicester, Leicestershire & Rutland",
    language="en-GB",
    code="L3/1",
    text="Know “what” to do – and when",
    occurred_on=date(2026, 6, 5),
    method_key="supervision",
    method="Supervision",
    evidence=12,
)
GROUPING = {
    "id": f"{HOME}/frameworks/llr-2020",
    "objectType": "Activity",
    "definition": {"name": {"en-GB": "Leicester, Leicestershire & Rutland"}},
}
LEFT: dict[str, Any] = {
    "id": "0d4e5f60-1111-5222-8333-444455556666",
    "actor": {"objectType": "Agent", "account": {"homePage": HOME, "name": "p-assessor"}},
    "verb": {
        "id": "https://w3id.org/xapi/tla/verbs/verified",
        "display": {"en": "verified"},
    },
    "object": {
        "objectType": "Activity",
        "id": f"{HOME}/frameworks/llr-2020/competencies/L3%2F1",
        "definition": {
            "type": "https://w3id.org/xapi/tla/activity-types/competency",
            "name": {"en-GB": "llr L3/1"},
            "description": {"en-GB": "Know “what” to do – and when"},
        },
    },
    "context": {
        "platform": "Competency Bridge",
        "language": "en-GB",
        "contextActivities": {"grouping": [GROUPING]},
        "extensions": {
            "https://w3id.org/xapi/tla/extensions/learner": {
                "objectType": "Agent",
                "account": {"homePage": HOME, "name": "p-learner"},
            },
            "https://w3id.org/xapi/tla/extensions/evidence": [f"{HOME}/evidence/12"],
            "https://w3id.org/xapi/tla/extensions/confidence": 1,
            f"{HOME}/xapi/extensions/framework": "llr",
            f"{HOME}/xapi/extensions/edition": "llr-2020",
            f"{HOME}/xapi/extensions/evidence-date": "2026-06-05",
            f"{HOME}/xapi/extensions/method": {"key": "supervision", "text": "Supervision"},
        },
    },
    "timestamp": "2026-06-15T09:00:00.123456+00:00",
}


class Listener:
    """Takes everything, and keeps what came."""

    def __init__(self, versions: list[str]) -> None:
        self.versions = versions
        self.bodies: list[Any] = []
        self.headers: list[Mapping[str, str]] = []
        self.told: list[str] = []

    def __call__(self, request: Request) -> Response:
        self.told.append(f"{request.method} {request.full_path.rstrip('?')}")
        if request.path.endswith("/about"):
            return Response(orjson.dumps({"version": self.versions}))
        self.headers.append(dict(request.headers))
        self.bodies.append(orjson.loads(request.data))
        return Response(orjson.dumps([each["id"] for each in self.bodies[-1]]))


@pytest.mark.parametrize(
    ("versions", "spoken"), [(["1.0.3"], "1.0.3"), (["1.0.3", "2.0.0"], "2.0.0"), ([], "1.0.3")]
)
def test_the_json_that_leaves_is_what_was_meant_in_the_version_that_both_speak(
    httpserver: HTTPServer, versions: list[str], spoken: str
) -> None:
    listener = Listener(versions)
    for path in ("/xapi/about", "/xapi/statements"):
        httpserver.expect_request(path).respond_with_handler(listener)
    settings = LrsSettings("lrs", httpserver.url_for("/xapi"), "bridge", "pässword")
    told = LrsTeller(settings).tell([NEW, replace(NEW, key=2, id=UUID(int=5, version=5))])
    assert (told.told, told.error) == ({1, 2}, None)
    assert listener.bodies == [[LEFT, {**LEFT, "id": str(UUID(int=5, version=5))}]]
    (headers,) = listener.headers
    assert headers["X-Experience-Api-Version"] == spoken
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"].startswith("Basic ")
    assert listener.told == ["GET /xapi/about", "POST /xapi/statements"]


def test_an_lrs_that_says_our_secret_back_does_not_have_it_kept(httpserver: HTTPServer) -> None:
    def echo(request: Request) -> Response:
        said = f"{request.headers['Authorization']} and pässword are not liked"
        return Response(said, 400)

    httpserver.expect_request("/xapi/statements").respond_with_handler(echo)
    for user in ("bridge", ""):
        settings = LrsSettings("lrs", httpserver.url_for("/xapi"), user, "pässword", "1.0.3")
        if not user:
            settings = replace(settings, secret="t0ken")
        words = LrsTeller(settings).tell([NEW]).refused[1]
        assert "(secret)" in words
        assert "are not liked" in words
        assert not any(each in words for each in ("YnJpZGdl", "t0ken"))
        assert user == "" or "pässword" not in words


def test_a_voiding_names_the_statement_and_nothing_else() -> None:
    about = UUID("11111111-2222-5333-8444-555555555555")
    made = orjson.loads(statement_of(replace(NEW, act=Act.VOIDED, about=about)).to_json())
    assert made == {
        "id": LEFT["id"],
        "actor": LEFT["actor"],
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided", "display": {"en": "voided"}},
        "object": {"objectType": "StatementRef", "id": str(about)},
        "timestamp": LEFT["timestamp"],
    }


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(Act)), texts, texts, texts, texts, moments)
def test_whatever_is_told_is_valid_in_both_versions_and_never_comes_back_as_learning(
    act: Act, code: str, text: str, name: str, method: str, at: datetime
) -> None:
    about = None if act is Act.VERIFIED else UUID(int=7, version=5)
    new = replace(NEW, act=act, code=code, text=text, actor=Agent(HOME, name), method=method,
                  decided_at=at, about=about)  # fmt: skip
    body = statement_of(new).to_json().encode()
    for version in Version:
        value = validate(body, version)
        (item,) = items_of(value, body)
        assert isinstance(item.fact, NoRecord)
        assert item.fact.code == ("voiding" if act is Act.VOIDED else "about-a-competency")


# --- ids and names ------------------------------------------------------------------------------
DECIDED = Decided(4, 9, "verified", "supervision", NEW.decided_at, None, 1, 2, 12,
                  date(2026, 6, 5), "llr-2020", "1", "Know")  # fmt: skip
KEY = b"k" * 32


def test_an_id_is_the_same_each_time_and_another_for_anything_else() -> None:
    one = statement_id(KEY, "lrs", DECIDED)
    assert one == statement_id(KEY, "lrs", DECIDED)
    assert one.version == 5
    others = {
        statement_id(KEY, "other", DECIDED),
        statement_id(b"o" * 32, "lrs", DECIDED),
        statement_id(KEY, "lrs", replace(DECIDED, id=5)),
        # A number given anew, after a backup was put back.
        statement_id(KEY, "lrs", replace(DECIDED, decided_at=datetime(2026, 7, 1, tzinfo=UTC))),
    }
    assert len(others | {one}) == 5


def test_who_lacks_what_is_configured_goes_by_the_opaque_name() -> None:
    telling = Telling("lrs", date(2026, 1, 1), HOME, staff_home="https://hr.example.org")
    opaque = Agent(HOME, opaque_name(KEY, "lrs", 3))
    email, number = IdentifierKind.EMAIL, IdentifierKind.STAFF_NUMBER
    both = {email: "a@example.org", number: "7"}
    assert agent(telling, KnownAs.OPAQUE, 3, both, KEY) == opaque
    assert agent(telling, KnownAs.EMAIL, 3, both, KEY) == Agent(email="a@example.org")
    assert agent(telling, KnownAs.STAFF_NUMBER, 3, both, KEY) == Agent(telling.staff_home, "7")
    assert agent(telling, KnownAs.EMAIL, 3, {number: "7"}, KEY) == opaque
    assert agent(telling, KnownAs.STAFF_NUMBER, 3, {}, KEY) == opaque
