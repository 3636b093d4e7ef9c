"""The forms that let a Moodle launch the bridge: a link, by hand, the end; and who may use them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.domain.lti import Platform
from bridge.domain.permissions import Role
from bridge.services import platforms
from tests.connectors.lti.conftest import LtiWorld, make_tool
from tests.support import World
from tests.web.site import Browser

PAGE = "/lms/launching"
FORM = {"source": "moodle", "client_id": " abc ", "deployment": "3, 4,,"}


@pytest.fixture
def lti(world: World, tmp_path: Path) -> LtiWorld:
    """The pages of a bridge with one Moodle that could launch it."""
    return LtiWorld(world, tool=make_tool("https://moodle.example/learn", tmp_path))


@pytest.fixture
def admin(lti: LtiWorld) -> Browser:
    """A browser of the whole partnership's LMS administrator."""
    person = lti.world.person("admin")
    lti.give(person, [Role.LMS_ADMIN])
    return lti.browser(person)


def registered(lti: LtiWorld) -> list[Platform]:
    return platforms.platforms(lti.world.ctx)


def test_a_registration_link_is_shown_once_and_kept_by_its_hash(
    lti: LtiWorld, admin: Browser
) -> None:
    page = admin.get(PAGE).text
    assert "None yet." in page
    assert "http://localhost/lti/launch" in page
    assert 'value="moodle"' in page
    shown = admin.post(f"{PAGE}/link", {"source": "moodle"})
    link = re.search(r"http://localhost/lti/register/([\w-]{43})", shown.text)
    assert link is not None
    assert link[0] not in admin.get(PAGE).text
    assert link[1] not in repr(lti.world.dump())
    assert platforms.invited_source(lti.world.ctx, link[1]) == "moodle"
    wrong = admin.post(f"{PAGE}/link", {"source": "another"})
    assert wrong.status_code == 422
    assert "/lti/register/" not in wrong.text
    assert lti.world.rows("SELECT act, subject FROM audit WHERE act LIKE '%platform'") == [
        ("invite-platform", "source:moodle")
    ]


def test_a_platform_is_registered_by_hand_and_ended(lti: LtiWorld, admin: Browser) -> None:
    done = admin.post(PAGE, FORM)
    assert done.headers["Location"] == PAGE
    (made,) = registered(lti)
    assert (made.client_id, made.deployments) == ("abc", ("3", "4"))
    assert made.jwks_url == "https://moodle.example/learn/mod/lti/certs.php"
    page = admin.get(PAGE).text
    assert "moodle.example may launch the bridge." in page
    assert "client ID abc, deployment 3 and 4" in page
    again = admin.post(PAGE, FORM)
    assert again.status_code == 422
    assert "registered with this client ID already" in again.text
    assert admin.post(f"{PAGE}/{made.id}/end").headers["Location"] == PAGE
    assert "launches the bridge no more" in admin.get(PAGE).text
    assert registered(lti) == []
    assert admin.post(f"{PAGE}/{made.id}/end").status_code == 404


def test_what_is_wrong_is_told_beside_the_field_and_what_was_typed_stays(
    lti: LtiWorld, admin: Browser
) -> None:
    for wrong, words in (
        ({"client_id": " "}, "Enter the client ID"),
        ({"deployment": ""}, "Enter the deployment ID"),
        ({"deployment": " , "}, "Give the client ID and the deployment ID"),
        ({"client_id": "x" * 201}, "longer than 200"),
        ({"source": "another"}, "Not a valid choice"),
    ):
        answer = admin.post(PAGE, FORM | {"client_id": "abc", "deployment": "34"} | wrong)
        assert answer.status_code == 422
        assert words in answer.text
        assert 'aria-invalid="true"' in answer.text
        kept = "34" if "client_id" in wrong else "abc"
        assert f'value="{kept}"' in answer.text
    assert registered(lti) == []


def test_without_a_token_of_ours_or_the_role_nothing_is_registered(
    lti: LtiWorld, admin: Browser
) -> None:
    assert admin.client.post(PAGE, data=FORM).status_code == 400
    world = lti.world
    with world.store.begin() as uow:
        uow.people.organisation("north", "North", "", None)
    narrow, team = world.person("narrow"), world.person("team")
    lti.give(narrow, [Role.LMS_ADMIN], "north")
    lti.give(team, [Role.TRAINING_TEAM])
    for person in (narrow, team):
        for path in (PAGE, f"{PAGE}/link", f"{PAGE}/1/end"):
            assert lti.browser(person).post(path, FORM).status_code == 403, path
        assert lti.browser(person).get(PAGE).status_code == 403
    assert registered(lti) == []


def test_a_site_without_an_lms_says_so(world: World) -> None:
    bare = LtiWorld(world, tool=None)
    person = world.person("admin")
    bare.give(person, [Role.LMS_ADMIN])
    browser = bare.browser(person)
    assert "No Moodle is configured" in browser.get(PAGE).text
    assert "Add it to bridge.toml" in browser.post(PAGE, FORM).text
