"""What every LRS must do with what it is told: the stand-in always, a real one if named.

A real one is named as tests/connectors/xapi/conftest.py says; **statements are added to it**, under
ids of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4, uuid5

import orjson
import pytest

from bridge.connectors.xapi import LrsSettings, LrsTeller
from bridge.connectors.xapi.client import LrsClient
from bridge.connectors.xapi.told import statement_of
from bridge.domain.records import NoRecord, Pulled
from bridge.domain.telling import Act, NewStatement
from tests.connectors.xapi.conftest import Peer, peer  # noqa: F401  the fixture
from tests.telling.test_what_leaves import NEW


@dataclass
class Partner:
    """An LRS that is told, and read from."""

    peer: Peer

    def teller(self, **changes: object) -> LrsTeller:
        settings: LrsSettings = replace(self.peer.settings, **changes)  # type: ignore[arg-type]
        return LrsTeller(settings)

    def new(self, number: int = 1, **changes: object) -> NewStatement:
        now = datetime.now(UTC) - timedelta(minutes=30 - number)
        made = replace(NEW, key=number, id=uuid5(uuid4(), "t"), decided_at=now)
        return replace(made, **changes)  # type: ignore[arg-type]

    def pulled(self, *new: NewStatement) -> dict[str, Pulled]:
        """What it gives back of these."""
        wanted = {str(each.id) for each in new}
        since = datetime.now(UTC) - timedelta(hours=1)
        return {k: v for k, v in self.peer.pulled(since).items() if k in wanted}


@pytest.fixture
def partner(peer: Peer) -> Partner:  # noqa: F811
    """Each LRS."""
    return Partner(peer)


def test_it_takes_a_batch_and_gives_back_what_was_told(partner: Partner) -> None:
    batch = [partner.new(n) for n in range(1, 4)]
    told = partner.teller().tell(batch)
    assert (told.told, told.refused, told.error) == ({1, 2, 3}, {}, None)
    back = partner.pulled(*batch)
    assert len(back) == 3
    for new in batch:
        item = back[str(new.id)]
        assert isinstance(item.fact, NoRecord)
        assert item.fact.code == "about-a-competency"
        value = orjson.loads(item.body)
        sent = orjson.loads(statement_of(new).to_json())
        assert datetime.fromisoformat(value.pop("timestamp")) == new.decided_at
        del sent["timestamp"]
        assert {name: value[name] for name in sent} == sent


def test_told_again_it_is_the_same_and_what_is_new_goes_through(partner: Partner) -> None:
    first, second, third = (partner.new(n) for n in (1, 2, 3))
    assert partner.teller().tell([first]).told == {1}
    told = partner.teller().tell([first, second])
    assert (told.told, told.refused, told.error) == ({1, 2}, {}, None)
    told = partner.teller().tell([first, second, third])
    assert (told.told, told.error) == ({1, 2, 3}, None)
    assert len(partner.pulled(first, second, third)) == 3


def test_a_voiding_is_taken_again_and_again(partner: Partner) -> None:
    first = partner.new(1)
    voiding = partner.new(2, act=Act.VOIDED, about=first.id)
    teller = partner.teller()
    assert teller.tell([first]).told == {1}
    for _ in range(2):
        told = teller.tell([voiding])
        assert (told.told, told.error) == ({2}, None)
    told = partner.teller().tell([first, voiding])
    assert (told.told, told.error) == ({1, 2}, None), "what is voided is there"
    item = partner.pulled(voiding)[str(voiding.id)]
    assert isinstance(item.fact, NoRecord)
    assert (item.fact.code, item.fact.voids) == ("voiding", str(first.id))


def test_a_revocation_stands_beside_what_it_revokes(partner: Partner) -> None:
    first = partner.new(1)
    revoked = partner.new(2, act=Act.REVOKED, about=first.id)
    assert partner.teller().tell([first]).told == {1}
    assert partner.teller().tell([revoked]).told == {2}
    assert len(partner.pulled(first, revoked)) == 2


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_in_each_version_that_it_speaks(partner: Partner, version: str) -> None:
    spoken = LrsClient(partner.peer.settings).about()
    if version == "2.0.0" and version not in spoken:
        pytest.skip("its About does not name this version")
    told = partner.teller(version=version).tell([partner.new(1)])
    assert (told.told, told.refused, told.error) == ({1}, {}, None)


def test_doctor_finds_that_it_can_be_told(partner: Partner) -> None:
    found = partner.teller().doctor()
    assert all(each.ok for each in found), found


def test_a_wrong_secret_is_said_to_be_one(partner: Partner) -> None:
    teller = partner.teller(secret="wrong-0123456789")
    told = teller.tell([partner.new(1)])
    assert told.told == set()
    assert "may write statements" in str(told.error)
    assert not teller.doctor()[0].ok
