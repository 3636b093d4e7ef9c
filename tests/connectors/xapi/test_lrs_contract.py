"""What every LRS must do for the bridge: run on the stand-in always, on a real one if named.

Nothing here knows which of them it talks to.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.domain.errors import NeedsAdministrator
from bridge.domain.ports import Source
from bridge.domain.records import LearningFact, NoRecord, Status
from tests.connectors.xapi.conftest import Peer, statement

RECENT = timedelta(minutes=10)


def test_it_is_what_the_services_ask_for(peer: Peer) -> None:
    source: Source = peer.source()
    assert source.key == peer.settings.key


def test_what_was_sent_is_pulled_page_by_page_with_one_last_page(peer: Peer) -> None:
    ids = peer.send(*(statement(n, when=datetime.now(UTC)) for n in range(1, 8)))
    source = peer.source(page_size=3)
    pages = list(source.pull(peer.started - RECENT))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    # Pages that have come while others were worked on are given together.
    assert source.client.web.calls >= 3
    found = {item.natural_key: item for page in pages for item in page.items}
    assert set(ids) <= set(found)
    fact = found[ids[0]].fact
    assert isinstance(fact, LearningFact)
    assert fact.status is Status.COMPLETED
    assert fact.account.email == "ana@example.org"
    assert fact.activity.iri == "https://lms.example.org/course/view.php?id=1"
    assert pages[-1].whole is False
    bookmark = pages[-1].bookmark
    assert bookmark is not None
    assert bookmark <= datetime.now(UTC) + timedelta(seconds=5)


def test_from_its_bookmark_on_it_gives_what_came_since(peer: Peer) -> None:
    (before,) = peer.send(statement(21, when=datetime.now(UTC)))
    *_, last = peer.source().pull(peer.started - RECENT)
    assert last.bookmark is not None
    (after,) = peer.send(statement(22, when=datetime.now(UTC)))
    found = peer.pulled(last.bookmark - timedelta(minutes=5))
    assert after in found
    assert before in found  # the overlap


def test_ids_in_capitals_are_the_same_ids(peer: Peer) -> None:
    told = statement(31, when=datetime.now(UTC))
    peer.send({**told, "id": told["id"].upper()})
    assert told["id"] in peer.pulled(peer.started - RECENT)


def test_a_voided_statement_is_gone_and_what_voids_it_is_told(peer: Peer) -> None:
    (target,) = peer.send(statement(41, when=datetime.now(UTC)))
    voiding = statement(
        1, "http://adlnet.gov/expapi/verbs/voided", when=datetime.now(UTC),
        object={"objectType": "StatementRef", "id": target},
    )  # fmt: skip
    (by,) = peer.send(voiding)
    found = peer.pulled(peer.started - RECENT)
    fact = found[by].fact
    assert isinstance(fact, NoRecord)
    assert fact.voids == target


def test_what_was_pulled_is_read_again_from_its_bytes(peer: Peer) -> None:
    ids = peer.send(statement(51, when=datetime.now(UTC)))
    source = peer.source()
    for page in source.pull(peer.started - RECENT):
        for item in page.items:
            if item.natural_key in ids:
                assert source.read(item.natural_key, item.body, page.envelope) == item


def test_the_doctor_finds_nothing_to_mend(peer: Peer) -> None:
    peer.send(statement(61, when=datetime.now(UTC)))
    found = peer.source().doctor()
    assert [f.message for f in found if not f.ok and not f.warning] == []


def test_a_wrong_secret_needs_an_administrator(peer: Peer) -> None:
    with pytest.raises(NeedsAdministrator, match=r"secret is not accepted|permission"):
        list(peer.source(secret="wrong").pull(None))
    (finding,) = peer.source(secret="wrong").doctor()
    assert not finding.ok
    assert "wrong" not in repr(peer.source(secret="wrong").settings)
