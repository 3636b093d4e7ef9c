"""Three ways in, and moving between them: nothing is lost, doubled or made coarser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.connectors.moodle import MoodleSource
from bridge.connectors.moodle.feed import Mark
from bridge.demo.moodle import Fault, StandInMoodle
from bridge.demo.moodle.plugin.feed import READ
from bridge.domain.errors import BadAnswer, NeedsAdministrator, TryLater
from bridge.domain.records import cycle_of, from_epoch
from bridge.services import ledger
from bridge.services import pull as pulling
from bridge.services.pull import PullReport, Trusted
from tests.conftest import Databases
from tests.connectors.moodle.smallsite import (
    COURSES,
    PEOPLE,
    QUIZ,
    RETRIEVE,
    SERVICE,
    small_site,
    source_of,
)
from tests.support import NOW, RULES, FrozenClock, World, opened

CHANGES = "local_competencybridge_get_changes"
COMPLETIONS = "local_competencybridge_get_completions"


@dataclass
class Moved:
    """A bridge and a Moodle whose ways in come and go."""

    world: World
    moodle: StandInMoodle
    ever: set[str] = field(default_factory=set)
    fine: set[str] = field(default_factory=set)
    way: str = "plugin"

    @property
    def site(self) -> Any:
        return self.moodle.site

    def source(self, **changes: Any) -> MoodleSource:
        return source_of(self.moodle, self.world.clock, **changes)

    def pull(self, *, full: bool = False, **changes: Any) -> PullReport:
        trusted = Trusted(self.source(**changes), "moodle", identity=RULES)
        return pulling.pull(self.world.ctx, trusted, full=full, believe=True)

    def open_way(self, way: str) -> None:
        """Let this be the best way that is open."""
        self.way = way
        user, service = self.site.user("svc-bridge"), self.site.services[SERVICE]
        user.capabilities.discard(READ)
        service.functions.discard(RETRIEVE)
        if way == "plugin":
            user.capabilities.add(READ)
        if way != "per-user":
            service.functions.add(RETRIEVE)

    def present(self) -> dict[str, datetime | None]:
        rows = self.world.rows(
            "SELECT r.natural_key, l.occurred_at FROM received r"
            " LEFT JOIN learning_records l ON l.received_id = r.id WHERE r.gone_at IS NULL"
        )
        return {key: _moment(told) for key, told in rows}

    def held(self) -> dict[str, datetime]:
        """What the Moodle holds now, by natural key."""
        return {
            f"completion:{row.userid}:{row.courseid}:{cycle_of(moment)}": moment
            for row in self.site.completions.values()
            if (moment := from_epoch(row.timecompleted or 0))
        }

    def mark(self) -> str:
        return str(self.world.scalar("SELECT mark FROM bookmarks"))


def _moment(told: Any) -> datetime | None:
    if told is None:
        return None
    moment = told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@pytest.fixture
def moved(world: World) -> Iterator[Moved]:
    with StandInMoodle(small_site(world.clock.now)) as running:
        yield Moved(world, running)


def complete(moved: Moved, user: int, course: int, days: float = 1, **more: Any) -> None:
    moved.site.complete(user, course, moved.world.clock.now() - timedelta(days=days), **more)


# --- one way after another ------------------------------------------------------------------


class Step(NamedTuple):
    """One thing that happens, and to whom."""

    name: str
    given: dict[str, Any]


def _step(name: str, **given_: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.builds(lambda **told: Step(name, told), **given_)


WHO = {"user": st.sampled_from(PEOPLE), "course": st.sampled_from(COURSES)}
STEPS = st.one_of(
    _step("complete", **WHO, days=st.sampled_from([0.01, 3, 200]), dated=st.booleans()),
    _step("complete", **WHO, days=st.just(0.5), dated=st.just(True)),
    _step("grade", **WHO, grade=st.sampled_from([55.0, 71.5, 99.0])),
    _step("retake", **WHO),
    _step("reset", course=st.sampled_from(COURSES)),
    _step("unenrol", **WHO),
    _step("suspend", user=st.sampled_from(PEOPLE)),
    _step("way", way=st.sampled_from(["plugin", "report", "per-user"])),
    _step("way", way=st.sampled_from(["plugin", "report", "per-user"])),
    _step("pull", full=st.just(False)),
    _step("pull", full=st.just(False)),
    _step("pull", full=st.just(True)),
    _step("wait", minutes=st.sampled_from([1.5, 20, 3000])),
)


class Life:
    """A Moodle's life, pulled by whichever way is open, and what must hold after each pull."""

    def __init__(self, moved: Moved) -> None:
        self.moved = moved
        self.settled: set[str] = set()

    def complete(self, user: int, course: int, days: float, dated: bool) -> None:
        complete(self.moved, user, course, days, grade=80.0, criteria_dated=dated)

    def grade(self, user: int, course: int, grade: float) -> None:
        if (user, course) in self.moved.site.completions:
            self.moved.site.grade_course(user, course, grade)

    def retake(self, user: int, course: int) -> None:
        """Unlocked and deleted, which fires no event, and completed again."""
        if self.moved.site.completions.pop((user, course), None) is not None:
            complete(self.moved, user, course, 0, grade=90.0)

    def reset(self, course: int) -> None:
        self.moved.site.reset_course(course)

    def unenrol(self, user: int, course: int) -> None:
        self.moved.site.unenrol(user, course)

    def suspend(self, user: int) -> None:
        self.moved.site.suspend(user, suspended=not self.moved.site.users[user].suspended)

    def way(self, way: str) -> None:
        self.moved.open_way(way)

    def wait(self, minutes: float) -> None:
        self.moved.world.clock.advance(minutes=minutes)

    def pull(self, full: bool) -> None:
        moved = self.moved
        report = moved.pull(full=full)
        present, held = moved.present(), moved.held()
        # Doubled: something that never was.
        assert present.keys() <= moved.ever, present.keys() - moved.ever
        # Lost: what this way shows, and what a better one has shown and Moodle still holds.
        shown = set(held) if moved.way == "plugin" else {k for k in held if self._enrolled(k)}
        if not full:
            recent = moved.world.clock.now() - timedelta(days=2)
            shown = {k for k in shown if moved.way == "plugin" or held[k] > recent}
        dated = {k for k in shown if moved.way != "per-user" or self._dated(k)}
        assert dated <= present.keys(), dated - present.keys()
        assert self.settled & held.keys() <= present.keys()
        if moved.way == "plugin":
            self.settled |= held.keys()
        # Made coarser: seconds that were known once.
        for key in self.settled & present.keys() & held.keys():
            assert present[key] == held[key], key
        for line in ledger.ledger(moved.world.ctx):
            assert line.adds_up
        if report.full:
            again = moved.pull(full=True)
            assert again.tally.wrote_nothing, again.tally

    def _enrolled(self, key: str) -> bool:
        _, user, course, _ = key.split(":")
        return bool(self.moved.site.is_enrolled(int(user), int(course)))

    def _dated(self, key: str) -> bool:
        _, user, course, _ = key.split(":")
        return bool(self.moved.site.completions[int(user), int(course)].criteria_dated)

    def note(self) -> None:
        """What there was at any time; of a completion without criteria's dates, undated too."""
        for key in self.moved.held():
            self.moved.ever.add(key)
            if not self._dated(key):
                self.moved.ever.add(f"{key.rpartition(':')[0]}:undated")


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 30), ("postgresql", 6)])
def test_ways_in_any_order_lose_and_double_nothing(
    databases: Databases, kind: str, examples: int
) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(STEPS, min_size=10, max_size=24))
    def lives(steps: list[Step]) -> None:
        clock = FrozenClock(NOW)
        with (
            databases(kind) as url,
            opened(url) as engine,
            StandInMoodle(small_site(clock.now)) as running,
        ):
            life = Life(Moved(World(engine, clock), running))
            for each in steps:
                getattr(life, each.name)(**each.given)
                life.note()
            life.way("plugin")
            life.pull(full=True)
            assert life.moved.present() == life.moved.held()
            seconds = life.moved.world.rows(
                "SELECT DISTINCT l.precision FROM learning_records l JOIN received r"
                " ON r.id = l.received_id WHERE r.gone_at IS NULL"
            )
            assert seconds in ([], [("second",)])

    lives()


def test_the_first_pull_by_the_plugin_sees_everything_whatever_was_asked(moved: Moved) -> None:
    complete(moved, 11, 21, 300)
    moved.open_way("report")
    moved.pull(full=True)
    assert moved.mark() == "report"
    complete(moved, 12, 21, 200)
    moved.open_way("plugin")
    report = moved.pull()
    assert report.full
    assert len(moved.present()) == 2
    assert Mark.read(moved.mark()) is not None


def test_the_plugins_changes_go_on_from_where_the_last_run_had_settled(moved: Moved) -> None:
    clock = moved.world.clock
    clock.advance(hours=1)
    moved.pull()
    mark = Mark.read(moved.mark())
    assert mark is not None
    assert from_epoch(mark.settled) == clock.now() - timedelta(minutes=15)
    clock.advance(minutes=5)
    complete(moved, 11, 21, 300)
    moved.moodle.forget()
    report = moved.pull()
    assert not report.full
    (asked,) = [seen for seen in moved.moodle.requests if seen.function == CHANGES]
    assert asked.params["since"] == str(mark.settled)
    assert moved.moodle.calls() <= 4
    assert len(moved.present()) == 1


@pytest.mark.parametrize("trouble", ["purged", "new site", "restored"])
def test_where_changes_may_be_missing_everything_is_read(moved: Moved, trouble: str) -> None:
    clock, plugin = moved.world.clock, moved.site.plugin
    clock.advance(hours=1)
    moved.site.suspend(14)
    moved.pull()
    moved.site.completions.clear()
    complete(moved, 11, 21, 300)
    if trouble == "purged":
        clock.advance(hours=5)
        plugin.purge(moved.site.now)
    elif trouble == "new site":
        plugin.site = "feedbeef"
        plugin.outbox.clear()
    else:
        plugin.outbox.clear()
        plugin._last_id = 0
    clock.advance(minutes=16)
    assert moved.pull().full
    assert len(moved.present()) == 1
    assert not moved.pull().full


def test_a_weaker_way_takes_nothing_for_gone_and_says_so(moved: Moved) -> None:
    complete(moved, 11, 21, 3)
    complete(moved, 12, 21, 3)
    moved.pull(full=True)
    before = moved.mark()
    moved.site.unenrol(11, 21)
    moved.open_way("report")
    report = moved.pull(full=True)
    assert len(moved.present()) == 2
    assert "sees less, so nothing is taken for gone" in report.note
    assert READ in report.note
    assert moved.mark() == before
    moved.open_way("plugin")
    back = moved.pull()
    assert not back.note
    assert not back.full
    # An administrator who says that the report is to stay is believed.
    moved.pull(full=True, way="report")
    assert len(moved.present()) == 1
    assert moved.mark() == "report"


def test_the_score_of_a_finer_reading_stays_and_its_own_way_may_change_it(moved: Moved) -> None:
    complete(moved, 11, 21, 3, grade=81.256)
    moved.pull(full=True)

    def score() -> float:
        return float(moved.world.scalar("SELECT score FROM learning_records"))

    assert score() == 0.81256
    for way in ("report", "per-user"):
        moved.open_way(way)
        moved.pull(full=True)
        assert score() == 0.81256
    assert moved.world.scalar("SELECT count(*) FROM received_versions") == 0
    moved.open_way("plugin")
    moved.site.grade_course(11, 21, 90)
    moved.pull()
    assert score() == 0.9


def test_a_report_alone_still_corrects_itself(moved: Moved) -> None:
    complete(moved, 11, 21, 3, grade=50)
    moved.open_way("report")
    moved.pull(full=True)
    moved.site.completions[11, 21].grade = None
    moved.pull(full=True)
    assert moved.world.scalar("SELECT score FROM learning_records") is None


def test_what_the_plugin_says_of_people_and_courses_is_taken_without_a_completion(
    moved: Moved,
) -> None:
    complete(moved, 11, 21, 3)
    moved.world.clock.advance(hours=1)
    moved.pull(full=True)
    moved.site.users[11].email = "new@example.org"
    moved.site.happened("user_updated", userid=11)
    moved.site.happened("user_updated", userid=13)
    moved.site.courses[21].fullname = "Renamed"
    moved.site.happened("course_updated", courseid=21)
    moved.pull()
    assert moved.world.rows("SELECT value, email FROM accounts") == [("11", "new@example.org")]
    assert moved.world.rows("SELECT title FROM activity_aliases") == [("Renamed",)]


@pytest.mark.parametrize("told", [0, -1, 1_764_000_000_000, 10**30])
def test_undated_completions_wait_in_quarantine_and_leave_it_once_dated(
    moved: Moved, told: int
) -> None:
    complete(moved, 11, 21, 3)
    moved.site.completions[11, 21].timecompleted = told
    moved.pull(full=True)
    assert list(moved.present()) == ["completion:11:21:undated"]
    assert moved.world.scalar("SELECT count(*) FROM quarantine") == 1
    moved.site.completions[11, 21].timecompleted = int((NOW - timedelta(days=2)).timestamp())
    moved.pull(full=True)
    assert moved.present() == moved.held()


# --- what the plugin is held to -------------------------------------------------------------


def test_a_course_that_was_reset_is_read_whole(moved: Moved) -> None:
    for user in PEOPLE:
        complete(moved, user, 21, 3)
    moved.world.clock.advance(hours=1)
    last = list(moved.source().pull(None))[-1]
    moved.site.reset_course(21)
    complete(moved, 12, 21, 0)
    pages = list(moved.source().pull_on(NOW, last.mark))
    course = next(page for page in pages if "completion:*:21:" in page.absent)
    assert [item.natural_key for item in course.items] == list(moved.held())


def test_a_pair_that_holds_nothing_now_is_told_as_absent(moved: Moved) -> None:
    complete(moved, 11, 21, 3)
    moved.world.clock.advance(hours=1)
    last = list(moved.source().pull(None))[-1]
    moved.site.unenrol(11, 21)
    del moved.site.completions[11, 21]
    pages = list(moved.source().pull_on(NOW, last.mark))
    assert [page.absent for page in pages] == [("completion:11:21:",), ()]
    assert not any(page.items for page in pages)


def test_many_changes_come_in_pages(moved: Moved) -> None:
    moved.world.clock.advance(hours=1)
    last = list(moved.source().pull(None))[-1]
    for user in PEOPLE:
        for course in COURSES:
            complete(moved, user, course, 1)
    pages = list(moved.source(page_size=5).pull_on(NOW, last.mark))
    assert [len(page.items) for page in pages] == [5, 5, 2, 0]
    source = moved.source(page_size=5)
    assert sum(len(page.items) for page in source.look_again(["changes:3-6"])) == 5
    assert source.client.calls == 1


def test_a_snapshot_that_falls_short_proves_nothing(moved: Moved) -> None:
    for user in PEOPLE:
        complete(moved, user, 21, 3)
    source = moved.source(page_size=2, way="plugin")
    pages = source.pull(None)
    next(pages)
    # Rows that are skipped on the way, and still counted.
    for row in moved.site.completions.values():
        row.id = -1
    with pytest.raises(TryLater, match="gave 2"):
        list(pages)


def test_an_answer_of_another_shape_is_not_believed(moved: Moved) -> None:
    moved.moodle.faults.add(Fault.TRUNCATED_BODY, function=COMPLETIONS)
    with pytest.raises(BadAnswer, match="no complete JSON"):
        list(moved.source().pull(None))


def test_a_way_that_was_named_is_not_left(moved: Moved) -> None:
    moved.open_way("report")
    with pytest.raises(NeedsAdministrator, match=READ):
        list(moved.source(way="plugin").pull(None))
    moved.site.plugin = None
    with pytest.raises(NeedsAdministrator, match="not installed"):
        list(moved.source(way="plugin").pull(None))


def test_a_moodle_that_rests_is_waited_for_and_no_weaker_way_tried(moved: Moved) -> None:
    moved.moodle.faults.add(Fault.MAINTENANCE)
    with pytest.raises(TryLater):
        list(moved.source().pull(None))
    assert moved.moodle.calls() == 1


@pytest.mark.parametrize("way", ["plugin", "report"])
def test_an_idle_pull_takes_at_most_four_calls_whatever_the_service_lacks(
    moved: Moved, way: str
) -> None:
    moved.open_way(way)
    if way == "report":
        moved.site.plugin = None
    moved.pull(full=True)
    functions = moved.site.services[SERVICE].functions
    for missing in ("", "core_calendar_get_timestamps"):
        functions.discard(missing)
        moved.moodle.forget()
        moved.pull()
        assert moved.moodle.calls() <= 4, missing


def test_a_reset_course_is_gone_after_the_next_pull_with_all_that_is_inside_it(
    moved: Moved,
) -> None:
    for course in COURSES[:2]:
        complete(moved, 11, course, 3)
    moved.site.complete_activity(11, QUIZ, NOW - timedelta(days=3), state=2, grade=0.9)
    moved.world.clock.advance(hours=1)
    moved.pull(full=True, activities=("all",))
    assert len(moved.present()) == 3
    moved.site.reset_course(21)
    report = moved.pull(activities=("all",))
    assert not report.full
    assert report.tally.vanished == 2
    assert moved.present() == moved.held()


def test_what_was_done_again_takes_the_place_of_the_time_before(moved: Moved) -> None:
    complete(moved, 11, 21, 300)
    moved.world.clock.advance(hours=1)
    moved.pull(full=True)
    del moved.site.completions[11, 21]
    complete(moved, 11, 21, 0)
    assert not moved.pull().full
    assert moved.present() == moved.held()
    assert moved.world.scalar("SELECT count(*) FROM received") == 2
