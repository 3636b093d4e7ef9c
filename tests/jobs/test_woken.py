"""A note that a webhook left is acted on at once, by whichever process took it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from bridge.demo.moodle import seed
from bridge.domain.times import LONDON
from bridge.jobs import embedded
from bridge.jobs.embedded import JobTimes
from bridge.services import inbox
from bridge.services.context import Context
from bridge.storage import tables as t
from tests.jobs.site import TestSite, eventually, prepare, pulled_whole
from tests.jobs.test_scheduler import received, running
from tests.support import NOW

#: Nothing comes round by itself within a test.
SELDOM = JobTimes(600, 600, f"{(NOW.astimezone(LONDON).hour + 12) % 24:02}:00")


@pytest.fixture
def plugged(site: TestSite) -> TestSite:
    """The site's Moodle with the plugin in it."""
    with site.moodle.lock:
        site.moodle.site.install_plugin()
        site.moodle.site.user(seed.SERVICE_USER).capabilities |= seed.PLUGIN_ROLE
    return site


def leave(ctx: Context, site: TestSite, course: int) -> None:
    """Somebody completes a course, and the plugin says so."""
    with site.moodle.lock:
        site.moodle.site.complete(10, course, NOW - timedelta(minutes=5))
        assert site.moodle.site.plugin is not None
        last = site.moodle.site.plugin.last_id
    inbox.leave_note(ctx, "moodle", f"msg_{last}", f"changes:{last}-{last}")


def free_courses(site: TestSite) -> list[int]:
    """Courses that the person of `leave` has not completed."""
    done = {course for user, course in site.moodle.site.completions if user == 10}
    return sorted(site.moodle.site.courses.keys() - done)


def test_a_note_taken_in_this_process_is_acted_on_when_it_is_woken(
    engine: Engine, plugged: TestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOOK_EVERY", timedelta(hours=1))
    monkeypatch.setattr(embedded, "WATCH_SECONDS", 3600.0)
    prepare(engine)
    works = plugged.works(engine)
    with running(works, SELDOM) as jobs:
        eventually(pulled_whole(engine), "a complete pull")
        for number, course in enumerate(free_courses(plugged)[:3], 1):
            leave(works.context, plugged, course)
            jobs.wake()
            eventually(lambda: received(engine) == 840 + number, "the completion")  # noqa: B023


def test_a_note_taken_by_another_process_is_found_by_a_small_query(
    engine: Engine, plugged: TestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOOK_EVERY", timedelta(hours=1))
    monkeypatch.setattr(embedded, "WATCH_SECONDS", 0.05)
    prepare(engine)
    works = plugged.works(engine)
    with running(works, SELDOM):
        eventually(pulled_whole(engine), "a complete pull")
        leave(works.context, plugged, free_courses(plugged)[0])
        eventually(lambda: received(engine) == 841, "the completion")
    with engine.connect() as connection:
        kinds = connection.execute(select(t.pull_runs.c.kind)).scalars().all()
        runs = connection.scalar(select(func.count()).select_from(t.pull_runs))
    assert (kinds, runs) == (["full"], 1)
