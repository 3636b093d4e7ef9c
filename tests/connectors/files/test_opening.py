"""What is opened as a table, in whatever hand; and what is no table, or a bomb."""

from __future__ import annotations

import contextlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.connectors.files import Profile, workbook
from bridge.connectors.files.folder import file_pages
from bridge.connectors.files.learn import learn
from bridge.domain.problems import BadFile
from bridge.domain.records import AttendanceState, LearningFact, Pulled, Status, Unreadable
from tests.exports.making import as_csv, as_xlsx

HEAD = ["Course", "Date", "First name", "Surname", "Email", "Attendance"]
ROWS = [
    ["Neglect", "14/03/2026", "Siân", "O'Neill", "sian@x.org", "Attended"],
    ["Neglect", "14/03/2026", "Bo", "Lee", "bo@x.org", "DNA"],
    ["Core, Level 2", "15/04/2026 09:30", "Cy", "Müller", "cy@x.org", ""],
]
OPEN_QUOTES = b'x,"note\r\n' + as_csv(ROWS)
PROFILE = Profile(
    "events",
    columns={"event_title": "Course", "event_date": "Date", "first_name": "First name",
             "last_name": "Surname", "email": "Email", "status": "Attendance"},
)  # fmt: skip


def items(path: Path, profile: Profile = PROFILE, largest: int = 10**8) -> list[Pulled]:
    """Everything that a file gives."""
    return [item for page in file_pages(path, path.name, profile, largest) for item in page.items]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[Pulled]:
    path = tmp_path_factory.mktemp("plain") / "a.csv"
    path.write_bytes(as_csv([HEAD, *ROWS]))
    return items(path)


def test_rows_are_facts_and_no_mark_is_unknown(plain: list[Pulled]) -> None:
    facts = [item.fact for item in plain]
    assert all(isinstance(fact, LearningFact) for fact in facts)
    told = [(f.status, f.booking and f.booking.state, f.booking and f.booking.said)
            for f in facts if isinstance(f, LearningFact)]  # fmt: skip
    assert told == [
        (Status.ATTENDED, AttendanceState.FULLY_ATTENDED, "Attended"),
        (Status.MISSED, AttendanceState.NO_SHOW, "DNA"),
        (Status.UNKNOWN, None, ""),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40,
          deadline=None)  # fmt: skip
@given(
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    order=st.permutations(range(len(HEAD) + 1)),
    titles=st.integers(0, 3),
    total=st.booleans(),
    rows=st.permutations(range(len(ROWS))),
)
def test_the_same_rows_in_any_dress_are_the_same_items(
    plain: list[Pulled], tmp_path: Path, encoding: str, separator: str, order: list[int],
    titles: int, total: bool, rows: list[int],
) -> None:  # fmt: skip
    """Encoding, separator, order, columns that nobody reads, titles and totals change nothing."""
    wide = [[*HEAD, "Dietary needs"], *([*ROWS[n], "none"] for n in rows)]
    dressed = [[row[n] for n in order] for row in wide]
    dressed = [["Bookings of the spring"], ["Run on 3 May 2026"], []][:titles] + dressed
    dressed += [[], ["Total", "3"]] if total else []
    path = tmp_path / "b.csv"
    path.write_bytes(as_csv(dressed, separator=separator, encoding=encoding))
    found = items(path)
    assert {i.natural_key: i.body for i in found} == {i.natural_key: i.body for i in plain}


def test_a_workbook_gives_what_its_csv_gives(plain: list[Pulled], tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(as_xlsx([["Spring"], [], HEAD, *ROWS, [], ["Total", 3]], merged=("A1:F1",)))
    assert [i.natural_key for i in items(path)] == [i.natural_key for i in plain]


def test_a_formula_is_text_that_nobody_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    evil = '=HYPERLINK("http://x.example","Attended")'
    path.write_bytes(as_csv([HEAD, [*ROWS[0][:2], "=1+1", "Lee", "@SUM(A1)", "Attended"],
                             [*ROWS[1][:5], evil]]))  # fmt: skip
    one, other = items(path)
    assert isinstance(one.fact, LearningFact)
    assert one.fact.account.display_name == "=1+1 Lee"
    assert one.fact.account.email is None
    assert isinstance(other.fact, Unreadable)
    assert "row 3, column 6 (Attendance)" in other.fact.message
    book = tmp_path / "a.xlsx"
    book.write_bytes(as_xlsx([HEAD, ROWS[0], [*ROWS[1][:5], evil]]))
    assert [type(i.fact) for i in items(book)] == [LearningFact, LearningFact]
    assert isinstance(fact := items(book)[1].fact, LearningFact)
    assert fact.status is Status.UNKNOWN  # nothing was worked out, and nothing is guessed


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", b"%PDF-1.7 ...", "This is a PDF"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old kind"),
        ("a.xls", b"<html><table><tr><td>Course</td></tr></table></html>", "a web page"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"Course,Date\n\x00\x01\x02\x03\x00,x\n", "no text"),
        ("a.csv", as_csv([HEAD, *ROWS * 99, ["N\0eglect", *ROWS[0][1:]]]), "a NUL at byte 14,802"),
        ("a.csv", as_csv([HEAD, *ROWS * 99, ["\0"]]).decode().encode("utf-16"), "a NUL at byte"),
        ("a.xlsx", b"PK\x03\x04 cut off", "breaks off"),
        ("a.csv", b"One,Two\n1,2\n", "no file of the profile 'events'"),
        ("a.csv", as_csv([[*HEAD[:5], "Outcome"], *ROWS]), "a.csv:1:6: The column 'Attendance'"),
        ("a.csv", as_csv([HEAD, [*ROWS[0], "more"]]), "a.csv:2:7: This row has 7 cells"),
        ("a.csv", as_csv([HEAD, ROWS[0], ROWS[1][:4]]), "a.csv:3:4: This row ends after 4"),
        ("a.csv", as_csv([HEAD, ROWS[0]]) + OPEN_QUOTES, "Quotes in a cell are probably not"),
        ("a.csv", as_csv([HEAD, ROWS[0]]) + b'x,"' + b"y" * 200_000, "Quotes in a cell"),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded_says_where_and_why(
    name: str, content: bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadFile) as error:
        items(path)
    assert says in str(error.value)


def test_a_bomb_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
    with pytest.raises(BadFile, match="unpacks from"):
        items(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/styles.xml", b"<xf/>" * 2_000_000)
    with pytest.raises(BadFile, match="unpacks from"):
        items(path)
    entities = io.BytesIO()
    with zipfile.ZipFile(entities, "w") as archive:
        archive.writestr("xl/workbook.xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    path.write_bytes(entities.getvalue())
    with pytest.raises(BadFile, match="entities"):
        items(path)
    path.write_bytes(b"x" * 2_000_000)
    with pytest.raises(BadFile, match="2 MB"):
        items(path, largest=1_000_000)


def test_a_row_that_is_said_to_be_the_billionth_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "LONGEST", 1000)
    path, book = tmp_path / "far.xlsx", as_xlsx([HEAD, *ROWS])
    with zipfile.ZipFile(io.BytesIO(book)) as plain, zipfile.ZipFile(path, "w") as far:
        for name in plain.namelist():
            far.writestr(name, plain.read(name).replace(b'r="4"', b'r="99999999999"'))
    with pytest.raises(BadFile, match="goes on after row 1,000"):
        items(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60,
          deadline=None)  # fmt: skip
@given(st.booleans(), st.integers(0, 10**6), st.binary(max_size=20), st.booleans())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path: Path, book: bool, at: int, bytes_there: bytes, cut: bool
) -> None:
    rows = [HEAD, *ROWS]
    whole = as_xlsx(rows) if book else as_csv(rows)
    at %= len(whole)
    path = tmp_path / "damaged"
    path.write_bytes(whole[:at] + bytes_there + (b"" if cut else whole[at + len(bytes_there) :]))
    for look in (lambda: items(path), lambda: learn(path, name="x")):
        with contextlib.suppress(BadFile):
            look()


def test_two_rows_that_are_one_booking_and_differ_wait_in_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(as_csv([HEAD, ROWS[0], ROWS[1], [*ROWS[1][:5], "Attended"], ROWS[0]]))
    found = items(path)
    codes = [i.fact.code for i in found if isinstance(i.fact, Unreadable)]
    assert codes == ["says-two-things"] * 2
    assert len({i.natural_key for i in found}) == 3  # the same row twice is one


def test_a_file_that_breaks_off_in_its_last_row_is_not_loaded_but_a_note_there_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.csv"
    profile = replace(PROFILE, columns={"reference": "Ref", **PROFILE.columns}, key=("reference",))
    whole = as_csv([["Ref", *HEAD], *([str(n), *row] for n, row in enumerate(ROWS, 1))])
    path.write_bytes(whole + b"4,Negl")
    with pytest.raises(BadFile, match="ends after 2 cells"):
        items(path, profile)
    path.write_bytes(whole + b"Total,3")
    assert len(items(path, profile)) == len(ROWS)


def test_a_profile_that_does_not_fit_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(as_csv([HEAD, *([*r[:5], "Qux"] for r in ROWS * 3)]))
    with pytest.raises(BadFile, match="9 of 9 rows cannot be read"):
        items(path)


def test_sessions_minutes_trainers_and_completions(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    day = "14/03/2026 09:00 - 15:00"
    rows = [["Title: Neglect"], ["Name", "Email", "Role", "When", "In", "Out", "AM", "PM"],
            ["Ann Lee", "a@x.org", "Delegate", day, "09:00", "12:00", "Y", ""],
            ["Tess Ray", "t@x.org", "Trainer", day, "", "", "", ""]]  # fmt: skip
    path.write_bytes(as_csv(rows))
    columns = {"name": "Name", "email": "Email", "role": "Role", "event_date": "When"}
    above = {"event_title": "Title"}
    data = {"profile": "x", "columns": columns, "above": above,
            "sessions": [{"column": "AM"}, {"column": "PM"}]}  # fmt: skip
    (page,) = file_pages(path, "a", Profile.from_data(data), 10**8)
    told = [(f.booking.session, f.status, f.booking.sessions) for i in page.items
            if isinstance(f := i.fact, LearningFact) and f.booking]  # fmt: skip
    assert told == [("AM", Status.ATTENDED, 2), ("PM", Status.UNKNOWN, 2)]
    assert [t.account.email for t in page.trainers] == ["t@x.org"]
    timed = Profile("y", columns=columns | {"check_in": "In", "check_out": "Out"}, above=above)
    (page,) = file_pages(path, "a", timed, 10**8)
    (fact,) = [i.fact for i in page.items]
    assert isinstance(fact, LearningFact)
    assert fact.booking is not None
    assert (fact.status, fact.booking.minutes, fact.attendance) == (
        Status.PARTLY_ATTENDED, 180, 0.5,
    )  # fmt: skip
    path.write_bytes(as_csv([["who", "what", "state", "mark", "on"],
                             ["a@x.org", "Core", "Passed", "85%", "2026-03-14"],
                             ["b@x.org", "Core", "In progress", "", ""]]))  # fmt: skip
    lms = Profile("z", "completions", columns={
        "email": "who", "event_title": "what", "status": "state", "score": "mark",
        "completed_on": "on"})  # fmt: skip
    (item,) = items(path, lms)
    assert isinstance(item.fact, LearningFact)
    assert (item.fact.status, item.fact.score) == (Status.PASSED, 0.85)
