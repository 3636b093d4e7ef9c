"""A site for each test of the jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from bridge.demo.moodle import StandInMoodle, seed
from tests.jobs.site import TestSite
from tests.support import NOW


@pytest.fixture
def moodle() -> Iterator[StandInMoodle]:
    """The demo's Moodle, running, as it stands at NOW."""
    with StandInMoodle(seed.demo_site(NOW)) as running:
        yield running


@pytest.fixture
def site(database_url: str, moodle: StandInMoodle) -> TestSite:
    """A site on a fresh database, of both kinds."""
    return TestSite(database_url, moodle, time.time())


@pytest.fixture
def sqlite_site(
    databases: Callable[[str], AbstractContextManager[str]], moodle: StandInMoodle
) -> Iterator[TestSite]:
    """A site on a fresh SQLite file."""
    with databases("sqlite") as url:
        yield TestSite(url, moodle, time.time())
