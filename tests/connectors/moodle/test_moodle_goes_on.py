"""A full sweep by the plugin that was cut off goes on where it stopped, and concludes rightly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.connectors.moodle import MoodleSource
from bridge.connectors.moodle.feed import Resume
from bridge.demo.moodle import StandInMoodle
from bridge.domain.records import Page
from bridge.late import LateFeed
from bridge.services import pull as pulling
from bridge.services.pull import PullReport, Trusted
from tests.conftest import Databases
from tests.connectors.moodle.smallsite import COURSES, PAGE, PEOPLE, QUIZ, small_site, source_of
from tests.support import NOW, RULES, FrozenClock, World, opened

COMPLETIONS = "local_competencybridge_get_completions"
ACTIVITIES = "local_competencybridge_get_activities"


class Killed(BaseException):
    """The process ends at once."""


class Sweeps:
    """A Moodle of small pages, swept by a bridge whose process may be killed."""

    def __init__(self, world: World, moodle: StandInMoodle) -> None:
        self.world, self.moodle = world, moodle
        self.settings: dict[str, Any] = {"page_size": 2, "activities": ("all",)}

    @property
    def site(self) -> Any:
        return self.moodle.site

    def source(self) -> MoodleSource:
        return source_of(self.moodle, self.world.clock, way="plugin", **self.settings)

    def pull(
        self, *, full: bool = False, kill_at: int | None = None, **more: Any
    ) -> PullReport | None:
        """None where the process was killed, after so many pages."""
        world = World(self.world.engine, self.world.clock, publish_all=False)
        left = [kill_at]

        def page(_: int, __: int | None) -> None:
            if left[0] is not None:
                left[0] -= 1
                if left[0] <= 0:
                    raise Killed

        trusted = Trusted(LateFeed("moodle", self.source), "moodle", identity=RULES)
        try:
            return pulling.pull(world.ctx, trusted, full=full, believe=True, progress=page, **more)
        except Killed:
            # Whoever was killed holds its leases until they end.
            self.world.clock.advance(seconds=world.ctx.policy.lease_seconds + 1)
            return None

    def present(self) -> set[str]:
        rows = self.world.rows("SELECT natural_key FROM received WHERE gone_at IS NULL")
        return {key.rpartition(":")[0] for (key,) in rows}

    def held(self) -> set[str]:
        inside = {cmid: module.courseid for cmid, module in self.site.modules.items()}
        return {f"completion:{u}:{c}" for u, c in self.site.completions} | {
            f"activity:{u}:{inside[cmid]}:{cmid}" for u, cmid in self.site.activity_completions
        }

    def everybody(self) -> None:
        for user in PEOPLE:
            for course in COURSES:
                self.site.complete(user, course, NOW - timedelta(days=3))
            for cmid in (QUIZ, PAGE):
                self.site.complete_activity(user, cmid, NOW - timedelta(days=3))


@pytest.fixture
def sweeps(world: World) -> Iterator[Sweeps]:
    with StandInMoodle(small_site(world.clock.now)) as moodle:
        moodle_sweeps = Sweeps(world, moodle)
        moodle_sweeps.everybody()
        world.clock.advance(hours=1)
        yield moodle_sweeps


def test_a_killed_sweep_asks_for_nothing_again_that_it_has(sweeps: Sweeps) -> None:
    assert sweeps.pull(full=True, kill_at=8) is None
    sweeps.moodle.forget()
    report = sweeps.pull(full=True)
    assert report is not None
    assert report.complete
    asked = [(seen.function, seen.params["after"]) for seen in sweeps.moodle.requests
             if seen.function in (COMPLETIONS, ACTIVITIES)]  # fmt: skip
    # Six pages of completions and two of activities were in.
    assert [function for function, _ in asked] == [ACTIVITIES, ACTIVITIES]
    assert asked[0][1] != "0"
    assert sweeps.present() == sweeps.held()
    assert sweeps.world.scalar("SELECT count(*) FROM sweep_parts") == 0


def test_a_sweep_ends_with_the_night_and_goes_on_in_the_next(sweeps: Sweeps) -> None:
    sweeps.pull(full=True)
    sweeps.world.clock.advance(hours=20)
    first = sweeps.pull(full=True, until=sweeps.world.clock.now())
    assert first is not None
    assert not first.complete
    gone = (14, COURSES[2])
    sweeps.site.uncomplete(*gone)
    sweeps.world.clock.advance(hours=24)
    sweeps.moodle.forget()
    second = sweeps.pull(full=True)
    assert second is not None
    assert (second.complete, second.tally.vanished) == (True, 1)
    # Of twelve completions the first page was in; two questions are about what is gone.
    pages = [seen for seen in sweeps.moodle.requests
             if seen.function == COMPLETIONS and seen.params["limit"] == "2"]  # fmt: skip
    assert len(pages) == 5
    assert sweeps.present() == sweeps.held()


def test_what_came_meanwhile_in_a_row_that_lies_behind_is_not_taken_for_gone(
    sweeps: Sweeps,
) -> None:
    """Moodle makes the row of a completion when somebody is enrolled, and dates it later."""
    row = sweeps.site.completions[11, COURSES[0]]
    row.timecompleted, dated = None, row.timecompleted
    assert sweeps.pull(full=True, kill_at=3) is None
    row.timecompleted = dated
    sweeps.site.happened("course_completed", userid=11, courseid=COURSES[0])
    # It comes by day, and so is known when the sweep goes on.
    key = f"completion:11:{COURSES[0]}"
    by_day = pulling.pull(
        sweeps.world.ctx, Trusted(Looking(sweeps.source()), "moodle", identity=RULES)
    )
    assert by_day.complete
    assert key in sweeps.present()
    report = sweeps.pull(full=True)
    assert report is not None
    assert report.complete
    assert report.tally.vanished == 0
    assert sweeps.present() == sweeps.held()


class Looking:
    """The same source, of which only one webhook's changes are read."""

    def __init__(self, source: MoodleSource) -> None:
        self._source = source
        self.key, self.read, self.doctor = source.key, source.read, source.doctor

    def pull(self, since: object) -> Iterator[Page]:
        yield from self._source.look_again(["changes:1-999"])
        yield Page((), b"", last=True, whole=False)


@pytest.mark.parametrize("trouble", ["purged", "new site", "restored", "other kinds", "other way"])
def test_where_it_cannot_go_on_rightly_it_begins_anew(sweeps: Sweeps, trouble: str) -> None:
    plugin = sweeps.site.plugin
    assert sweeps.pull(full=True, kill_at=4) is None
    if trouble == "purged":
        sweeps.world.clock.advance(hours=3)
        plugin.purge(sweeps.site.now)
    elif trouble == "new site":
        plugin.site = "feedbeef"
    elif trouble == "restored":
        plugin.outbox.clear()
        plugin._last_id = 0
    elif trouble == "other kinds":
        sweeps.settings["activities"] = ("quiz",)
    else:
        sweeps.settings["activities"] = ()
    sweeps.moodle.forget()
    report = sweeps.pull(full=True)
    assert report is not None
    assert report.complete
    asked = [seen for seen in sweeps.moodle.requests if seen.function == COMPLETIONS]
    assert asked[0].params["after"] == "0"


def test_rows_that_came_and_went_meanwhile_are_read_from_their_start(sweeps: Sweeps) -> None:
    late = sweeps.site.completions[11, COURSES[0]]
    late.timecompleted, dated = None, late.timecompleted
    assert sweeps.pull(full=True, kill_at=3) is None
    # One more before where it stopped, one less behind: by their number alone one was missed.
    late.timecompleted = dated
    sweeps.site.uncomplete(14, COURSES[2])
    report = sweeps.pull(full=True)
    assert report is not None
    assert report.complete
    assert sweeps.present() == sweeps.held()


def test_where_it_goes_on_fits_into_what_is_kept_of_it(sweeps: Sweeps) -> None:
    sweeps.site.plugin.site = "f" * 32
    sweeps.settings["activities"] = tuple(f"kind{n}" for n in range(60))
    first = next(iter(sweeps.source().pull(None)))
    assert len(first.resume) <= 200
    stood = Resume.read(first.resume)
    assert stood is not None
    assert str(stood) == first.resume
    for text in ("", "report", "plugin:a:1:2", f"{first.resume}:1", first.resume[:-1] + "x"):
        assert Resume.read(text) is None, text


HAPPENS: dict[str, Callable[[Any, int, int], object]] = {
    "completes": lambda s, u, c: s.complete(u, c, s.clock()),
    "deleted": lambda s, u, c: s.uncomplete(u, c),
    "reset": lambda s, u, c: s.reset_course(c),
    "quiz": lambda s, u, c: s.complete_activity(u, QUIZ, s.clock()),
    "left": lambda s, u, c: s.unenrol(u, c),
}


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(list(HAPPENS)), st.sampled_from(PEOPLE), st.sampled_from(COURSES)
        ),
        st.tuples(st.just("sweep"), st.integers(1, 9), st.just(0)),
        st.tuples(st.just("sweep"), st.integers(1, 9), st.just(0)),
        st.tuples(st.just("pull"), st.just(0), st.just(0)),
    ),
    min_size=8,
    max_size=22,
)


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 12), ("postgresql", 3)])
def test_kills_at_any_page_lose_and_double_nothing(
    databases: Databases, kind: str, examples: int
) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def lives(steps: list[tuple[str, int, int]]) -> None:
        clock = FrozenClock(NOW)
        with (
            databases(kind) as url,
            opened(url) as engine,
            StandInMoodle(small_site(clock.now)) as moodle,
        ):
            sweeps = Sweeps(World(engine, clock), moodle)
            sweeps.everybody()
            clock.advance(hours=1)
            for name, one, other in steps:
                clock.advance(minutes=7)
                if name == "sweep":
                    sweeps.pull(full=True, kill_at=one)
                elif name == "pull":
                    sweeps.pull()
                else:
                    HAPPENS[name](sweeps.site, one, other)
            report = sweeps.pull(full=True)
            assert report is not None
            # What was deleted without a word after its page had come is found by the next.
            clock.advance(hours=1)
            assert sweeps.held() <= sweeps.present()
            sweeps.pull(full=True)
            assert sweeps.present() == sweeps.held()
            again = sweeps.pull(full=True)
            assert again is not None
            assert again.tally.wrote_nothing

    lives()
