"""An LRS in a site's settings: doctor, pull, the ledger, and what is wrong in the settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from pytest_httpserver import HTTPServer

from bridge.cli import bridge
from bridge.config import load_config
from bridge.demo.lrs import Fault, StandInLrs
from bridge.domain.problems import BadFile
from bridge.sitefolder import make_site
from tests.connectors.xapi.conftest import statement

SECTION = '\n[lrs.records]\nurl = "{url}"\nuser = "{user}"\n{more}\n'


@pytest.fixture
def lrs() -> Iterator[StandInLrs]:
    with StandInLrs() as running:
        now = datetime.now(UTC)
        for number in range(1, 4):
            happened = now - timedelta(days=number)
            told = statement(number, when=happened)
            running.store.put(told, stored=happened + timedelta(minutes=5))
        yield running


@pytest.fixture
def site(tmp_path: Path, lrs: StandInLrs) -> Path:
    folder = tmp_path / "site"
    make_site(folder)
    (folder / "bridge.toml").write_text(
        'database = "sqlite:///bridge.db"\n'
        + SECTION.format(url=lrs.base_url, user=lrs.user, more="")
    )
    for path in (folder / "mappings").glob("*.yaml"):
        path.unlink()
    return folder


def run(site: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(bridge, [*words, "--site", str(site)])
    return result.exit_code, result.output


def test_an_lrs_is_looked_at_pulled_and_counted(
    site: Path, lrs: StandInLrs, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, told = run(site, "doctor")
    assert code == 1
    assert "BRIDGE_RECORDS_SECRET" in told
    monkeypatch.setenv("BRIDGE_RECORDS_SECRET", lrs.secret)
    code, told = run(site, "doctor")
    assert code == 0, told
    assert "The LRS answers at" in told
    assert lrs.secret not in told
    code, told = run(site, "pull")
    assert code == 0, told
    assert "3 new" in told
    code, told = run(site, "pull")
    assert "Nothing was written." in told
    code, told = run(site, "ledger", "--json")
    (line,) = json.loads(told)["sources"] if "sources" in told else json.loads(told)
    assert line["source"] == "records"
    assert line["received"] == 3


def test_the_wrong_clock_is_said_in_the_run(
    site: Path, lrs: StandInLrs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_RECORDS_SECRET", lrs.secret)
    lrs.faults.add(Fault.WRONG_CLOCK)
    _, told = run(site, "pull")
    assert 'since_means = "timestamp"' in told


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('identity = ["by-hand"]', "automatic rules only"),
        ('since_means = "now"', "since_means"),
        ('[lrs.records.verbs]\n"urn:x" = "done"', "verbs"),
        ('[lrs.records.verbs]\nfinished = "completed"', "verbs"),
        ('[lrs.records.homes]\n"https://hr.example" = "staff-number"', "'staff-number' as well"),
        ('colour = "red"', "no such setting"),
    ],
)
def test_what_is_wrong_in_its_settings_is_named(tmp_path: Path, more: str, words: str) -> None:
    text = SECTION.format(url="https://lrs.example.org/xapi", user="u", more=more)
    (tmp_path / "bridge.toml").write_text(text)
    with pytest.raises(BadFile) as caught:
        load_config(tmp_path)
    assert words in str(caught.value)


def test_what_is_right_in_its_settings_is_understood(tmp_path: Path) -> None:
    more = (
        'identity = ["staff-number"]\nverbs = {"urn:x" = "passed", "urn:y" = "none"}\n'
        'homes = {"https://HR.example/" = "staff-number"}'
    )
    text = SECTION.format(url="https://lrs.example.org/xapi", user="u", more=more)
    (tmp_path / "bridge.toml").write_text(text)
    rules = load_config(tmp_path).lrs["records"].rules()
    assert rules.homes == {"https://hr.example": "staff-number"}
    assert rules.verbs["urn:x"] == "passed"
    assert rules.verbs["urn:y"] is None


@pytest.mark.parametrize(
    "url", ["http://lrs.example.org/xapi", "https://u:p@lrs.example.org", "ftp://lrs.example.org"]
)
def test_an_address_that_would_give_the_secret_away_stops_that_source_alone(
    site: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_RECORDS_SECRET", "s3cret")
    (site / "bridge.toml").write_text(SECTION.format(url=url, user="u", more=""))
    code, told = run(site, "doctor")
    assert code == 1
    assert "records" in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><body>Log in</body></html>", "a web page came in place of data"),
        (b'{"hello": 1}', "JSON, and no list of statements"),
        (b"", "no complete JSON"),
    ],
)
def test_an_address_that_is_none_of_an_lrs_is_named_with_what_to_look_for(
    site: Path,
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
    words: str,
) -> None:
    """Nothing is claimed of what such an address would do with what it is told either."""
    monkeypatch.setattr("bridge.connectors.xapi.client.PAUSES", ())
    monkeypatch.setenv("BRIDGE_RECORDS_SECRET", "s3cret")
    httpserver.expect_request(re.compile("/.*")).respond_with_data(body)
    url = httpserver.url_for("/xapi")
    more = '[lrs.records.tell]\nsince = 2026-01-01\nhome_page = "https://bridge.example.org"'
    (site / "bridge.toml").write_text(SECTION.format(url=url, user="u", more=more))
    code, told = run(site, "doctor")
    assert code == 1
    assert words in told
    assert f"is {url} the endpoint of the LRS" in told
    assert "looked up" not in told or body == b""
