"""Killing the bridge at any moment loses nothing and doubles nothing (DESIGN 5.7)."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from bridge.demo.moodle import Fault, StandInMoodle, seed
from bridge.jobs import work
from bridge.services import ledger
from bridge.storage.engine import migrate, open_engine
from tests.jobs.site import (
    TestSite,
    cohort_members,
    eventually,
    facts,
    in_step,
    play,
    prepare,
    pulled_whole,
)
from tests.support import NOW, World

BADGES = 3
Facts = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Facts, list[int]]]:
    """What the tables say when nothing goes wrong, and the cohort's members."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('calm') / 'bridge.db'}")
    migrate(engine)
    world = prepare(engine)
    with StandInMoodle(seed.demo_site(NOW)) as moodle:
        at_work = TestSite("", moodle, time.time()).works(engine)
        work.sweep(at_work, "moodle")
        play(world, moodle, BADGES)
        work.deliver(at_work, "moodle")
        yield facts(engine, moodle.base_url), cohort_members(moodle.site)
    engine.dispose()


def slow_down(moodle: StandInMoodle) -> None:
    """Widen the windows: the reads of reports, and the calls that bring a badge."""
    for function in (
        "core_reportbuilder_retrieve_report",
        "core_cohort_search_cohorts",
        "core_cohort_add_cohort_members",
    ):
        moodle.faults.add(Fault.SLOW, value=0.05, function=function)


def some_of(seconds: float) -> float:
    """A random part of so many seconds: the instant to be killed at."""
    return random.uniform(0, seconds)  # noqa: S311  no secret


def kill_often(site: TestSite, times: int, within: float) -> None:
    """Start the bridge and kill it at a random instant, again and again."""
    for _ in range(times):
        run = site.start()
        time.sleep(some_of(within))
        run.kill()


def assert_as_if_undisturbed(
    engine: Engine, world: World, site: TestSite, calm: tuple[Facts, list[int]]
) -> None:
    expected, members = calm
    told = facts(engine, site.moodle.base_url)
    for name in expected:
        assert told[name] == expected[name], name
    assert cohort_members(site.moodle.site) == members
    held = [one.userid for one in site.moodle.site.issued]
    assert sorted(held) == members
    assert all(line.adds_up for line in ledger.ledger(world.ctx))


def test_killed_again_and_again_it_ends_as_if_undisturbed(
    engine: Engine, site: TestSite, undisturbed: tuple[Facts, list[int]]
) -> None:
    world = prepare(engine)
    slow_down(site.moodle)
    kill_often(site, 4, within=1.0)
    with site.running() as run:
        eventually(pulled_whole(engine), "a complete pull")
        play(world, site.moodle, BADGES)
        time.sleep(some_of(0.4))
        run.kill()
    kill_often(site, 3, within=0.6)
    with site.running() as run:
        eventually(in_step(engine, BADGES), "badges on the profiles")
        assert run.end() == 0
    assert_as_if_undisturbed(engine, world, site, undisturbed)


def test_two_at_once_on_postgresql_double_nothing(
    postgres_url: str, moodle: StandInMoodle, undisturbed: tuple[Facts, list[int]]
) -> None:
    site = TestSite(postgres_url, moodle, time.time())
    engine = open_engine(postgres_url)
    world = prepare(engine)
    slow_down(moodle)
    with site.running() as one, site.running() as other:
        eventually(pulled_whole(engine), "a complete pull")
        play(world, moodle, BADGES)
        eventually(in_step(engine, BADGES), "badges on the profiles")
        one.kill()
        moodle.faults.clear()
        assert other.end() == 0
    assert_as_if_undisturbed(engine, world, site, undisturbed)
    engine.dispose()
