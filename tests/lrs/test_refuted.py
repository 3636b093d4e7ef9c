"""Faults that a reader who set out to break the endpoint found: one test or more for each."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from gunicorn.http.errors import InvalidChunkSize

from bridge.domain.lrs.presenting import one_language
from bridge.domain.lrs.senders import Scope, Trust
from bridge.domain.statements import STATEMENTS
from bridge.services import ledger, pull
from bridge.services.lrs import indexing
from bridge.services.lrs.draining import received_source
from bridge.services.pull import Trusted
from tests.lrs.site import Client, Endpoint, activity, agent, new_id, statement, voiding
from tests.lrs.test_attachments import declared, first, multipart, part, send
from tests.lrs.test_draining import course, rows
from tests.services.told import Told
from tests.support import RULES

MINE = (Scope.WRITE, Scope.READ_MINE, Scope.DOCUMENTS)
UNCOMPLETED = "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/uncompleted"


def about(statement_id: str, **parts: Any) -> dict[str, Any]:
    """A statement about another."""
    return statement(object={"objectType": "StatementRef", "id": statement_id}, **parts)


# --- nothing may hold up all that comes after it ------------------------------------------------
def test_what_voids_a_statement_is_found_though_both_are_indexed_apart(
    fresh: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "AT_ONCE", 1)
    client = fresh.client()
    sent = statement()
    taken_back = voiding(sent["id"])
    client.kept(sent)
    client.kept(taken_back)
    assert client.found(agent=agent("ana")) == [taken_back["id"]]


@pytest.mark.parametrize("year", ["0001", "9999"])
@pytest.mark.parametrize("verb", ["http://adlnet.gov/expapi/verbs/failed", UNCOMPLETED])
def test_a_year_that_no_calendar_reaches_waits_and_the_rest_goes_on(
    fresh: Endpoint, year: str, verb: str
) -> None:
    fresh.world.person("ana")
    fresh.client().kept(
        statement(verb={"id": verb}, timestamp=f"{year}-01-01T00:00:00Z"), course("C1")
    )
    tally = fresh.drained()
    assert (tally.items, tally.drafts) == (2, 1)
    assert rows(fresh, "SELECT code FROM quarantine") == "no-date"


def test_an_address_without_end_is_nobodys_and_the_rest_goes_on(fresh: Endpoint) -> None:
    fresh.world.person("ana")
    endless = {"mbox": f"mailto:{'a' * 2000}@example.org"}
    fresh.client().kept(statement(actor=endless), course("C1"))
    assert fresh.drained().drafts == 1


def test_what_is_said_of_an_activity_does_not_grow_without_end(fresh: Endpoint) -> None:
    client = fresh.client()
    for lot in range(12):
        names = {f"x-{lot}-{n}": "a" * 100 for n in range(300)}
        client.kept(statement(object={**activity("course"), "definition": {"name": names}}))
        client.found(agent=agent("ana"))
    assert rows(fresh, "SELECT max(length(definition)) FROM lrs_activities") < 260_000
    # What was said last is known all the same.
    known = client.get("/activities", activityId=activity("course")["id"]).json
    assert "x-11-0" in known["definition"]["name"]


def test_languages_without_end_are_picked_from_at_once() -> None:
    """Each language was compared with each that was asked for: 10 ** 9 times, and more."""
    names = {f"x-{n}": "" for n in range(100_000)} | {"de-CH": "Kurs"}
    languages = [f"q{n}" for n in range(20_000)] + ["de"]
    assert one_language({"name": names}, languages) == {"name": {"de-CH": "Kurs"}}


def test_a_body_that_breaks_off_is_the_senders_fault(shared: Endpoint) -> None:
    """gunicorn reads the body when it is asked for, and raises where a chunk of it is none."""

    class Broken(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _: Any) -> int:
            raise InvalidChunkSize(b"zz")

    client = shared.client()
    answer = shared.app.test_client().open(
        "/xapi/statements",
        method="POST",
        headers={"Authorization": client.authorization, "X-Experience-API-Version": "1.0.3"},
        content_type="application/json",
        environ_overrides={
            "wsgi.input": Broken(),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        },
    )
    assert answer.status_code == 400
    assert "zz" not in answer.text


# --- NULs, which PostgreSQL keeps nowhere -------------------------------------------------------
def test_a_nul_in_a_user_name_is_a_wrong_name(shared: Endpoint) -> None:
    coded = base64.b64encode(b"xapi-\0:secret").decode()
    client = Client(shared.app, f"Basic {coded}", shared.client().sender)
    assert client.get("/statements").status_code == 401


def test_a_nul_in_an_agent_or_a_type_is_refused(client: Client) -> None:
    who = {"account": {"homePage": "https://x.example", "name": "a\0b"}}
    for method in ("GET", "PUT", "POST"):
        body = None if method == "GET" else b"{}"
        answer = client.send(
            method, "/activities/state", body, activityId="https://x.example/a", agent=who,
            stateId="s",
        )  # fmt: skip
        assert answer.status_code == 400, method
    sent = statement(attachments=[declared(b"x")])
    files = multipart([first(sent), part(b"x", Content_Type="text/\0plain")])
    assert send(client, files).status_code == 400


# --- ids taken in advance -----------------------------------------------------------------------
@pytest.mark.parametrize("who", ["ana", "eve"])
@pytest.mark.parametrize("drained", [True, False])
def test_who_cannot_be_trusted_takes_no_id_from_who_is(
    fresh: Endpoint, who: str, drained: bool
) -> None:
    """Whether it says the same or something else: the true statement is kept, and drafts."""
    fresh.world.person("ana")
    browser = fresh.client("content", (Scope.WRITE, Scope.READ_MINE), trust=Trust.UNTRUSTED)
    trusted = fresh.client("moodle-xapi", (Scope.WRITE, Scope.READ_MINE))
    true = course("C1")
    browser.kept({**true, "actor": agent(who)})
    if drained:
        fresh.drained()
    for _ in range(2):
        assert trusted.kept(true) == [true["id"]]
    assert trusted.one(true["id"])["authority"]["name"] == "moodle-xapi"
    fresh.drained()
    assert rows(fresh, "SELECT count(*) FROM learning_records WHERE disposition = 'evidence'") == 1
    # What came first stands too, under another id, and is its source's own.
    (other,) = browser.found()
    assert other != true["id"]
    assert browser.one(other)["actor"] == agent(who)
    # And it is no way to take what was there before.
    assert browser.post({**true, "actor": agent("mallory")}).status_code == 409
    fresh.world.check_what_is_kept_up()


def test_of_two_that_are_trusted_the_first_keeps_the_id(fresh: Endpoint) -> None:
    one, two = fresh.client("one"), fresh.client("two")
    sent = statement()
    one.kept(sent)
    assert two.post({**sent, "actor": agent("else")}).status_code == 409
    two.kept(sent)
    assert one.one(sent["id"])["authority"]["name"] == "one"


# --- what another source holds ------------------------------------------------------------------
def test_a_hash_is_no_claim_to_the_file_of_another(fresh: Endpoint) -> None:
    owner, other, all_ = fresh.client("a", MINE), fresh.client("b", MINE), fresh.client("c")
    body = b"a certificate of Jane's"
    send(owner, multipart([first(statement(attachments=[declared(body)])), part(body)]))
    other.kept(statement(attachments=[declared(body, fileUrl="https://x.example/file")]))
    assert body not in other.get("/statements", attachments=True).data
    assert body in owner.get("/statements", attachments=True).data
    assert body in all_.get("/statements", attachments=True).data
    again = statement(attachments=[declared(body)])
    send(other, multipart([first(again), part(body)]))
    assert body in other.get("/statements", attachments=True).data


def test_a_reference_tells_nothing_of_another_sources_statement(fresh: Endpoint) -> None:
    owner, other = fresh.client("a", MINE), fresh.client("b", MINE)
    sent = statement(actor=agent("jane"))
    early, late = about(sent["id"], actor=agent("eve")), about(sent["id"], actor=agent("eve"))
    own = about(sent["id"], actor=agent("eve"))
    other.kept(early)
    owner.kept(sent, own)
    other.kept(late)
    assert other.found(agent=agent("jane")) == []
    assert set(owner.found(agent=agent("jane"))) == {sent["id"], own["id"]}


def test_what_voids_is_seen_however_many_others_refer_to_it(fresh: Endpoint) -> None:
    owner, other = fresh.client("a", MINE), fresh.client("b", MINE)
    sent = statement()
    for _ in range(7):
        other.kept(*(about(sent["id"]) for _ in range(40)))
    taken_back = voiding(sent["id"])
    owner.kept(taken_back)
    assert owner.found() == [taken_back["id"]]
    owner.kept(sent)
    assert owner.found() == [taken_back["id"]]


def test_learners_words_for_an_activity_lie_under_those_that_are_trusted(fresh: Endpoint) -> None:
    browser = fresh.client("content", (Scope.WRITE,), trust=Trust.UNTRUSTED)
    trusted, reader = fresh.client("moodle-xapi", (Scope.WRITE,)), fresh.client("report")

    def said(name: str) -> dict[str, Any]:
        return statement(object={**activity("course"), "definition": {"name": {"en": name}}})

    trusted.kept(said("Section 47"))
    browser.kept(said("Free sweets"))
    known = reader.get("/activities", activityId=activity("course")["id"]).json
    assert known["definition"]["name"] == {"en": "Section 47"}


def test_a_document_is_no_page_of_the_bridges(client: Client) -> None:
    where: Any = {"activityId": "https://x.example/a", "agent": agent(new_id()), "stateId": "s"}
    client.send("PUT", "/activities/state", b"<form action=/sign-in>", kind="text/html", **where)
    read = client.get("/activities/state", **where)
    assert (read.status_code, read.mimetype) == (200, "text/html")
    assert read.headers["Content-Security-Policy"] == (
        "default-src 'none'; sandbox; frame-ancestors 'none'"
    )
    assert read.headers["X-Content-Type-Options"] == "nosniff"


# --- quarantine -----------------------------------------------------------------------------------
def test_a_groups_statement_that_is_read_again_is_each_members(
    fresh: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ana", "bea", "cat"):
        fresh.world.person(name)
    group = {"objectType": "Group", "member": [agent("ana"), agent("bea"), agent("cat")]}
    monkeypatch.setattr("bridge.domain.xapi.reading.MOST_MEMBERS", 2)
    fresh.client("moodle-xapi").kept({**course("C1"), "actor": group})
    fresh.drained()
    assert rows(fresh, "SELECT code FROM quarantine") == "too-many-members"
    monkeypatch.undo()
    trusted = received_source(fresh.ctx, fresh.drain.readings, "moodle-xapi")
    assert trusted is not None
    assert ledger.replay(fresh.world.ctx, trusted) == (1, 0)
    assert rows(fresh, "SELECT count(*) FROM learning_records WHERE disposition = 'evidence'") == 3
    assert ledger.replay(fresh.world.ctx, trusted) == (0, 0)
    (line,) = ledger.ledger(fresh.world.ctx)
    assert line.adds_up
    fresh.world.check_what_is_kept_up()


# --- two roads ---------------------------------------------------------------------------------
@pytest.mark.parametrize("first_by", ["pulled", "received"])
def test_a_statement_that_comes_by_two_roads_is_one_draft(fresh: Endpoint, first_by: str) -> None:
    ana = fresh.world.person("ana")
    sent, client = course("C1"), fresh.client("moodle-xapi")

    def receive() -> None:
        client.kept(sent)
        fresh.drained()

    def pulled() -> None:
        told = Trusted(Told(pages=[[sent]]), STATEMENTS, "trusted", RULES)
        pull.pull(fresh.world.ctx, told)

    for road in (pulled, receive) if first_by == "pulled" else (receive, pulled):
        road()
    items = fresh.world.items_of(ana)
    states = [{claim.state.value for claim in item.claims} for item in items]
    assert [each for each in states if each != {"withdrawn"}] == [{"suggested"}]
    fresh.world.check_what_is_kept_up()
