"""`bridge moodle`: set-up, frameworks and links, as an administrator runs them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bridge.cli import main
from bridge.demo.moodle import StandInMoodle, seed
from bridge.demo.moodle.functions import FUNCTIONS
from bridge.demo.moodle.tables import Service
from bridge.sitefolder import make_site


@dataclass
class Terminal:
    """Runs `bridge` with what stands in the environment and on standard input."""

    site: Path
    moodle: StandInMoodle
    admin: str

    def run(self, *words: str, admin: str = "", typed: str = "") -> tuple[int, str]:
        """Exit status, and both outputs together."""
        env = {"BRIDGE_SITE": str(self.site), "COLUMNS": "300", "BRIDGE_MOODLE_ADMIN_TOKEN": admin}
        out = io.StringIO()
        status = 0
        with (
            mock.patch.dict(os.environ, env),
            mock.patch.object(sys, "argv", ["bridge", *words]),
            mock.patch.object(sys, "stdin", io.StringIO(typed)),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(out),
        ):
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        return status, out.getvalue()

    def json(self, *words: str, admin: str = "") -> Any:
        return json.loads(self.run(*words, "--json", admin=admin)[1])

    def everything_kept(self) -> bytes:
        """Every byte of the site's folder."""
        return b"".join(path.read_bytes() for path in self.site.rglob("*") if path.is_file())


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    now = datetime.now(UTC)
    with StandInMoodle(seed.demo_site(now, lambda: datetime.now(UTC))) as moodle:
        service = Service("everything", set(FUNCTIONS))
        moodle.site.add_service(service)
        admin = moodle.site.add_token(moodle.site.user("admin"), service).value
        site = tmp_path / "site"
        make_site(site, url=moodle.base_url, token_file="moodle.token")
        (site / "moodle.token").write_text(moodle.site.token_of(seed.SERVICE_USER))
        yield Terminal(site, moodle, admin)


def test_set_up_of_a_ready_moodle_says_what_is_proven(terminal: Terminal) -> None:
    status, out = terminal.run("moodle", "setup", "moodle", "--no-admin")
    assert status == 0, out
    assert "Proven by real calls" in out
    assert "report rows" in out
    assert "cohort members can be changed" in out


def test_without_a_token_the_files_are_written_for_their_owner_alone(terminal: Terminal) -> None:
    (terminal.site / "moodle.token").unlink()
    status, out = terminal.run("moodle", "setup", "moodle", "--no-admin")
    assert status == 1
    assert f"{terminal.moodle.base_url}/admin/roles/define.php?action=add" in out
    written = list((terminal.site / "moodle-setup").iterdir())
    assert {path.suffix for path in written} == {".xml", ".csv"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    user = (terminal.site / "moodle-setup" / "competency-bridge-user.csv").read_text()
    password = user.splitlines()[1].split(",")[4]
    assert password not in out


@pytest.mark.parametrize("way", ["environment", "typed"])
def test_an_administrators_token_is_used_and_kept_nowhere(terminal: Terminal, way: str) -> None:
    (terminal.site / "moodle.token").unlink()
    words = ("moodle", "setup", "moodle")
    if way == "environment":
        _, out = terminal.run(*words, admin=terminal.admin)
    else:
        _, out = terminal.run(*words, "--admin-stdin", typed=f"{terminal.admin}\n")
    assert terminal.moodle.site.user("svc-bridge")
    assert "svc-bridge is there" in out
    assert terminal.admin not in out
    assert terminal.admin.encode() not in terminal.everything_kept()


def test_a_token_that_is_wrong_is_said_to_be(terminal: Terminal) -> None:
    _, out = terminal.run("moodle", "setup", "moodle", admin="0" * 32)
    assert "administrator's token cannot be used" in out


def test_json_has_steps_findings_and_files(terminal: Terminal) -> None:
    told = terminal.json("moodle", "setup", "moodle")
    assert {step["key"] for step in told["steps"]} >= {"plugin", "web services", "role", "report"}
    assert all(one["ok"] or one["warning"] for one in told["findings"])
    assert told["administrator"] == "no token"


def test_frameworks_go_in_once_and_a_dry_run_changes_nothing(terminal: Terminal) -> None:
    terminal.run("mappings", "publish", "-m", "first")
    before = terminal.json("moodle", "frameworks", "moodle", "--dry-run", admin=terminal.admin)
    assert [len(plan["create"]) for plan in before["frameworks"]] == [35, 32]
    assert before["links"]["waiting"]
    assert len(terminal.moodle.site.frameworks) == 1
    status, out = terminal.run("moodle", "frameworks", "moodle", admin=terminal.admin)
    assert status == 0, out
    links = terminal.moodle.site.course_competencies.values()
    assert links
    assert {link.ruleoutcome for link in links} == {1}
    made = len(terminal.moodle.site.competencies), len(links)
    status, out = terminal.run("moodle", "frameworks", "moodle", admin=terminal.admin)
    assert "0 made, 0 put back, 0 courses' links made" in out
    assert (len(terminal.moodle.site.competencies), len(links)) == made
    acts = [entry["act"] for entry in terminal.json("trail")]
    assert acts.count("lms-frameworks") == 1


def test_an_outcome_that_completes_is_loud_and_put_back(terminal: Terminal) -> None:
    terminal.run("mappings", "publish", "-m", "first")
    terminal.run("moodle", "frameworks", "moodle", admin=terminal.admin)
    link = next(iter(terminal.moodle.site.course_competencies.values()))
    link.ruleoutcome = 3
    status, out = terminal.run("moodle", "frameworks", "moodle", "--dry-run", admin=terminal.admin)
    assert status == 1
    assert "without any person's word" in out
    assert link.ruleoutcome == 3
    terminal.run("moodle", "frameworks", "moodle", admin=terminal.admin)
    assert link.ruleoutcome == 1


def test_what_was_reworded_in_moodle_stays_unless_it_is_to_be_restored(
    terminal: Terminal,
) -> None:
    terminal.run("moodle", "frameworks", "moodle", "--no-courses", admin=terminal.admin)
    words = ("moodle", "frameworks", "moodle", "--no-courses")
    one = next(c for c in terminal.moodle.site.competencies.values() if c.idnumber == "llr-2020:13")
    right = one.shortname
    one.shortname, one.ruleoutcome = "Reworded", 2
    _, out = terminal.run(*words, admin=terminal.admin)
    assert "llr-2020:13 reads differently" in out
    assert (one.shortname, one.ruleoutcome) == ("Reworded", 0)
    terminal.run(*words, "--restore", admin=terminal.admin)
    assert one.shortname == right


def test_frameworks_can_be_written_for_moodles_own_import_page(
    terminal: Terminal, tmp_path: Path
) -> None:
    (terminal.site / "moodle.token").unlink()
    status, out = terminal.run("moodle", "frameworks", "moodle", "--files", str(tmp_path / "out"))
    assert status == 0, out
    assert "/admin/tool/lpimportcsv/index.php" in out
    text = (tmp_path / "out" / "llr-2020.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 36
    assert rows[0]["Is framework"] == "1"


def test_an_edition_whose_file_changed_is_refused(terminal: Terminal) -> None:
    terminal.run("mappings", "publish", "-m", "first")
    path = terminal.site / "frameworks" / "llr-2020.yaml"
    path.write_text(path.read_text().replace("possible signs", "certain signs"))
    status, out = terminal.run("moodle", "frameworks", "moodle", admin=terminal.admin)
    assert status == 1
    assert "An edition never changes" in out
    assert len(terminal.moodle.site.frameworks) == 1


def test_the_service_users_token_is_told_to_be_too_little(terminal: Terminal) -> None:
    status, out = terminal.run("moodle", "frameworks", "moodle")
    assert status == 1
    assert "--ask-admin" in out


def test_links_of_a_moodle_are_suggestions_by_number_and_by_the_sites_table(
    terminal: Terminal,
) -> None:
    moodle = terminal.moodle.site
    own = moodle.add_framework("Trust framework", "TRUST")
    ours = moodle.add_competency(own, "Recognises abuse", "T-1")
    courses = {course.shortname: course.id for course in moodle.courses.values()}
    moodle.link_course(courses["EARLY-HELP"], ours.id)
    terminal.run("pull")
    table = terminal.site / "competencies.yaml"
    table.write_text('competencies:\n  - {framework: TRUST, competency: T-1, is: "llr:2"}\n')
    config = terminal.site / "bridge.toml"
    config.write_text(
        config.read_text().replace("identity =", 'competencies = "competencies.yaml"\nidentity =')
    )
    terminal.run("mappings", "publish", "-m", "first")
    status, out = terminal.run("moodle", "links", "moodle", "--read")
    assert status == 0, out
    assert "llr-2020 2" in out
    assert "llr-2020: [2]" in out
    table.write_text('competencies:\n  - {framework: TRUST, competency: T-1, is: "llr:99"}\n')
    status, out = terminal.run("moodle", "links", "moodle", "--read")
    assert status == 2
    assert "competencies.yaml:2" in out
    assert "no competency `99`" in out


def test_a_moodle_that_is_not_configured_is_named(terminal: Terminal) -> None:
    for words in (("setup",), ("frameworks",), ("links",)):
        status, out = terminal.run(
            "moodle", *words, "other", *(("--no-admin",) if words == ("setup",) else ())
        )
        assert status == 1
        assert "there are: moodle" in out


def test_setup_says_first_where_moodle_does_not_answer(tmp_path: Path) -> None:
    """Its steps would be there all the same, with what is wrong in the middle of them."""
    make_site(tmp_path / "site", url="http://127.0.0.1:9")
    with StandInMoodle(seed.demo_site(datetime.now(UTC))) as moodle:
        terminal = Terminal(tmp_path / "site", moodle, "")
        status, told = terminal.run("moodle", "setup", "moodle")
    assert status == 1
    assert told.startswith("First of all: moodle: no connection to http://127.0.0.1:9")
