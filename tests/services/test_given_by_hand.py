"""Badges of ours that nobody was awarded: seen in bulk, listed, taken away or left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.demo.moodle import Fault
from bridge.domain.errors import NotAllowed, PeerError, Refused
from bridge.domain.scope import Actor, Eyes, Scope
from bridge.domain.target_records import Stray
from bridge.services import people, strays
from tests.services.lms import COHORT, PLUGIN, Lms, open_lms
from tests.support import World


@pytest.fixture
def lms(world: World) -> Iterator[Lms]:
    """A Moodle with the plugin, in which user 30 holds what they earned."""
    with open_lms(world, plugin=True) as lms:
        lms.define(PLUGIN)
        lms.earns(lms.learner(30))
        lms.deliver()
        yield lms


@pytest.fixture
def stock(world: World) -> Iterator[Lms]:
    """A Moodle as it comes, in the same state."""
    with open_lms(world, plugin=False) as lms:
        lms.define(COHORT)
        lms.earns(lms.learner(30))
        lms.deliver()
        yield lms


def by_hand(lms: Lms, user: int, name: str = "LLR Core") -> None:
    """Somebody in Moodle gives a badge."""
    badge = next(b for b in lms.moodle.site.badges.values() if b.name == name)
    lms.moodle.site.issue(badge.id, user, None)


def listed(lms: Lms, *, open_only: bool = True) -> list[Stray]:
    return list(strays.listed(lms.world.ctx, open_only=open_only).items)


def test_what_was_earned_is_no_stray(lms: Lms) -> None:
    assert lms.reconcile().strays == 0
    assert listed(lms, open_only=False) == []


def test_a_badge_given_by_hand_is_listed_with_who_and_when(lms: Lms) -> None:
    by_hand(lms, 31)
    lms.learner(31)
    assert lms.reconcile().strays == 1
    (stray,) = listed(lms)
    assert (stray.name, stray.seen.account, stray.seen.title) == ("u31", "31", "LLR Core")
    assert stray.seen.by_hand is True
    assert stray.seen.issued_at == lms.world.clock.now()
    assert stray.seen.url.startswith(f"{lms.moodle.base_url}/badges/badge.php?hash=")
    # Nothing was taken away unasked.
    assert set(lms.holds(31)) == {"LLR Core"}


def test_it_is_taken_away_when_the_administrator_says_so(lms: Lms) -> None:
    by_hand(lms, 77)
    lms.reconcile()
    (stray,) = listed(lms)
    assert stray.name == ""
    done = strays.take_away(lms.world.ctx, lms.target, stray.id)
    assert done.state == "gone"
    assert lms.holds(77) == {}
    assert listed(lms, open_only=False) == []
    acts = lms.world.rows("SELECT act, subject FROM audit ORDER BY id DESC LIMIT 1")
    assert acts == [("take-badge-away", f"stray:{stray.id}")]
    with pytest.raises(Refused, match="gone already"):
        strays.leave(lms.world.ctx, stray.id)


def test_left_it_stays_left_until_it_is_given_anew(lms: Lms) -> None:
    by_hand(lms, 77)
    lms.reconcile()
    (stray,) = listed(lms)
    strays.leave(lms.world.ctx, stray.id)
    assert lms.reconcile().strays == 0
    assert [s.state for s in listed(lms, open_only=False)] == ["left"]
    # Taken away and given again a week later: that is another matter.
    lms.moodle.site.revoke(lms.moodle.site.badge_keys["core"], 77)
    lms.world.clock.advance(days=7)
    by_hand(lms, 77)
    assert lms.reconcile().strays == 1


def test_one_that_goes_by_itself_is_off_the_list(lms: Lms) -> None:
    by_hand(lms, 77)
    lms.reconcile()
    lms.moodle.site.revoke(lms.moodle.site.badge_keys["core"], 77)
    assert lms.reconcile().strays == 0


def test_whoever_earns_it_meanwhile_keeps_it(lms: Lms) -> None:
    by_hand(lms, 31)
    person = lms.learner(31)
    lms.reconcile()
    (stray,) = listed(lms)
    lms.earns(person)
    assert strays.take_away(lms.world.ctx, lms.target, stray.id).state == "gone"
    lms.deliver()
    assert lms.holds(31) == {"LLR Core": "2027-06-15"}
    assert lms.reconcile().strays == 0


def test_an_account_that_is_nobodys_any_more_keeps_no_award(lms: Lms) -> None:
    account = lms.world.scalar("SELECT id FROM accounts WHERE value = '30'")
    people.unlink(lms.world.ctx, account, "Not theirs.")
    assert lms.reconcile().strays == 1
    (stray,) = listed(lms)
    assert (stray.name, stray.seen.by_hand) == ("", False)


def test_a_decision_stands_while_moodle_is_away(lms: Lms) -> None:
    by_hand(lms, 77)
    lms.reconcile()
    (stray,) = listed(lms)
    lms.moodle.faults.add(Fault.MAINTENANCE)
    with pytest.raises(PeerError):
        strays.take_away(lms.world.ctx, lms.target, stray.id)
    assert [(s.state, bool(s.said)) for s in listed(lms)] == [("taking", True)]
    lms.moodle.faults.clear()
    assert lms.reconcile().strays == 0
    assert lms.holds(77) == {}


def test_on_stock_moodle_it_is_seen_too_and_the_page_is_named(stock: Lms) -> None:
    by_hand(stock, 31, "LLR Core 2026")
    by_hand(stock, 32, "LLR Core 2025")
    by_hand(stock, 33, "London Level 1 2026")
    stock.learner(31)
    assert stock.reconcile().strays == 2
    assert {(s.seen.account, s.seen.by_hand) for s in listed(stock)} == {("31", None), ("32", None)}
    mine = next(s for s in listed(stock) if s.seen.account == "31")
    done = strays.take_away(stock.world.ctx, stock.target, mine.id)
    assert done.state == "taking"
    assert "/badges/recipients.php" in done.said
    assert set(stock.holds(31)) == {"LLR Core 2026"}


def test_an_administrator_of_one_organisation_does_not_decide(lms: Lms) -> None:
    by_hand(lms, 77)
    lms.reconcile()
    narrow = Scope(Eyes.LMS_ADMIN, 5, frozenset({1}), lms.world.clock.now().date())
    ctx = lms.world.ctx.acting_as(Actor(narrow, "web"))
    with pytest.raises(NotAllowed):
        strays.listed(ctx)
    with pytest.raises(NotAllowed):
        strays.leave(ctx, 1)
