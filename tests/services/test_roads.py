"""Badges by roads: ends that converge, one badge for several years, and roads that change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bridge.demo.moodle import Fault
from bridge.services import badge_desk, people, publish
from tests.services.lms import AUTO, COHORT, PLUGIN, Lms, a_year, open_lms
from tests.support import World


@pytest.fixture
def lms(world: World) -> Iterator[Lms]:
    """A Moodle with the plugin."""
    with open_lms(world, plugin=True) as lms:
        yield lms


@pytest.fixture
def stock(world: World) -> Iterator[Lms]:
    """A Moodle as it comes."""
    with open_lms(world, plugin=False) as lms:
        yield lms


def test_an_award_shows_until_the_day_on_which_it_runs_out(lms: Lms) -> None:
    lms.define(PLUGIN)
    lms.earns(lms.learner(30))
    assert lms.deliver().delivered == 1
    assert lms.holds(30) == {"LLR Core": "2027-06-15"}
    assert lms.states() == [("2026", "plugin", "held", "held", False)]
    lms.world.clock.advance(days=400)
    assert publish.lapsed(lms.world.ctx) == []


def test_a_new_year_renews_the_same_badge(lms: Lms) -> None:
    lms.define(PLUGIN)
    learner = lms.learner(30)
    lms.earns(learner)
    lms.deliver()
    (first,) = lms.moodle.site.issued_to(30)
    lms.world.clock.moment += a_year()
    lms.earns(learner)
    assert lms.deliver().delivered >= 1
    assert lms.holds(30) == {"LLR Core": "2028-06-16"}
    assert lms.moodle.site.issued_to(30)[0].uniquehash == first.uniquehash
    assert lms.reconcile().drifted == 0
    assert {s[3] for s in lms.states()} == {"held"}


def test_with_the_year_in_its_name_there_is_a_badge_a_year(lms: Lms) -> None:
    lms.define({"via": "plugin", "badge": "LLR Core {year}"})
    learner = lms.learner(30)
    lms.earns(learner)
    lms.deliver()
    lms.world.clock.moment += a_year()
    lms.earns(learner)
    lms.deliver()
    core = {name: end for name, end in lms.holds(30).items() if name.startswith("LLR")}
    assert core == {"LLR Core 2026": "2027-06-15", "LLR Core 2027": "2028-06-16"}


def test_an_award_that_rests_on_new_verification_is_renewed_in_its_period(lms: Lms) -> None:
    lms.define(PLUGIN)
    learner = lms.learner(30)
    made = lms.earns(learner)
    lms.deliver()
    lms.world.clock.advance(days=30)
    # Verified again, and then the first word is taken back: it rests on the second from now on.
    lms.earns(learner)
    lms.loses(made)
    assert lms.states() == [("2026", "plugin", "held", "outdated", False)]
    assert lms.deliver().delivered == 1
    assert lms.holds(30) == {"LLR Core": "2027-07-15"}


def test_withdrawing_the_new_year_gives_back_the_old_one_as_it_was(lms: Lms) -> None:
    """The old award stands, though it ran out; the new one's end must not stay."""
    lms.define(PLUGIN)
    learner = lms.learner(30)
    lms.earns(learner)
    lms.deliver()
    lms.world.clock.moment += a_year()
    made = lms.earns(learner)
    lms.deliver()
    lms.loses(made)
    lms.deliver()
    assert lms.holds(30) == {"LLR Core": "2027-06-15"}
    assert sorted(s[:4] for s in lms.states()) == [
        ("2026", "plugin", "held", "held"), ("2027", "plugin", "absent", "absent"),
    ]  # fmt: skip


def test_withdrawing_an_old_year_never_takes_away_what_a_newer_one_holds(lms: Lms) -> None:
    lms.define(PLUGIN)
    learner = lms.learner(30)
    lms.earns(learner)
    lms.deliver()
    lms.world.clock.moment += a_year()
    lms.earns(learner)
    # Both at once: before the new one was ever delivered.
    with lms.world.store.begin() as uow:
        uow.awards.withdraw(1, "a word of then was taken back", lms.world.clock.now())
    lms.deliver()
    assert lms.holds(30) == {"LLR Core": "2028-06-16"}
    assert sorted(s[:4] for s in lms.states()) == [
        ("2026", "plugin", "absent", "absent"), ("2027", "plugin", "held", "held"),
    ]  # fmt: skip
    assert lms.moodle.calls("local_competencybridge_revoke_badges") == 0


def test_an_account_that_changed_hands_keeps_what_its_new_owner_earned(lms: Lms) -> None:
    lms.define(PLUGIN)
    one, other = lms.learner(30), lms.learner(31)
    made = lms.earns(one)
    lms.earns(other)
    lms.deliver()
    account = lms.world.scalar("SELECT id FROM accounts WHERE value = '30'")
    theirs = lms.world.scalar("SELECT id FROM accounts WHERE value = '31'")
    people.unlink(lms.world.ctx, theirs, "Gone.")
    people.link(lms.world.ctx, account, other, "It is theirs.")
    lms.deliver()
    lms.loses(made)
    lms.deliver()
    lms.world.clock.advance(hours=7)
    lms.reconcile()
    assert lms.holds(30) == {"LLR Core": "2027-06-15"}


def test_an_end_changed_by_hand_is_put_right(lms: Lms) -> None:
    lms.define(PLUGIN)
    lms.earns(lms.learner(30))
    lms.deliver()
    lms.moodle.site.issued_to(30)[0].dateexpire = None
    report = lms.reconcile()
    assert (report.drifted, report.delivered) == (1, 1)
    assert lms.holds(30) == {"LLR Core": "2027-06-15"}


# --- roads that change --------------------------------------------------------------------------
def test_going_over_to_the_plugin_loses_and_doubles_nothing(stock: Lms) -> None:
    stock.define(AUTO)
    learner = stock.learner(30)
    stock.earns(learner)
    stock.deliver()
    assert stock.states() == [("2026", "cohort", "held", "held", False)]
    stock.install()
    report = stock.reconcile()
    assert set(stock.holds(30)) == {"LLR Core", "LLR Core 2026"}
    assert sorted(stock.states()) == [
        ("2026", "cohort", "absent", "held", True), ("2026", "plugin", "held", "held", False),
    ]  # fmt: skip
    # What stock Moodle keeps is the administrator's, with the page; nothing awards it again.
    (words,) = report.needs_you
    assert "/badges/recipients.php" in words
    assert stock.moodle.site.cohorts[3].members == []
    # They took it away: seen by itself.
    badge = next(b for b in stock.moodle.site.badges.values() if b.name == "LLR Core 2026")
    stock.moodle.site.revoke(badge.id, 30)
    assert stock.reconcile().needs_you == []
    assert set(stock.holds(30)) == {"LLR Core"}
    # The plugin is away for a day: nothing is issued twice.
    stock.moodle.site.plugin, kept = None, stock.moodle.site.plugin
    stock.world.clock.advance(minutes=2)
    made = stock.earns(stock.learner(31))
    stock.deliver()
    assert set(stock.holds(31)) == {"LLR Core 2026"}
    assert set(stock.holds(30)) == {"LLR Core"}
    stock.moodle.site.plugin = kept
    assert made


def test_the_old_badge_stays_until_the_new_one_is_there(stock: Lms) -> None:
    stock.define(PLUGIN)
    stock.install()
    stock.earns(stock.learner(30))
    stock.deliver()
    # To a cohort that does not exist: what is held stays until somebody makes it.
    stock.define({"via": "cohort", "cohort": "NONE-{year}", "badge": "None {year}"})
    stock.world.awarded()
    stock.deliver()
    stock.reconcile()
    assert set(stock.holds(30)) == {"LLR Core"}
    stock.define(COHORT)
    stock.world.awarded()
    stock.world.clock.advance(hours=7)
    stock.deliver()
    stock.reconcile()
    assert set(stock.holds(30)) == {"LLR Core 2026"}


def test_there_and_back_again_holds_one(lms: Lms) -> None:
    lms.define(PLUGIN)
    learner = lms.learner(30)
    lms.earns(learner)
    lms.deliver()
    for settings in (COHORT, PLUGIN, COHORT, PLUGIN):
        lms.define(settings)
        lms.world.awarded()
        lms.deliver()
        lms.world.clock.advance(hours=7)
        lms.reconcile()
    assert "LLR Core" in lms.holds(30)
    assert len(lms.states()) == 2
    assert [s[3] for s in lms.states() if s[1] == "plugin"] == ["held"]


def test_another_cohort_for_the_same_badge_asks_nobody_for_anything(stock: Lms) -> None:
    stock.define(COHORT)
    stock.earns(stock.learner(30))
    stock.deliver()
    stock.define({**COHORT, "cohort": "LLR-RESPOND-{year}"})
    stock.world.awarded()
    report = stock.deliver()
    assert (report.needs_you, report.out_of_step) == ([], 0)
    assert set(stock.holds(30)) == {"LLR Core 2026"}


def test_a_plugin_that_cannot_be_asked_leaves_everything_as_it_was(lms: Lms) -> None:
    lms.define(AUTO)
    lms.earns(lms.learner(30))
    lms.moodle.faults.add(Fault.MAINTENANCE)
    report = lms.deliver()
    assert "later" in report.error
    assert lms.holds(30) == {}
    lms.moodle.faults.clear()
    lms.world.clock.advance(hours=7)
    assert lms.deliver().delivered == 1
    assert set(lms.holds(30)) == {"LLR Core"}


def test_an_award_withdrawn_before_it_went_out_needs_nobody(lms: Lms) -> None:
    lms.define(PLUGIN)
    learner = lms.world.person("nobody there", manager=lms.manager)
    made = lms.earns(learner)
    assert lms.deliver().needs_you
    lms.loses(made)
    assert lms.deliver().withdrawn == 1
    assert lms.deliver().out_of_step == 0


def test_each_badge_says_what_its_road_means(lms: Lms, world: World) -> None:
    lms.define(AUTO)
    (badge,) = badge_desk.meanings(world.ctx)
    assert badge.targets[0][1].road == "auto"
    (badge,) = badge_desk.meanings(world.ctx, {"moodle": lms.target})
    target, words = badge.targets[0]
    assert (target, words.road) == ("moodle", "plugin")
    assert "expired" in words.expiry
    lms.moodle.site.plugin = None
    world.clock.advance(minutes=2)
    (badge,) = badge_desk.meanings(world.ctx, {"moodle": lms.target})
    assert "taken out of the cohort" in badge.targets[0][1].withdrawal


def test_the_end_of_a_summer_day_is_an_hour_earlier_in_utc(lms: Lms) -> None:
    lms.define(PLUGIN)
    lms.earns(lms.learner(30))
    lms.deliver()
    ends = lms.moodle.site.issued_to(30)[0].dateexpire
    assert ends == datetime(2027, 6, 15, 22, 59, 59, tzinfo=UTC).timestamp()
