"""The demo's Moodle opens the demo's bridge: from a course, as its learner, at their own page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bridge.bootstrap import Bridge, open_bridge, publish_files, web_site
from bridge.catalog.staff import parse_staff_list
from bridge.demo import work
from bridge.demo.idp import StandInProvider
from bridge.demo.launches import connect, course_page
from bridge.demo.moodle import StandInMoodle, seed
from bridge.services.people import find
from bridge.services.pull import pull
from bridge.services.staff import take_staff_list
from bridge.sitefolder import make_site
from bridge.web.app import create_app

ADDRESS = "http://localhost"


@pytest.fixture
def provider() -> Iterator[StandInProvider]:
    """The demo's sign-in at work, running."""
    idp = StandInProvider([], lambda: datetime.now(UTC))
    idp.start()
    yield idp
    idp.stop()


@pytest.fixture
def site(tmp_path: Path, provider: StandInProvider) -> Iterator[tuple[Bridge, StandInMoodle]]:
    """A site as the demo makes it, with its Moodle running."""
    now = datetime.now(UTC)
    with StandInMoodle(seed.demo_site(now, lambda: datetime.now(UTC))) as moodle:
        make_site(tmp_path, url=moodle.base_url, token_file="moodle.token")
        (tmp_path / "moodle.token").write_text(moodle.site.token_of(seed.SERVICE_USER))
        work.configure(tmp_path, provider)
        bridge = open_bridge(tmp_path)
        publish_files(bridge, "test")
        groups = {g.key for e in bridge.files().frameworks.editions for g in e.groups}
        rows = parse_staff_list(seed.staff_list(now), "staff.csv", groups)
        take_staff_list(bridge.context, rows, [], bridge.identity)
        pull(bridge.context, bridge.sources["moodle"], full=True)
        yield bridge, moodle
        bridge.close()


def field(page: str, name: str) -> str:
    """What a hidden field of a page holds."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return found[1].replace("&#34;", '"').replace("&amp;", "&")


def test_a_learner_opens_the_bridge_from_a_course(site: tuple[Bridge, StandInMoodle]) -> None:
    bridge, moodle = site
    connect(bridge, moodle, "moodle", ADDRESS)
    user = next(u for u in moodle.site.users.values() if u.idnumber and not u.suspended)
    person = find(bridge.context, user.idnumber).id
    page = course_page(bridge, moodle, person)
    assert page is not None
    browser = requests.Session()
    course = browser.get(page).text
    (link,) = re.findall(r"/mod/lti/view\.php\?id=(\d+)", course)
    assert "Open in a new window" in browser.get(
        f"{moodle.base_url}/mod/lti/view.php?id={link}").text  # fmt: skip
    begun = browser.get(f"{moodle.base_url}/mod/lti/launch.php?id={link}").text
    names = ("iss", "client_id", "login_hint", "lti_message_hint", "lti_deployment_id")
    app = create_app(web_site(bridge, ADDRESS)).test_client()
    asked = app.post("/lti/login", data={name: field(begun, name) for name in names})
    answer = browser.get(asked.headers["Location"]).text
    state = parse_qs(urlsplit(asked.headers["Location"]).query)["state"][0]
    assert field(answer, "state") == state
    launched = app.post("/lti/launch", data={"state": state, "id_token": field(answer, "id_token")})
    assert launched.status_code == 303
    assert app.get(launched.headers["Location"], follow_redirects=True).status_code == 200


def test_somebody_who_did_no_course_has_no_such_page(site: tuple[Bridge, StandInMoodle]) -> None:
    bridge, moodle = site
    with bridge.context.store.begin() as uow:
        nobody = uow.people.add("Nobody", datetime.now(UTC))
    assert course_page(bridge, moodle, nobody) is None


def test_the_moodle_lets_nobody_in_who_is_not_signed_in(
    site: tuple[Bridge, StandInMoodle],
) -> None:
    bridge, moodle = site
    connect(bridge, moodle, "moodle", ADDRESS)
    base = moodle.base_url
    for path in ("/course/view.php?id=2", "/mod/lti/view.php?id=1", "/mod/lti/launch.php?id=1"):
        assert requests.get(base + path, timeout=10).status_code == 403, path
    learner = requests.Session()
    learner.get(f"{base}/login/as.php?user=30")
    assert learner.get(f"{base}/mod/lti/contentitem.php?id=1&course=2").status_code == 403
    bad = {"openid": "x", "lti_message_hint": "not a hint"}
    assert learner.get(f"{base}/mod/lti/auth.php", params=bad).status_code == 400
    assert requests.post(f"{base}/mod/lti/openid-registration.php", json={},
                         timeout=10).status_code == 401  # fmt: skip


def test_people_of_the_demo_sign_in_with_their_work_account(
    site: tuple[Bridge, StandInMoodle], provider: StandInProvider
) -> None:
    bridge, moodle = site
    user = next(u for u in moodle.site.users.values() if u.idnumber and not u.suspended)
    person = find(bridge.context, user.idnumber)
    work.employ(bridge, provider, [person])
    assert [each.name for each in provider.users] == [person.name, work.UNKNOWN.name]
    assert work.sign_in(bridge, provider, person) == 200
    # Whom no staff list has is asked to sign in once in another way.
    provider.chosen = work.UNKNOWN.sub
    browser = create_app(web_site(bridge, ADDRESS)).test_client()
    asked = browser.get(f"/sign-in/with/{work.NAME}").headers["Location"]
    back = requests.get(asked, timeout=10, allow_redirects=False).headers["Location"]
    assert browser.get(back.removeprefix(ADDRESS)).status_code == 403
