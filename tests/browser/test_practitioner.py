"""The practitioner's other ways: a question answered, their own evidence, and second thoughts."""

from __future__ import annotations

import re
from datetime import timedelta

from bridge.domain.authority import Authority
from bridge.domain.claims import ClaimState
from bridge.services import people, signin
from tests.browser.site import WORDS, BridgeSite
from tests.browser.test_whole_path import COURSE, USED
from tests.browser.visit import PHONE, Window

QUESTION = "What did you do differently since, and what did the family say to it?"


def test_a_question_comes_back_is_answered_and_verified(window: Window, site: BridgeSite) -> None:
    learner, manager = site.pair("Rhian Returned", "Rob Returner", "SGC-L1")
    (item,) = site.items(learner)
    site.submit(learner, item, manager, "2", "4")
    boss = window().sign_in(manager)
    boss.open("/verify/")
    boss.click("link", f"{learner.name}: {COURSE}")
    for radio in boss.page.get_by_role("radio", name="Return with a question").all():
        boss.press(radio)
    boss.click("button", "Record decisions")
    boss.says("Please look at this", "Write your question")
    assert boss.faults() == []
    assert boss.page.get_by_role("radio", name="Return with a question").first.is_checked()
    boss.write("Your question", QUESTION)
    boss.click("button", "Record decisions")
    boss.says("Nothing waits for you.")

    own = window(width=PHONE).sign_in(learner)
    own.open("/")
    own.says("Returned with a question", QUESTION, manager.name)
    own.click("link", COURSE)
    own.says(QUESTION)
    # What was written comes back to be improved; ticks never do.
    assert WORDS[:40] in own.field("Your reflection").input_value()
    assert own.page.locator("input[name=tick]:checked").count() == 0
    own.click("checkbox", "2 ")
    own.write("Your reflection", f"{WORDS} The family told me that they felt heard.")
    own.choose("Who is to verify it?", manager.name)
    own.click("button", "Submit for verification")
    own.says(f"Submitted to {manager.name}")

    boss.open("/verify/")
    boss.click("link", f"{learner.name}: {COURSE}")
    boss.says("they felt heard")
    boss.press(boss.page.get_by_role("radio", name="Verify", exact=True))
    boss.page.locator("#method").select_option(index=1)
    boss.click("button", "Record decisions")
    assert site.states(learner).count(ClaimState.VERIFIED) == 1
    own.open(f"/evidence/{item.evidence.id}")
    own.says(f"by {manager.name}")


def test_evidence_of_ones_own(window: Window, site: BridgeSite) -> None:
    learner, manager = site.pair("Owen Own", "Olga Owner")
    own = window(width=PHONE).sign_in(learner)
    own.open("/")
    own.says("There is nothing to reflect on.")
    own.click("link", "Add your own evidence")
    own.click("button", "Keep and reflect")
    own.says("Please look at this")
    assert own.page.title().startswith("Error: ")
    assert own.faults() == []
    own.press(own.page.get_by_role("radio", name="Reflective supervision"))
    own.write("What was it", "Supervision on a referral")
    own.page.locator("#occurred_on").fill(
        (site.ctx.clock.now() - timedelta(days=3)).date().isoformat()
    )
    own.press(own.page.locator("#competencies summary").first)
    own.press(own.page.locator("input[name=tick]:visible").first)
    own.click("button", "Keep and reflect")
    assert own.heading == "Supervision on a referral"
    own.press(own.page.locator("input[name=tick]:visible").first)
    own.write("Your reflection", WORDS)
    own.choose("Who is to verify it?", manager.name)
    own.click("button", "Submit for verification")
    own.says(f"Submitted to {manager.name}")
    boss = window().sign_in(manager)
    boss.open("/verify/")
    boss.says("Supervision on a referral")


def test_what_is_typed_survives_a_reload_and_a_session_that_ended(
    window: Window, site: BridgeSite
) -> None:
    learner, _ = site.pair("Sara Saved", "Sid Saver", "SGC-L1")
    (item,) = site.items(learner)
    own = window().sign_in(learner)
    own.open(f"/evidence/{item.evidence.id}")
    own.click("checkbox", "2 ")
    own.field("Your reflection").press_sequentially("A first thought that is worth keeping.")
    own.page.get_by_text(re.compile(r"^Saved \d")).wait_for()
    own.page.reload()
    assert own.field("Your reflection").input_value() == "A first thought that is worth keeping."
    assert own.page.get_by_role("checkbox", name=re.compile("^2 ")).is_checked()
    assert "signed out" not in own.text, "nobody was signed out"
    signin.sign_out_everywhere(site.acting(learner), learner.id)
    own.field("Your reflection").press("Control+End")
    own.page.keyboard.type(" And a second one.")
    own.page.get_by_text("You have been signed out").wait_for()
    assert own.faults() == []
    own.troubles.clear()  # the refused save, told on the page, is in the console too
    own.sign_in(learner)
    own.page.reload()
    own.page.get_by_text("Your words from before you were signed out are back.").wait_for()
    assert own.field("Your reflection").input_value().endswith("And a second one.")
    own.page.get_by_text(re.compile(r"^Saved \d")).wait_for()


def test_second_thoughts(window: Window, site: BridgeSite) -> None:
    learner, manager = site.pair("Tove Thinking", "Tim Thinker", "SGC-L1")
    other = site.person("Ada Assessor", moodle=False)
    people.approve(site.ctx, other.id, Authority.ASSESSOR)
    (item,) = site.items(learner)
    own = window(width=PHONE).sign_in(learner)
    own.open(f"/evidence/{item.evidence.id}")
    own.press(own.page.get_by_role("button", name=re.compile("^Does not apply ?: 2")))
    own.says("2 is set aside.")
    own.click("button", "Bring back 2")
    own.says("2 is back.")
    own.click("checkbox", "2 ")
    own.write("Your reflection", WORDS)
    own.write("How have you used it", USED)
    own.choose("Who is to verify it?", manager.name)
    own.click("button", "Submit for verification")
    own.says(f"Waiting for {manager.name}")
    own.press(own.page.get_by_text("Ask somebody else instead"))
    own.choose("Who is to verify it instead", other.name)
    own.click("button", "Hand over")
    own.says(f"Waiting for {other.name}")
    boss = window().sign_in(manager)
    boss.open("/verify/")
    boss.says("Nothing waits for you.")
    own.click("button", "Take it back")
    own.says("You have taken it back.")
    assert own.field("Your reflection").input_value() == WORDS
    assert ClaimState.SUBMITTED not in site.states(learner)


def test_what_looks_like_a_childs_details_is_asked_about_first(
    window: Window, site: BridgeSite
) -> None:
    learner, manager = site.pair("Gwen Guarded", "Gil Guard", "SGC-L1")
    (item,) = site.items(learner)
    own = window(width=PHONE).sign_in(learner)
    own.open(f"/evidence/{item.evidence.id}")
    own.click("checkbox", "2 ")
    own.write("Your reflection", "The boy, born 12/03/2016, lives at 14 Acacia Avenue.")
    own.write("How have you used it", USED)
    own.choose("Who is to verify it?", manager.name)
    own.click("button", "Submit for verification")
    own.says("Could this tell who a child is?")
    assert own.faults() == []
    own.shoot("warning-childs-details")
    assert ClaimState.SUBMITTED not in site.states(learner)
    own.write("Your reflection", WORDS)
    own.choose("Who is to verify it?", manager.name)
    own.click("button", "Submit for verification")
    own.says(f"Submitted to {manager.name}")
