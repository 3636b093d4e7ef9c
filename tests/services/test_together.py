"""Several processes at once on one PostgreSQL: nothing is doubled and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from bridge.domain.drafting import Redraft
from bridge.domain.errors import LostLease
from bridge.domain.ports import Delivered, Placement
from bridge.services import ledger, people, verify
from bridge.services.context import Context
from tests.support import (
    MAPPING,
    NOW,
    Cast,
    Completion,
    FrozenClock,
    ListTarget,
    World,
    cast,
    opened,
    rule,
)

T = TypeVar("T")


@dataclass
class Parallel:
    """Worlds with an engine each on one database, as so many processes have."""

    worlds: list[World]
    pool: ThreadPoolExecutor

    def at_once(self, act: Callable[[World], T]) -> list[T | Exception]:
        """What came of it for each, all started at the same moment."""
        barrier = threading.Barrier(len(self.worlds))

        def start(world: World) -> T | Exception:
            barrier.wait(30)
            try:
                return act(world)
            except Exception as error:
                return error

        return list(self.pool.map(start, self.worlds))


@pytest.fixture
def parallel(postgres_url: str) -> Iterator[Parallel]:
    with ExitStack() as stack:
        engines = [stack.enter_context(opened(postgres_url)) for _ in range(4)]
        clock = FrozenClock(NOW)
        worlds = [World(e, clock, publish_all=n == 0) for n, e in enumerate(engines)]
        yield Parallel(worlds, stack.enter_context(ThreadPoolExecutor(4)))


MANY = [
    Completion(f"u{user}", course, when=NOW - timedelta(days=age), score=1.0)
    for user in range(12)
    for course in ("C1", "C2", "C9")
    for age in (1, 3, 50)
]


def crowd(world: World) -> list[int]:
    manager = world.person("manager")
    return [world.person(f"u{n}", manager=manager) for n in range(12)]


def test_one_source_is_pulled_by_one_at_a_time(parallel: Parallel) -> None:
    first = parallel.worlds[0]
    crowd(first)
    for world in parallel.worlds:
        world.source.holds, world.source.page_size = MANY, 10
    done = [
        r for r in parallel.at_once(lambda w: w.pull(full=True)) if not isinstance(r, LostLease)
    ]
    assert done
    assert all(not isinstance(report, Exception) for report in done)
    (line,) = ledger.ledger(first.ctx)
    assert (line.received, line.adds_up) == (len(MANY), True)
    # Two dates that are near each other join; each person, course and time has one draft.
    assert first.scalar("SELECT count(*) FROM evidence") == 12 * 2 * 2


def test_several_sources_of_the_same_people_are_pulled_side_by_side(parallel: Parallel) -> None:
    first = parallel.worlds[0]
    crowd(first)
    for number, world in enumerate(parallel.worlds):
        world.source.key = f"source-{number}"
        world.source.holds, world.source.page_size = MANY, 20
    reports = parallel.at_once(lambda w: w.pull())
    assert [r for r in reports if isinstance(r, Exception)] == []
    lines = ledger.ledger(first.ctx)
    assert [line.received for line in lines] == [len(MANY)] * 4
    assert all(line.adds_up for line in lines)


def test_links_and_mappings_that_change_during_pulls_are_not_missed(parallel: Parallel) -> None:
    first, second, third, fourth = parallel.worlds
    crowd(first)
    stranger = first.person("stranger")
    second.source.page_size = third.source.page_size = 1
    second.source.holds = [Completion("unknown", when=NOW - timedelta(days=n)) for n in range(9)]
    second.source.holds += [Completion("u1", when=NOW - timedelta(days=20 + n)) for n in range(9)]

    def do(world: World) -> None:
        if world is second:
            world.pull()
        elif world is third:
            for _ in range(200):
                found = world.rows("SELECT id FROM accounts WHERE value = 'unknown'")
                if found:
                    people.link(world.ctx, found[0][0], stranger, "They said so.")
                    return
                time.sleep(0.01)
        elif world is fourth:
            for n in range(5):
                world.publish([*MAPPING, rule(f"extra{n}", "C1", 4, also=True)])

    assert parallel.at_once(do) == [None] * 4
    assert first.rows("SELECT DISTINCT disposition, pending FROM learning_records") == [
        ("evidence", False)
    ]
    per_draft = first.rows(
        "SELECT DISTINCT count(*) FROM claims WHERE state = 'suggested' GROUP BY evidence_id"
    )
    assert per_draft == [(3,)]
    assert all(line.adds_up for line in ledger.ledger(first.ctx))


@dataclass
class SlowTarget(ListTarget):
    """Takes its time, so that two deliverers meet."""

    def award(self, wanted: Sequence[Placement]) -> list[Delivered]:
        time.sleep(0.02)
        return super().award(wanted)


def verified_crowd(world: World) -> list[int]:
    learners = crowd(world)
    world.pull(*(Completion(f"u{n}") for n in range(12)))
    with world.store.reading() as uow:
        (manager,) = uow.people.find("manager@example.org")
    for learner in learners:
        (item,) = world.items_of(learner)
        world.submit(learner, item.evidence.id, manager.id)
        world.verify(manager.id, item.evidence.id)
    return learners


def test_awards_and_deliveries_are_made_once(parallel: Parallel) -> None:
    first = parallel.worlds[0]
    verified_crowd(first)
    made = parallel.at_once(lambda w: w.awarded()[0])
    assert sum(n for n in made if isinstance(n, int)) == 12
    target = SlowTarget()
    for world in parallel.worlds:
        world.target = target
    reports = parallel.at_once(lambda w: w.deliver().delivered)
    assert sum(n for n in reports if isinstance(n, int)) == 12
    assert sorted(target.awarded) == sorted({(f"u{n}", "safe-2026") for n in range(12)})


class GateClock(FrozenClock):
    """Tells the time; from the second asking on it waits, as a slow transaction does."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.asked = 0
        self.reached, self.open = threading.Event(), threading.Event()

    def now(self) -> datetime:
        self.asked += 1
        if self.asked == 2:
            self.reached.set()
            assert self.open.wait(30)
        return self.moment


def until_somebody_waits(world: World, busy: Future[tuple[int, int, int]]) -> None:
    """Until another connection waits for a lock, or has finished without."""
    for _ in range(500):
        waiting = world.scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        if waiting or busy.done():
            return
        time.sleep(0.01)
    raise AssertionError("neither waits nor ends")


def test_a_revocation_in_flight_is_not_forgotten_by_whoever_looks_at_awards(
    parallel: Parallel,
) -> None:
    """A mark that is set while a person is looked at must outlive that look."""
    first, second = parallel.worlds[:2]
    folk = cast(first)
    first.submit(folk.learner, folk.evidence, folk.manager)
    first.verify(folk.manager, folk.evidence)
    assert first.awarded() == (1, 0, 0)
    with first.store.begin() as uow:
        uow.awards.mark_everyone()
    gate = GateClock()
    boss = first.as_(folk.manager)
    slow = Context(boss.store, gate, boss.vault, boss.actor, boss.policy)
    claim = first.claim_id(folk.evidence, 1)
    revoking = parallel.pool.submit(verify.revoke, slow, claim, "A mistake.")
    assert gate.reached.wait(30)
    looking = parallel.pool.submit(second.awarded)
    until_somebody_waits(first, looking)
    gate.open.set()
    revoking.result(30)
    looking.result(30)
    first.awarded()
    assert first.rows("SELECT status FROM awards") == [("withdrawn",)]


def test_a_person_who_acts_between_a_machines_look_and_its_change_goes_before(
    world: World,
) -> None:
    folk: Cast = cast(world)
    one, two = world.claim_id(folk.evidence, 1), world.claim_id(folk.evidence, 2)
    seen_before = Redraft(add={}, withdraw=(one, two))
    world.submit(folk.learner, folk.evidence, folk.manager, 1)
    with world.store.begin() as uow:
        uow.evidence.apply(seen_before, world.clock.now())
    assert world.states(folk.evidence) == {"1": "submitted", "2": "withdrawn"}
