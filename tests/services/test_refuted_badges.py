"""Badges that were once lost, kept too long or put in the wrong year: each by what led to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from bridge.domain.ports import Delivered, Placement
from bridge.services import people, strays
from tests.services.lms import AUTO, PLUGIN, Lms, open_lms
from tests.support import World


@pytest.fixture
def lms(world: World) -> Iterator[Lms]:
    """A Moodle with the plugin."""
    with open_lms(world, plugin=True) as lms:
        yield lms


def test_an_award_that_rests_on_new_verification_keeps_the_badge_of_its_year(lms: Lms) -> None:
    lms.define({"via": "plugin", "badge": "LLR Core {year}"})
    learner = lms.learner(30)
    made = lms.earns(learner)
    lms.deliver()
    lms.world.clock.moment = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
    lms.earns(learner)
    lms.loses(made)
    lms.deliver()
    assert lms.holds(30) == {"LLR Core 2026": "2028-02-01"}
    assert len(lms.states()) == 1


def test_a_renewal_during_a_delivery_is_not_lost(lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    lms.define(PLUGIN)
    learner = lms.learner(30)
    made = lms.earns(learner)
    award = lms.target.award

    def meanwhile(wanted: Sequence[Placement]) -> list[Delivered]:
        told = award(wanted)
        monkeypatch.undo()
        lms.world.clock.advance(days=30)
        lms.earns(learner)
        lms.loses(made)
        return told

    monkeypatch.setattr(lms.target, "award", meanwhile)
    lms.deliver()
    lms.deliver()
    assert lms.holds(30) == {"LLR Core": "2027-07-15"}
    assert [s[3] for s in lms.states()] == ["held"]


def test_a_withdrawal_during_a_delivery_does_not_wait_for_what_that_came_to(
    lms: Lms, monkeypatch: pytest.MonkeyPatch
) -> None:
    lms.define(PLUGIN)
    made = lms.earns(lms.learner(30))
    lms.deliver()
    lms.moodle.site.issued_to(30)[0].dateexpire = None
    award = lms.target.award

    def meanwhile(wanted: Sequence[Placement]) -> list[Delivered]:
        monkeypatch.undo()
        site = lms.moodle.site
        site.plugin, kept = None, site.plugin
        lms.world.clock.advance(minutes=2)
        told = award(wanted)
        site.plugin = kept
        lms.world.clock.advance(minutes=2)
        lms.loses(made)
        return told

    monkeypatch.setattr(lms.target, "award", meanwhile)
    lms.reconcile()
    assert lms.deliver().needs_you == []
    assert lms.holds(30) == {}


def test_a_badge_on_an_account_that_is_no_longer_theirs_is_not_in_step(lms: Lms) -> None:
    lms.define(PLUGIN)
    learner = lms.learner(30)
    made = lms.earns(learner)
    lms.deliver()
    account = lms.world.scalar("SELECT id FROM accounts WHERE value = '30'")
    people.unlink(lms.world.ctx, account, "Not theirs.")
    assert "has no account" in " ".join(lms.deliver().needs_you)
    # Whoever has the account is asked about; and where it was given it is taken away.
    assert lms.reconcile().strays == 1
    lms.loses(made)
    lms.deliver()
    assert lms.holds(30) == {}


def test_people_who_are_told_apart_again_hold_each_their_own(lms: Lms) -> None:
    lms.define(PLUGIN)
    one, other = lms.learner(30), lms.learner(31)
    lms.earns(one)
    people.merge(lms.world.ctx, one, other, "The same.")
    lms.deliver()
    # Of two accounts the newest, which turns out to be the other person's.
    assert "LLR Core" in lms.holds(31)
    people.unmerge(lms.world.ctx, one, "Two after all.")
    lms.world.awarded()
    lms.deliver()
    assert "LLR Core" in lms.holds(30)
    lms.reconcile()
    assert [s.seen.account for s in strays.listed(lms.world.ctx).items] == ["31"]


def test_a_withdrawn_badge_is_taken_away_from_the_account_on_which_it_is_seen(lms: Lms) -> None:
    """And not from the one on which it was before."""
    lms.define(PLUGIN)
    one, other = lms.learner(30), lms.learner(31)
    made = lms.earns(one)
    people.merge(lms.world.ctx, one, other, "The same.")
    lms.deliver()
    lms.loses(made)
    lms.deliver()
    people.unmerge(lms.world.ctx, one, "Two after all.")
    site = lms.moodle.site
    site.issue(site.badge_keys["core"], 30, None)
    lms.reconcile()
    assert lms.holds(30) == {}


def test_a_plugin_that_is_away_hinders_no_other_road(world: World) -> None:
    with open_lms(world, plugin=False) as lms:
        lms.define(AUTO)
        lms.install()
        made = lms.earns(lms.learner(30))
        lms.deliver()
        site = lms.moodle.site
        site.plugin, kept = None, site.plugin
        world.clock.advance(minutes=2)
        lms.loses(made)
        lms.earns(lms.learner(31))
        (words,) = lms.deliver().needs_you
        assert "waits until that is installed" in words
        assert set(lms.holds(31)) == {"LLR Core 2026"}
        # Nor does it keep the night from putting right what somebody did by hand.
        badge = next(b for b in site.badges.values() if b.name == "LLR Core 2026")
        site.revoke(badge.id, 31)
        report = lms.reconcile()
        assert (report.drifted, set(lms.holds(31))) == (1, {"LLR Core 2026"})
        site.plugin = kept
        world.clock.advance(hours=7)
        lms.reconcile()
        assert lms.holds(30) == {}


def test_what_somebody_left_stays_left_while_the_plugin_is_away(lms: Lms) -> None:
    lms.define(AUTO)
    lms.earns(lms.learner(30))
    lms.deliver()
    account = lms.world.scalar("SELECT id FROM accounts WHERE value = '30'")
    people.unlink(lms.world.ctx, account, "Not theirs.")
    lms.reconcile()
    (stray,) = strays.listed(lms.world.ctx).items
    strays.leave(lms.world.ctx, stray.id)
    site = lms.moodle.site
    other = lms.learner(31)
    for plugin in (None, site.plugin):
        site.plugin = plugin
        lms.world.clock.advance(hours=7)
        if plugin is None:
            # By a cohort, so that the badges report shows something of ours.
            lms.earns(other)
        lms.reconcile()
    assert strays.listed(lms.world.ctx).items == ()
