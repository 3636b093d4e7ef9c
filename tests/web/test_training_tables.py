"""A file on the desk: looked at, asked about, saved and loaded, without a script."""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.connectors.files import OneFile
from bridge.domain.errors import NotFound
from bridge.domain.identity import IdentityRule
from bridge.domain.permissions import Role
from bridge.services.pull import Trusted
from bridge.tables import SiteTables
from bridge.web.app import create_app
from bridge.web.site import WebSettings
from tests.cli.test_booking import HEAD, ROWS
from tests.exports.making import as_csv, as_xlsx
from tests.support import World
from tests.web.site import Browser, WebWorld, csrf_of


@pytest.fixture
def pages(world: World, tmp_path: Path) -> WebWorld:
    made = WebWorld(world, WebSettings(base_url="http://localhost", table_bytes=50_000))
    desk = SiteTables(tmp_path / "profiles", tmp_path / "uploads", 10**7)

    def one(source: str, path: Path, name: str) -> Trusted:
        file = OneFile(source, path, desk.read("lscp"), 10**7, name)
        return Trusted(file, "files", identity=(IdentityRule.VERIFIED_EMAIL,))

    made.app = create_app(
        replace(made.site, table_desk=desk, file_profiles={"events": "lscp"}, file_source=one)
    )
    return made


def send(browser: Browser, path: str, **data: object) -> str:
    """A form sent; the text of the answer, after any redirect."""
    form = {"csrf_token": csrf_of(browser.secret), **data}
    answer = browser.client.post(path, data=form, follow_redirects=True)
    assert answer.status_code in (200, 422), answer.text
    return answer.text


def test_a_file_is_looked_at_asked_about_and_loaded(pages: WebWorld, tmp_path: Path) -> None:
    world = pages.world
    person = world.person("team")
    pages.give(person, [Role.TRAINING_TEAM])
    browser = pages.browser(person)
    assert "Choose a file" in browser.get("/training/files").text

    def upload(content: bytes, name: str = "bookings.csv") -> str:
        file = (io.BytesIO(content), name)
        return send(browser, "/training/files", source="events", file=file)

    assert "This is a PDF" in upload(b"%PDF-1.7", "a.pdf")
    assert list((tmp_path / "uploads").iterdir()) == []
    shown = upload(as_csv([HEAD, *ROWS, ["<b>Core", *ROWS[0][1:]]]))
    assert "What only you can say" in shown
    assert "answer:dates" in shown
    held = re.search(r'name="held" value="([0-9a-f]{32})"', shown)
    assert held
    step = {"held": held[1], "source": "events"}
    answers = {"answer:dates": "day-first", "answer:word:P": "fully_attended"}
    again = send(browser, "/training/files/held", do="look", **step, **answers)
    assert "answer:word:A" in again
    assert "&lt;b&gt;Core" in again
    assert "This is right" not in again
    # Asked to load while something is open, it asks again and loads nothing.
    assert "What only you can say" in send(
        browser, "/training/files/held", do="load", **step, **answers)  # fmt: skip
    assert world.scalar("select count(*) from received") == 0
    answers["answer:word:A"] = "no_show"
    assert "Fri 3 April 2026" in send(
        browser, "/training/files/held", do="look", **step, **answers)  # fmt: skip
    done = send(browser, "/training/files/held", do="load", **step, **answers)
    assert "bookings.csv is loaded: 4 new" in done
    assert world.scalar("select count(*) from received") == 4
    assert (tmp_path / "profiles" / "lscp.yaml").exists()
    assert list((tmp_path / "uploads").iterdir()) == []
    shown = upload(as_xlsx([HEAD, *ROWS]), "bookings.xlsx")
    assert "0 new, 0 changed, 3 known already" in shown
    # Another of the team does not come by what this one uploaded.
    other = world.person("other")
    pages.give(other, [Role.TRAINING_TEAM])
    held = re.search(r'name="held" value="([0-9a-f]{32})"', shown)
    assert held
    stranger = pages.browser(other)
    answer = stranger.client.post(
        "/training/files/held",
        data={"csrf_token": csrf_of(stranger.secret), "do": "load", "held": held[1],
              "source": "events"},
    )  # fmt: skip
    assert answer.status_code == 404
    too_big = browser.client.post(
        "/training/files",
        data={"csrf_token": csrf_of(browser.secret), "source": "events",
              "file": (io.BytesIO(b"x" * 450_000), "big.csv")},
    )  # fmt: skip
    assert too_big.status_code == 413


class Counted(io.BytesIO):
    """What somebody sends; it remembers how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found


def test_of_whoever_may_load_nothing_no_more_is_read_than_of_any_form(pages: WebWorld) -> None:
    pages.app = create_app(
        replace(pages.site, settings=WebSettings(base_url="http://localhost", table_bytes=10**8))
    )
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    for browser in (pages.browser(), pages.browser(pages.world.person("reader"))):
        sent = Counted(start + b"x" * 3_000_000)
        answer = browser.client.post(
            "/training/files",
            input_stream=sent,
            content_length=sent.getbuffer().nbytes,
            content_type="multipart/form-data; boundary=b",
        )
        assert (answer.status_code in (302, 403, 413), sent.taken) == (True, 0)


def test_what_nobody_comes_back_for_is_forgotten(tmp_path: Path) -> None:
    desk = SiteTables(tmp_path / "profiles", tmp_path / "uploads", 10**7)
    held = [desk.hold(io.BytesIO(b"a,b"), "a\udce9.csv", 1) for _ in range(6)]
    with pytest.raises(NotFound):
        desk.held(held[0], 1)
    assert desk.held(held[5], 1)[0].read_bytes() == b"a,b"
    os.utime(tmp_path / "uploads" / f"1-{held[5]}", (0, 0))
    assert desk.forget_old() == 1
    assert len(list((tmp_path / "uploads").iterdir())) == 4

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        desk.hold(Broken(), "b.csv", 2)
    assert list((tmp_path / "uploads").glob("2-*")) == []


def test_an_organisations_team_loads_nothing(pages: WebWorld) -> None:
    person = pages.world.person("team")
    with pages.world.store.begin() as uow:
        uow.people.organisation("agency", "Agency", "", None)
    pages.give(person, [Role.TRAINING_TEAM], "agency")
    assert pages.browser(person).get("/training/files").status_code == 403
