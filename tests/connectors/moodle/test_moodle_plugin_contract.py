"""What a Moodle with the bridge's plugin must do: on the stand-in always, on a real one if named.

A real one joins when BRIDGE_TEST_MOODLE_PLUGIN is set beside its address and token. Nothing here
knows which of them it talks to, and nothing is changed in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.connectors.moodle import MoodleSettings
from bridge.connectors.moodle.feed import Mark
from bridge.connectors.moodle.plugin import (
    ACTIVITIES,
    API,
    CHANGES,
    COMPLETIONS,
    STATUS,
    Changes,
    Snapshot,
    Status,
    ask,
)
from bridge.demo.moodle import StandInMoodle, seed
from bridge.domain.records import LearningFact, Page, Precision, Pulled, cycle_of
from bridge.domain.records import Status as Outcome
from tests.connectors.moodle.conftest import ENV, NOW, REAL, FixedClock, Peer, real_peer


@pytest.fixture
def with_plugin() -> Iterator[StandInMoodle]:
    """The demo's Moodle with the plugin, installed an hour ago and busy since."""
    clock = [NOW - timedelta(hours=1)]
    site = seed.demo_site(NOW, lambda: clock[0], plugin=True)
    clock[0] = NOW - timedelta(minutes=40)
    site.complete(30, 12, NOW - timedelta(minutes=41), grade=90)
    site.delete_user(31)
    site.unenrol(32, next(c for u, c in site.completions if u == 32))
    clock[0] = NOW
    with StandInMoodle(site) as running:
        yield running


@pytest.fixture(params=["stand-in", "real"] if REAL and "plugin" in ENV else ["stand-in"])
def plugged(request: pytest.FixtureRequest) -> Peer:
    """Each Moodle with the plugin."""
    if request.param == "real":
        peer = real_peer()
        return replace(peer, settings=replace(peer.settings, activities=("all",)))
    moodle: StandInMoodle = request.getfixturevalue("with_plugin")
    return Peer(
        MoodleSettings(
            key="moodle",
            url=moodle.base_url,
            token=moodle.site.token_of(seed.SERVICE_USER),
            report=1,
            activities=("all",),
        ),
        FixedClock(),
        30,
    )


def items_of(pages: Iterable[Page]) -> dict[str, Pulled]:
    return {item.natural_key: item for page in pages for item in page.items}


def facts_of(items: Iterable[Pulled]) -> list[LearningFact]:
    return [item.fact for item in items if isinstance(item.fact, LearningFact)]


def status_of(peer: Peer) -> Status:
    return ask(peer.client(), STATUS, {}, Status)


def test_the_plugin_says_what_it_is_and_what_the_caller_may(plugged: Peer) -> None:
    status = status_of(plugged)
    assert status.api == API
    assert int(status.site, 16) >= 0
    assert status.can_read
    assert 0 < status.complete_since <= status.now
    assert abs(status.now - plugged.clock.now().timestamp()) < 300


def test_a_full_pull_is_a_snapshot_in_a_call_a_page(plugged: Peer) -> None:
    source = plugged.source(page_size=100)
    pages = list(source.pull(None))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert source.client.calls <= 2 + len(pages)
    last = pages[-1]
    assert last.full
    assert last.spans == ()
    assert not any(page.coarser for page in pages)
    mark = Mark.read(last.mark)
    assert mark is not None
    assert last.bookmark is not None
    assert last.bookmark.timestamp() == mark.settled <= status_of(plugged).now
    assert items_of(pages) == items_of(plugged.source(page_size=1000).pull(None))


def test_every_completion_has_its_second_its_person_and_its_course(plugged: Peer) -> None:
    items = items_of(plugged.source().pull(None))
    for key, item in items.items():
        if key.endswith(":undated"):
            continue
        (fact,) = facts_of([item])
        assert fact.precision is Precision.SECOND
        assert fact.occurred_at <= plugged.clock.now() + timedelta(minutes=5)
        user = int(fact.account.value)
        if key.startswith("completion:"):
            course = int(fact.activity.value)
            assert key == f"completion:{user}:{course}:{cycle_of(fact.occurred_at)}"
            assert fact.activity.kind == "moodle-course"
        else:
            assert fact.activity.kind == "moodle-activity"
            assert fact.activity.cmid is not None
            inside = f"{fact.activity.course_id}:{fact.activity.cmid}"
            assert key == f"activity:{user}:{inside}:{cycle_of(fact.occurred_at)}"
            assert fact.activity.title == f"{fact.activity.course_title}: {fact.activity.module}"
            assert fact.status in (Outcome.COMPLETED, Outcome.PASSED, Outcome.FAILED)
        assert fact.score is None or 0 <= fact.score <= 1
        if fact.account.deleted:
            assert fact.account.email is fact.account.staff_number is fact.account.username is None


def test_the_plugin_sees_all_that_the_report_sees_under_the_same_keys(plugged: Peer) -> None:
    by_report = items_of(plugged.source(way="report").pull(None))
    by_plugin = items_of(plugged.source(way="plugin").pull(None))
    assert by_report
    assert by_report.keys() <= by_plugin.keys()
    for key, item in by_report.items():
        coarse, fine = facts_of([item, by_plugin[key]])
        assert timedelta(0) <= fine.occurred_at - coarse.occurred_at < timedelta(minutes=1)
        assert (fine.account.email, fine.account.staff_number, fine.account.username) == (
            coarse.account.email, coarse.account.staff_number, coarse.account.username,
        )  # fmt: skip
        assert (fine.activity.idnumber, fine.activity.title, fine.activity.shortname) == (
            coarse.activity.idnumber, coarse.activity.title, coarse.activity.shortname,
        )  # fmt: skip


def test_feed_and_snapshot_give_the_same_bytes(plugged: Peer) -> None:
    pages = list(plugged.source().pull(None))
    whole = items_of(pages)
    status = status_of(plugged)
    long_ago = Mark(status.site, status.complete_since, 0)
    fed = list(plugged.source(page_size=7).pull_on(plugged.clock.now(), str(long_ago)))
    assert fed[-1].last
    assert not fed[-1].full
    changed = items_of(fed)
    assert changed
    assert changed.items() <= whole.items()
    assert {page.envelope for page in (*pages, *fed)} == {pages[0].envelope}
    stems = {stem for page in fed for stem in page.absent}
    assert all(any(key.startswith(stem) for stem in stems) for key in changed)


def test_an_idle_incremental_pull_takes_at_most_four_calls(plugged: Peer) -> None:
    last = list(plugged.source().pull(None))[-1]
    for way in ("auto", "plugin", "report"):
        source = plugged.source(way=way)
        pages = list(source.pull_on(plugged.clock.now(), last.mark))
        assert pages[-1].last
        assert source.client.calls <= 4, way


def test_stored_items_read_again_the_same(plugged: Peer) -> None:
    source = plugged.source()
    for page in source.pull(None):
        for item in page.items:
            assert source.read(item.natural_key, item.body, page.envelope) == item


def test_a_webhooks_note_is_answered_by_what_those_changes_name(plugged: Peer) -> None:
    status = status_of(plugged)
    first = max(1, status.last_id - 3)
    note = f"changes:{first}-{status.last_id}"
    source = plugged.source()
    pages = list(source.look_again([note, "nonsense"]))
    assert not any(page.last for page in pages)
    named = ask(plugged.client(), CHANGES, {"after": first - 1, "since": 0}, Changes)
    assert [change.id for change in named.changes] == sorted(c.id for c in named.changes)
    assert all(change.id >= first for change in named.changes)
    users = {row.userid for row in named.completions}
    users |= {row.userid for row in named.activities}
    assert {int(f.account.value) for f in facts_of(items_of(pages).values())} <= users
    assert {facts.value for page in pages for facts in page.accounts} >= {str(u) for u in users}


def test_only_the_wanted_kinds_of_activities_come(plugged: Peer) -> None:
    kinds = {
        module.modname
        for answer in [ask(plugged.client(), ACTIVITIES, {}, Snapshot)]
        for module in answer.modules
    }
    assert kinds
    (one, *_) = sorted(kinds)
    some = items_of(plugged.source(activities=(one,)).pull(None))
    none = list(plugged.source(activities=()).pull(None))
    assert all(key.startswith("completion:") for key in items_of(none))
    assert none[-1].spans == ("completion:", "unreadable:")
    everything = items_of(plugged.source().pull(None))
    assert items_of(none).items() <= some.items() <= everything.items()


def test_a_snapshot_counts_what_its_filter_selects(plugged: Peer) -> None:
    client = plugged.client()
    answer = ask(client, COMPLETIONS, {"limit": 1000}, Snapshot)
    assert answer.total == len(answer.completions) or answer.more
    course = answer.completions[0].courseid
    some = ask(client, COMPLETIONS, {"courseid": course, "limit": 1000}, Snapshot)
    assert {row.courseid for row in some.completions} == {course}
    assert some.total == len(some.completions) or some.more
    user = answer.completions[0].userid
    theirs = ask(client, COMPLETIONS, {"userid": user}, Snapshot)
    assert {row.userid for row in theirs.completions} == {user}
    assert [course.id for course in some.courses] == [some.completions[0].courseid]
    past = ask(client, COMPLETIONS, {"after": 2**40}, Snapshot)
    assert (past.completions, past.more, past.total) == ([], False, answer.total)
