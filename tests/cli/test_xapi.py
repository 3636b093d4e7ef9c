"""`bridge xapi credential`: a credential that works, shown once, and its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.bootstrap import open_bridge, web_site
from bridge.cli import bridge
from bridge.domain.errors import BridgeError
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


def test_what_is_sent_here_is_a_source_for_mappings_doctor_and_pull(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_MOODLE_TOKEN", "of no use here")
    toml = site / "bridge.toml"
    # Nothing answers at this address.
    toml.write_text(toml.read_text().replace("https://moodle.example.org", "http://127.0.0.1:9"))
    (site / "mappings" / "sent.yaml").write_text(
        "mapping: sent\ntitle: Sent\neffective_from: 2024-04-01\nrules:\n"
        "  - {rule: page, title: Page, match: [{source: moodle-xapi, idnumber: PAGE}],\n"
        "     learning_activity: e-learning, suggests: {llr-2020: [2]}}\n"
    )

    def said(*words: str) -> str:
        done = CliRunner().invoke(bridge, [*words, "--site", str(site)])
        assert done.exception is None or isinstance(done.exception, SystemExit | BridgeError)
        return done.output + str(done.exception or "")

    assert "`moodle-xapi` is not known" in said("mappings", "check")
    run(site, "add", "moodle-xapi", "--title", "Moodle, logstore_xapi")
    assert "in order" in said("mappings", "check")
    assert "'Moodle, logstore_xapi' has never been used" in said("doctor")
    assert "sends its statements to /xapi" in said("pull", "moodle-xapi")
    assert "moodle:" in said("pull")
