"""Deliveries: desired against observed, read back each time, whatever is lost on the way."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from bridge.domain.errors import NeedsAdministrator, PeerError, TryLater
from bridge.services import people, publish, verify
from bridge.storage.unit import SqlStore
from tests.support import Cast, World, cast

PLACE = ("u1", "safe-2026")


@pytest.fixture
def folk(world: World) -> Cast:
    """A learner with an award that no target holds yet."""
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    world.awarded()
    return folk


def state(world: World) -> tuple[str, str | None, int, str | None, str | None]:
    with world.store.reading() as uow:
        (found,) = uow.awards.states(world.ctx.actor.scope)
    return found.desired, found.observed, found.attempts, found.error, found.needs_you


def test_a_lost_reply_converges_without_a_second_award(world: World, folk: Cast) -> None:
    world.target.fail, world.target.lose_reply = TryLater("cut off"), True
    report = world.deliver()
    assert (report.delivered, report.waiting, report.error) == (0, 1, "cut off")
    assert state(world) == ("held", None, 1, "cut off", None)
    world.target.fail = None
    assert world.deliver().nothing
    world.clock.advance(minutes=2)
    assert world.deliver().delivered == 1
    assert world.target.awarded == [PLACE]
    assert state(world) == ("held", "held", 0, None, None)


def test_what_is_there_already_is_not_sent_again(world: World, folk: Cast) -> None:
    world.target.held.add(PLACE)
    assert world.deliver().delivered == 1
    assert world.target.awarded == []


def test_being_busy_waits_longer_each_time_up_to_a_ceiling(world: World, folk: Cast) -> None:
    world.target.fail = TryLater("busy")
    waits = []
    for _ in range(12):
        began = world.clock.now()
        assert world.deliver().waiting == 1
        with world.store.reading() as uow:
            (found,) = uow.awards.states(world.ctx.actor.scope)
        assert found.next_at is not None
        waits.append((found.next_at - began).total_seconds())
        world.clock.moment = found.next_at - timedelta(seconds=1)
        assert world.deliver().nothing
        world.clock.moment = found.next_at
    for before, after in pairwise(waits[:9]):
        assert after > before
    assert 45 <= waits[0] <= 75
    assert all(wait <= 6 * 3600 * 1.25 for wait in waits)


def test_a_time_named_by_the_target_is_kept(world: World, folk: Cast) -> None:
    world.target.fail = TryLater("busy", retry_after=7200)
    world.deliver()
    world.clock.advance(seconds=7199)
    assert world.deliver().nothing
    world.clock.advance(seconds=1)
    world.target.fail = None
    assert world.deliver().delivered == 1


def test_what_needs_an_administrator_is_said_and_tried_again_later(
    world: World, folk: Cast
) -> None:
    world.target.refuse = "Stock Moodle cannot do that. Do it by hand."
    report = world.deliver()
    assert report.needs_you == [
        "Safe practice 2026, u1: Stock Moodle cannot do that. Do it by hand."
    ]
    assert state(world)[4] == "Stock Moodle cannot do that. Do it by hand."
    assert world.deliver().nothing
    # Done by hand: the nightly look sees it.
    world.target.held.add(PLACE)
    report = publish.reconcile(world.ctx, world.target)
    assert (report.drifted, report.needs_you) == (1, [])
    assert state(world) == ("held", "held", 0, None, None)


def test_a_missing_permission_concerns_everything_of_that_target(world: World, folk: Cast) -> None:
    world.target.fail = NeedsAdministrator("Give moodle/cohort:assign to the service user.")
    report = world.deliver()
    assert report.error.startswith("Give moodle/cohort:assign")
    assert state(world)[4] == "Give moodle/cohort:assign to the service user."


def test_a_badge_removed_by_hand_comes_back(world: World, folk: Cast) -> None:
    world.deliver()
    world.target.held.clear()
    assert world.deliver().nothing
    report = publish.reconcile(world.ctx, world.target)
    assert (report.drifted, report.delivered) == (1, 1)
    assert world.target.held == {PLACE}
    assert publish.reconcile(world.ctx, world.target).drifted == 0


def test_a_badge_given_by_hand_after_a_withdrawal_is_taken_away(world: World, folk: Cast) -> None:
    world.deliver()
    verify.revoke(world.as_(folk.manager), world.claim_id(folk.evidence, 1), "A mistake.")
    world.awarded()
    world.deliver()
    world.target.held.add(PLACE)
    report = publish.reconcile(world.ctx, world.target)
    assert (report.drifted, report.withdrawn) == (1, 1)
    assert world.target.held == set()


def test_reading_in_vain_concludes_nothing(world: World, folk: Cast) -> None:
    world.deliver()
    before = world.dump(["peer_rests"])

    def fail() -> None:
        raise TryLater("maintenance")

    world.target.during = fail
    with pytest.raises(PeerError, match="maintenance"):
        publish.reconcile(world.ctx, world.target)
    assert world.dump(["peer_rests"]) == before


def test_no_network_call_is_made_inside_a_transaction(world: World, folk: Cast) -> None:
    other = SqlStore(world.engine)
    written = []

    def write_meanwhile() -> None:
        with other.begin() as uow:
            uow.ops.lock("awards")
            uow.awards.mark_everyone()
            written.append(uow.people.add("meanwhile", world.clock.now()))

    world.target.during = write_meanwhile
    assert world.deliver().delivered == 1
    publish.reconcile(world.ctx, world.target)
    assert len(written) == len(world.target.calls) >= 4


def test_a_deliverer_that_was_overtaken_writes_nothing(world: World, folk: Cast) -> None:
    """The first hangs past its lease; the second does the work; the first comes back."""
    rival = World(world.engine, world.clock, publish_all=False)
    rival.target = world.target
    seen: list[object] = []

    def overtaken() -> None:
        world.target.during = lambda: None
        world.clock.advance(seconds=121)
        assert rival.deliver().delivered == 1
        seen.append(world.dump())
        world.target.held.clear()
        world.target.fail = TryLater("late failure of the first")

    world.target.during = overtaken
    world.deliver()
    assert seen == [world.dump()]
    assert state(world) == ("held", "held", 0, None, None)


def test_two_at_once_do_not_take_the_same(world: World, folk: Cast) -> None:
    rival = World(world.engine, world.clock, publish_all=False)
    found: list[bool] = []

    def also() -> None:
        world.target.during = lambda: None
        found.append(rival.deliver().nothing)

    world.target.during = also
    assert world.deliver().delivered == 1
    assert found == [True]


def test_somebody_without_an_account_there_is_named(world: World, folk: Cast) -> None:
    account = world.scalar("SELECT id FROM accounts WHERE value = 'u1'")
    people.unlink(world.ctx, account, "Not theirs.")
    (told,) = world.deliver().needs_you
    assert "u1 has no account in moodle" in told
    people.link(world.ctx, account, folk.learner, "It is theirs.")
    world.clock.advance(hours=7)
    assert world.deliver().delivered == 1


def test_a_badge_is_withdrawn_where_it_was_given(world: World, folk: Cast) -> None:
    world.deliver()
    people.unlink(
        world.ctx, world.scalar("SELECT id FROM accounts WHERE value = 'u1'"), "Not theirs."
    )
    verify.revoke(world.as_(folk.manager), world.claim_id(folk.evidence, 1), "A mistake.")
    world.awarded()
    assert world.deliver().withdrawn == 1
    assert world.target.held == set()


def test_the_scope_of_deliveries(world: World, folk: Cast) -> None:
    with world.store.reading() as uow:
        mine = uow.awards.states(world.as_(folk.learner).actor.scope)
        theirs = uow.awards.states(world.as_(folk.other).actor.scope)
    assert [s.person for s in mine] == [folk.learner]
    assert theirs == []
