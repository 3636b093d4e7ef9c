"""`bridge xapi credential`: a credential that works, shown once, and its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.bootstrap import open_bridge, web_site
from bridge.cli import bridge
from bridge.web.app import create_app


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A new site."""
    folder = tmp_path / "site"
    made = CliRunner().invoke(bridge, ["init", str(folder)])
    assert made.exit_code == 0, made.output
    return folder


def run(site: Path, *words: str) -> str:
    """A command that must succeed; what it says."""
    done = CliRunner().invoke(bridge, ["xapi", "credential", *words, "--site", str(site)])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_credential_lets_somebody_send_until_it_ends(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_MOODLE_TOKEN", "of no use here")
    made = json.loads(run(site, "add", "content", "--untrusted", "--title", "Course", "--json"))
    assert made["endpoint"].endswith("/xapi")
    opened = open_bridge(site)
    try:
        client = create_app(web_site(opened, "http://localhost")).test_client()

        def send() -> int:
            return client.post(
                "/xapi/statements",
                json=[],
                auth=(made["username"], made["password"]),
                headers={"X-Experience-API-Version": "1.0.3"},
            ).status_code

        assert send() == 200
        listed = json.loads(run(site, "list", "--json"))
        assert listed[0]["source"] == "content"
        assert listed[0]["trust"] == "untrusted"
        assert listed[0]["scopes"] == ["write"]
        assert made["password"] not in run(site, "list")
        run(site, "revoke", str(listed[0]["id"]))
    finally:
        opened.close()
    again = open_bridge(site)
    try:
        client = create_app(web_site(again, "http://localhost")).test_client()
        assert send() == 401
    finally:
        again.close()
    assert json.loads(run(site, "list", "--json"))[0]["revoked_at"]


def test_a_configured_source_is_no_senders(site: Path) -> None:
    done = CliRunner().invoke(bridge, ["xapi", "credential", "add", "moodle", "--site", str(site)])
    assert done.exit_code != 0
    assert "bridge.toml" in str(done.exception)


def test_what_would_be_forgotten_is_shown(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_MOODLE_TOKEN", "of no use here")

    def keeping(*words: str) -> Result:
        return CliRunner().invoke(bridge, ["xapi", "keeping", *words, "--site", str(site)])

    assert "for ever" in keeping().output
    with (site / "bridge.toml").open("a", encoding="utf-8") as file:
        file.write("\n[xapi]\nkeep_statements_days = 400\n")
    assert "for 400 days" in keeping().output
    told = json.loads(keeping("--json", "--days", "30").output)
    assert (told["keeping"]["statements"], told["whole"], told["statements"]) == (400, 0, 0)
    assert "Statements forgotten" in keeping("--now").output
    assert keeping("--now", "--days", "30").exit_code == 2


def test_the_doctor_looks_at_what_is_sent_here(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that is not called, because it sends by itself, is none that can be tried."""
    (site / "bridge.toml").write_text(
        '[xapi.source.contents]\nidentity = ["staff-number"]\n\n'
        '[lrs.silent]\nurl = "https://lrs.example.org/xapi"\npull = false\n'
    )
    (site / "mappings" / "moodle-courses.yaml").unlink()
    (site / "mappings" / "badges.yaml").unlink()
    made = json.loads(run(site, "add", "content", "--json"))
    told = CliRunner().invoke(bridge, ["doctor", "--site", str(site)])
    assert told.exit_code == 0, told.output
    assert "Nothing was sent yet" in told.output
    assert made["endpoint"] in told.output
    assert "No credential is for the source 'contents'" in told.output
    assert "[lrs.silent]" in told.output
    run(site, "revoke", "1")
    told = CliRunner().invoke(bridge, ["doctor", "--site", str(site)])
    assert "has ended" in told.output


def test_who_may_send_is_said_where_nobody_may(site: Path) -> None:
    assert "Nobody may send yet" in run(site, "list")
    assert "Set base_url" in run(site, "add", "content")


def test_a_rule_may_name_a_source_that_sends_here(site: Path) -> None:
    """One that is not configured to be pulled, and that has a credential, or settings already."""
    (site / "bridge.toml").write_text('[xapi.source.later]\nidentity = ["staff-number"]\n')
    for path in (site / "mappings").glob("*.yaml"):
        path.unlink()
    run(site, "add", "content")
    rule = "mapping: own\ntitle: Own\nrules:\n"
    for name in ("content", "later"):
        rule += (
            f"  - {{rule: {name}, title: A, ignore: No,\n"
            f'     match: [{{source: {name}, activity: "https://x.example/{name}"}}]}}\n'
        )
    (site / "mappings" / "own.yaml").write_text(rule)
    done = CliRunner().invoke(bridge, ["mappings", "check", "--site", str(site)])
    assert done.exit_code == 0, done.output
    (site / "mappings" / "own.yaml").write_text(rule.replace("source: later", "source: contnet"))
    done = CliRunner().invoke(bridge, ["mappings", "check", "--site", str(site)])
    assert done.exit_code == 1
    assert "Did you mean `content`?" in done.output


def test_what_sends_by_itself_is_not_pulled(site: Path) -> None:
    """A pull of everything leaves it out, and asking for it says where to look."""
    (site / "bridge.toml").write_text("")
    run(site, "add", "content")

    def pull(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(bridge, ["pull", *words, "--site", str(site)])
        return done.exit_code, done.output + str(done.exception or "")

    assert "Nothing is configured to pull from" in pull()[1]
    code, told = pull("content")
    assert code == 1
    assert "sends its statements here by itself" in told
    (site / "tables").mkdir()
    (site / "bridge.toml").write_text('[files.tables]\nfolder = "tables"\nprofile = "none"\n')
    assert "tables" in pull()[1]
    assert "content" not in pull()[1]
    assert "KeyError" not in pull()[1]
