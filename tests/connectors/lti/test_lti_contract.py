"""What every LMS must do for the bridge: on the stand-in always, on a real Moodle if one is named.

Nothing here knows which of them it talks to. Each test goes through the pages as a browser does.
"""

from __future__ import annotations

import requests

from bridge.domain.identity import normal_staff_number
from bridge.domain.lti import Platform
from bridge.services import platforms
from tests.connectors.lti.conftest import Beside
from tests.connectors.lti.lms import Lms, LmsBrowser, forms_of


def register(lms: Lms, beside: Beside) -> Platform:
    """Register by the pages, as an LMS administrator does."""
    secret = platforms.invite(beside.world.ctx, "moodle", beside.tool)
    browser = lms.sign_in(admin=True)
    page = lms.start_registration(browser, f"{beside.base_url}/lti/register/{secret}")
    assert page.url.startswith(beside.base_url)
    (form,) = [f for f in forms_of(page) if "configuration" in f.fields]
    done = browser.post(form)
    assert done.status_code == 200, done.text
    (platform,) = platforms.platforms(beside.world.ctx)
    return platform


def known(beside: Beside, lms: Lms) -> int:
    """The learner, as the staff list knows them: by their staff number."""
    return beside.world.person("learner", staff_number=normal_staff_number(lms.staff_number))


def launch(browser: LmsBrowser, url: str, **headers: str) -> requests.Response:
    """Open a link of the LMS, and follow it to the end."""
    return browser.carry_on(browser.get(url), **headers)


def test_dynamic_registration_by_an_invitation(lms: Lms, beside: Beside) -> None:
    platform = register(lms, beside)
    assert platform.issuer == lms.base_url
    assert platform.source_key == "moodle"
    assert platform.origin == lms.base_url
    assert platform.client_id
    assert len(platform.deployments) == 1


def test_an_invitation_registers_once(lms: Lms, beside: Beside) -> None:
    secret = platforms.invite(beside.world.ctx, "moodle", beside.tool)
    browser = lms.sign_in(admin=True)
    invite = f"{beside.base_url}/lti/register/{secret}"
    (form,) = [f for f in forms_of(lms.start_registration(browser, invite)) if f.fields]
    assert browser.post(form).status_code == 200
    again = lms.start_registration(browser, invite)
    assert again.status_code == 403
    assert "used or has run out" in again.text
    assert len(platforms.platforms(beside.world.ctx)) == 1


def test_a_learner_comes_to_their_own_draft_from_the_course(lms: Lms, beside: Beside) -> None:
    learner = known(beside, lms)
    beside.pull(lms)
    platform = register(lms, beside)
    url = lms.place(lms.sign_in(admin=True), platform.deployments[0], "course")
    page = launch(lms.sign_in(), url)
    assert page.status_code == 200, page.text
    drafts = {item.evidence.id for item in beside.world.items_of(learner)}
    assert page.url in {f"{beside.base_url}/evidence/{one}" for one in drafts}
    assert ">learner</a>" in page.text


def test_the_link_home_goes_home(lms: Lms, beside: Beside) -> None:
    known(beside, lms)
    beside.pull(lms)
    platform = register(lms, beside)
    url = lms.place(lms.sign_in(admin=True), platform.deployments[0], "home")
    assert launch(lms.sign_in(), url).url == f"{beside.base_url}/evidence"


def test_a_launch_before_any_pull_joins_the_account_by_the_staff_number(
    lms: Lms, beside: Beside
) -> None:
    learner = known(beside, lms)
    platform = register(lms, beside)
    url = lms.place(lms.sign_in(admin=True), platform.deployments[0], "course")
    launch(lms.sign_in(), url)
    links = beside.world.rows("SELECT person_id, rule, proof FROM account_links")
    assert links == [(learner, "lti-launch", normal_staff_number(lms.staff_number))]
    beside.pull(lms)
    assert beside.world.items_of(learner)


def test_registration_by_hand(lms: Lms, beside: Beside) -> None:
    known(beside, lms)
    client_id, deployment = lms.add_by_hand(beside.base_url)
    new = beside.tool.by_hand("moodle", client_id, [deployment])
    platforms.register_by_hand(beside.world.ctx, new)
    url = lms.place(lms.sign_in(admin=True), deployment, "home")
    assert launch(lms.sign_in(), url).url == f"{beside.base_url}/evidence"


def test_a_teacher_selects_a_link_and_the_lms_takes_the_signed_answer(
    lms: Lms, beside: Beside
) -> None:
    platform = register(lms, beside)
    browser = lms.sign_in(admin=True)
    choice = browser.carry_on(lms.select(browser, platform.deployments[0]))
    assert choice.url == f"{beside.base_url}/lti/launch"
    (form,) = [f for f in forms_of(choice) if "secret" in f.fields]
    assert form.fields["opens"] == "course"
    taken = browser.carry_on(browser.post(form))
    assert taken.url.startswith(f"{lms.base_url}/mod/lti/contentitem_return.php")
    assert lms.selected(taken) == ["My evidence from this course"]
    # The same page once more is answered no more.
    assert browser.post(form).status_code == 403


def test_a_platform_that_was_ended_launches_no_more(lms: Lms, beside: Beside) -> None:
    known(beside, lms)
    platform = register(lms, beside)
    url = lms.place(lms.sign_in(admin=True), platform.deployments[0], "home")
    platforms.end(beside.world.ctx, platform.id)
    refused = launch(lms.sign_in(), url)
    assert refused.status_code == 403
    assert "not registered" in refused.text
