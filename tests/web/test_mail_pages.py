"""The links in mails: they lead to real pages, and switch off by a click without signing in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from bridge.domain.mail import LINKS, TITLES, MailKind
from bridge.services import letters, notify
from bridge.web.app import create_app
from tests.mail.post import KEY
from tests.support import World
from tests.web.site import WebWorld


@pytest.fixture
def app(pages: WebWorld) -> Flask:
    """The pages of a site that sends mail."""
    return create_app(replace(pages.site, unsubscribe_key=KEY))


def off(world: World, person: int) -> list[MailKind]:
    """What somebody has switched off."""
    return [c.kind for c in notify.choices(world.as_(person)) if not c.on]


def test_opening_the_link_does_nothing_and_a_click_switches_off(app: Flask, world: World) -> None:
    person = world.person("u1")
    path = f"/unsubscribe/{notify.unsubscribe_token(KEY, person, MailKind.REMINDER)}"
    client = app.test_client()
    page = client.get(path)
    assert page.status_code == 200
    assert "A reminder while it is fresh" in page.text
    assert off(world, person) == []
    assert client.post(path).status_code == 200
    assert off(world, person) == [MailKind.REMINDER]
    client.post(path, data={"on": "yes"})
    assert off(world, person) == []


def test_a_mail_program_unsubscribes_in_one_click(app: Flask, world: World) -> None:
    person = world.person("u1")
    path = f"/unsubscribe/{notify.unsubscribe_token(KEY, person, MailKind.DRAFTS)}"
    # As RFC 8058 has it: from anywhere, without a cookie.
    answer = app.test_client().post(
        path,
        data={"List-Unsubscribe": "One-Click"},
        headers={"Origin": "https://mail.example", "Referer": "https://mail.example/"},
    )
    assert answer.status_code == 200
    assert off(world, person) == [MailKind.DRAFTS]
    assert world.rows("SELECT actor, channel FROM audit WHERE act = 'choose-mail'") == [
        (f"person:{person}", "link")
    ]


@pytest.mark.parametrize("token", ["1.drafts.0", "nothing", "1.sign-in." + "0" * 32])
def test_a_link_that_we_did_not_sign_is_not_found(app: Flask, world: World, token: str) -> None:
    person = world.person("u1")
    for method in ("GET", "POST"):
        assert app.test_client().open(f"/unsubscribe/{token}", method=method).status_code == 404
    assert off(world, person) == []


def test_a_site_without_mail_has_no_unsubscribing(pages: WebWorld, world: World) -> None:
    person = world.person("u1")
    token = notify.unsubscribe_token(b"", person, MailKind.DRAFTS)
    assert pages.app.test_client().post(f"/unsubscribe/{token}").status_code == 404


def test_one_chooses_on_the_account_page(pages: WebWorld, world: World) -> None:
    person = world.person("u1")
    browser = pages.browser(person)
    assert browser.get("/account/mail/").text.count(" checked") == len(TITLES.keys() - LINKS)
    browser.post("/account/mail/", {"kind": ["drafts", "review", "sign-in", "no-such"]})
    assert set(MailKind) - set(off(world, person)) == {
        MailKind.DRAFTS,
        MailKind.REVIEW,
        MailKind.SIGN_IN,
        MailKind.VERIFIER_LINK,
    }
    page = browser.get("/account/mail/").text
    assert page.count(" checked") == 2
    without_token = browser.client.post("/account/mail/", data={})
    assert without_token.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        letters.HOME,
        letters.DRAFT.format(id=1),
        letters.TO_VERIFY.format(id=1),
        letters.QUEUE,
        letters.LOG,
        letters.LINK.format(secret="s"),
        "/unsubscribe/t",
        "/account/mail/",
    ],
)
def test_every_address_in_a_mail_is_a_page(pages: WebWorld, path: str) -> None:
    with pages.app.test_request_context():
        adapter = pages.app.url_map.bind("localhost")
        assert adapter.test(path, method="GET"), path
