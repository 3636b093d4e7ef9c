"""What a learner's profile in the LMS shows of where they stand: kept in step, and ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from bridge.demo.moodle import Fault, seed
from bridge.services import people, profile_status
from tests.services.lms import PLUGIN, Lms, open_lms
from tests.support import Completion, World

SET = "local_competencybridge_set_status"


@pytest.fixture
def lms(world: World) -> Iterator[Lms]:
    """A Moodle with the plugin."""
    with open_lms(world, plugin=True) as lms:
        lms.define(PLUGIN)
        yield lms


def shown(lms: Lms, user: int) -> list[tuple[str, str, str]]:
    with lms.moodle.lock:
        told = lms.moodle.site.statuses.get(user)
    return [(li["title"], li["text"], li["state"]) for li in told["lines"]] if told else []


def test_the_profile_says_where_somebody_stands_and_changes_with_it(lms: Lms) -> None:
    learner = lms.learner(30)
    assert lms.show().shown == 1
    assert shown(lms, 30) == [("Care", "0 of 2 verified and current.", "none")]
    assert lms.moodle.site.statuses[30]["url"] == "https://bridge.example/"
    lms.earns(learner)
    lms.show()
    assert shown(lms, 30) == [("Care", "2 of 2 verified and current.", "current")]
    told = str(lms.moodle.site.statuses)
    assert "What I learned" not in told
    assert "manager" not in told


def test_only_those_whose_standing_changed_cost_anything(lms: Lms) -> None:
    learner = lms.learner(30)
    lms.learner(31)
    assert lms.show().shown == 2
    lms.moodle.forget()
    again = lms.show()
    assert (again.people, lms.moodle.calls()) == (0, 0)
    lms.earns(learner)
    report = lms.show()
    assert (report.people, report.shown, lms.moodle.calls(SET)) == (1, 1, 1)


def test_what_lapses_by_the_calendar_is_shown_that_day(lms: Lms) -> None:
    lms.earns(lms.learner(30))
    lms.show()
    lms.world.clock.advance(days=365)
    profile_status.look_at_changing(lms.world.ctx)
    assert lms.show().people == 0
    lms.world.clock.advance(days=1)
    profile_status.look_at_changing(lms.world.ctx)
    lms.show()
    assert shown(lms, 30) == [("Care", "0 of 2 verified and current; 2 due for review.", "due")]


def test_a_post_that_ends_ends_what_is_shown(lms: Lms) -> None:
    learner = lms.learner(30)
    lms.show()
    today = lms.world.clock.now().date()
    lms.world.post(learner, lms.manager, date(2020, 1, 1), today)
    lms.show()
    lms.world.clock.advance(days=1)
    profile_status.look_at_changing(lms.world.ctx)
    lms.show()
    assert shown(lms, 30) == []


def test_it_ends_with_the_account(lms: Lms) -> None:
    one, other = lms.learner(30), lms.learner(31)
    lms.earns(one)
    lms.show()
    account = lms.world.scalar("SELECT id FROM accounts WHERE value = '30'")
    people.unlink(lms.world.ctx, account, "Not theirs.")
    lms.show()
    assert shown(lms, 30) == []
    # Somebody else's by now: theirs is shown there, as on the newest of their accounts alone.
    people.link(lms.world.ctx, account, other, "It is theirs.")
    lms.show()
    assert [bool(shown(lms, user)) for user in (30, 31)] == [False, True]
    theirs = lms.world.scalar("SELECT id FROM accounts WHERE value = '31'")
    people.unlink(lms.world.ctx, theirs, "Left.")
    lms.show()
    assert shown(lms, 30) == [("Care", "0 of 2 verified and current.", "none")]
    assert shown(lms, 31) == []


def test_merged_and_parted_again(lms: Lms) -> None:
    one, other = lms.learner(30), lms.learner(31)
    lms.earns(one)
    lms.show()
    people.merge(lms.world.ctx, one, other, "One person.")
    lms.show()
    assert [bool(shown(lms, user)) for user in (30, 31)] == [False, True]
    assert shown(lms, 31)[0][1].startswith("2 of 2")
    people.unmerge(lms.world.ctx, one, "Two after all.")
    lms.show()
    assert shown(lms, 30)[0][1].startswith("2 of 2")
    assert shown(lms, 31)[0][1].startswith("0 of 2")


def test_switched_off_everything_is_taken_down(lms: Lms) -> None:
    lms.learner(30)
    lms.show()
    object.__setattr__(lms.target.settings, "profile_status", False)
    lms.show()
    assert shown(lms, 30) == []
    lms.moodle.forget()
    lms.show()
    assert lms.moodle.calls() == 0
    object.__setattr__(lms.target.settings, "profile_status", True)
    assert lms.show().shown == 1


def test_where_the_plugin_is_not_there_it_waits(lms: Lms, world: World) -> None:
    lms.moodle.site.user(seed.SERVICE_USER).capabilities -= {"local/competencybridge:setstatus"}
    lms.learner(30)
    report = lms.show()
    assert (report.shown, report.people, report.error) == (0, 0, "")
    assert lms.moodle.calls(SET) == 0
    lms.moodle.site.user(seed.SERVICE_USER).capabilities |= seed.PLUGIN_ROLE
    world.clock.advance(minutes=2)
    assert lms.show().shown == 1
    # Taken back again: it waits, and goes out when it may.
    lms.moodle.site.user(seed.SERVICE_USER).capabilities -= {"local/competencybridge:setstatus"}
    world.clock.advance(minutes=2)
    lms.learner(31)
    assert lms.show().waiting == 1
    lms.moodle.site.user(seed.SERVICE_USER).capabilities |= seed.PLUGIN_ROLE
    world.clock.advance(hours=7)
    assert lms.show().shown == 1


def test_a_lost_reply_and_maintenance_are_made_up_for(lms: Lms, world: World) -> None:
    lms.learner(30)
    lms.moodle.faults.add(Fault.LOST_REPLY, function=SET, times=2)
    assert lms.show().waiting == 1
    lms.moodle.faults.clear()
    lms.moodle.faults.add(Fault.MAINTENANCE)
    world.clock.advance(hours=7)
    assert lms.show().error
    lms.moodle.faults.clear()
    world.clock.advance(hours=7)
    assert lms.show().shown == 1
    (total,) = profile_status.sums(world.ctx)
    assert (total.shown, total.waiting) == (1, 0)


def test_an_account_deleted_in_moodle_waits_for_nothing(lms: Lms) -> None:
    lms.learner(30)
    lms.moodle.site.delete_user(30)
    report = lms.show()
    assert (report.no_account, report.waiting) == (1, 0)


def given_anew(lms: Lms, user: int) -> None:
    """The account's number is another person's from now on: all that was known of it changed."""
    rest = [each for each in lms.world.source.holds if each.user != str(user)]
    for course, name in (("C1", f"u{user}"), ("C2", "second")):
        told = Completion(str(user), course, email=f"{name}@example.org", staff_number=name)
        lms.world.pull(*rest, told)
    assert lms.world.scalar(f"SELECT count(*) FROM accounts WHERE value = '{user}~1'") == 1


def test_a_number_given_to_somebody_else_shows_nothing_of_whoever_had_it(lms: Lms) -> None:
    lms.learner(30)
    lms.show()
    assert shown(lms, 30)
    given_anew(lms, 30)
    lms.show()
    assert shown(lms, 30) == []


def test_whoever_has_the_number_now_is_shown_in_their_place(lms: Lms) -> None:
    one = lms.learner(30)
    lms.earns(one)
    lms.show()
    lms.world.person("second", manager=lms.manager)
    given_anew(lms, 30)
    for _ in range(2):
        lms.show()
        assert shown(lms, 30) == [("Care", "0 of 2 verified and current.", "none")]
