"""`bridge booking` for systems with an API: dry runs store nothing; addresses of webhooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.bootstrap import open_bridge
from bridge.catalog.rest_profiles import parse_rest_profile
from bridge.cli import bridge
from bridge.config import load_config
from bridge.demo.booking import Shop, StandInPretix
from bridge.demo.booking.state import Booker
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


def test_a_webhook_address_is_shown_once_changed_and_ended(site: Path) -> None:
    shown = run(site, "hook", "events").output
    found = re.search(r"https://bridge\.example\.org/hooks/pretix/events/(wh_[\w-]{43})\n", shown)
    assert found
    assert "Webhooks" in shown
    run(site, "hook", "events", "--keep-old", "24")
    listed = run(site, "hooks", "--json").output
    assert [bool(hook["ends"]) for hook in json.loads(listed)] == [True, False]
    assert found[1] not in listed
    assert "2 addresses" in run(site, "end-hook", "events").output
    assert json.loads(run(site, "hooks", "--json").output) == []
    assert "can send webhooks" in str(run(site, "hook", "moodle").exception)


def test_the_profile_in_the_manual_is_one() -> None:
    manual = (ROOT / "docs" / "booking-apis.md").read_text(encoding="utf-8")
    lines = manual.partition("    # profiles/lscp-events.yaml\n")[2].partition("\n\nand in")[0]
    text = "\n".join(line.removeprefix("    ") for line in lines.splitlines())
    assert parse_rest_profile(text, "lscp-events.yaml")["profile"] == "lscp-events"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[pretix.a]\nurl = "https://x"\norganizer = "o"\nidentity = ["by-hand"]\n', "automatic"),
        ('[pretix.a]\nurl = "https://x"\norganizer = "o"\nfull_from = 2\n', "less than or equal"),
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
