"""A status page over a populated site in which all sorts of things went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from bridge.demo.moodle import StandInMoodle, seed
from bridge.domain.errors import BadAnswer
from bridge.jobs import work
from bridge.jobs.work import Works
from bridge.services import people
from bridge.services.pull import Trusted, pull
from bridge.services.status import JobTime, StatusReader
from bridge.services.verify import revoke
from bridge.web.status import status_app
from tests.jobs.site import TestSite, play, prepare
from tests.support import NOW, Completion, ListSource, World, opened
from tests.web.site import WebWorld

STRANGER = "Zebedee.Quillfeather@example.org"


@dataclass
class Populated:
    """The site's database, and a browser on its page."""

    world: World
    works: Works
    browser: FlaskClient


@pytest.fixture(scope="module")
def populated(
    databases: Callable[[str], AbstractContextManager[str]],
) -> Iterator[Populated]:
    """200 learners pulled; four badges: in step, waiting for an account, and to be taken away."""
    with (
        databases("sqlite") as url,
        opened(url) as engine,
        StandInMoodle(seed.demo_site(NOW)) as moodle,
    ):
        world = prepare(engine)
        works = TestSite("", moodle, time.time()).works(engine)
        work.sweep(works, "moodle")
        play(world, moodle, 4)
        work.deliver(works, "moodle")
        _revoke_one(world)
        _unlink_one(world)
        work.deliver(works, "moodle")
        _fail_another_source(works)
        jobs = [JobTime("pull moodle", NOW), JobTime("never", None)]
        read = StatusReader(
            works.context, "SQLite", {"moodle", "quiet"}, {"moodle", "quiet"}, lambda: jobs
        )
        yield Populated(world, works, status_app(read, {"bridge.example.org"}).test_client())


def _revoke_one(world: World) -> None:
    """The manager takes a verification back, so a badge is to go that stock Moodle keeps."""
    claim, manager = world.rows("SELECT claim_id, verifier_id FROM verifications ORDER BY id")[0]
    revoke(world.as_(manager), claim, "It was somebody else's work.")


def _unlink_one(world: World) -> None:
    """An account turns out to be nobody's, and a badge is wanted again for its person."""
    ((account, state),) = world.rows(
        "SELECT account_id, id FROM target_states ORDER BY id DESC LIMIT 1"
    )
    people.unlink(world.ctx, account)
    with world.engine.begin() as connection:
        lost = text("UPDATE target_states SET observed = 'absent' WHERE id = :id")
        connection.execute(lost, {"id": state})


def _fail_another_source(works: Works) -> None:
    """One whose answer held somebody's address, and what it gave before was unreadable."""
    source = ListSource("events", [Completion(when=None), Completion("u2")])

    def complain(number: int) -> None:
        raise BadAnswer(f"events: nonsense about {STRANGER}", peer="events")

    trusted = Trusted(source, "events")
    pull(works.context, trusted)
    source.before_page = complain
    with pytest.raises(BadAnswer):
        pull(works.context, trusted)


@pytest.fixture
def pages(world: World) -> WebWorld:
    """The web application over a small published world, on both kinds of database."""
    return WebWorld(world)
