"""The LMS administrator's pages: desired against observed, why it needs them, reconciling."""

from __future__ import annotations

from datetime import date

import pytest

from bridge.domain.errors import NeedsAdministrator, TryLater
from bridge.domain.model import PostDetails
from bridge.domain.permissions import Role
from bridge.services import awards, publish
from tests.support import NOW, Completion, World
from tests.web.site import Browser, WebWorld


@pytest.fixture
def admin(pages: WebWorld) -> Browser:
    """A browser of the whole partnership's LMS administrator."""
    person = pages.world.person("admin")
    pages.give(person, [Role.LMS_ADMIN])
    return pages.browser(person)


def earn(world: World, *names: str) -> None:
    """These people earn the badge, each verified by one manager; nothing is delivered yet."""
    manager = world.person("manager")
    users = [name.casefold().replace(" ", ".") for name in names]
    completions = [Completion(user, "C1") for user in users]
    people = [
        world.person(name, email=f"{user}@example.org", manager=manager)
        for name, user in zip(names, users, strict=True)
    ]
    world.pull(*completions)
    for person in people:
        (item,) = world.items_of(person)
        world.submit(person, item.evidence.id, manager)
        world.verify(manager, item.evidence.id)
    awards.update_awards(world.ctx)


def test_a_badge_goes_from_waiting_to_held_by_one_button(pages: WebWorld, admin: Browser) -> None:
    earn(pages.world, "Ada Lovelace")
    page = admin.get("/lms/").text
    assert "Ada Lovelace" in page
    assert "waiting to be awarded" in page
    assert "What I learned changed my visits" not in page
    answer = admin.post("/lms/targets/moodle/reconcile")
    assert answer.status_code == 200
    assert "1 badge delivered" in answer.text
    assert "Everything is in step" in answer.text
    assert pages.world.target.held == {("ada.lovelace", f"safe-{NOW.year}")}
    assert "Ada Lovelace" not in admin.get("/lms/?show=out").text
    assert "Ada Lovelace" in admin.get("/lms/?show=held").text


def test_what_was_changed_by_hand_is_put_right(pages: WebWorld, admin: Browser) -> None:
    earn(pages.world, "Ada")
    admin.post("/lms/targets/moodle/reconcile")
    pages.world.target.held.clear()
    answer = admin.post("/lms/targets/moodle/reconcile")
    assert "1 badge had been changed by hand" in answer.text
    assert len(pages.world.target.held) == 1


def test_what_needs_somebody_says_why_in_words(pages: WebWorld, admin: Browser) -> None:
    earn(pages.world, "Ada", "Grace")
    pages.world.target.refuse = "The cohort <safe> does not exist. Create it."
    publish.deliver(pages.world.ctx, pages.world.target)
    page = admin.get("/lms/?show=needs").text
    assert "The cohort &lt;safe&gt; does not exist. Create it." in page
    assert "Grace" in page
    assert "Grace" not in admin.get("/lms/?show=needs&q=ada").text
    assert "show=needs" in admin.get("/lms/").text


@pytest.mark.parametrize("fault", [TryLater("It is in maintenance."), NeedsAdministrator("No.")])
def test_a_target_that_does_not_answer_is_told_and_nothing_concluded(
    pages: WebWorld, admin: Browser, fault: Exception
) -> None:
    earn(pages.world, "Ada")
    pages.world.target.fail = fault
    answer = admin.post("/lms/targets/moodle/reconcile")
    assert str(fault) in answer.text
    pages.world.target.fail = None

    def away() -> None:
        raise fault

    pages.world.target.during = away
    answer = admin.post("/lms/targets/moodle/reconcile")
    assert answer.status_code in (200, 502)
    assert str(fault) in answer.text


def test_a_badge_that_ran_out_and_still_shows_is_listed(pages: WebWorld, admin: Browser) -> None:
    earn(pages.world, "Ada")
    admin.post("/lms/targets/moodle/reconcile")
    assert "Ada" not in admin.get("/lms/?show=lapsed").text
    pages.world.clock.advance(days=400)
    person = pages.world.person("later admin")
    pages.give(person, [Role.LMS_ADMIN])
    page = pages.browser(person).get("/lms/?show=lapsed").text
    assert "Ada" in page
    assert "ran out" in page


def test_each_badge_is_explained_in_words(pages: WebWorld, admin: Browser) -> None:
    page = admin.get("/lms/meaning").text
    assert "Safe practice" in page
    assert "Competency 1" in page
    assert "Competency 3" not in page
    assert "one for each calendar year" in page
    assert "cohort “safe-YEAR”" in page
    assert "Renewal takes new verification" in page


def test_an_administrator_of_one_organisation_sees_its_badges_only(pages: WebWorld) -> None:
    world = pages.world
    earn(world, "Nora North", "Sue South")
    people = dict(world.rows("SELECT display_name, id FROM people"))
    with world.store.begin() as uow:
        north, _ = uow.people.organisation("north", "North", "", None)
        for name in ("Nora North", "manager"):
            post = PostDetails("north", "Worker", (), (), None, date(2021, 1, 1), None)
            uow.people.put_post(people[name], post, north)
    pages.give(people["manager"], [Role.LMS_ADMIN], "north")
    browser = pages.browser(people["manager"])
    page = browser.get("/lms/").text
    assert "Nora North" in page
    assert "Sue South" not in page
    assert browser.post("/lms/targets/moodle/reconcile").status_code == 403
    assert browser.get("/lms/launching").status_code == 403


def test_long_lists_come_in_pages_and_odd_questions_are_answered(
    pages: WebWorld, admin: Browser
) -> None:
    earn(pages.world, *(f"Learner {n}" for n in range(60)))
    page = admin.get("/lms/").text
    assert page.count('role="rowheader">Learner') == 50
    assert "Next page" in page
    assert admin.get("/lms/?show=everything&target=nowhere&q=%00").status_code == 200
    assert admin.get("/lms/?after=x").status_code == 422
    assert admin.post("/lms/targets/nowhere/reconcile").status_code == 404


def test_reconciling_stops_in_time_and_says_so(
    pages: WebWorld, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    earn(pages.world, "Ada")
    monkeypatch.setattr("bridge.web.lms.badges.SECONDS", -1.0)
    answer = admin.post("/lms/targets/moodle/reconcile")
    assert "nightly sweep looks at the rest" in answer.text
    assert pages.world.target.calls == []
