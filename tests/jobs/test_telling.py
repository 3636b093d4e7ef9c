"""The jobs tell an LRS by themselves, and find what was decided before they ran."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.demo.lrs import StandInLrs
from bridge.domain.scope import SYSTEM, Actor
from bridge.jobs import work
from bridge.jobs.embedded import EmbeddedJobs
from bridge.jobs.work import Works
from tests.jobs.site import QUICK, eventually
from tests.support import World
from tests.telling.told import ToldWorld


@pytest.fixture
def told(world: World) -> Iterator[ToldWorld]:
    with StandInLrs() as lrs:
        yield ToldWorld(world, lrs)


def works(told: ToldWorld) -> Works:
    system = told.world.ctx.acting_as(Actor(SYSTEM, "job"))
    return Works(system, tellers={"lrs": told.teller})


def test_what_was_verified_is_told_and_what_was_missed_is_found(told: ToldWorld) -> None:
    told.verify(1)
    told.not_told()
    told.verify(2)
    told.set_up()
    jobs = EmbeddedJobs(works(told), QUICK)
    jobs.start()
    try:
        eventually(lambda: len(told.held()) >= 1, "what was queued")
        names = {job.name for job in jobs.next_times()}
        assert {"tell lrs", "look for what lrs was not told"} <= names
        eventually(lambda: not told.open(), "nothing is open")
    finally:
        jobs.stop()
    work.look_for_untold(works(told), "lrs")
    work.tell(works(told), "lrs")
    assert told.verbs() == ["verified", "verified"]


def test_once_it_is_to_stop_nothing_more_is_taken_in_hand(told: ToldWorld) -> None:
    told.set_up(batch=1)
    told.verify(1, 2)
    at_work = works(told)
    at_work.stopping.set()
    work.tell(at_work, "lrs")
    assert told.held() == []
    assert len(told.open()) == 2
