"""The partnership's office: the training team, the LMS administrator, and the counts."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.domain.permissions import Role
from tests.browser.fill import LONG_TITLE, someone
from tests.browser.site import AGENCY, WORDS, BridgeSite
from tests.browser.visit import Window

RULE = """
  - rule: mental-capacity
    title: Mental Capacity Act
    match:
      - {source: moodle, idnumber: %s}
    learning_activity: e-learning
    suggests:
      llr-2020: [3]
    verification: manager
"""


def test_an_unmatched_account_is_joined_and_can_be_taken_off_again(
    window: Window, site: BridgeSite
) -> None:
    site._users += 1
    site.account("Ursula Unmatched", "")
    with site.moodle.lock:
        course = next(c for c in site.moodle.site.courses.values() if c.shortname == "SGC-L1")
        site.moodle.site.complete(site._users, course.id, site.moodle.site.clock(), grade=90.0)
    whose = site.person("Ursula Unmatched-Married", moodle=False)
    site.pull(full=True)
    desk = window().sign_in(someone(site, "training"))
    desk.open("/")
    desk.click("link", "Training desk")
    desk.click("link", "See who waits")
    for _ in range(20):
        if desk.page.get_by_role("link", name="Settle the account Ursula Unmatched").count():
            break
        desk.page.locator("nav.pages a, .pager a").last.click()
    desk.click("link", "Settle the account Ursula Unmatched")
    desk.write("Name, email address or staff number", whose.number)
    desk.click("button", "Search")
    desk.click("button", "Join the account")
    desk.says("Please look at this")
    assert desk.faults() == []
    desk.press(desk.page.get_by_role("radio", name=re.compile(whose.name)))
    desk.write("How do you know?", "They married in June; the staff list and HR confirm it.")
    desk.click("button", "Join the account")
    assert site.items(whose), "nothing was drafted for the account that was joined"
    desk.open(f"/training/people/{whose.id}")
    desk.says("joined by hand")
    account = desk.page.locator("li", has_text="joined by hand")
    desk.press(account.locator("summary"))
    assert desk.faults() == []
    account.get_by_label("How do you know?").fill("A namesake: HR says that she left in May.")
    desk.press(account.get_by_role("button", name="Take it off"))
    desk.says("taken off", "A namesake")
    assert site.items(whose) == [] or all(
        not any(c.state.value == "suggested" for c in i.claims) for i in site.items(whose)
    )


def test_a_mapping_is_checked_looked_at_and_published_with_a_comment(
    window: Window, site: BridgeSite
) -> None:
    desk = window().sign_in(someone(site, "training"))
    desk.open("/training/unmapped")
    desk.says("Mental Capacity Act", LONG_TITLE[:40])
    file = site.bridge.folder / "mappings" / "more.yaml"
    head = "mapping: more\ntitle: More courses\neffective_from: 2024-04-01\nrules:"
    desk.click("link", "check, look at the impact, and publish")
    _write(file, head + RULE % "LSCP-MCA" + "    colour: red\n")
    desk.click("button", "Check the files")
    desk.says("more.yaml:", "colour", "What to do:")
    assert desk.faults() == []
    desk.shoot("mappings-check-errors")
    _write(file, head + RULE % "LSCP-MCA")
    desk.click("button", "Check the files")
    desk.says("The files are in order.")
    desk.click("button", "Show the impact")
    desk.says("What publishing would do", "suggestions added")
    assert desk.faults() == []
    desk.shoot("mappings-impact")
    desk.click("button", "Publish")
    desk.says("Please look at this")
    desk.write("What changes, and why?", "Mental Capacity Act now suggests competency 3.")
    desk.click("button", "Publish")
    desk.says("Mental Capacity Act now suggests competency 3.", "more 1")
    desk.open("/training/unmapped")
    assert "Mental Capacity Act" not in desk.text


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def test_a_verifier_is_approved_and_a_role_given_and_ended(
    window: Window, site: BridgeSite
) -> None:
    who = site.person("Rosalind Role")
    desk = window().sign_in(someone(site, "training"))
    desk.open("/training/people")
    desk.write("Name, email address", who.number)
    desk.click("button", "Search")
    assert desk.heading == who.name
    desk.press(desk.page.get_by_text("Approve as a verifier"))
    desk.press(desk.page.get_by_role("radio", name=re.compile("^[Aa]ssessor")))
    desk.click("button", "Approve")
    desk.says("Assessor")
    desk.press(desk.page.get_by_text("Give a role"))
    desk.choose("Role", Role.LMS_ADMIN.value.capitalize().replace("Lms", "LMS"))
    desk.click("button", "Give the role")
    desk.says("LMS administrator")
    assert desk.faults() == []
    other = window().sign_in(who)
    other.open("/")
    other.click("link", "Badges")
    assert other.heading == "Badges"
    desk.click("button", "End the role LMS administrator")
    other.open("/lms/")
    assert other.heading != "Badges"
    other.says("for another role")
    assert other.faults() == []


def test_a_badge_removed_by_hand_is_found_and_brought_back(
    window: Window, site: BridgeSite
) -> None:
    learner, manager = site.pair("Bea Badge", "Bo Badger", "SGC-L1")
    (item,) = site.items(learner)
    site.submit(learner, item, manager, "2", "4")
    site.verify(manager, item, "2", "4")
    site.deliver()
    moodle = site.moodle.site
    with site.moodle.lock:
        (badge,) = moodle.issued_to(learner.moodle)
        moodle.revoke(badge.badgeid, learner.moodle)
        for cohort in moodle.cohorts.values():
            moodle.remove_member(cohort, learner.moodle)
    assert moodle.issued_to(learner.moodle) == []
    admin = window().sign_in(someone(site, "admin"))
    admin.open("/lms/")
    admin.click("button", "Reconcile")
    admin.says("was read and brought into step", "had been changed by hand")
    assert admin.faults() == []
    admin.shoot("lms-reconciled")
    assert len(moodle.issued_to(learner.moodle)) == 1


def test_the_partnership_sees_counts_and_no_names(window: Window, site: BridgeSite) -> None:
    analyst = window().sign_in(someone(site, "analyst"))
    analyst.open("/")
    analyst.click("link", "Counts")
    assert analyst.heading == "Counts"
    for key in ("big", "many", "long"):
        assert someone(site, key).name not in analyst.text
    assert WORDS[:20] not in analyst.text
    analyst.says("hidden", "Counted", "Share current")
    analyst.press(analyst.page.locator("main table a").first)
    analyst.says(AGENCY)
    assert analyst.faults() == []
