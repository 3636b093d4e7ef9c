"""When a source may be asked, from what the tables say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.domain.errors import BadAnswer, NeedsAdministrator, PeerError, TryLater
from bridge.services.turns import pull_in_turn, standing
from tests.support import Completion, World

EVERY = timedelta(minutes=15)


def ask(world: World, *, full: bool = False) -> bool | None:
    """A job comes round: None where the source was left alone, else whether in full."""
    report = pull_in_turn(world.ctx, world.trusted, EVERY, full=full)
    return report.full if report else None


def fail(world: World, error: PeerError, *, full: bool = False) -> None:
    """A job comes round, and the source fails."""

    def raise_it(_: int) -> None:
        raise error

    world.source.before_page = raise_it
    with pytest.raises(type(error)):
        ask(world, full=full)
    world.source.before_page = lambda number: None


def test_the_first_pull_is_in_full_and_the_next_ones_are_not(world: World) -> None:
    world.source.holds = [Completion()]
    assert ask(world) is True
    world.clock.advance(minutes=15)
    assert ask(world) is False


def test_two_processes_with_the_same_rounds_pull_once(world: World) -> None:
    assert ask(world) is True
    world.clock.advance(seconds=2)
    assert ask(world) is None
    world.clock.advance(minutes=15)
    assert ask(world) is False


def test_the_nightly_sweep_does_not_wait_for_a_pull_just_made(world: World) -> None:
    ask(world)
    world.clock.advance(hours=4)
    assert ask(world) is False
    world.clock.advance(seconds=2)
    assert ask(world, full=True) is True
    # Another process comes round for the same night.
    world.clock.advance(minutes=70)
    assert ask(world, full=True) is None


def test_a_source_is_not_asked_before_the_time_it_named(world: World) -> None:
    fail(world, TryLater("moodle is in maintenance", retry_after=3600))
    world.clock.advance(minutes=59)
    assert ask(world) is None
    assert ask(world, full=True) is None
    assert len(world.source.asked) == 1
    world.clock.advance(minutes=2)
    assert ask(world) is True


def test_a_source_that_keeps_failing_is_left_alone_for_longer_each_time(world: World) -> None:
    waits = []
    for _ in range(4):
        fail(world, BadAnswer("nonsense"))
        waited = 0
        while pull_due(world) is False:
            world.clock.advance(seconds=10)
            waited += 10
        waits.append(waited)
    assert waits == [60, 120, 240, 480]


def pull_due(world: World) -> bool:
    """Whether a job would ask the source now, without asking it."""
    now = world.clock.now()
    with world.store.reading() as uow:
        return standing(uow, "moodle", now).not_before(EVERY) <= now


def test_a_pull_that_succeeds_by_hand_ends_the_wait(world: World) -> None:
    fail(world, NeedsAdministrator("no report", peer="moodle"))
    world.clock.advance(seconds=5)
    assert ask(world) is None
    world.pull()
    world.clock.advance(minutes=15)
    assert ask(world) is False


def test_a_sweep_missed_while_switched_off_is_made_up(world: World) -> None:
    ask(world)
    world.clock.advance(hours=40)
    assert ask(world) is True
    world.clock.advance(minutes=15)
    assert ask(world) is False


def test_a_pull_whose_process_was_killed_is_taken_up_once_its_lease_has_run_out(
    world: World,
) -> None:
    class Killed(BaseException):
        pass

    def die(_: int) -> None:
        raise Killed

    world.source.before_page = die
    with pytest.raises(Killed):
        ask(world)
    world.source.before_page = lambda number: None
    assert ask(world) is None
    world.clock.advance(seconds=world.ctx.policy.lease_seconds + 1)
    assert ask(world) is True
