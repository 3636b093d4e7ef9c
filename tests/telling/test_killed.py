"""Killed at any moment, whoever tells loses no statement, doubles none, and keeps their order."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bridge.demo.lrs import Fault
from bridge.services import telling as service
from tests import processes
from tests.mail.run_sender import RealClock
from tests.support import Completion, World, rule
from tests.telling import run_teller
from tests.telling.told import ToldWorld

COURSES = 12


@contextmanager
def telling(told: Mapping[str, object]) -> Iterator[Callable[[], None]]:
    """Somebody who tells, in a process of its own, running; call it to have it killed."""
    process, _ = processes.start(run_teller.main, told)
    try:
        yield process.kill
    finally:
        process.kill()
        process.join()


@pytest.fixture
def busy(told: ToldWorld) -> ToldWorld:
    """Many decisions wait to be told, and some of them were taken back."""
    world: World = told.world
    world.clock.moment = RealClock().now()
    told.set_up(batch=5)
    world.publish([rule(f"r{n}", f"M{n}", 1, 2) for n in range(COURSES)])
    world.pull(*(Completion(course=f"M{n}", when=world.clock.now()) for n in range(COURSES)))
    first = told.folk.evidence
    for item in world.items_of(told.folk.learner):
        if item.evidence.id == first:
            continue
        world.submit(told.folk.learner, item.evidence.id, told.folk.manager)
        world.verify(told.folk.manager, item.evidence.id)
        told.folk = replace(told.folk, evidence=item.evidence.id)
        told.revoke(1)
    return told


@pytest.mark.parametrize("fault", [None, Fault.CONFLICT, Fault.LOST_ANSWER])
def test_every_statement_arrives_once_and_each_voiding_after_what_it_voids(
    busy: ToldWorld, database_url: str, fault: Fault | None
) -> None:
    lrs = busy.lrs
    lrs.latency = 0.02
    if fault is Fault.LOST_ANSWER:
        lrs.faults.add(fault, 3)
        lrs.faults.add(Fault.CONFLICT)
    elif fault is not None:
        lrs.faults.add(fault)
    told = {"database": database_url, "url": lrs.base_url, "user": lrs.user, "secret": lrs.secret}
    for _ in range(5):
        with telling(told) as kill:
            time.sleep(random.uniform(0, 0.3))  # noqa: S311  no secret
            kill()
    with telling(told), telling(told):
        deadline = time.monotonic() + 120
        while busy.open():
            assert time.monotonic() < deadline, "never finished"
            time.sleep(0.05)
    held = busy.held()
    assert Counter(each["verb"]["id"].rsplit("/", 1)[-1] for each in held) == {
        "verified": 2 * COURSES, "voided": COURSES
    }  # fmt: skip
    ids = [each["id"] for each in held]
    assert len(set(ids)) == len(ids)
    for place, each in enumerate(held):
        if each["object"].get("objectType") == "StatementRef":
            assert each["object"]["id"] in ids[:place]
    assert busy.world.scalar("SELECT count(*) FROM outbox WHERE kind = 'lrs:lrs'") == 3 * COURSES


def test_two_at_once_say_each_thing_once(busy: ToldWorld) -> None:
    """What another process has in hand is left to it, until its lease is over."""
    ctx = busy.world.ctx
    taken = service._claim(ctx, service.telling_of(ctx, "lrs"))
    report = busy.tell()
    told = {each["id"] for each in busy.held()}
    assert report.error == ""
    assert len(told) == report.told
    assert report.told + len(taken) <= 3 * COURSES
    busy.world.clock.advance(minutes=3)
    busy.tell()
    busy.world.clock.advance(minutes=3)
    busy.tell()
    assert len(busy.held()) == 3 * COURSES
