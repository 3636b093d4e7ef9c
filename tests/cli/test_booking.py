"""`bridge booking`: learn a table, answer what it asks, and load it, as scripts and people do."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from unittest import mock

import pytest

from bridge.cli import main
from bridge.sitefolder import make_site
from tests.exports.making import as_csv

HEAD = ["Course", "Date", "First name", "Surname", "Email", "Register", "Notes"]
ROWS = [["Neglect", "03/04/2026", "Ann", "Lee", "ann@x.org", "P", ""],
        ["Neglect", "03/04/2026", "Bo", "Lee", "bo@x.org", "A", "=1+1"],
        ["Core", "05/06/2026", "Cy", "Ode", "cy@x.org", "P", ""]]  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    make_site(folder)
    text = (folder / "bridge.toml").read_text()
    start, end = text.index("[moodle.moodle]"), text.index("[mail]")
    files = '[files.events]\nfolder = "in"\nprofile = "lscp"\nsettle_seconds = 0\n\n'
    (folder / "bridge.toml").write_text(text[:start] + files + text[end:])
    (folder / "in").mkdir()
    (folder / "bookings.csv").write_bytes(as_csv([HEAD, *ROWS]))
    return folder


def run(site: Path, *words: str) -> tuple[int, str, str]:
    """Exit status and both outputs of a command that nobody sits before."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with (
        mock.patch.dict(os.environ, {"BRIDGE_SITE": str(site), "COLUMNS": "300"}),
        mock.patch.object(sys, "argv", ["bridge", *words]),
        mock.patch.object(sys, "stdin", io.StringIO()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return status, out.getvalue(), err.getvalue()


def test_learn_asks_in_json_takes_answers_and_loads(site: Path) -> None:
    file = str(site / "bookings.csv")
    learn = ("booking", "learn", file, "--profile", "lscp")
    status, out, _ = run(site, *learn, "--json")
    told = json.loads(out)
    assert (status, told["settled"], told["saved"]) == (3, False, None)
    assert {q["id"] for q in told["questions"]} == {"dates", "word:P", "word:A"}
    assert told["ignored"] == ["Notes"]
    answers = ("-a", "dates=day-first", "-a", "word:P=fully_attended", "-a", "word:A=no_show")
    status, out, _ = run(site, *learn, *answers, "--save", "--json")
    told = json.loads(out)
    assert (status, told["settled"]) == (0, True)
    assert [row["cells"]["day"] for row in told["rows"]] == [
        "Fri 3 April 2026", "Fri 3 April 2026", "Fri 5 June 2026"]  # fmt: skip
    assert (site / "profiles" / "lscp.yaml").exists()
    status, out, _ = run(site, "booking", "load", file, "--source", "events", "--dry-run", "--json")
    looked = json.loads(out)
    assert (looked["new"], looked["dispositions"]) == (3, {"unmapped": 3})
    status, out, _ = run(site, "booking", "load", file, "--source", "events", "--json")
    assert (status, json.loads(out)["new"]) == (0, 3)
    # The same file in the folder brings nothing new; a bad one there is told, and set aside.
    (site / "in" / "again.csv").write_bytes(as_csv([HEAD, *ROWS]))
    (site / "in" / "bad.csv").write_bytes(as_csv([HEAD[:5], *(r[:5] for r in ROWS)]))
    status, out, _ = run(site, "pull", "events", "--json")
    (report,) = json.loads(out)
    assert (status, report["new"], report["unchanged"], report["needs_you"]) == (1, 0, 3, True)
    assert "bad.csv:1" in report["note"]
    status, out, _ = run(site, "doctor", "--json")
    findings = {f["check"]: f for f in json.loads(out)["events"]}
    assert findings["profile"]["ok"]
    assert "bad.csv" in findings["set aside"]["message"]
    status, out, _ = run(site, "trail", "--json")
    assert {"keep-profile", "load-table"} <= {e["act"] for e in json.loads(out)}


def test_a_person_sees_rows_and_what_is_open_and_a_bad_file_loads_nothing(site: Path) -> None:
    status, out, _ = run(site, "booking", "learn", str(site / "bookings.csv"))
    assert status == 3
    assert "Not kept: Notes" in out
    assert "--answer 'dates=...'" in out
    status, _, err = run(site, "booking", "load", str(site / "bookings.csv"), "--source", "events")
    assert (status, "booking learn FILE --profile lscp" in err) == (2, True)
    (site / "letter.pdf").write_bytes(b"%PDF-1.7")
    status, _, err = run(site, "booking", "learn", str(site / "letter.pdf"))
    assert (status, "This is a PDF" in err) == (2, True)
    status, _, err = run(site, "booking", "load", str(site / "letter.pdf"), "--source", "nothing")
    assert (status, "[files.nothing]" in err) == (1, True)
    status, out, _ = run(site, "schemas", "profile")
    assert json.loads(out)["title"].startswith("A column profile")


def test_an_answer_that_is_no_choice_is_refused_and_what_is_not_saved_is_said(site: Path) -> None:
    learn = ("booking", "learn", str(site / "bookings.csv"))
    status, _, err = run(site, *learn, "-a", "dates=dayfirst", "--save")
    assert (status, "one of day-first, month-first" in " ".join(err.split())) == (2, True)
    status, out, _ = run(site, *learn)
    assert "one of day-first, month-first" in out
    assert "one of fully_attended, partially_attended, no_show" in out
    answers = ("-a", "dates=day-first", "-a", "word:P=fully_attended", "-a", "word:A=no_show")
    status, out, _ = run(site, *learn, *answers)
    assert (status, "Nothing was saved" in out) == (0, True)
    assert "words: P is fully_attended, A is no_show" in out


def test_a_correction_that_cannot_be_read_is_told_and_quarantine_keeps_the_row(site: Path) -> None:
    answers = ("-a", "dates=day-first", "-a", "word:P=fully_attended", "-a", "word:A=no_show")
    learn = ("booking", "learn", str(site / "bookings.csv"), "--profile", "lscp", "--save")
    assert run(site, *learn, *answers)[0] == 0
    load = ("booking", "load", str(site / "bookings.csv"), "--source", "events")
    status, out, _ = run(site, *load)
    assert (status, "3 new" in out, "3 of the new are unmapped: see" in out) == (0, True, True)
    # One row of a known booking says what nobody knows; another is of a booking that is new.
    new = ["Core", "05/06/2026", "Di", "Ode", "di@x.org", "Perhaps", ""]
    changed = [*ROWS[0][:5], "Maybe", ""]
    (site / "bookings.csv").write_bytes(as_csv([HEAD, changed, *ROWS[1:], new]))
    told = "1 known record says something now that cannot be read"
    status, out, _ = run(site, *load, "--dry-run")
    assert (status, told in out) == (0, True)
    status, out, _ = run(site, *load)
    assert (status, told in out, "'Maybe'" in out) == (1, True, True)
    assert "1 of the new are quarantined: see 'bridge quarantine list'" in out
    for _ in range(2):
        (held,) = json.loads(run(site, "quarantine", "list", "--json")[1])
        assert held["message"].startswith("bookings.csv, row 5, column 6 (Register): ")
        assert "'Perhaps'" in held["message"]
        assert run(site, "quarantine", "replay")[0] in (0, 1)


def test_what_people_are_called_moves_no_terminal(site: Path) -> None:
    """Escape sequences in a file: the title of the window, the clipboard, colours."""
    evil = "\x1b]0;you\x07Eve\x9b31m\u202e [red]"
    (site / "evil.csv").write_bytes(as_csv([[*HEAD[:6], evil], [evil, *ROWS[0][1:]], *ROWS]))
    learn = ("booking", "learn", str(site / "evil.csv"), "--profile", "lscp")
    answers = [a for k in ("dates=day-first", "word:P=fully_attended", "word:A=no_show")
               for a in ("-a", k)]  # fmt: skip
    status, out, err = run(site, *learn, *answers)
    assert status == 0, out + err
    assert "]0;you" in out
    assert "Eve" in out
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*out, *err}
