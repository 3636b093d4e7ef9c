"""What old statements said is forgotten; that they came, and what was read from them, stays."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bridge.bootstrap_lrs import forget_statements, keeping
from bridge.config import Config
from bridge.config_endpoint import XapiSection
from bridge.domain.lrs.forgetting import Keeping
from bridge.domain.lrs.senders import Scope
from bridge.domain.lrs.statements import Attachment, NewStatement
from bridge.services.explain_statement import statement as explained
from bridge.services.lrs import forgetting
from bridge.services.lrs.forgetting import Forgotten, forget_old
from bridge.services.lrs.indexing import index_waiting
from bridge.services.lrs.keeping import keeping as stands
from bridge.storage.lrs_retention import SqlForgetting
from tests.lrs.site import Endpoint, agent, new_id, statement, voiding
from tests.lrs.test_attachments import declared, first, multipart, part, send
from tests.lrs.test_draining import course, dispositions, rows

TABLES = ("lrs_terms", "lrs_references", "lrs_activities", "lrs_attachments", "lrs_attached")


@pytest.fixture
def bea(fresh: Endpoint) -> int:
    """A manager."""
    return fresh.world.person("bea")


@pytest.fixture
def ana(fresh: Endpoint, bea: int) -> int:
    """Somebody with a manager, whom statements name by her address."""
    return fresh.world.person("ana", manager=bea)


def forget(endpoint: Endpoint, days: int = 30) -> Forgotten:
    """Forget, as the nightly job does; whatever waits was taken in before."""
    endpoint.drained()
    index_waiting(endpoint.ctx)
    config = Config(xapi=XapiSection(keep_statements_days=days))
    return forget_statements(endpoint.ctx, config)(lambda: False)


def grown_old(endpoint: Endpoint) -> None:
    """Forty days later."""
    endpoint.drained()
    index_waiting(endpoint.ctx)
    endpoint.clock.pass_by(timedelta(days=40))


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "REST", 0.0)


def looked(**parts: Any) -> dict[str, Any]:
    """A statement that tells of no learning."""
    return statement(verb={"id": "http://example.org/verbs/looked"}, **parts)


def test_nothing_is_forgotten_unless_it_is_asked_for(fresh: Endpoint) -> None:
    client = fresh.client()
    sent = looked()
    client.kept(sent)
    grown_old(fresh)
    assert forget_statements(fresh.ctx, Config())(lambda: False) == Forgotten()
    assert keeping(Config()) == Keeping(0, 0)
    assert client.one(sent["id"])


def test_what_is_old_is_found_no_more_and_leaves_nothing_of_what_it_said(fresh: Endpoint) -> None:
    client = fresh.client()
    old = looked(
        actor=agent("secret-name"),
        object={"id": "https://x.example/secret", "definition": {"name": {"en": "Secret"}}},
        context={
            "registration": new_id(),
            "contextActivities": {"parent": {"id": "https://x.example/secret-parent"}},
        },
    )
    client.kept(old)
    grown_old(fresh)
    new = looked()
    client.kept(new)
    told = forget(fresh)
    assert (told.statements, told.definitions, told.needed.total()) == (1, 1, 0)
    assert client.found() == [new["id"]]
    assert client.found(agent=agent("secret-name")) == []
    for name in ("statementId", "voidedStatementId"):
        answer = client.get("/statements", **{name: old["id"]})
        assert answer.status_code == 404
        assert "keep_statements_days" in answer.json["title"]
    assert client.get("/activities", activityId="https://x.example/secret").json == {
        "id": "https://x.example/secret",
        "objectType": "Activity",
    }
    left = rows(fresh, "SELECT count(*) FROM lrs_terms WHERE statement NOT IN"
                " (SELECT id FROM lrs_statements WHERE forgotten_at IS NULL)")  # fmt: skip
    assert left == 0
    assert rows(fresh, "SELECT count(*) FROM received WHERE body IS NULL") == 1
    assert forget(fresh) == Forgotten()


def test_only_its_own_readers_hear_that_it_was_there(fresh: Endpoint) -> None:
    client, other = fresh.client(), fresh.client(scopes=(Scope.READ_MINE,))
    sent = looked()
    client.kept(sent)
    grown_old(fresh)
    forget(fresh)
    answer = other.get("/statements", statementId=sent["id"])
    assert (answer.status_code, answer.json["title"]) == (404, "There is no such statement.")


def test_what_is_sent_again_is_no_second_statement(fresh: Endpoint, ana: int) -> None:
    client = fresh.client()
    by_id = course("C1", verb={"id": "http://example.org/verbs/looked"})
    without = {k: v for k, v in by_id.items() if k != "id"} | {"actor": agent("zoe")}
    first_time = client.kept(by_id, without)
    grown_old(fresh)
    assert forget(fresh).statements == 2
    assert client.kept(by_id, without) == first_time
    again = json.dumps(by_id).encode()
    put = client.send("PUT", "/statements", again, statementId=by_id["id"])
    assert put.status_code == 204
    assert rows(fresh, "SELECT count(*) FROM received") == 2
    assert fresh.drained().items == 0
    assert client.found() == []


def test_records_and_what_people_did_with_them_stay_as_they_are(
    fresh: Endpoint, ana: int, bea: int
) -> None:
    client = fresh.client()
    sent, unmapped, group = course("C1"), course("nobody-maps-this"), course("other")
    group["actor"] = {"objectType": "Group", "member": [agent("x"), agent("y")]}
    client.kept(sent, unmapped, group)
    grown_old(fresh)
    (item,) = fresh.world.items_of(ana)
    before, told_before = _untouched(fresh), dispositions(fresh)
    told = forget(fresh)
    # Of the group's statement the items of its members go as well.
    assert (told.statements, dict(told.needed)) == (2, {"undecided": 1})
    assert rows(fresh, "SELECT count(*) FROM received WHERE body IS NULL") == 4
    assert _untouched(fresh) == before
    assert client.found() == [sent["id"]]
    fresh.world.submit(ana, item.evidence.id, bea)
    assert forget(fresh).needed == {"undecided": 1}
    fresh.world.verify(bea, item.evidence.id)
    before = _untouched(fresh)
    assert forget(fresh).statements == 1
    assert _untouched(fresh) == before
    assert dispositions(fresh) == told_before
    fresh.world.check_what_is_kept_up()
    lines = explained(fresh.world.ctx, unmapped["id"], {})
    assert any("kept no longer" in line for part in lines.parts for line in part.lines)


def _untouched(endpoint: Endpoint) -> dict[str, Any]:
    tables = ("learning_records", "no_records", "retractions", "evidence", "evidence_records",
              "claims", "accounts", "activities", "activity_aliases", "quarantine",
              "reflections", "submissions", "verifications", "awards")  # fmt: skip
    with endpoint.world.engine.connect() as connection:
        return {name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in tables}


def test_what_waits_to_be_read_or_in_quarantine_is_kept(fresh: Endpoint) -> None:
    client = fresh.client()
    many = {"objectType": "Group", "member": [agent(f"m{n}") for n in range(501)]}
    held = {**course("C1"), "actor": many}
    client.kept(held)
    fresh.drained()
    assert rows(fresh, "SELECT count(*) FROM quarantine") == 1
    waits = looked()
    fresh.clock.pass_by(timedelta(days=1))
    client.kept(waits)
    fresh.clock.pass_by(timedelta(days=40))
    index_waiting(fresh.ctx)
    before = fresh.clock.now() - timedelta(days=30)
    told = forget_old(fresh.ctx, before)
    assert (told.statements, dict(told.needed)) == (0, {"quarantined": 1})
    assert client.one(waits["id"])
    fresh.drained()
    assert forget_old(fresh.ctx, before).statements == 1
    assert client.one(held["id"])


def test_what_is_about_a_forgotten_one_is_not_found_by_it_any_more(fresh: Endpoint) -> None:
    client = fresh.client()
    old = looked(actor=agent("old"))
    about = looked(object={"objectType": "StatementRef", "id": old["id"]}, actor=agent("ana"))
    client.kept(old)
    grown_old(fresh)
    client.kept(about)
    further = looked(object={"objectType": "StatementRef", "id": about["id"]}, actor=agent("zoe"))
    client.kept(further)
    assert len(client.found(agent=agent("old"))) == 3
    assert forget(fresh).statements == 1
    assert client.found(agent=agent("old")) == []
    assert client.found(agent=agent("ana")) == [further["id"], about["id"]]
    assert client.found(agent=agent("zoe")) == [further["id"]]
    fresh.clock.pass_by(timedelta(days=40))
    assert forget(fresh).statements == 2
    assert {name: rows(fresh, f"SELECT count(*) FROM {name}") for name in TABLES} == dict.fromkeys(
        TABLES, 0
    )


def test_a_forgotten_statement_can_be_voided_and_can_have_voided(fresh: Endpoint, ana: int) -> None:
    client = fresh.client()
    taken_back, later = course("C1"), course("C1", id=new_id())
    client.kept(taken_back, voiding(later["id"]))
    grown_old(fresh)
    with fresh.world.engine.begin() as connection:
        # Somebody has decided on the draft: nothing is needed of its statement.
        connection.execute(text("UPDATE claims SET state = 'withdrawn'"))
    assert forget(fresh).statements == 2
    client.kept(voiding(taken_back["id"]), later)
    fresh.drained()
    assert client.found(verb="http://adlnet.gov/expapi/verbs/completed") == []
    assert client.get("/statements", statementId=later["id"]).status_code == 404
    assert client.get("/statements", voidedStatementId=later["id"]).status_code == 200
    assert rows(fresh, "SELECT count(*) FROM learning_records WHERE voided_by IS NULL") == 0
    states = {c.state.value for item in fresh.world.items_of(ana) for c in item.claims}
    assert states <= {"withdrawn"}


def test_a_file_goes_with_the_last_statement_that_brought_it(fresh: Endpoint) -> None:
    client, body, other = fresh.client(), b"a certificate", b"another"
    sent = looked(attachments=[declared(body), declared(other)])
    assert send(client, multipart([first(sent), part(body), part(other)])).status_code == 200
    grown_old(fresh)
    again = looked(attachments=[declared(body)])
    assert send(client, multipart([first(again), part(body)])).status_code == 200
    told = forget(fresh)
    assert (told.statements, told.files) == (1, 1)
    assert body in client.get("/statements", statementId=again["id"], attachments=True).data
    assert rows(fresh, "SELECT count(*) FROM lrs_attachments") == 1


def test_what_is_said_of_an_activity_is_learnt_again(fresh: Endpoint) -> None:
    client, course_id = fresh.client(), "https://x.example/again"
    told = {"id": course_id, "definition": {"name": {"en": "Again"}}}
    client.kept(looked(object=told))
    grown_old(fresh)
    client.kept(looked(object={"id": course_id}))
    assert forget(fresh).definitions == 0
    assert client.get("/activities", activityId=course_id).json["definition"]
    fresh.clock.pass_by(timedelta(days=40))
    assert forget(fresh).definitions == 1
    assert "definition" not in client.get("/activities", activityId=course_id).json
    client.kept(looked(object=told))
    assert client.get("/activities", activityId=course_id).json["definition"]


def test_it_goes_by_batches_and_can_be_stopped(
    fresh: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    client = fresh.client()
    client.kept(*(looked() for _ in range(5)))
    grown_old(fresh)
    before, rounds = fresh.clock.now() - timedelta(days=30), iter((False, True))
    assert forget_old(fresh.ctx, before, lambda: next(rounds)).statements == 2
    assert len(client.found(limit=20)) == 3
    assert forget_old(fresh.ctx, before).statements == 3


def test_how_it_stands_is_told_before_anything_is_done(fresh: Endpoint, ana: int) -> None:
    client = fresh.client()
    client.kept(looked(), course("C1"))
    grown_old(fresh)
    settings = Keeping(0, 30)
    told = stands(fresh.ctx, settings, statements_days=30)
    assert (told.whole, told.statements, told.undecided, told.quarantined) == (2, 1, 1, 0)
    assert told.oldest is not None
    assert len(client.found()) == 2
    assert stands(fresh.ctx, Keeping(30, 0), now=True).whole == 1


def test_a_batch_that_breaks_leaves_no_half_of_it(
    fresh: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    client, body = fresh.client(), b"a certificate"
    sent = [looked(attachments=[declared(body)]) for _ in range(4)]
    assert send(client, multipart([first(*sent), part(body)])).status_code == 200
    grown_old(fresh)
    real, calls = SqlForgetting.drop_bytes, iter((True, False))

    def breaks(*told: Any) -> None:
        if not next(calls):
            raise RuntimeError("the process ends here")
        real(*told)

    monkeypatch.setattr(SqlForgetting, "drop_bytes", breaks)
    before = fresh.clock.now() - timedelta(days=30)
    with pytest.raises(RuntimeError):
        forget_old(fresh.ctx, before)
    left = client.found()
    assert len(left) == 2
    assert body in client.get("/statements", statementId=left[0], attachments=True).data
    monkeypatch.undo()
    assert forget_old(fresh.ctx, before).statements == 2
    assert rows(fresh, "SELECT count(*) FROM lrs_attachments") == 0


def test_a_file_that_is_on_its_way_again_is_not_forgotten(fresh: Endpoint) -> None:
    client, body = fresh.client(), b"a certificate"
    old = looked(attachments=[declared(body)])
    assert send(client, multipart([first(old), part(body)])).status_code == 200
    grown_old(fresh)
    sha2, sent = old["attachments"][0]["sha2"], looked(attachments=old["attachments"])
    before, source = fresh.clock.now() - timedelta(days=30), client.sender.source_id
    forgets = threading.Thread(target=lambda: forget_old(fresh.ctx, before))
    with fresh.world.store.begin() as uow:
        (row,) = uow.lrs.begin_receiving(1)
        uow.lrs.add_attachments([Attachment(sha2, "text/plain", body)], fresh.clock.now())
        forgets.start()
        # It waits for us; if it does not, it is done by then.
        forgets.join(1)
        key = sent["id"].replace("-", "")
        new = NewStatement(key, sent["id"], b"x" * 32, json.dumps(sent).encode(), False)
        envelope = b'{"version":"1.0.3","authority":{"mbox":"mailto:a@b.example"}}'
        assert uow.lrs.add(source, [(row, new)], fresh.clock.now(), (envelope, envelope))
        uow.lrs.attach(source, [(sha2, row)])
    forgets.join()
    assert client.found() == [sent["id"]]
    assert body in client.get("/statements", statementId=sent["id"], attachments=True).data


def test_who_sends_meanwhile_loses_nothing(
    fresh: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    client, body = fresh.client(), b"a certificate that many have"
    old = [looked(attachments=[declared(body)]) for _ in range(12)]
    assert send(client, multipart([first(*old), part(body)])).status_code == 200
    grown_old(fresh)
    new: list[str] = []
    statuses: list[int] = []

    def sends() -> None:
        for number in range(6):
            sent = looked(attachments=[declared(body)])
            again = multipart([first(sent, *old[number : number + 4]), part(body)])
            statuses.append(send(client, again).status_code)
            new.append(sent["id"])

    threads = [threading.Thread(target=sends) for _ in range(3)]
    before = fresh.clock.now() - timedelta(days=30)
    threads.append(threading.Thread(target=lambda: forget_old(fresh.ctx, before)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 18
    forget_old(fresh.ctx, before)
    assert set(client.found(limit=20)) == set(new)
    for each in new:
        assert body in client.get("/statements", statementId=each, attachments=True).data
