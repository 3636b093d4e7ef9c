"""One person's whole path: a course completed in Moodle becomes a badge on their profile there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.domain.claims import ClaimState
from tests.browser.fill import someone
from tests.browser.site import WORDS, BridgeSite, Someone
from tests.browser.test_signing_in import link_in
from tests.browser.visit import PHONE, Visit, Window

COURSE = "Safeguarding Children Level 1"
OTHER_COURSE = "Female Genital Mutilation"
BADGE = f"Recognise and respond {datetime.now(UTC).year}"
USED = "In two home visits this month I asked the child alone, and wrote down their own words."
#: From signing in to submitted (issue: at most so many pages, and interactions besides typing).
PAGES, INTERACTIONS = 4, 12


def sign_in_by_link(visit: Visit, who: Someone) -> None:
    """As people do: ask for a link, look in the mail, open it."""
    visit.open("/sign-in")
    visit.write("Work email address", who.email)
    visit.click("button", "Send me a link")
    visit.site.send_mail()
    visit.open(link_in(visit.site.letters(who, "sign-in")[-1]))


def submitted_before(site: BridgeSite, learner: Someone, manager: Someone) -> None:
    """Another piece of theirs waits for the manager already."""
    item = next(i for i in site.items(learner) if i.evidence.title.startswith(OTHER_COURSE))
    site.submit(learner, item, manager)


def look_at_badge(visit: Visit, learner: Someone) -> None:
    """The badge is on the learner's profile in Moodle."""
    moodle = visit.site.moodle.base_url
    visit.abroad.add(moodle.removeprefix("http://"))
    visit.open(f"{moodle}/user/profile.php?id={learner.moodle}")
    assert visit.heading == learner.name
    assert BADGE in visit.text


def look_at_badges(visit: Visit, learner: Someone) -> None:
    """The LMS administrator finds the learner, whose badge is in step."""
    visit.open("/")
    visit.click("link", "Badges")
    visit.write("Learner's name", learner.name)
    visit.page.locator("main").get_by_role("button", name="Show").click()
    visit.says(learner.name, "Recognise and respond", "held")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_a_moodle_completion_to_the_badge(
    window: Window, site: BridgeSite, scripts: bool
) -> None:
    name = "Scripted" if scripts else "Plain"
    learner, manager = site.pair(f"Pia {name}", f"Manon {name}", "SGC-L1", "FGM")
    submitted_before(site, learner, manager)
    own = window(width=PHONE, java_script_enabled=scripts)
    sign_in_by_link(own, learner)
    own.pages_seen = own.interactions = 0
    own.click("button", "Continue")
    own.says("1 draft to reflect on", COURSE)
    own.click("link", COURSE)
    own.says("What does it truly evidence?")
    assert own.page.locator("input[name=tick]:checked").count() == 0, "something is pre-ticked"
    own.click("checkbox", "2 ")
    own.click("checkbox", "4 ")
    own.write("Your reflection", WORDS)
    own.write("How have you used it", USED)
    own.choose("Who is to verify it?", manager.name)
    own.click("button", "Submit for verification")
    own.says(f"Submitted to {manager.name}")
    assert own.pages_seen <= PAGES, own.pages_seen
    assert own.interactions <= INTERACTIONS, own.interactions
    assert ClaimState.VERIFIED not in site.states(learner)

    boss = window(java_script_enabled=scripts).sign_in(manager)
    boss.open("/")
    boss.click("link", "To verify")
    boss.click("link", f"Go through all 2 with {learner.name}")
    boss.says(WORDS.split(".")[0], USED)
    for radio in boss.page.get_by_role("radio", name="Verify", exact=True).all():
        boss.press(radio)
    boss.page.locator("#method").select_option(index=1)
    boss.write("Note of the discussion (if you like)", "We talked it through in supervision.")
    boss.click("button", "Record decisions")
    boss.says(f"of {learner.name}", "Nothing waits for you.")
    assert ClaimState.SUBMITTED not in site.states(learner)

    site.deliver()
    look_at_badge(own, learner)
    look_at_badges(window(java_script_enabled=scripts).sign_in(someone(site, "admin")), learner)


def test_the_whole_path_by_keyboard_alone(window: Window, site: BridgeSite) -> None:
    learner, manager = site.pair("Kei Keyboard", "Kit Keyboard", "SGC-L1", "FGM")
    submitted_before(site, learner, manager)
    own = window()
    own.open("/sign-in")
    own.tab_to("Work email address")
    own.page.keyboard.type(learner.email)
    own.enter("Send me a link")
    assert own.heading == "Look in your mail"
    site.send_mail()
    own.open(link_in(site.letters(learner, "sign-in")[-1]))
    own.enter("Continue")
    # The skip link is the first thing that the keyboard meets, and leads past the navigation.
    own.tab_to("Skip to main content")
    own.key("Enter")
    assert own.page.evaluate("document.activeElement.id") == "main"
    own.enter(COURSE)
    own.tab_to("2 ")
    own.key("Space")
    own.tab_to("4 ")
    own.key("Space")
    own.tab_to("Your reflection")
    own.page.keyboard.type("I ask what a day is like for the child.")
    own.tab_to("How have you used it")
    own.page.keyboard.type("On every visit since.")
    own.tab_to("Who is to verify it?")
    own.page.keyboard.type(manager.name)
    own.enter("Submit for verification")
    own.says(f"Submitted to {manager.name}")

    boss = window().sign_in(manager)
    boss.open("/")
    boss.enter("To verify")
    boss.enter("Go through all 2")
    claims = boss.page.get_by_role("radio", name="Verify", exact=True).count()
    for _ in range(claims):
        boss.tab_to("Verify")
        boss.key("Space")
    boss.tab_to("Method")
    boss.key("ArrowDown")
    boss.enter("Record decisions")
    boss.says("Nothing waits for you.")
    assert site.states(learner).count(ClaimState.VERIFIED) == claims
    site.deliver()
    look_at_badge(own, learner)
