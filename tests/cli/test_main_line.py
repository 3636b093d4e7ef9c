"""The commands of the README, one after another, on a site and the stand-in Moodle."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bridge.cli import main
from bridge.cli.common import opened
from bridge.demo.moodle import StandInMoodle, seed
from bridge.domain.errors import NotAllowed
from bridge.services import signin
from bridge.services.evidence import may_verify


@dataclass
class Terminal:
    """Runs `bridge` as a person would: words in, exit status and text out."""

    site: Path
    moodle: StandInMoodle

    def run(self, *words: str, token: str = "", ok: bool = True) -> str:
        """The command's standard output; with `ok=False`, it must fail, and both outputs."""
        env = {"BRIDGE_SITE": str(self.site), "COLUMNS": "300", "BRIDGE_TOKEN": token}
        out, err = io.StringIO(), io.StringIO()
        status = 0
        with (
            mock.patch.dict(os.environ, env),
            mock.patch.object(sys, "argv", ["bridge", *words]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        assert (status == 0) is ok, out.getvalue() + err.getvalue()
        return out.getvalue() if ok else out.getvalue() + err.getvalue()

    def json(self, *words: str, token: str = "") -> Any:
        """What a reading command says with --json."""
        return json.loads(self.run(*words, "--json", token=token))


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    now = datetime.now(UTC)
    folder = tmp_path_factory.mktemp("cli")
    moodle = StandInMoodle(seed.demo_site(now, lambda: datetime.now(UTC)))
    url = moodle.start()
    terminal = Terminal(folder / "site", moodle)
    terminal.run("init", str(terminal.site))
    config = terminal.site / "bridge.toml"
    text = config.read_text().replace("https://moodle.example.org", url)
    text = text.replace('# token_file = "moodle.token"', 'token_file = "moodle.token"')
    config.write_text(text)
    (terminal.site / "moodle.token").write_text(moodle.site.token_of(seed.SERVICE_USER))
    (terminal.site / "staff.csv").write_text(seed.staff_list(now))
    yield terminal
    moodle.stop()


@pytest.fixture(scope="module")
def pulled(terminal: Terminal) -> Terminal:
    terminal.run("people", "import", str(terminal.site / "staff.csv"))
    terminal.run("mappings", "publish", "-m", "first")
    terminal.run("pull")
    return terminal


def test_doctor_finds_a_ready_site_ready(terminal: Terminal) -> None:
    findings = terminal.json("doctor")
    assert all(f["ok"] or f["warning"] for checks in findings.values() for f in checks)


def test_the_ledger_adds_up_and_everything_is_listed(pulled: Terminal) -> None:
    (source,) = pulled.json("ledger")["sources"]
    assert source["received"] == 840
    assert source["adds_up"] is True
    assert sum(source["dispositions"].values()) == 840
    assert pulled.json("unmapped")[0]["people"] > 0
    assert pulled.json("unmatched")
    assert len(pulled.json("evidence", "list")) == source["dispositions"]["evidence"]


def test_pulling_again_says_that_nothing_was_written(pulled: Terminal) -> None:
    assert "Nothing was written" in pulled.run("pull")


def test_a_draft_becomes_verified_by_two_people_with_their_own_tokens(pulled: Terminal) -> None:
    drafts = pulled.json("evidence", "list", "--state", "suggested")
    draft = next(d for d in drafts if _llr(d))
    number, owner = draft["evidence"]["id"], draft["evidence"]["person"]
    own = pulled.run("people", "token", str(owner)).strip()
    shown = pulled.json("evidence", "show", str(number), token=own)
    manager = shown["verifiers"][0][0]
    words = ("evidence", "reflect", str(number), "--claim", _llr(draft)[0],
             "--verifier", str(manager), "--reflection", "I ask about the daily life now.",
             "--used", "In supervision.")  # fmt: skip
    assert "own token" in pulled.run(*words, ok=False)
    pulled.run(*words, token=own)
    theirs = pulled.run("people", "token", str(manager)).strip()
    verify = ("evidence", "verify", str(number), "--method", "supervision")
    assert "--read" in pulled.run(*verify, token=theirs, ok=False)
    read = pulled.json("evidence", "show", str(number), token=theirs)["read"]
    # They think again while the manager reads: a decision is about words that somebody has seen.
    pulled.run("evidence", "recall", str(number), token=own)
    pulled.run(*words, token=own)
    stale = pulled.run(*verify, "--read", str(read), token=theirs, ok=False)
    assert "changed what they wrote" in stale
    shown = pulled.run("evidence", "show", str(number), token=theirs)
    read = pulled.json("evidence", "show", str(number), token=theirs)["read"]
    assert f"--read {read}" in shown
    having_read = (*verify, "--read", str(read))
    assert "Nobody verifies their own" in pulled.run(*having_read, token=own, ok=False)
    pulled.run(*having_read, token=theirs)
    told = pulled.run("explain", "evidence", str(number))
    assert "verified by" in told
    assert "Suggested by rule" in told
    entry = next(e for e in pulled.json("trail") if e["act"] == "verified")
    assert (entry["channel"], entry["actor"]) == ("cli", f"person:{manager}")


def _llr(draft: dict[str, Any]) -> list[str]:
    return [c["ref"]["code"] for c in draft["claims"] if c["ref"]["edition"] == "llr-2020"]


def test_a_wrong_token_opens_nothing(pulled: Terminal) -> None:
    assert "not valid" in pulled.run("evidence", "mine", token="cb_guess", ok=False)


def test_a_broken_mapping_is_named_and_the_last_good_one_stays(pulled: Terminal) -> None:
    broken = pulled.site / "mappings" / "broken.yaml"
    broken.write_text("mapping: broken\ntitle: B\nrules:\n  - rule: x\n    mtach: []\n")
    try:
        said = pulled.run("mappings", "check", ok=False)
        assert "broken.yaml:" in said
        assert "mtach" in said
        assert "broken.yaml:" in pulled.run("mappings", "publish", ok=False)
        before = len(pulled.json("mappings", "list"))
        pulled.run("pull", "--full")
        assert len(pulled.json("mappings", "list")) == before > 0
    finally:
        broken.unlink()


def test_explaining_an_absence(pulled: Terminal) -> None:
    person = pulled.json("people", "list")[-1]["id"]
    assert "34" in pulled.run("explain", "person", str(person), "34")
    assert "There is no learning record" in pulled.run("explain", "record", "999999", ok=False)


def test_people_show_tells_where_somebody_stands(pulled: Terminal) -> None:
    person = pulled.json("evidence", "list")[0]["evidence"]["person"]
    found = pulled.json("people", "show", str(person))
    assert len([x for x in found["lines"] if x["ref"]["edition"] == "llr-2020"]) >= 10


def test_roles_are_given_listed_and_taken_back(pulled: Terminal) -> None:
    one = str(pulled.json("people", "list")[0]["id"])
    said = pulled.run("people", "grant", one, "training team")
    assert "has the role 'training team'" in said
    pulled.run("people", "grant", one, "partnership")
    narrow = ("people", "grant", one, "partnership", "--organisation", "nowhere")
    assert "nowhere" in pulled.run(*narrow, ok=False)
    given = pulled.json("people", "roles")
    assert {(str(g["person"]), g["role"]) for g in given} == {
        (one, "training team"), (one, "partnership")
    }  # fmt: skip
    # In a narrow window names are broken over lines.
    assert given[0]["person_name"].split()[0] in pulled.run("people", "roles")
    for each in given:
        pulled.run("people", "revoke-role", str(each["id"]))
    assert pulled.json("people", "roles") == []
    pulled.run("people", "revoke-role", str(given[0]["id"]), ok=False)
    pulled.run("people", "grant", one, "practitioner", ok=False)


def test_an_invitation_signs_its_person_in_once(pulled: Terminal) -> None:
    one = pulled.json("people", "list")[0]
    link = pulled.run("people", "invite", str(one["id"]), "--days", "2").strip()
    address, _, secret = link.rpartition("/link/")
    assert address.startswith("http://127.0.0.1:")
    with opened(pulled.site) as bridge:
        found, _ = signin.use_link(bridge.context, secret, signin.Lasting())
        assert found.person == one["id"]
        assert found.expires_at - datetime.now(UTC) > timedelta(days=1)
        with pytest.raises(NotAllowed):
            signin.use_link(bridge.context, secret, signin.Lasting())
    assert secret not in (pulled.site / "bridge.db").read_bytes().decode("latin-1")
    assert "Nobody is known" in pulled.run("people", "invite", "Nobody Here", ok=False)


def test_an_approval_is_given_and_ended(pulled: Terminal) -> None:
    learner, other = (str(p["id"]) for p in pulled.json("people", "list")[:2])

    def approved() -> bool:
        with opened(pulled.site) as bridge:
            found = may_verify(bridge.context, int(learner))
        return other in [str(person) for person, _, authority in found if authority == "assessor"]

    assert not approved()
    pulled.run("people", "approve", other, "assessor")
    assert approved()
    pulled.run("people", "end-approval", other, "peer")
    assert approved()
    assert "does not verify as assessor" in pulled.run("people", "end-approval", other, "assessor")
    assert not approved()


def test_a_moodle_that_is_away_is_told_and_loses_nothing(pulled: Terminal) -> None:
    config = pulled.site / "bridge.toml"
    text = config.read_text()
    config.write_text(text.replace("http://127.0.0.1:", "http://127.0.0.1:1"))
    try:
        pulled.run("pull", ok=False)
    finally:
        config.write_text(text)
    assert pulled.json("ledger")["sources"][0]["received"] == 840


def test_the_schemas_are_published(terminal: Terminal) -> None:
    for name in terminal.run("schemas").split():
        assert json.loads(terminal.run("schemas", name))["$schema"]


def test_the_module_runs_as_a_program(terminal: Terminal) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "--version"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("bridge, version")
