"""Other ways in: launched from Moodle (LTI 1.3), and by the sign-in of one's work (OIDC)."""

from __future__ import annotations

import pytest

from bridge.demo.idp import WorkUser
from bridge.demo.moodle.state import ADMIN
from tests.browser.fill import someone
from tests.browser.site import BridgeSite
from tests.browser.test_whole_path import COURSE
from tests.browser.visit import PHONE, Visit, Window


def in_moodle(visit: Visit, user: int, course: int) -> None:
    """They are signed in to Moodle and look at a course."""
    moodle = visit.site.moodle.base_url
    visit.abroad.add(moodle.removeprefix("http://"))
    visit.open(f"{moodle}/login/as.php?user={user}&course={course}")


def register(window: Window, site: BridgeSite) -> int:
    """The LMS administrator lets Moodle launch the bridge, with a link; the tool's number."""
    admin = window().sign_in(someone(site, "admin"))
    admin.open("/lms/")
    admin.click("link", "Launching from Moodle")
    admin.click("button", "Make a registration link")
    link = admin.page.locator("code.secret").inner_text()
    assert admin.faults() == []
    admin.shoot("lms-registration-link")
    in_moodle(admin, ADMIN, 2)
    moodle = site.moodle.base_url
    admin.open(f"{moodle}/mod/lti/startltiadvregistration.php?url={link}")
    assert admin.heading == "Register with Moodle?"
    assert admin.faults() == []
    admin.click("button", "Register")
    assert admin.heading == "Registered"
    assert admin.faults() == []
    return max(site.moodle.lti.tools)


def test_a_launch_from_moodle_signs_in_and_leads_to_the_draft(
    window: Window, site: BridgeSite
) -> None:
    learner, _ = site.pair("Lata Launched", "Ludo Manager", "SGC-L1")
    tool = register(window, site)
    with site.moodle.lock:
        course = next(c for c in site.moodle.site.courses.values() if c.shortname == "SGC-L1")
        link = site.moodle.lti.add_link(
            course.id, tool, "My safeguarding evidence", {"page": "draft"}
        )
    own = window(width=PHONE)
    in_moodle(own, learner.moodle, course.id)
    own.open(f"{site.moodle.base_url}/mod/lti/launch.php?id={link.id}")
    if own.page.get_by_role("button", name="Send").count():
        own.click("button", "Send")
    own.page.wait_for_url(f"{site.address}/**")
    if own.page.get_by_role("button", name="Continue").count():
        assert own.faults() == []
        own.click("button", "Continue")
    # To the draft of the course that they came from, signed in as themselves.
    assert own.heading.startswith(COURSE)
    assert learner.name in own.page.locator("header").inner_text()
    assert own.page.locator("input[name=tick]:checked").count() == 0


@pytest.mark.parametrize("place", ["/evidence", "/log"])
def test_the_sign_in_of_ones_work_leads_where_one_wanted_to_go(
    window: Window, site: BridgeSite, place: str
) -> None:
    who = site.person(f"Olwen Work-{place[1:].capitalize()}")
    name = f"{who.name} at work"
    site.idp.users.append(WorkUser(who.number, name, {"employeeid": who.number}))
    visit = window(width=PHONE)
    visit.abroad.add(site.idp.base_url.removeprefix("http://"))
    visit.open(place)
    visit.click("link", "Continue with Northmere work account")
    visit.click("link", name)
    assert visit.page.url == f"{site.address}{place}"
    assert who.name in visit.page.locator("header").inner_text()


def test_an_unknown_work_account_is_told_what_to_do(window: Window, site: BridgeSite) -> None:
    site.idp.users.append(WorkUser("nobody", "Nobody in particular", {}))
    visit = window(width=PHONE)
    visit.abroad.add(site.idp.base_url.removeprefix("http://"))
    visit.open("/sign-in")
    visit.click("link", "Continue with Northmere work account")
    visit.click("link", "Nobody in particular")
    assert visit.page.url.startswith(site.address)
    assert visit.page.get_by_role("button", name="Sign out").count() == 0
    visit.says("Sign in once in another way")
    assert visit.faults() == []
    visit.shoot("oidc-unknown-account")
