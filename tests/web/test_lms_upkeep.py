"""What an LMS administrator keeps up: badges given by hand, badges made ready, roads in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bridge.demo.moodle import Fault, seed
from bridge.domain.permissions import Role
from tests.services.lms import AUTO, COHORT, PLUGIN, Lms, open_lms
from tests.support import World
from tests.web.site import Browser, WebWorld


@pytest.fixture
def lms(world: World) -> Iterator[Lms]:
    """A Moodle with the plugin, in which user 30 holds what they earned, and 77 was given it."""
    with open_lms(world, plugin=True) as lms:
        lms.define(PLUGIN)
        lms.earns(lms.learner(30))
        lms.deliver()
        lms.moodle.site.issue(lms.moodle.site.badge_keys["core"], 77, None)
        world.target = lms.target  # type: ignore[assignment]
        yield lms


@pytest.fixture
def stock(world: World) -> Iterator[Lms]:
    """A Moodle as it comes, in November, whose badges of next year nobody has made."""
    with open_lms(world, plugin=False) as lms:
        site = lms.moodle.site
        for badge in [b for b in site.badges.values() if "2027" in b.name]:
            del site.badges[badge.id]
        for cohort in [c for c in site.cohorts.values() if "2027" in c.idnumber]:
            del site.cohorts[cohort.id]
        site.user(seed.SERVICE_USER).capabilities |= {"moodle/cohort:manage"}
        site.services["competency_bridge"].functions |= {"core_cohort_create_cohorts"}
        lms.define(COHORT)
        world.clock.moment = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
        world.target = lms.target  # type: ignore[assignment]
        yield lms


def admin_of(world: World) -> Browser:
    """A browser of the whole partnership's LMS administrator."""
    pages = WebWorld(world)
    person = world.person("admin")
    pages.give(person, [Role.LMS_ADMIN])
    return pages.browser(person)


def test_a_badge_given_by_hand_is_found_and_taken_away(lms: Lms, world: World) -> None:
    admin = admin_of(world)
    assert "None was seen" in admin.get("/lms/by-hand").text
    answer = admin.post("/lms/targets/moodle/reconcile")
    assert "1 badge there that nobody was awarded" in answer.text
    page = admin.get("/lms/by-hand").text
    assert "Sign out" in page
    assert "Nobody the bridge knows" in page
    assert "account 77" in page
    assert "by somebody in Moodle, by hand" in page
    assert "given by hand</a>: decide" in admin.get("/lms/").text
    stray = world.scalar("SELECT id FROM badge_strays")
    assert (
        "was taken away"
        in admin.post(f"/lms/by-hand/{stray}/take-away", follow_redirects=True).text
    )
    assert lms.holds(77) == {}
    assert set(lms.holds(30)) == {"LLR Core"}


def test_a_badge_given_by_hand_may_be_left(lms: Lms, world: World) -> None:
    admin = admin_of(world)
    admin.post("/lms/targets/moodle/reconcile")
    stray = world.scalar("SELECT id FROM badge_strays")
    assert "left as it is" in admin.post(f"/lms/by-hand/{stray}/leave", follow_redirects=True).text
    assert "account 77" not in admin.get("/lms/by-hand").text
    assert "account 77" in admin.get("/lms/by-hand?show=all").text
    assert set(lms.holds(77)) == {"LLR Core"}
    acts = world.rows("SELECT act FROM audit ORDER BY id DESC LIMIT 1")
    assert acts == [("leave-badge",)]


def test_a_moodle_that_is_away_keeps_the_decision(lms: Lms, world: World) -> None:
    admin = admin_of(world)
    admin.post("/lms/targets/moodle/reconcile")
    stray = world.scalar("SELECT id FROM badge_strays")
    lms.moodle.faults.add(Fault.MAINTENANCE)
    answer = admin.post(f"/lms/by-hand/{stray}/take-away")
    assert answer.status_code == 502
    assert "Your decision is kept" in answer.text
    assert "to be taken away" in answer.text


def test_what_is_left_by_hand_for_next_year_has_its_page(stock: Lms, world: World) -> None:
    admin = admin_of(world)
    answer = admin.post("/lms/targets/moodle/prepare")
    assert "Made just now: the cohort LLR-CORE-2027." in answer.text
    assert "Copy the badge “LLR Core 2026”" in answer.text
    assert f'href="{stock.moodle.base_url}/badges/index.php?type=1"' in answer.text
    assert "1 badge to be made ready" in admin.get("/lms/").text
    # The administrator makes it; one look, and it is off the list.
    site = stock.moodle.site
    cohort = next(c for c in site.cohorts.values() if c.idnumber == "LLR-CORE-2027")
    site.add_badge("LLR Core 2027", cohorts=(cohort,))
    assert "Nothing is left by hand" in admin.post("/lms/targets/moodle/prepare").text
    assert "to be made ready" not in admin.get("/lms/").text


def test_a_moodle_that_is_away_is_said(stock: Lms, world: World) -> None:
    stock.moodle.faults.add(Fault.MAINTENANCE)
    answer = admin_of(world).post("/lms/targets/moodle/prepare")
    assert answer.status_code == 502
    assert "maintenance" in answer.text


def test_each_badge_says_what_happens_there(lms: Lms, world: World) -> None:
    lms.define(AUTO)
    page = admin_of(world).get("/lms/meaning").text
    assert "by its plugin" in page
    assert "When it runs out" in page
    assert "The bridge takes it away" in page


def test_the_road_and_what_an_old_one_left_are_shown(stock: Lms, world: World) -> None:
    stock.define(AUTO)
    stock.earns(stock.learner(30))
    stock.deliver()
    stock.install()
    admin = admin_of(world)
    page = admin.post("/lms/targets/moodle/reconcile").text
    assert "by plugin" in page
    assert "from before it went by another road" in page
    assert "/badges/recipients.php" in admin.get("/lms/?show=needs").text


def test_an_administrator_of_one_organisation_has_no_such_pages(lms: Lms, world: World) -> None:
    pages = WebWorld(world)
    person = world.person("narrow")
    with world.store.begin() as uow:
        uow.people.organisation("north", "North", "", None)
    pages.give(person, [Role.LMS_ADMIN], "north")
    browser = pages.browser(person)
    for path in ("/lms/by-hand", "/lms/ready"):
        assert browser.get(path).status_code == 403
    assert browser.post("/lms/by-hand/1/leave").status_code == 403
    assert browser.post("/lms/targets/moodle/prepare").status_code == 403
    assert "Next year<" not in browser.get("/lms/").text
