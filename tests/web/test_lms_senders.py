"""The page of those who send statements: a credential is made, shown once, and ended."""

from __future__ import annotations

import re

import pytest

from bridge.domain.permissions import Role
from bridge.services.lrs.senders import senders
from tests.web.site import Browser, WebWorld

PAGE = "/lms/statements"
FORM = {"source": "moodle-xapi", "title": "Moodle <b>", "scopes": ["write", "read-mine"]}


@pytest.fixture
def admin(pages: WebWorld) -> Browser:
    """A browser of the whole partnership's LMS administrator."""
    person = pages.world.person("admin")
    pages.give(person, [Role.LMS_ADMIN])
    return pages.browser(person)


def test_a_credential_is_made_shown_once_and_ended(pages: WebWorld, admin: Browser) -> None:
    assert "Nobody yet." in admin.get(PAGE).text
    shown = admin.post(PAGE, FORM)
    secret = re.search(r'class="secret">([\w-]{43})<', shown.text)
    assert secret is not None
    assert "http://localhost/xapi" in shown.text
    (made,) = senders(pages.world.ctx)
    assert (made.source_key, sorted(made.scopes)) == ("moodle-xapi", ["read-mine", "write"])
    page = admin.get(PAGE).text
    assert secret[1] not in page
    assert "Moodle &lt;b&gt;" in page
    assert secret[1] not in repr(pages.world.dump())
    assert admin.post(f"{PAGE}/{made.id}/end").status_code == 302
    assert "1 ended before" in admin.get(PAGE).text
    assert admin.post(f"{PAGE}/{made.id}/end").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": ""},
        {"source": "Not A Name"},
        {"source": "moodle"},
        {"title": ""},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"origins": "https://content.example.org/path"},
    ],
)
def test_what_cannot_be_made_is_said(
    pages: WebWorld, admin: Browser, wrong: dict[str, object]
) -> None:
    answer = admin.post(PAGE, {**FORM, **wrong})
    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert senders(pages.world.ctx) == []


def test_for_the_whole_partnership_alone(pages: WebWorld) -> None:
    practitioner = pages.world.person("pat")
    assert pages.browser(practitioner).get(PAGE).status_code == 403
    assert pages.browser(practitioner).post(PAGE, FORM).status_code == 403
    assert pages.browser().get(PAGE).status_code == 302
    assert senders(pages.world.ctx) == []


def test_how_long_it_is_kept_is_said(pages: WebWorld, admin: Browser) -> None:
    assert "Statements are kept for ever" in admin.get(PAGE).text


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"source": "moodle"}, "source", "is a source in bridge.toml already"),
        ({"scopes": []}, "scopes", "Name at least one scope"),
        ({"origins": "content.example.org"}, "origins", "is no web origin"),
    ],
)
def test_an_error_stands_at_what_is_wrong(
    admin: Browser, wrong: dict[str, object], field: str, words: str
) -> None:
    page = admin.post(PAGE, {**FORM, **wrong}).text
    (place,) = re.findall(r'id="(\w+)-error">(.*?)</p>', page, re.DOTALL)
    assert place[0] == field
    assert words in place[1]


def test_the_address_to_send_to_is_shown_before_there_is_a_credential(admin: Browser) -> None:
    assert "<code>http://localhost/xapi</code>" in admin.get(PAGE).text


def test_the_desk_says_who_sends_here_and_nothing_of_pulls(pages: WebWorld, admin: Browser) -> None:
    admin.post(PAGE, FORM)
    person = pages.world.person("team")
    pages.give(person, [Role.TRAINING_TEAM])
    team = pages.browser(person)

    def card() -> str:
        found = re.search(r"<h3[^>]*>moodle-xapi.*?</section>", team.get("/training/").text, re.S)
        assert found is not None
        return found[0]

    assert "It has sent no statement yet." in card()
    assert "pull" not in card().casefold()
    (made,) = senders(pages.world.ctx)
    admin.post(f"{PAGE}/{made.id}/end")
    assert "has ended" in card()
