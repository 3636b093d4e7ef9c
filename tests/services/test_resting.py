"""Peers in maintenance: waited out, said once, nobody's failure; one conversation at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bridge.demo.moodle import Fault
from bridge.domain.errors import BadAnswer, InMaintenance, LostLease, TryLater
from bridge.domain.peers import Rest
from bridge.domain.ports import Source
from bridge.domain.records import Page
from bridge.services import inbox, publish, turns
from bridge.services.pull import Trusted, pull
from bridge.services.resting import back_off
from bridge.services.status import Health, StatusReader
from bridge.services.talking import conversation
from tests.services.lives import REPORT, Moodle, moodle_beside
from tests.support import Cast, Completion, ListSource, World, cast

EVERY = timedelta(minutes=15)


@pytest.fixture
def moodle(world: World) -> Iterator[Moodle]:
    with moodle_beside(world, REPORT) as running:
        yield running


def rounds(moodle: Moodle, hours: float, every: float = 15) -> int:
    """Jobs come round for so many hours; how often Moodle was asked."""
    moodle.server.forget()
    end = moodle.world.clock.now() + timedelta(hours=hours)
    while moodle.world.clock.now() < end:
        moodle.world.clock.advance(minutes=every)
        with contextlib.suppress(TryLater):
            turns.pull_in_turn(moodle.world.ctx, moodle.trusted, EVERY)
    return moodle.server.calls()


@pytest.mark.parametrize(
    "fault",
    [Fault.MAINTENANCE, Fault.SITE_MAINTENANCE, Fault.UPGRADE_RUNNING, Fault.DATABASE_DOWN],
)
def test_a_night_of_maintenance_is_one_line_and_few_questions(moodle: Moodle, fault: Fault) -> None:
    moodle.server.faults.add(fault)
    before = moodle.world.scalar("SELECT count(*) FROM pull_runs")
    asked = rounds(moodle, 8)
    # Once in half an hour at most, by and by.
    assert 8 <= asked <= 24
    runs = moodle.world.rows("SELECT outcome FROM pull_runs ORDER BY id")[before:]
    assert runs == [("maintenance",)]
    status = StatusReader(moodle.world.ctx, "SQLite", ["moodle"], ["moodle"]).status()
    (source,), (target,) = status.sources, status.targets
    assert source.health is Health.WAITING
    assert source.words.startswith("In maintenance since 10:15, tried again at ")
    assert target.reasons[0] == source.words
    moodle.server.faults.clear()
    rounds(moodle, 1)
    status = StatusReader(moodle.world.ctx, "SQLite", ["moodle"], ["moodle"]).status()
    assert status.sources[0].words == "The last pull was complete."
    assert moodle.world.scalar("SELECT count(*) FROM peer_rests") == 0


def test_nothing_is_concluded_from_a_maintenance_in_the_middle_of_finding_out(
    moodle: Moodle,
) -> None:
    moodle.site.unenrol(10, 2)
    moodle.server.faults.add(
        Fault.SITE_MAINTENANCE, function="core_completion_get_course_completion_status"
    )
    with pytest.raises(InMaintenance):
        moodle.sweep()
    assert moodle.gone() == {}
    moodle.server.faults.clear()
    moodle.sweep()
    assert set(moodle.gone().values()) == {"left"}


def test_a_time_that_the_peer_named_holds_for_all_that_is_done_with_it(world: World) -> None:
    folk = cast(world)
    publishable(world, folk)
    world.source.before_page = raising(InMaintenance("closed", retry_after=7200))
    with pytest.raises(InMaintenance):
        world.pull()
    world.clock.advance(minutes=119)
    report = world.deliver()
    assert (report.nothing, world.target.calls) == (True, [])
    assert report.resting.startswith("In maintenance since 10:00, tried again at 12:00.")
    with pytest.raises(TryLater, match="In maintenance since"):
        publish.reconcile(world.ctx, world.target)
    assert turns.pull_in_turn(world.ctx, world.trusted, EVERY) is None
    world.clock.advance(minutes=2)
    assert world.deliver().delivered == 1
    assert world.scalar("SELECT count(*) FROM peer_rests") == 0


def test_a_target_in_maintenance_has_no_attempts_in_vain(world: World) -> None:
    folk = cast(world)
    publishable(world, folk)
    world.target.fail = InMaintenance("closed")
    for _ in range(10):
        world.deliver()
        world.clock.advance(minutes=40)
    assert world.rows("SELECT attempts FROM target_states") == [(0,)]
    world.target.fail = None
    assert world.deliver().delivered == 1


def test_webhook_notes_outlive_a_long_maintenance(world: World) -> None:
    cast(world)
    looking = Looking(holds=[Completion("u1", course="CE")], fails=InMaintenance("closed"))
    trusted = Trusted(looking, "moodle", identity=world.trusted.identity)
    inbox.leave_note(world.ctx, "moodle", "1", "changes:1-2")
    for _ in range(30):
        inbox.fetch_noted(world.ctx, trusted)
        world.clock.advance(hours=1)
    assert world.rows("SELECT attempts, done_at FROM inbox") == [(0, None)]
    # Asked by and by less often, and never more than once in a rest.
    assert looking.looked == 30
    looking.fails = None
    assert inbox.fetch_noted(world.ctx, trusted).done == 1


def test_back_off_doubles_with_jitter_up_to_its_ceiling(world: World) -> None:
    policy = world.ctx.policy
    for attempts in range(30):
        base = min(60 * 2**attempts, 6 * 3600)
        waits = {back_off(policy, attempts).total_seconds() for _ in range(20)}
        assert len(waits) > 1
        assert all(base * 0.75 <= wait <= base * 1.25 for wait in waits)


def test_other_trouble_begins_a_new_count(world: World) -> None:
    cast(world)
    for error in (TryLater("slow"), TryLater("slow"), InMaintenance("closed")):
        world.source.before_page = raising(error)
        with pytest.raises(TryLater):
            world.pull()
        world.clock.advance(hours=1)
    with world.store.reading() as uow:
        rest = uow.peers.rest("moodle")
    assert isinstance(rest, Rest)
    assert (rest.kind, rest.attempts) == ("maintenance", 1)


# --- one conversation at a time


class Talker(ListSource):
    """A source that is held to one conversation at a time."""

    conversation = "m.example:1"


def test_a_pull_and_a_delivery_never_speak_with_one_moodle_at_once(world: World) -> None:
    cast(world)
    source = Talker(holds=[Completion(course="CE")])
    trusted = Trusted(source, "moodle", identity=world.trusted.identity)
    world.target.conversation = "m.example:1"  # type: ignore[attr-defined]
    met: list[str] = []

    def meanwhile(_: int) -> None:
        for do in (world.deliver, lambda: publish.reconcile(world.ctx, world.target)):
            with pytest.raises(LostLease, match="speaking with moodle"):
                do()
            met.append("refused")

    source.before_page = meanwhile
    pull(world.ctx, trusted)
    assert met == ["refused", "refused"]
    source.before_page = lambda _: None
    with conversation(world.ctx, world.target, "moodle"), pytest.raises(LostLease):
        pull(world.ctx, trusted)
    # The other way round it was over at once, and what waits is asked for again.
    assert pull(world.ctx, trusted).complete
    assert world.deliver().error == ""


def test_two_sources_of_one_moodle_are_never_swept_at_once(world: World) -> None:
    cast(world)
    first = Trusted(Talker("one", [Completion("a")]), "moodle")
    second = Trusted(Talker("two", [Completion("b")]), "moodle")

    def meanwhile(_: int) -> None:
        with pytest.raises(LostLease):
            pull(world.ctx, second, full=True)

    assert isinstance(first.connector, Talker)
    first.connector.before_page = meanwhile
    assert pull(world.ctx, first, full=True).complete
    assert pull(world.ctx, second, full=True).complete


def test_a_conversation_that_was_lost_is_taken_over_and_writes_nothing_more(world: World) -> None:
    cast(world)
    source = Talker(holds=[Completion("a"), Completion("b")], page_size=1)
    trusted = Trusted(source, "moodle")

    def hang(number: int) -> None:
        if number == 1:
            world.clock.advance(seconds=121)
            with conversation(world.ctx, source, "moodle"):
                pass

    source.before_page = hang
    with pytest.raises(LostLease, match="taken over"):
        pull(world.ctx, trusted, full=True)


# --- sweeps that go on


class Keyset(ListSource):
    """A source whose full runs go on where they were cut off."""

    began: list[str]

    def pages(self, after: int) -> Iterator[Page]:
        """Pages after the one with that number."""
        starts = range(0, len(self.holds), self.page_size)
        for number, start in list(enumerate(starts))[after:]:
            self.before_page(number)
            part = self.holds[start : start + self.page_size]
            last = number == len(starts) - 1
            yield Page(tuple(c.pulled() for c in part), b"envelope", last=last,
                       resume="" if last else str(number + 1))  # fmt: skip

    def pull(self, since: object) -> Iterator[Page]:
        """From the beginning."""
        self.began.append("anew")
        return self.pages(0)

    def pull_from(self, resume: str) -> Iterator[Page] | None:
        """From there."""
        self.began.append(resume)
        return self.pages(int(resume))


def keyset(world: World) -> tuple[Keyset, Trusted]:
    source = Keyset(holds=[Completion(f"k{n}") for n in range(10)], page_size=2)
    source.began = []
    return source, Trusted(source, "moodle")


def test_a_sweep_that_crashed_goes_on_where_it_was(world: World) -> None:
    source, trusted = keyset(world)
    pull(world.ctx, trusted, full=True)
    source.holds = [c for c in source.holds if c.user not in ("k1", "k8")] + [Completion("k11")]

    def crash(number: int) -> None:
        if number == 2:
            raise BadAnswer("killed")

    source.before_page = crash
    with pytest.raises(BadAnswer):
        pull(world.ctx, trusted, full=True)
    source.before_page = lambda _: None
    world.clock.advance(hours=1)
    # As another process, whose hashes of texts are others.
    other = World(world.engine, world.clock, publish_all=False)
    report = pull(other.ctx, trusted, full=True)
    assert source.began == ["anew", "anew", "2"]
    assert (report.complete, report.tally.items, report.tally.vanished) == (True, 5, 2)
    gone = world.rows("SELECT natural_key FROM received WHERE gone_at IS NOT NULL ORDER BY 1")
    assert [key.split(":")[0] for (key,) in gone] == ["k1", "k8"]
    assert world.scalar("SELECT count(*) FROM sweep_parts") == 0


def test_a_sweep_stops_in_the_morning_and_goes_on_the_next_night(world: World) -> None:
    source, trusted = keyset(world)
    pull(world.ctx, trusted, full=True)
    world.clock.advance(hours=12)
    source.before_page = lambda _: world.clock.advance(minutes=30)
    until = world.clock.now() + timedelta(hours=1)
    report = turns.pull_in_turn(world.ctx, trusted, timedelta(0), full=True, until=until)
    assert report is not None
    assert not report.complete
    assert world.rows("SELECT outcome FROM pull_runs ORDER BY id DESC LIMIT 1") == [("paused",)]
    # By day only what changed is asked for.
    source.began.clear()
    world.clock.advance(hours=13)
    source.before_page = lambda _: None
    day = turns.pull_in_turn(world.ctx, trusted, EVERY)
    assert day is not None
    assert not day.full
    world.clock.advance(hours=9)
    night = turns.pull_in_turn(world.ctx, trusted, timedelta(0), full=True)
    assert night is not None
    assert night.complete
    assert source.began == ["anew", "2"]


def test_a_sweep_that_was_cut_off_long_ago_begins_anew(world: World) -> None:
    source, trusted = keyset(world)
    source.before_page = lambda number: (
        raising(BadAnswer("killed"))(number) if number == 3 else None
    )
    with pytest.raises(BadAnswer):
        pull(world.ctx, trusted, full=True)
    source.before_page = lambda _: None
    world.clock.advance(hours=40)
    assert pull(world.ctx, trusted, full=True).tally.items == 10
    assert source.began == ["anew", "anew"]


class Looking(ListSource):
    """A source that can be told to look again, and may be closed."""

    def __init__(self, holds: list[Completion], fails: Exception | None) -> None:
        super().__init__(holds=holds)
        self.fails = fails
        self.looked = 0

    def look_again(self, notes: object) -> Iterator[Page]:
        """All of it."""
        self.looked += 1
        if self.fails is not None:
            raise self.fails
        yield Page(tuple(c.pulled() for c in self.holds), b"envelope")


def raising(error: Exception):  # type: ignore[no-untyped-def]
    def fail(_: int) -> None:
        raise error

    return fail


def publishable(world: World, folk: Cast) -> None:
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    assert world.awarded()[0] == 1


def as_source(source: Source) -> Source:
    """Mypy looks whether the test's sources are sources."""
    return source


as_source(Talker())
