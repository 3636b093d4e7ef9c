"""Asking for statements: every filter, order and form, pages, voiding, and how far the index is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.domain.lrs.senders import Scope
from bridge.domain.xapi.instants import read_instant
from tests.lrs.site import (
    COMPLETED,
    Client,
    Endpoint,
    activity,
    agent,
    new_id,
    statement,
    voiding,
)

PASSED = "http://adlnet.gov/expapi/verbs/passed"
CONFIRMED = "http://example.org/verbs/confirmed"


def about(key: str, **parts: Any) -> dict[str, Any]:
    """A statement about another."""
    return statement(object={"objectType": "StatementRef", "id": key}, **parts)


# --- filters -------------------------------------------------------------------------------------
ACCOUNT = {"account": {"homePage": "https://lms.example.org", "name": "zoe"}}
GROUP = {"objectType": "Group", "member": [agent("mia"), agent("tom")]}
REGISTRATION = "994c38e9-96e6-51ba-8e16-a072b7f9c800"
SEVERAL = {
    "ana": statement(),
    "passed": statement(verb={"id": PASSED}),
    "zoe": statement(actor={"name": "Zoe", **ACCOUNT}),
    "group": statement(actor=GROUP),
    "about-ben": statement(object={"objectType": "Agent", **agent("ben")}),
    "teacher": statement(context={"instructor": agent("tia"), "registration": REGISTRATION}),
    "parent": statement(context={"contextActivities": {"parent": [activity("programme")]}}),
    "sub": statement(
        object={
            "objectType": "SubStatement",
            "actor": agent("sub"),
            "verb": {"id": PASSED},
            "object": activity("inner"),
        }
    ),
}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"verb": PASSED}, {"passed"}),
        ({"activity": activity("course")["id"], "verb": PASSED}, {"passed"}),
        ({"activity": activity("programme")["id"]}, set()),
        ({"activity": activity("programme")["id"], "related_activities": True}, {"parent"}),
        ({"activity": activity("inner")["id"]}, set()),
        ({"activity": activity("inner")["id"], "related_activities": True}, {"sub"}),
        ({"agent": ACCOUNT}, {"zoe"}),
        ({"agent": {"objectType": "Agent", "name": "Another", **ACCOUNT}}, {"zoe"}),
        ({"agent": agent("tom")}, {"group"}),
        ({"agent": agent("ben")}, {"about-ben"}),
        ({"agent": agent("tia")}, set()),
        ({"agent": agent("tia"), "related_agents": True}, {"teacher"}),
        ({"agent": agent("sub")}, set()),
        ({"agent": agent("sub"), "related_agents": True}, {"sub"}),
        ({"registration": REGISTRATION}, {"teacher"}),
        ({"registration": REGISTRATION.upper()}, {"teacher"}),
        ({"agent": agent("nobody")}, set()),
        ({}, set(SEVERAL)),
    ],
)
def test_filters_find_what_they_say(
    shared: Endpoint, request: pytest.FixtureRequest, asked: dict[str, Any], names: set[str]
) -> None:
    client = _several(shared)
    found = client.found(limit=20, **asked)
    by_id = {each: name for name, each in client.keys.items()}  # type: ignore[attr-defined]
    assert {by_id[key] for key in found} == names


def _several(shared: Endpoint) -> Client:
    """A source that holds SEVERAL, once for each endpoint."""
    if not hasattr(shared, "several"):
        client = shared.client(scopes=(Scope.WRITE, Scope.READ_MINE))
        keys = client.kept(*({**each, "id": new_id()} for each in SEVERAL.values()))
        client.keys = dict(zip(SEVERAL, keys, strict=True))  # type: ignore[attr-defined]
        shared.several = client  # type: ignore[attr-defined]
    found: Client = shared.several  # type: ignore[attr-defined]
    return found


def test_the_authority_is_a_related_agent(client: Client) -> None:
    (key,) = client.kept(statement())
    authority = client.one(key)["authority"]
    assert client.found(agent=authority) == []
    assert client.found(agent=authority, related_agents=True) == [key]


def test_since_is_later_than_and_until_no_later(client: Client) -> None:
    keys = [client.kept(statement())[0] for _ in range(3)]
    stored = [client.one(key)["stored"] for key in keys]
    assert client.found(since=stored[0], ascending=True) == keys[1:]
    assert client.found(until=stored[1], ascending=True) == keys[:2]
    assert client.found(since=stored[0], until=stored[1]) == [keys[1]]


def test_the_newest_come_first_unless_asked_otherwise(client: Client) -> None:
    keys = client.kept(*(statement() for _ in range(4)))
    assert client.found() == keys[::-1]
    assert client.found(ascending=True) == keys
    assert client.found(limit=2) == keys[:1:-1]


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("filtered", [{}, {"verb": COMPLETED}])
def test_pages_go_on_to_the_end_and_show_each_once(
    client: Client, ascending: bool, filtered: dict[str, str]
) -> None:
    keys = client.kept(*(statement() for _ in range(12)))
    answer = client.get("/statements", limit=5, ascending=ascending, **filtered).json
    seen = [each["id"] for each in answer["statements"]]
    while answer["more"]:
        assert answer["more"].startswith("/xapi/statements/")
        # What comes meanwhile disturbs nothing.
        if not ascending:
            client.kept(statement())
        answer = client.get(answer["more"].removeprefix("/xapi")).json
        seen += [each["id"] for each in answer["statements"]]
    assert seen == (keys if ascending else keys[::-1])


def test_a_link_to_more_tells_nothing_and_is_no_one_elses(shared: Endpoint) -> None:
    mine, other = shared.client(), shared.client()
    mine.kept(*(statement(actor=agent("secret-name")) for _ in range(3)))
    link = mine.get("/statements", limit=1, agent=agent("secret-name")).json["more"]
    path = link.removeprefix("/xapi")
    assert "secret" not in link
    assert mine.get(path).status_code == 200
    assert mine.get(path).json["statements"] == mine.get(path).json["statements"]
    assert other.get(path).status_code == 404
    assert mine.get(path[:-2] + "zz").status_code == 404


def test_a_limit_is_capped_and_none_is_the_usual_page(client: Client) -> None:
    client.kept(*(statement() for _ in range(25)))
    assert len(client.found()) == 5
    assert len(client.found(limit=0)) == 5
    assert len(client.found(limit=1000)) == 20


@pytest.mark.parametrize(
    "asked",
    [
        {"statementId": "x"},
        {"statementId": new_id(), "voidedStatementId": new_id()},
        *({"statementId": new_id(), name: value} for name, value in (
            ("agent", agent("a")), ("verb", PASSED), ("activity", PASSED), ("limit", 1),
            ("registration", REGISTRATION), ("since", "2026-01-01T00:00:00Z"),
            ("until", "2026-01-01T00:00:00Z"), ("ascending", True),
            ("related_activities", True), ("related_agents", True))),
        *({"voidedStatementId": new_id(), name: value} for name, value in (
            ("agent", agent("a")), ("verb", PASSED), ("limit", 1))),
        {"agent": "no json"},
        {"agent": {"name": "nobody"}},
        {"agent": {"objectType": "Group", "member": [agent("a")]}},
        {"agent": {**agent("a"), **ACCOUNT}},
        {"verb": "no iri"},
        {"activity": "no iri"},
        {"registration": "no uuid"},
        {"since": "yesterday"},
        {"until": "2026-13-01T00:00:00Z"},
        {"limit": -1},
        {"limit": "many"},
        {"ascending": "yes"},
        {"related_agents": "1"},
        {"attachments": "TRUE"},
        {"format": "pretty"},
        {"Verb": PASSED},
        {"unknown": "x"},
        {"StatementId": new_id()},
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_what_cannot_be_asked_is_400(shared: Endpoint, version: str, asked: dict[str, Any]) -> None:
    client = _reader(shared, version)
    answer = client.get("/statements", **asked)
    assert answer.status_code == 400
    assert read_instant(answer.headers["X-Experience-API-Consistent-Through"], second=True)


def _reader(shared: Endpoint, version: str) -> Client:
    name = f"reader{version}"
    if not hasattr(shared, name):
        setattr(shared, name, shared.client(version=version))
    found: Client = getattr(shared, name)
    return found


def test_a_parameter_twice_is_400(client: Client) -> None:
    assert client.get("/statements?limit=1&limit=2").status_code == 400


# --- how far the index is ------------------------------------------------------------------------
def test_every_answer_says_up_to_when_it_is_right_and_is(client: Client) -> None:
    (key,) = client.kept(statement())
    stored = read_instant(client.one(key)["stored"], second=True)
    for asked in ({}, {"verb": PASSED}, {"statementId": key}):
        answer = client.get("/statements", **asked)
        through = read_instant(answer.headers["X-Experience-API-Consistent-Through"], second=True)
        assert stored is not None
        assert through is not None
        assert through >= stored


# --- forms ---------------------------------------------------------------------------------------
NAMED = {
    "objectType": "Activity",
    "id": "https://lms.example.org/named",
    "definition": {
        "name": {"en-US": "Course", "de": "Kurs"},
        "description": {"en-US": "A course"},
        "type": "http://adlnet.gov/expapi/activities/course",
    },
}


def test_ids_are_the_least_that_says_who_and_what(client: Client) -> None:
    sent = statement(
        actor={"objectType": "Agent", "name": "Ana", **agent("ana")},
        verb={"id": COMPLETED, "display": {"en": "completed"}},
        object=NAMED,
        context={
            "team": {"objectType": "Group", "name": "T", "member": [{"name": "M", **agent("m")}]},
            "contextActivities": {"parent": [NAMED]},
        },
    )
    client.kept(sent)
    found = client.one(sent["id"], format="ids")
    assert found["actor"] == {"objectType": "Agent", **agent("ana")}
    assert found["verb"] == {"id": COMPLETED}
    assert found["object"] == {"id": NAMED["id"]}
    assert found["context"]["team"] == {"objectType": "Group", "member": [agent("m")]}
    assert found["context"]["contextActivities"] == {"parent": [{"id": NAMED["id"]}]}


def test_canonical_is_one_language_of_what_is_known_of_an_activity(client: Client) -> None:
    iri = f"https://lms.example.org/{new_id()}"
    client.kept(statement(object={**NAMED, "id": iri}))
    later = statement(object={"id": iri, "definition": {"name": {"fr": "Cours"}}})
    client.kept(later)
    client.found()
    for asked, name in (("de", {"de": "Kurs"}), ("fr-CA, de;q=0.5", {"fr": "Cours"}),
                        ("en-GB", {"en-US": "Course"}), ("", {"en-US": "Course"})):  # fmt: skip
        found = client.get(
            "/statements", statementId=later["id"], format="canonical",
            headers={"Accept-Language": asked},
        ).json  # fmt: skip
        assert found["object"]["definition"]["name"] == name
        assert found["object"]["definition"]["description"] == {"en-US": "A course"}
    assert client.one(later["id"])["object"]["definition"] == {"name": {"fr": "Cours"}}


def test_a_context_activity_that_came_alone_is_read_in_an_array(client: Client) -> None:
    sent = statement(context={"contextActivities": {"parent": activity("p")}})
    client.kept(sent)
    assert client.one(sent["id"])["context"]["contextActivities"] == {"parent": [activity("p")]}


def test_one_statement_says_when_it_was_stored(shared: Endpoint) -> None:
    client = shared.client(version="2.0.0")
    (key,) = client.kept(statement())
    answer = client.get("/statements", statementId=key)
    assert answer.last_modified is not None
    stored = read_instant(answer.json["stored"], second=True)
    assert stored is not None
    assert answer.last_modified == stored.replace(microsecond=0)


# --- voiding -------------------------------------------------------------------------------------
@pytest.mark.parametrize("order", ["before", "after", "together"])
@pytest.mark.parametrize("indexed", [True, False])
def test_a_voided_statement_is_found_as_voided_alone(
    client: Client, order: str, indexed: bool
) -> None:
    sent = statement()
    void = voiding(sent["id"].upper())
    for batch in {"after": ([sent], [void]), "before": ([void], [sent]),
                  "together": ([sent, void],)}[order]:  # fmt: skip
        client.kept(*batch)
        if indexed:
            client.found()
    assert client.get("/statements", statementId=sent["id"]).status_code == 404
    assert client.get("/statements", voidedStatementId=sent["id"]).json["id"] == sent["id"]
    assert client.get("/statements", voidedStatementId=void["id"]).status_code == 404
    assert client.found() == [void["id"]]


def test_a_voiding_statement_is_not_voided(client: Client) -> None:
    sent = statement()
    void = voiding(sent["id"])
    again = voiding(void["id"])
    client.kept(sent, void, again)
    assert set(client.found()) == {void["id"], again["id"]}
    assert client.one(void["id"])["id"] == void["id"]


@pytest.mark.parametrize("indexed", [True, False])
def test_only_the_same_authority_voids(shared: Endpoint, indexed: bool) -> None:
    mine, other, same = shared.client("mine"), shared.client(), shared.client("mine")
    sent, kept = statement(), statement()
    mine.kept(sent, kept)
    assert other.post(voiding(sent["id"])).status_code == 200
    same.kept(voiding(kept["id"]))
    if indexed:
        mine.found()
    assert mine.one(sent["id"])["id"] == sent["id"]
    assert mine.get("/statements", statementId=kept["id"]).status_code == 404


# --- statements about statements -----------------------------------------------------------------
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_what_is_about_a_statement_is_found_by_what_that_is_found_by(
    client: Client, order: tuple[int, ...]
) -> None:
    first = statement(actor=agent("ben"), verb={"id": PASSED}, object=activity("explosives"))
    second = about(first["id"], actor=agent("andrew"), verb={"id": CONFIRMED})
    third = about(second["id"], actor=agent("pat"), verb={"id": CONFIRMED})
    chain = [first, second, third]
    for number in order:
        client.kept(chain[number])
        client.found()
    ids = {each["id"] for each in chain}
    assert set(client.found(agent=agent("ben"))) == ids
    assert set(client.found(verb=PASSED, activity=activity("explosives")["id"])) == ids
    assert set(client.found(verb=CONFIRMED, agent=agent("ben"))) == {second["id"], third["id"]}
    assert client.found(agent=agent("pat")) == [third["id"]]


def test_what_is_about_a_voided_statement_is_found_still(client: Client) -> None:
    sent = statement(actor=agent("vic"))
    confirming = about(sent["id"], actor=agent("andrew"))
    void = voiding(sent["id"])
    client.kept(sent, confirming, void)
    assert set(client.found(agent=agent("vic"))) == {confirming["id"], void["id"]}


def test_statements_about_each_other_end(client: Client) -> None:
    one, two = new_id(), new_id()
    client.kept(about(two, id=one, actor=agent("one")), about(one, id=two, actor=agent("two")))
    assert set(client.found(agent=agent("one"))) == {one, two}


# --- who may read what ---------------------------------------------------------------------------
def test_a_reader_of_its_own_sees_no_others(shared: Endpoint) -> None:
    mine = shared.client(scopes=(Scope.WRITE, Scope.READ_MINE))
    other = shared.client(scopes=(Scope.WRITE, Scope.READ_MINE))
    everything = shared.client(scopes=(Scope.READ_ALL,))
    (key,) = other.kept(statement(actor=agent("private")))
    assert mine.found(agent=agent("private")) == []
    assert mine.get("/statements", statementId=key).status_code == 404
    assert everything.found(agent=agent("private")) == [key]
    assert everything.one(key)["id"] == key


@pytest.mark.parametrize(
    "path",
    ["/statements", "/statements?statementId=3eb5b2cb-6c81-4b4e-be1b-5f3ba3acc2bd",
     "/statements/more/abc", "/agents",
     "/activities"],
)  # fmt: skip
def test_whoever_may_only_send_reads_nothing(shared: Endpoint, path: str) -> None:
    sender = shared.client(scopes=(Scope.WRITE,))
    assert sender.get(path).status_code == 403


def test_bytes_that_were_removed_are_left_out(fresh: Endpoint) -> None:
    client = fresh.client()
    gone, stays = client.kept(statement(), statement())
    client.found()
    with fresh.world.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE received SET body = NULL WHERE natural_key = '{gone}'")
    assert client.found() == [stays]
    assert client.get("/statements", statementId=gone).status_code == 404
    assert json.loads(client.get("/statements").data)["more"] == ""


def test_large_statements_make_short_pages_that_go_on(
    fresh: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.storage.lrs.MOST_BYTES", 5_000)
    client = fresh.client()
    keys = client.kept(*(statement(object=activity("x" * 2_000)) for _ in range(7)))
    answer = client.get("/statements", ascending=True).json
    assert len(answer["statements"]) == 2
    seen = [each["id"] for each in answer["statements"]]
    while answer["more"]:
        answer = client.get(answer["more"].removeprefix("/xapi")).json
        seen += [each["id"] for each in answer["statements"]]
    assert seen == keys
    assert fresh.drained().items == 7
