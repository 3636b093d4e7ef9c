"""The status page: true, read-only, for this machine's eyes, and without anybody's name."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

import bridge.web
from bridge.domain.records import Disposition
from bridge.services.ledger import ledger
from bridge.services.status import StatusReader
from bridge.storage.engine import open_engine
from bridge.storage.unit import SqlStore
from bridge.web.status import status_app
from tests.support import World
from tests.web.conftest import STRANGER, Populated

PAGES = ("/", "/status.json", "/healthz", "/status.css")


def told_by(populated: Populated) -> Any:
    """What the page tells machines."""
    return populated.browser.get("/status.json").json


def test_nobodys_name_address_or_number_is_on_it(populated: Populated) -> None:
    shown = [populated.browser.get(path).text.casefold() for path in PAGES]
    names: set[str] = {STRANGER}
    for query in (
        "SELECT display_name FROM people",
        "SELECT value FROM person_identifiers",
        "SELECT display_name FROM accounts",
        "SELECT email FROM accounts",
        "SELECT staff_number FROM accounts",
        "SELECT username FROM accounts",
    ):
        names.update(row[0] for row in populated.world.rows(query) if row[0])
    assert len(names) > 700
    for name in names:
        assert not any(name.casefold() in text for text in shown), name


def test_it_tells_each_sources_ledger_and_that_it_adds_up(populated: Populated) -> None:
    status = told_by(populated)
    told = {source["source"]: source for source in status["sources"]}
    for line in ledger(populated.world.ctx):
        shown = told[line.source]
        assert shown["received"] == line.received
        assert shown["dispositions"] == dict(line.counts)
        assert shown["adds_up"] is True
    assert told["moodle"]["health"] == "well"
    assert told["moodle"]["lag_seconds"] >= 0
    assert told["events"]["dispositions"][Disposition.QUARANTINED.value] == 1
    assert told["events"]["outcome"] == "events: nonsense about (address)"
    assert told["quiet"]["outcome"] == "It has not been pulled yet."
    page = populated.browser.get("/").text
    assert page.count("✓ The ledger adds up.") == 2


def test_it_names_unmapped_activities_and_how_many_wait(populated: Populated) -> None:
    status = told_by(populated)
    titles = {each["title"]: each for each in status["unmapped"]}
    assert titles["Fire Safety"]["people"] > 0
    assert "Fire Safety" in populated.browser.get("/").text


def test_it_tells_what_each_target_waits_for_in_counts(populated: Populated) -> None:
    status = told_by(populated)
    told = {target["target"]: target for target in status["targets"]}
    assert told["moodle"]["in_step"] == 2
    assert told["moodle"]["needs_you"] == 2
    assert told["moodle"]["reasons"] == [
        "1 badge to be taken away, which the bridge cannot do there: see 'bridge badges'",
        "1 badge for people who have no account there that the bridge knows: "
        "see 'bridge unmatched'",
    ]
    assert told["quiet"]["health"] == "well"
    assert status["health"] == "needs you"


def test_it_tells_when_each_job_comes_next(populated: Populated) -> None:
    jobs = told_by(populated)["jobs"]
    assert jobs == [
        {"job": "pull moodle", "next_at": "2026-06-15T09:00:00+00:00"},
        {"job": "never", "next_at": None},
    ]
    assert "Mon 15 Jun 2026, 10:00 BST" in populated.browser.get("/").text


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_forbids_scripts_framing_and_keeping(populated: Populated, path: str) -> None:
    answer = populated.browser.get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_the_page_has_neither_script_nor_inline_style(populated: Populated) -> None:
    page = populated.browser.get("/").text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page, re.IGNORECASE)
    assert 'lang="en-GB"' in page
    assert "width=device-width" in page


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_it_can_only_be_read(populated: Populated, path: str, method: str) -> None:
    assert populated.browser.open(path, method=method).status_code == 405


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8765", 200),
        ("127.0.0.1:8765", 200),
        ("[::1]:8765", 200),
        ("10.1.2.3", 200),
        ("bridge.example.org", 200),
        ("BRIDGE.example.org.:8765", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("bridge.example.org.evil.example", 400),
        ("", 400),
        ("[::1", 400),
    ],
)
def test_a_strangers_name_that_points_here_is_refused(
    page: FlaskClient, host: str, status: int
) -> None:
    assert page.get("/status.json", headers={"Host": host}).status_code == status


@pytest.fixture
def page(world: World) -> FlaskClient:
    """The page of a site without anything in it, on both kinds of database."""
    return status_app(StatusReader(world.ctx, "any"), {"bridge.example.org"}).test_client()


def test_a_site_without_anything_has_a_page(page: FlaskClient) -> None:
    text = page.get("/").text
    assert "No source is configured." in text
    assert "No target is configured." in text


def test_a_database_that_does_not_answer_is_told_without_details(
    world: World, tmp_path: Path
) -> None:
    without_tables = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    broken = replace(world.ctx, store=SqlStore(without_tables))
    app = status_app(StatusReader(broken, "SQLite"))
    for path in ("/", "/healthz"):
        answer = app.test_client().get(path)
        assert answer.status_code == 503
        assert "its log says why" in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    without_tables.dispose()


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_of_words_stands_out_in_light_and_dark() -> None:
    css = (Path(bridge.web.__file__).parent / "static" / "status.css").read_text()
    schemes = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme))
        paper = _luminance(colours.pop("paper"))
        del colours["line"]
        assert set(colours) >= {"ink", "soft", "link", "well", "waiting", "needs"}
        for name, colour in colours.items():
            lighter, darker = sorted((paper, _luminance(colour)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, name
