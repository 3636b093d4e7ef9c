"""One person's whole path: a course completed in Moodle becomes a badge on the learner's profile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page

from bridge.domain.claims import ClaimState
from tests.browser.fill import someone
from tests.browser.site import WORDS, BridgeSite, Someone
from tests.browser.test_signing_in import link_in
from tests.browser.visit import PHONE, Visit, Window

COURSE = "Safeguarding Children Level 1"
BADGE = f"Recognise and respond {datetime.now(UTC).year}"
USED = "In two home visits this month I asked the child alone, and wrote down their own words."
PAGES, INTERACTIONS = 4, 12


@pytest.fixture
def pair(site: BridgeSite, request: pytest.FixtureRequest) -> Iterator[tuple[Someone, Someone]]:
    """A practitioner who has just completed a course in Moodle, and their manager."""
    number = site._users
    manager = site.person(f"Manon Manager {'abcdefghij'[number % 10]}", moodle=False)
    learner = site.person(f"Pia Practitioner {'abcdefghij'[number % 10]}", manager)
    site.complete(learner, "SGC-L1")
    site.pull()
    yield learner, manager


def sign_in_by_link(visit: Visit, who: Someone) -> None:
    """As people do: ask for a link, look in the mail, open it."""
    visit.open("/sign-in")
    visit.write("Work email address", who.email)
    visit.click("button", "Send me a link")
    visit.site.send_mail()
    visit.open(link_in(visit.site.letters(who, "sign-in")[-1]))


def reflect_and_submit(visit: Visit) -> None:
    """From the home page to submitted."""
    visit.click("link", COURSE)
    visit.says("Nothing but your own words", "What does it truly evidence?")
    assert visit.page.locator("input[name=tick]:checked").count() == 0, "something is pre-ticked"
    visit.click("checkbox", "2 ")
    visit.click("checkbox", "4 ")
    visit.write("Your reflection", WORDS)
    visit.write("How have you used it", USED)
    visit.click("button", "Submit for verification")


def verify_in_supervision(visit: Visit, learner: Someone) -> None:
    """The manager goes through what waits, in one sitting."""
    visit.open("/")
    visit.click("link", "To verify")
    visit.says(learner.name)


def look_at_badge(visit: Visit, learner: Someone) -> None:
    """The badge is on the learner's profile in Moodle."""
    moodle = visit.site.moodle.base_url
    visit.abroad.add(moodle.removeprefix("http://"))
    visit.open(f"{moodle}/user/profile.php?id={learner.moodle}")
    assert visit.heading == learner.name
    assert BADGE in visit.text


def look_at_badges(visit: Visit, learner: Someone) -> None:
    """The LMS administrator sees it, and that it was seen in Moodle."""
    visit.open(f"/lms/?q={learner.name.replace(' ', '+')}")
    visit.says(learner.name, "Recognise and respond")


def keyboard_only(page: Page) -> None:
    """Placeholder for typing checkers."""


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_a_moodle_completion_to_the_badge(
    window: Window, site: BridgeSite, pair: tuple[Someone, Someone], scripts: bool
) -> None:
    learner, manager = pair
    own = window(width=PHONE, java_script_enabled=scripts)
    sign_in_by_link(own, learner)
    own.pages_seen = own.interactions = 0
    own.click("button", "Continue")
    own.says("1 draft to reflect on", COURSE)
    reflect_and_submit(own)
    own.says(f"Submitted to {manager.name}")
    assert own.pages_seen <= PAGES, own.pages_seen
    assert own.interactions <= INTERACTIONS, own.interactions
    assert site.states(learner).count(ClaimState.SUBMITTED) == 2
    boss = window(java_script_enabled=scripts).sign_in(manager)
    verify_in_supervision(boss, learner)
    assert site.states(learner).count(ClaimState.VERIFIED) == 2
    site.deliver()
    look_at_badge(own, learner)
    look_at_badges(window(java_script_enabled=scripts).sign_in(someone(site, "admin")), learner)
