"""The jobs by themselves, against the stand-in Moodle: from completions to badges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from bridge.demo.moodle import Fault
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.times import LONDON
from bridge.jobs import work
from bridge.jobs.embedded import EmbeddedJobs, JobTimes
from bridge.jobs.work import Works
from bridge.services import ledger
from bridge.services.context import Context
from bridge.services.course_links import LinksRead
from bridge.services.lrs.forgetting import Forgotten
from bridge.storage import tables as t
from tests.jobs.site import (
    QUICK,
    TestSite,
    cohort_members,
    eventually,
    in_step,
    play,
    prepare,
    pulled_whole,
)
from tests.support import NOW


@contextmanager
def running(works: Works, times: JobTimes = QUICK) -> Iterator[EmbeddedJobs]:
    """The jobs, for the length of the block."""
    jobs = EmbeddedJobs(works, times)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.stop()


def received(engine: Engine) -> int:
    """How many items have come."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(t.received)) or 0


def test_completions_come_in_and_badges_go_out_by_themselves(
    engine: Engine, site: TestSite
) -> None:
    world = prepare(engine)
    with running(site.works(engine)):
        eventually(pulled_whole(engine), "a complete pull")
        assert received(engine) == 840
        users = play(world, site.moodle, 2)
        eventually(in_step(engine, 2), "badges on the profiles")
        learner, course = users[0], 12
        with site.moodle.lock:
            site.moodle.site.complete(learner, course, NOW - timedelta(minutes=5))
        eventually(lambda: received(engine) == 841, "a later completion")
    assert cohort_members(site.moodle.site) == sorted(users)
    assert sorted(one.userid for one in site.moodle.site.issued) == sorted(users)
    assert [line.adds_up for line in ledger.ledger(world.ctx)] == [True]
    with engine.connect() as connection:
        leases = connection.execute(select(t.leases.c.until)).scalars().all()
    assert all(until < NOW for until in leases), "a lease was not given back"


def test_a_failing_job_is_tried_again_at_its_next_time(engine: Engine, site: TestSite) -> None:
    prepare(engine)
    site.moodle.faults.add(Fault.CUT_CONNECTION, function="core_reportbuilder_retrieve_report",
                           times=1, skip=3)  # fmt: skip
    with running(site.works(engine)):
        eventually(pulled_whole(engine), "a complete pull after the failed one")
    outcomes = [run.outcome for run in ledger.runs(site.works(engine).context, 100)]
    assert outcomes[-1] == "failed"
    assert "done" in outcomes


def test_a_job_that_breaks_stops_no_other(
    engine: Engine, site: TestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(engine)
    broken = []

    def breaks(works: Works) -> None:
        broken.append(works)
        raise RuntimeError("a fault in the bridge itself")

    monkeypatch.setattr(work, "draft", breaks)
    with running(site.works(engine)):
        eventually(lambda: len(broken) >= 3, "the broken job again and again")
        eventually(pulled_whole(engine), "a complete pull all the same")


def test_the_nightly_work_is_set_for_the_hour_on_a_london_clock(
    engine: Engine, site: TestSite
) -> None:
    with running(site.works(engine), JobTimes(60, 60, "03:15")) as jobs:
        times = {job.name: job.next_at for job in jobs.next_times()}
    assert set(times) == {
        "pull moodle", "sweep moodle", "deliver to moodle", "reconcile moodle",
        "draft and award", "retire old drafts", "count", "count everybody",
        "look again at moodle",
    }  # fmt: skip
    for name in ("sweep moodle", "reconcile moodle"):
        at = times[name]
        assert at is not None
        assert at.astimezone(LONDON).strftime("%H:%M") == "03:15"


def test_the_sweep_finds_what_has_vanished(engine: Engine, site: TestSite) -> None:
    world = prepare(engine)
    works = site.works(engine)
    work.sweep(works, "moodle")
    user = next(one.userid for one in site.moodle.site.completions.values())
    with site.moodle.lock:
        site.moodle.site.delete_user(user)
    # The same night, another process comes round for nothing.
    work.sweep(works, "moodle")
    assert world.scalar("SELECT count(*) FROM received WHERE gone_at IS NOT NULL") == 0
    four_hours = 4 * 3600
    later = TestSite(site.database, site.moodle, site.started - four_hours).works(engine)
    work.sweep(later, "moodle")
    gone = world.scalar("SELECT count(*) FROM received WHERE gone_at IS NOT NULL")
    assert gone in (4, 5)
    assert [line.adds_up for line in ledger.ledger(world.ctx)] == [True]


def test_reconciling_brings_back_what_was_taken_away_by_hand(
    engine: Engine, site: TestSite
) -> None:
    world = prepare(engine)
    works = site.works(engine)
    work.sweep(works, "moodle")
    (user,) = play(world, site.moodle, 1)
    work.deliver(works, "moodle")
    (issued,) = site.moodle.site.issued
    site.moodle.site.revoke(issued.badgeid, user)
    work.deliver(works, "moodle")
    assert not site.moodle.site.issued
    work.reconcile(works, "moodle")
    assert [one.userid for one in site.moodle.site.issued] == [user]


def test_drafts_grow_too_old_by_themselves(engine: Engine, site: TestSite) -> None:
    world = prepare(engine)
    works = site.works(engine)
    work.sweep(works, "moodle")
    drafts = "SELECT count(*) FROM learning_records WHERE disposition = 'evidence'"
    before = world.scalar(drafts)
    ninety_days = 90 * 86400
    later = TestSite(site.database, site.moodle, site.started - ninety_days).works(engine)
    work.grow_old(later)
    assert world.scalar(drafts) < before
    assert [line.adds_up for line in ledger.ledger(world.ctx)] == [True]


def test_the_sweep_also_reads_the_links_of_courses_and_is_not_held_up_by_them(
    engine: Engine, site: TestSite
) -> None:
    world = prepare(engine)
    works = site.works(engine)
    asked: list[str] = []

    def read(_: Context) -> LinksRead:
        asked.append("moodle")
        raise NeedsAdministrator("The function is not in the service.", peer="moodle")

    work.sweep(replace(works, read_links={"moodle": read}), "moodle")
    assert asked == ["moodle"]
    assert [line.adds_up for line in ledger.ledger(world.ctx)] == [True]
    assert received(engine) == 840


def test_old_statements_are_forgotten_every_night_where_a_site_says_so(
    engine: Engine, site: TestSite
) -> None:
    came: list[bool] = []

    def forget(stop: Callable[[], bool]) -> Forgotten:
        came.append(stop())
        return Forgotten(statements=3)

    works = replace(site.works(engine), forget_statements=forget)
    with running(works, JobTimes(60, 60, "03:15")) as jobs:
        eventually(lambda: came == [False], "the first round, at the start")
        at = next(j.next_at for j in jobs.next_times() if j.name == "forget old statements")
    assert at is not None
    assert at.astimezone(LONDON).strftime("%H:%M") == "03:15"
