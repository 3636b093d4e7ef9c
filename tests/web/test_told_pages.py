"""What LRSs were not told, on the desk and on the LMS administrator's page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.demo.lrs import Fault, StandInLrs
from bridge.domain.permissions import Role
from tests.telling.told import ToldWorld
from tests.web.site import Browser, WebWorld


@pytest.fixture
def told(pages: WebWorld) -> Iterator[ToldWorld]:
    with StandInLrs() as lrs:
        yield ToldWorld(pages.world, lrs)


@pytest.fixture
def site(told: ToldWorld) -> WebWorld:
    return WebWorld(told.world)


def visitor(site: WebWorld, role: Role) -> Browser:
    person = site.world.person(f"a {role.value}")
    site.give(person, [role])
    return site.browser(person)


def test_what_failed_is_shown_with_why_and_goes_again_by_one_button(
    told: ToldWorld, site: WebWorld
) -> None:
    admin = visitor(site, Role.LMS_ADMIN)
    told.verify(1, 2)
    told.lrs.faults.add(Fault.READS_ONLY)
    told.tell()
    page = admin.get("/lms/told").text
    assert "permission is missing" in page
    assert page.count("Verified, ") == 2
    assert "u1" not in page, "nobody is named"
    told.lrs.faults.clear()
    answer = admin.post("/lms/told/lrs/retry")
    assert answer.status_code == 302
    assert "2 decisions go" in admin.get("/lms/told").text
    told.tell()
    page = admin.get("/lms/told").text
    assert "permission is missing" not in page
    assert "in step" in page


def test_the_desk_shows_it_too(told: ToldWorld, site: WebWorld) -> None:
    team = visitor(site, Role.TRAINING_TEAM)
    told.verify(1)
    json = team.get("/training/status.json").json
    assert json is not None
    assert json["told"][0]["waiting"] == 1
    told.lrs.faults.add(Fault.SHUT_OUT)
    told.tell()
    page = team.get("/training/").text
    assert "Told of verifications" in page
    assert "may write statements" in page
    json = team.get("/training/status.json").json
    assert json is not None
    assert json["told"][0]["needs_you"] == 1
    assert json["health"] == "needs you"


@pytest.mark.parametrize("role", [Role.PARTNERSHIP, None])
def test_others_do_not_see_it(told: ToldWorld, site: WebWorld, role: Role | None) -> None:
    person = site.world.person("somebody")
    site.give(person, [role] if role else [])
    browser = site.browser(person)
    assert browser.get("/lms/told").status_code in (403, 404)
    assert browser.post("/lms/told/lrs/retry").status_code in (403, 404)
    assert told.world.rows("SELECT act FROM audit WHERE act = 'retry-lrs'") == []
