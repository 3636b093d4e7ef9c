"""`bridge booking` for systems with an API: dry runs store nothing; addresses of webhooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_httpserver import HTTPServer

from bridge.bootstrap import open_bridge
from bridge.catalog.rest_profiles import parse_rest_profile, read_rest_profile
from bridge.cli import bridge
from bridge.config import load_config
from bridge.demo.booking import Shop, StandInPretix
from bridge.demo.booking.state import Booker
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.problems import BadFile
from bridge.sitefolder import make_site

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A site whose only source is a stand-in pretix with two bookings."""
    shop = Shop("northmere", "a-token-of-the-stand-in", lambda: datetime.now(UTC))
    with StandInPretix(shop) as pretix:
        start = datetime.now(UTC) - timedelta(days=3)
        shop.add_event("s47", "Section 47", start, start + timedelta(hours=6))
        order = shop.book("s47", Booker("Ana Reid", "ana@n.example"), Booker("Ben", "b@n.example"))
        shop.scan(order, 1, start)
        folder = tmp_path / "site"
        make_site(folder)
        monkeypatch.setenv("BRIDGE_EVENTS_TOKEN", shop.token)
        (folder / "bridge.toml").write_text(
            f'[pretix.events]\nurl = "{pretix.base_url}"\norganizer = "northmere"\n'
            '[web]\nbase_url = "https://bridge.example.org"\n',
            encoding="utf-8",
        )
        yield folder


def run(site: Path, *words: str) -> Result:
    return CliRunner().invoke(bridge, ["booking", *words, "--site", str(site)])


def test_a_dry_run_shows_bookings_as_understood_and_stores_nothing(site: Path) -> None:
    told = json.loads(run(site, "dry-run", "events", "--json").output)
    assert [(row["person"], row["status"], row["said"]) for row in told] == [
        ("Ana Reid", "attended", "checked in"), ("Ben", "unknown", "not checked in"),
    ]  # fmt: skip
    assert "Ana Reid" in run(site, "dry-run", "events", "--rows", "1").output
    opened = open_bridge(site)
    with opened.context.store.reading() as uow:
        assert uow.ops.ledger() == {}
    opened.close()
    assert "no source 'nowhere'" in str(run(site, "dry-run", "nowhere").exception)


def test_a_dry_run_of_a_folder_is_refused_and_leaves_its_files(site: Path) -> None:
    with (site / "bridge.toml").open("a", encoding="utf-8") as file:
        file.write('[files.office]\nfolder = "in"\nprofile = "office"\nsettle_seconds = 0\n')
    (site / "in").mkdir()
    (site / "in" / "day.csv").write_text("Course,Date\nNeglect,12/11/2026\n", encoding="utf-8")
    (site / "profiles").mkdir(exist_ok=True)
    (site / "profiles" / "office.yaml").write_text(
        "profile: office\nkind: attendance\ncolumns: {event_title: Course, event_date: Date}\n"
        "key: [event, date]\n", encoding="utf-8",
    )  # fmt: skip
    refused = run(site, "dry-run", "office")
    assert "load FILE --source office --dry-run" in str(refused.exception)
    assert (site / "in" / "day.csv").exists()


def test_a_webhook_address_is_shown_once_changed_and_ended(site: Path) -> None:
    shown = run(site, "hook", "events").output
    found = re.search(r"https://bridge\.example\.org/hooks/pretix/events/(wh_[\w-]{43})\n", shown)
    assert found
    assert "Webhooks" in shown
    run(site, "hook", "events", "--keep-old", "24")
    listed = run(site, "hooks", "--json").output
    assert [bool(hook["ends"]) for hook in json.loads(listed)["hooks"]] == [True, False]
    assert found[1] not in listed
    assert "2 addresses" in run(site, "end-hook", "events").output
    assert json.loads(run(site, "hooks", "--json").output) == {"hooks": [], "notes": []}
    assert "can send webhooks" in str(run(site, "hook", "moodle").exception)


RECORDS = [
    {"ref": f"B{n}", "attendee": {"name": name, "email": f"a{n}@n.example"},
     "event": {"title": "Neglect", "starts": "2026-11-12T09:30:00Z"}, "attendance": "Attended"}
    for n, name in enumerate(("Ana Reid", "Ben Cole", "Cara Doyle"))
]  # fmt: skip


def test_an_answer_kept_as_a_file_is_learned_and_asks_for_its_address(
    site: Path, tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"data": RECORDS}), encoding="utf-8")
    asked = run(site, "learn", str(answer), "--profile", "lscp", "--json")
    assert asked.exit_code == 3
    assert [q["id"] for q in json.loads(asked.output)["questions"]] == ["url"]
    url = "url=https://api.example.org/bookings"
    done = run(site, "learn", str(answer), "--profile", "lscp", "-a", url, "--save")
    assert done.exit_code == 0, done.output
    assert "[rest.NAME]" in done.output
    kept = read_rest_profile(site / "profiles" / "lscp.yaml")
    assert kept["request"]["url"] == "https://api.example.org/bookings"
    assert kept["columns"]["email"] == "attendee.email"
    assert "no file" in run(site, "learn", "nowhere.json").output


def test_an_address_is_learned_and_then_asked_by_the_profile(
    site: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request(
        "/bookings", query_string={"limit": "9"}, headers={"X-Api-Key": "the-secret"}
    ).respond_with_json({"data": RECORDS, "next": None})
    monkeypatch.setenv("BRIDGE_LSCP_SECRET", "the-secret")
    url = httpserver.url_for("/bookings") + "?limit=9"
    words = ("--profile", "lscp", "--auth", "header:X-Api-Key", "--save")
    done = run(site, "learn", url, *words)
    assert done.exit_code == 0, done.output
    assert "Ana Reid" in done.output
    text = (site / "profiles" / "lscp.yaml").read_text(encoding="utf-8")
    assert "the-secret" not in text + done.output
    with (site / "bridge.toml").open("a", encoding="utf-8") as config:
        config.write('[rest.lscp]\nprofile = "lscp"\n')
    told = json.loads(run(site, "dry-run", "lscp", "--json").output)
    assert [row["person"] for row in told] == ["Ana Reid", "Ben Cole", "Cara Doyle"]


@pytest.mark.parametrize("query", ["api_key=the-secret", "limit=9&accessToken=the-secret"])
def test_a_secret_in_an_address_is_not_sent_and_not_shown(
    site: Path, httpserver: HTTPServer, query: str
) -> None:
    httpserver.expect_request("/bookings").respond_with_json({"data": RECORDS})
    done = run(site, "learn", f"{httpserver.url_for('/bookings')}?{query}", "--json")
    assert done.exit_code != 0
    assert "looks like a secret" in f"{done.output}{done.exception}"
    assert "the-secret" not in f"{done.output}{done.exception}"
    assert httpserver.log == []


def test_the_profile_in_the_manual_is_one() -> None:
    manual = (ROOT / "docs" / "booking-apis.md").read_text(encoding="utf-8")
    lines = manual.partition("    # profiles/lscp-events.yaml\n")[2].partition("\n\nand in")[0]
    text = "\n".join(line.removeprefix("    ") for line in lines.splitlines())
    assert parse_rest_profile(text, "lscp-events.yaml")["profile"] == "lscp-events"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[pretix.a]\nurl = "https://x"\norganizer = "o"\nidentity = ["by-hand"]\n', "automatic"),
        ('[pretix.a]\nurl = "https://x"\norganizer = "o"\nfull_from = 2\n', "it may be 1 at most"),
        ('[rest.a]\nprofile = "x"\n[moodle.a]\nurl = "https://x"\n', "two sources are called a"),
        ('[rest.a]\nprofile = "x"\ntoken = "abc"\n', "no such setting"),
    ],
)
def test_settings_that_cannot_work_are_told_with_their_place(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "bridge.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadFile) as caught:
        load_config(tmp_path)
    assert words in " ".join(str(problem) for problem in caught.value.problems)


def test_a_broken_profile_stops_its_own_source_and_no_other(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_TICKETS_SECRET", "s")
    with (site / "bridge.toml").open("a", encoding="utf-8") as config:
        config.write('[rest.tickets]\nprofile = "mine"\n')
    (site / "profiles").mkdir(exist_ok=True)
    (site / "profiles" / "mine.yaml").write_text("profile: mine\nurl: nowhere\n", encoding="utf-8")
    told = json.loads(run(site, "dry-run", "events", "--json").output)
    assert len(told) == 2
    with pytest.raises(NeedsAdministrator, match=r"mine\.yaml:"):
        open_bridge_source(site, "tickets")


def test_a_missing_token_stops_its_own_source_and_no_other(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (site / "bridge.toml").open("a", encoding="utf-8") as config:
        config.write('[moodle.lms]\nurl = "https://lms.example.org"\n')
    monkeypatch.delenv("BRIDGE_LMS_TOKEN", raising=False)
    assert len(json.loads(run(site, "dry-run", "events", "--json").output)) == 2
    with pytest.raises(NeedsAdministrator, match="BRIDGE_LMS_TOKEN"):
        open_bridge_source(site, "lms")


def open_bridge_source(site: Path, name: str) -> None:
    """Ask one source for everything."""
    opened = open_bridge(site)
    try:
        list(opened.sources[name].connector.pull(None))
    finally:
        opened.close()
