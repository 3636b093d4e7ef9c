"""What every page carries: headers, errors that help, health, and files that are kept for ever."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bridge.web.words import listed, paragraphs, plural
from tests.web.site import WebWorld


def test_every_page_forbids_whatever_the_bridge_does_not_serve_itself(pages: WebWorld) -> None:
    for path in ("/sign-in", "/nothing", "/accessibility", "/healthz"):
        answer = pages.browser().get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_pages_ask_no_other_host_for_anything(pages: WebWorld) -> None:
    shown = pages.browser().get("/sign-in").text
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', shown):
        assert address.startswith(("/", "#")), address


def test_styles_are_kept_for_ever_under_the_digest_of_what_they_hold(pages: WebWorld) -> None:
    shown = pages.browser().get("/sign-in").text
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', shown)
    assert len(styles) == 2
    for style in styles:
        assert re.search(r"\?v=[0-9a-f]{12}$", style)
        with pages.browser().get(style) as answer:
            assert answer.status_code == 200
            assert "max-age=31536000" in answer.headers["Cache-Control"]
            assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "[::1"])
def test_a_strangers_name_for_this_machine_is_turned_away(pages: WebWorld, host: str) -> None:
    answer = pages.app.test_client().get("/sign-in", headers={"Host": host})
    assert answer.status_code == 400


def test_errors_say_what_to_do_and_never_what_went_wrong_inside(
    pages: WebWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> str:
        raise ValueError("secret innards")

    monkeypatch.setitem(pages.app.view_functions, "public.accessibility", _public(fail))
    answer = pages.browser().get("/accessibility")
    assert answer.status_code == 500
    assert "innards" not in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    missing = pages.browser().get("/nothing", headers={"Accept": "application/json"})
    assert missing.content_type == "application/problem+json"
    assert missing.json is not None
    assert missing.json["status"] == 404


def _public(view: Any) -> Any:
    from bridge.domain.permissions import Permission
    from bridge.web.access import permits

    return permits(Permission.PUBLIC)(view)


def test_it_is_alive_without_its_database_but_not_ready(
    pages: WebWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = pages.browser()
    assert browser.get("/readyz").status_code == 200

    def away() -> Any:
        raise ConnectionError("no database")

    monkeypatch.setattr(pages.world.store, "reading", away)
    assert browser.get("/healthz").status_code == 200
    assert browser.get("/readyz").status_code == 503
    signed_in = pages.app.test_client()
    signed_in.set_cookie("bridge", "x" * 43)
    assert signed_in.get("/account/").status_code == 500  # says so, and does not fail to say so


def test_words() -> None:
    assert plural(1, "draft") == "1 draft"
    assert plural(1204, "person", "people") == "1,204 people"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert paragraphs("<b>\none\n\ntwo") == "<p>&lt;b&gt;<br>one</p><p>two</p>"
