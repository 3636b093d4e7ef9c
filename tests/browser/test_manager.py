"""The manager's ways: what is agreed, the team at a glance, the log signed off, a deputy."""

from __future__ import annotations

import re

from bridge.domain.authority import Authority
from bridge.domain.claims import ClaimState
from bridge.services import people
from tests.browser.fill import SIXTY, someone
from tests.browser.site import WORDS, BridgeSite
from tests.browser.test_practitioner import QUESTION
from tests.browser.test_signing_in import link_in
from tests.browser.visit import PHONE, Window


def test_what_is_agreed_with_somebody_changes_what_is_asked(
    window: Window, site: BridgeSite
) -> None:
    learner, manager = site.pair("Agnes Agreed", "Arlo Agreer")
    boss = window().sign_in(manager)
    boss.open("/team/")
    boss.click("link", learner.name)
    boss.says("As the staff list has it")
    boss.click("link", "Agree something else")
    boss.page.get_by_role("checkbox", name=re.compile("strategic", re.IGNORECASE)).check()
    boss.choose("London level", "Level 3")
    boss.click("button", "Record what we agreed")
    boss.says("Agreed together.")
    assert boss.faults() == []
    own = window(width=PHONE).sign_in(learner)
    own.open("/log")
    own.says("30", "34")


def test_the_team_is_read_without_colour_and_without_anybodys_text(
    window: Window, site: BridgeSite
) -> None:
    boss = window().sign_in(someone(site, "big"))
    boss.open("/")
    boss.click("link", "My team")
    table = boss.page.get_by_role("table").first
    assert table.get_by_role("row").count() >= SIXTY
    cells = " ".join(table.all_inner_texts())
    assert "✓" in cells
    assert "✎" in cells
    assert WORDS[:20] not in boss.text
    name = someone(site, "many").name
    boss.page.get_by_role("link", name=name).first.click()
    boss.says(name, "What they write is theirs until they submit it")
    assert WORDS[:20] not in boss.text


def test_the_log_is_signed_off_with_next_steps(window: Window, site: BridgeSite) -> None:
    learner, manager = site.pair("Lowri Logged", "Lev Logger", "SGC-L1")
    (item,) = site.items(learner)
    site.submit(learner, item, manager, "2", "4")
    site.verify(manager, item, "2", "4")
    boss = window().sign_in(manager)
    boss.open("/team/")
    boss.page.get_by_role("link", name=learner.name).first.click()
    boss.click("link", "Their logs and sign-off")
    assert boss.faults() == []
    # The present log is still open; the one of the year before is to be signed off.
    boss.press(boss.page.locator("main ul.rows a").nth(1))
    boss.click("button", "Sign the log off")
    boss.says("Please look at this")
    assert boss.faults() == []
    boss.shoot("log-sign-off-errors")
    for box in boss.page.get_by_role("checkbox", name="Seen across the log").all():
        boss.press(box)
    boss.write("Is the evidence varied", "Varied: a course, and what came of it in visits.")
    for box in boss.page.locator("[name^=step-]").all():
        box.fill("Shadow a colleague before the summer.")
    boss.click("button", "Sign the log off")
    boss.says(f"Signed off by {manager.name}", "Shadow a colleague before the summer.")
    own = window(width=PHONE).sign_in(learner)
    own.open(f"/logs/{learner.id}")
    own.says("signed off")
    own.press(own.page.locator("main ul.rows a, main table a").nth(1))
    own.says(f"Signed off by {manager.name}")


def test_a_deputy_verifies_while_the_manager_is_away(window: Window, site: BridgeSite) -> None:
    learner, manager = site.pair("Dora Deputised", "Don Away", "SGC-L1")
    deputy = site.person("Delyth Deputy", moodle=False)
    boss = window().sign_in(manager)
    boss.open("/team/")
    boss.click("link", "Name a deputy")
    boss.write("Deputy", "nobody@northmere.example.org")
    boss.click("button", "Name deputy")
    boss.says("Please look at this")
    assert boss.faults() == []
    boss.write("Deputy", deputy.email)
    boss.click("button", "Name deputy")
    boss.says(deputy.name, "(now)")
    (item,) = site.items(learner)
    own = window(width=PHONE).sign_in(learner)
    own.open(f"/evidence/{item.evidence.id}")
    own.click("checkbox", "2 ")
    own.write("Your reflection", WORDS)
    own.write("How have you used it", "On every visit.")
    own.choose("Who is to verify it?", deputy.name)
    own.click("button", "Submit for verification")
    own.says(f"Submitted to {deputy.name}")
    stand_in = window().sign_in(deputy)
    stand_in.open("/verify/")
    stand_in.says(learner.name)
    stand_in.open("/team/")
    stand_in.says("You stand in for", manager.name, learner.name)


def test_a_verifier_without_an_account_decides_by_a_link_that_works_once(
    window: Window, site: BridgeSite
) -> None:
    learner, _ = site.pair("Vera Verified", "Vic Manager", "SGC-L1")
    outside = site.outsider("Orla Outside")
    people.approve(site.ctx, outside.id, Authority.ASSESSOR)
    (item,) = site.items(learner)
    site.submit(learner, item, outside, "2", "4")
    site.send_mail()
    (letter,) = site.letters(outside)
    assert WORDS[:20] not in letter
    link = link_in(letter)
    visit = window(width=PHONE)
    visit.open(link)
    visit.says("Somebody has asked you to verify their evidence")
    assert WORDS[:20] not in visit.text
    visit.click("button", "Continue")
    visit.says(learner.name, WORDS.split(".")[0])
    # It opens this one thing and nothing else.
    assert visit.page.locator("nav").count() == 0
    for radio in visit.page.get_by_role("radio", name="Verify", exact=True).all():
        visit.press(radio)
    visit.page.locator("#method").select_option(index=1)
    visit.click("button", "Record decisions")
    visit.says("Thank you")
    assert visit.faults() == []
    assert site.states(learner).count(ClaimState.VERIFIED) == 2
    again = window()
    again.open(link)
    assert "Continue" not in again.text
    assert QUESTION not in again.text
