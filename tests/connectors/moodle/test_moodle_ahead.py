"""The next page is asked for while the last is stored, and Moodle never has two calls at once."""

from __future__ import annotations

import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest

from bridge.connectors.moodle import MoodleClient, MoodleSettings, MoodleSource
from bridge.connectors.moodle.client import Answer, Params
from bridge.connectors.moodle.plugin import COMPLETIONS
from bridge.demo.moodle import Fault, StandInMoodle, seed
from bridge.domain.errors import PeerError
from bridge.domain.records import Page
from tests.connectors.moodle.conftest import FixedClock, Peer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RETRIEVE = "core_reportbuilder_retrieve_report"
RESET = "core_reportbuilder_filters_reset"
PATIENCE = 30.0


class Watched(MoodleClient):
    """Notes what is asked and when it was answered, and the most calls that were under way."""

    def __init__(self, peer: Peer, **changes: int) -> None:
        super().__init__(peer.source(**changes).settings)
        self.began: list[str] = []
        self.ended: list[str] = []
        self.most = self._now = 0
        self._lock = threading.Lock()
        self._asked = threading.Condition(self._lock)

    def was_asked(self, times: int, function: str = RETRIEVE) -> bool:
        """Whether this many pages were asked for, be it after a while."""
        with self._lock:
            return self._asked.wait_for(lambda: self.began.count(function) >= times, PATIENCE)

    def fetch(self, function: str, params: Params | None = None, *, once: bool = False) -> Answer:
        with self._lock:
            self.began.append(function)
            self._now += 1
            self.most = max(self.most, self._now)
            self._asked.notify_all()
        try:
            return super().fetch(function, params, once=once)
        finally:
            with self._lock:
                self.ended.append(function)
                self._now -= 1


def watched(peer: Peer, **changes: int) -> tuple[MoodleSource, Watched]:
    source, client = peer.source(**changes), Watched(peer, **changes)
    source.client = client
    return source, client


def start(source: MoodleSource, since: datetime | None) -> Generator[Page, None, None]:
    pages = source.pull(since)
    assert isinstance(pages, Generator)
    return pages


def test_the_next_page_is_asked_for_before_anybody_wants_it(stand_in: Peer) -> None:
    source, client = watched(stand_in, page_size=100)
    pages = start(source, None)
    next(pages)
    assert client.was_asked(2)
    pages.close()


def test_a_snapshot_by_the_plugin_is_asked_for_ahead_too_and_one_call_at_a_time() -> None:
    with StandInMoodle(seed.demo_site(NOW, plugin=True)) as moodle:
        moodle.faults.add(Fault.SLOW, value=0.02, function=COMPLETIONS)
        token = moodle.site.token_of(seed.SERVICE_USER)
        peer = Peer(MoodleSettings("moodle", moodle.base_url, token), FixedClock(), 30)
        source, client = watched(peer, page_size=100)
        pages = start(source, None)
        next(pages)
        assert client.was_asked(2, COMPLETIONS)
        rest = list(pages)
        assert rest[-1].last
        assert client.began.count(COMPLETIONS) == 9
        assert client.most == 1


@pytest.mark.parametrize("since", [None, NOW - timedelta(days=300)])
def test_moodle_never_has_two_calls_at_once(
    stand_in: Peer, moodle: StandInMoodle, since: datetime | None
) -> None:
    moodle.faults.add(Fault.SLOW, value=0.02, function=RETRIEVE)
    source, client = watched(stand_in, page_size=20)
    pages = list(source.pull(since))
    assert pages[-1].last
    assert client.began.count(RETRIEVE) == len(pages) > 2
    assert client.most == 1


def test_who_walks_away_waits_for_what_is_under_way_before_the_filter_is_unset(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.faults.add(Fault.SLOW, value=0.3, function=RETRIEVE, skip=1)
    source, client = watched(stand_in, page_size=5)
    pages = start(source, NOW - timedelta(days=300))
    next(pages)
    assert client.was_asked(2)
    pages.close()
    assert client.most == 1
    assert client.ended[-2:] == [RETRIEVE, RESET]
    assert moodle.site.user_filters == {}


def test_trouble_with_the_next_page_is_told_after_this_one(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.faults.add(Fault.HTML_PAGE, function=RETRIEVE, skip=1)
    source, client = watched(stand_in, page_size=100)
    pages = start(source, None)
    assert len(next(pages).items) == 100
    with pytest.raises(PeerError):
        next(pages)
    assert client.began.count(RETRIEVE) == 2
