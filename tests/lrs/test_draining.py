"""What is received becomes records, each with its disposition, and drafts, no more than once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bridge.domain.errors import Refused
from bridge.domain.lrs.readings import Readings
from bridge.domain.lrs.senders import Scope, Trust
from bridge.domain.records import AccountFacts, Disposition
from bridge.services import people
from bridge.services.intake import Intake
from bridge.services.ledger import ledger
from bridge.services.lrs.draining import LOOK_ROUND_EVERY
from tests.lrs.site import Endpoint, agent, statement, voiding
from tests.support import NOW

EXTERNAL = "https://w3id.org/learning-analytics/learning-management-system/external-id"


def course(idnumber: str | None = None, **parts: Any) -> dict[str, Any]:
    """A completion of a course, by somebody who is known by email."""
    definition = {"extensions": {EXTERNAL: idnumber}} if idnumber else {}
    return statement(
        actor=agent("ana"),
        object={"id": f"https://lms.example.org/{idnumber}", "definition": definition},
        timestamp="2026-06-10T09:00:00Z",
        **parts,
    )


def dispositions(endpoint: Endpoint) -> Counter[str]:
    """How many items of all sources have which, in the ledger."""
    found: Counter[str] = Counter()
    for line in ledger(endpoint.world.ctx):
        assert line.adds_up
        found.update(line.counts)
    return +found


def rows(endpoint: Endpoint, sql: str) -> Any:
    """One number of the database."""
    with endpoint.world.engine.connect() as connection:
        return connection.scalar(text(sql))


@pytest.fixture
def ana(fresh: Endpoint) -> int:
    """Somebody with a manager, whom statements name by her address."""
    manager = fresh.world.person("bea")
    return fresh.world.person("ana", manager=manager)


def test_a_completion_becomes_a_draft_of_its_learner(fresh: Endpoint, ana: int) -> None:
    fresh.client().kept(course("C1"))
    tally = fresh.drained()
    assert (tally.items, tally.drafts) == (1, 1)
    (item,) = fresh.world.items_of(ana)
    assert item.claims
    fresh.world.check_what_is_kept_up()


def test_every_statement_has_one_disposition(fresh: Endpoint, ana: int) -> None:
    client = fresh.client()
    known, later = course("C1"), course("C1")
    client.kept(
        known,
        course("nobody-maps-this"),
        course("C1", verb={"id": "http://example.org/verbs/looked"}),
        {**course("C1"), "actor": agent("stranger")},
        {**course("C1"), "actor": {"objectType": "Group", "member": [agent("ana"), agent("x")]}},
        voiding(later["id"]),
        statement(timestamp=None),
    )
    fresh.drained()
    assert rows(fresh, "SELECT count(*) FROM lrs_queue WHERE work = 'drain'") == 0
    told = dispositions(fresh)
    # The group's statement is one item, and each of its members another.
    assert sum(told.values()) == rows(fresh, "SELECT count(*) FROM received") == 9
    fresh.world.check_what_is_kept_up()


def test_the_same_again_is_no_second_record(fresh: Endpoint, ana: int) -> None:
    client = fresh.client()
    batch = [course("C1"), {**course("C1"), "id": None}]
    batch[1].pop("id")
    for _ in range(3):
        client.kept(*batch)
        fresh.drained()
    assert rows(fresh, "SELECT count(*) FROM learning_records") == 2
    assert len(fresh.world.items_of(ana)) == 1


@pytest.mark.parametrize("order", ["before", "after"])
def test_what_its_own_authority_voids_is_no_evidence(fresh: Endpoint, ana: int, order: str) -> None:
    client, other = fresh.client(), fresh.client()
    sent = course("C1")
    batches = [[sent], [voiding(sent["id"])]]
    for batch in batches if order == "after" else batches[::-1]:
        client.kept(*batch)
        fresh.drained()
    states = [c.state.value for item in fresh.world.items_of(ana) for c in item.claims]
    assert set(states) <= {"withdrawn"}
    kept = course("C1")
    client.kept(kept)
    other.kept(voiding(kept["id"]))
    fresh.drained()
    assert rows(fresh, "SELECT count(*) FROM learning_records WHERE disposition = 'evidence'") == 1


def test_what_an_untrusted_sender_says_drafts_nothing_by_itself(fresh: Endpoint, ana: int) -> None:
    fresh.client("content", (Scope.WRITE,), trust=Trust.UNTRUSTED).kept(course("C1"))
    assert fresh.drained().drafts == 0
    assert fresh.world.items_of(ana) == []
    reason = rows(fresh, "SELECT reason FROM learning_records")
    assert reason == "untrusted"


def test_whose_it_is_is_found_though_nothing_more_comes(fresh: Endpoint) -> None:
    site = "https://lms.example.org"
    fresh.drain.readings = Readings(sites={site: "moodle"})
    learner = fresh.world.person("ana", manager=fresh.world.person("bea"))
    sent = course("C1")
    fresh.client().kept({**sent, "actor": {"account": {"homePage": site, "name": "42"}}})
    fresh.drained()
    assert dispositions(fresh) == {"unmatched": 1}
    # Only now the LMS is pulled, and nobody sends another statement.
    with fresh.world.store.begin() as uow:
        source = uow.ops.source("moodle", "moodle", "trusted")
        (account,) = uow.intake.add_accounts(
            source.id, [AccountFacts("moodle-user", "42", username="ana")], NOW
        )
    people.link(fresh.world.ctx, account.id, learner, "They said so.")
    fresh.drained()
    assert dispositions(fresh) == {"unmatched": 1}
    fresh.clock.pass_by(LOOK_ROUND_EVERY)
    fresh.drained()
    assert dispositions(fresh) == {"evidence": 1}
    assert len(fresh.world.items_of(learner)) == 1


def test_a_statement_without_a_moment_happened_when_it_was_stored(
    fresh: Endpoint, ana: int
) -> None:
    sent = course("C1")
    del sent["timestamp"]
    client = fresh.client()
    client.kept(sent)
    assert fresh.drained().drafts == 1
    occurred = rows(fresh, "SELECT occurred_at FROM learning_records")
    assert str(occurred)[:19].replace("T", " ") == client.one(sent["id"])["stored"][:19].replace(
        "T", " "
    )


def test_nothing_verifies_itself(fresh: Endpoint, ana: int) -> None:
    fresh.client().kept(
        course("C1", verb={"id": "https://w3id.org/xapi/tla/verbs/verified"}), course("C1")
    )
    fresh.drained()
    states = {c.state.value for item in fresh.world.items_of(ana) for c in item.claims}
    assert states == {"suggested"}
    assert rows(fresh, "SELECT count(*) FROM awards") == 0


@pytest.mark.parametrize("error", [ValueError("of a kind that nobody thought of"), Refused("no")])
def test_one_that_cannot_be_taken_in_is_set_aside_and_holds_up_nothing(
    fresh: Endpoint, ana: int, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    client = fresh.client()
    client.kept(course("Z1"))
    _, bad, _ = client.kept(course("Z2"), course("Z3"), course("Z4"))
    client.kept(course("Z5"))
    real = Intake.take_stored

    def taking(self: Intake, uow: Any, stored: Any) -> Any:
        if any(item.natural_key == bad for _, item in stored):
            raise error
        return real(self, uow, stored)

    with monkeypatch.context() as patch:
        patch.setattr(Intake, "take_stored", taking)
        tally = fresh.drained()
    assert (tally.items, tally.dispositions[Disposition.QUARANTINED]) == (5, 1)
    assert dispositions(fresh) == {"unmapped": 4, "quarantined": 1}
    assert rows(fresh, "SELECT count(*) FROM lrs_queue WHERE work = 'drain'") == 0
    assert rows(fresh, "SELECT code FROM quarantine") == "cannot-be-taken"
    client.kept(course("Z6"))
    assert fresh.drained().items == 1
    assert dispositions(fresh)["unmapped"] == 5


def test_a_database_that_is_away_sets_nothing_aside(
    fresh: Endpoint, ana: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.client().kept(course("Z2"), course("Z3"))

    def away(*_: Any) -> Any:
        raise OperationalError("select", None, Exception("the server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(Intake, "take_stored", away)
        with pytest.raises(OperationalError):
            fresh.drained()
    assert fresh.drained().items == 2
    assert dispositions(fresh) == {"unmapped": 2}
