"""The learner against the corpus: every column right, and what the file leaves open is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from bridge.connectors.booking.dates import Order
from bridge.connectors.files.folder import file_pages
from bridge.connectors.files.learn import learn
from bridge.connectors.files.learn.assigning import LEAST, scores
from bridge.connectors.files.learn.contents import Column
from bridge.connectors.files.profile import Profile
from bridge.connectors.files.reading import RowReader
from bridge.domain.problems import BadFile
from bridge.domain.records import LearningFact, Unreadable
from tests.exports.bookings import BOOKINGS, Shape, ambiguous_dates, codes_only
from tests.exports.completions import COMPLETIONS_AND_MORE
from tests.exports.headings import CELLS, HEADINGS
from tests.exports.held_out import HELD_OUT
from tests.exports.judging import faults, proposed
from tests.exports.last import LAST
from tests.exports.making import as_csv
from tests.exports.others import OTHERS
from tests.exports.unseen import UNSEEN

CORPUS = (*BOOKINGS, *COMPLETIONS_AND_MORE, *OTHERS, *HELD_OUT, *UNSEEN, *LAST)
#: Another one for each run of a day would be no test; another one by hand tells whether it holds.
SEED = 2026


def test_of_a_workbook_the_sheet_that_names_people_is_read_and_the_others_are_told(
    tmp_path: Path,
) -> None:
    book = Workbook()
    summary = book.active
    assert summary is not None
    summary.title = "Summary"
    for row in (["Course", "Booked", "Attended"], ["Neglect", 2, 1], ["Total", 2, 1]):
        summary.append(row)
    register = book.create_sheet("Register")
    for row in (
        ["Course", "Date", "Delegate", "Email", "Attended"],
        ["Neglect", "14/10/2026", "Ann Lee", "ann@example.org", "Yes"],
        ["Neglect", "14/10/2026", "Bo Lee", "bo@example.org", "No"],
    ):
        register.append(row)
    path = tmp_path / "autumn.xlsx"
    book.save(path)
    proposal = learn(path, name="autumn")
    assert proposal.settled
    assert proposal.profile["sheet"] == "Register"
    assert [row.cells["person"] for row in proposal.rows] == ["Ann Lee", "Bo Lee"]
    assert any("Summary" in note for note in proposal.notes)
    (page,) = file_pages(path, "a", Profile.from_data(proposal.profile), 10**8)
    assert len(page.items) == 2
    book.move_sheet("Register", -1)
    book.save(path)
    assert "sheet" not in learn(path, name="autumn").profile


def test_the_corpus_is_forty_shapes_and_more() -> None:
    assert len(CORPUS) >= 40
    assert len({shape.__name__ for shape in CORPUS}) == len(CORPUS)


def test_nine_in_ten_are_right_without_help_or_asked_about(tmp_path: Path) -> None:
    wrong: dict[str, list[str]] = {}
    asked: dict[str, bool] = {}
    settled: set[str] = set()
    guessed: dict[str, list[str]] = {}
    for shape in CORPUS:
        export, proposal = proposed(shape, SEED, tmp_path)
        if found := faults(export, proposal):
            wrong[shape.__name__] = found
            if proposal.settled:
                guessed[shape.__name__] = [words for words in found if "but it is" in words]
        asked[shape.__name__] = bool(export.asks)
        settled |= {shape.__name__} if proposal.settled else set()
        if not export.asks and shape.__name__ not in wrong:
            # What needed no help is understood row by row, and loads without a fault.
            assert any(row.cells for row in proposal.rows), shape.__name__
            path = tmp_path / f"file{export.suffix}"
            pages = file_pages(path, path.name, Profile.from_data(proposal.profile), 10**8)
            facts = [item.fact for page in pages for item in page.items]
            assert facts, shape.__name__
            assert not [f for f in facts if isinstance(f, Unreadable)], shape.__name__
    # Of what leaves nothing open, nine in ten need no help; what leaves something open is asked.
    clear, open_ = (
        {name for name, asks in asked.items() if bool(asks) is wanted} for wanted in (False, True)
    )
    assert len(clear) >= 40
    assert len(open_) < len(CORPUS) // 4
    assert len(clear - settled) + len(clear & wrong.keys() & settled) <= len(clear) // 10, wrong
    assert not open_ & (settled | wrong.keys()), wrong
    assert not any(guessed.values()), guessed


@pytest.mark.parametrize(
    ("shape", "answers"),
    [
        (ambiguous_dates, {"dates": "day-first"}),
        (codes_only, {"word:P": "fully_attended", "word:L": "partially_attended",
                      "word:A": "no_show", "word:C": "user_cancelled"}),
    ],
)  # fmt: skip
def test_an_answer_settles_what_was_open(
    shape: Shape, answers: dict[str, str], tmp_path: Path
) -> None:
    export, before = proposed(shape, SEED, tmp_path)
    assert not before.settled
    assert {q.id for q in before.questions} <= {*answers}
    path = next(tmp_path.glob("file.*"))
    after = learn(path, name="supplier", answers=answers)
    assert after.settled
    assert all(row.cells and not row.problem for row in after.rows)
    assert (
        after.profile["columns"]
        == {f: h for h, f in export.columns.items()} | after.profile["columns"]
    )


def test_a_short_list_of_early_days_is_asked_about_and_iso_is_not(tmp_path: Path) -> None:
    head = ["Course", "Date", "Name", "Email", "Status"]
    path = tmp_path / "f.csv"

    def questions(day: str, other: str) -> set[str]:
        rows = [["A day", day, "Ann Lee", "a@x.org", "Attended"],
                ["A day", other, "Bo Lee", "b@x.org", "DNA"]]  # fmt: skip
        path.write_bytes(as_csv([head, *rows]))
        return {q.id for q in learn(path, name="x").questions}

    assert questions("03/04/2026", "05/06/2026") == {"dates"}
    assert questions("2026-04-03", "05/06/2026") == {"dates"}
    assert questions("2026-04-03", "3 Apr 2026") == set()
    assert questions("03/04/2026", "25/06/2026") == set()
    assert questions("25/06/2026", "06/25/2026") == {"dates"}


def test_where_nobody_came_it_is_asked_if_a_register_was_taken(tmp_path: Path) -> None:
    head = ["Course", "Course date", "Delegate name", "Email", "Attended"]
    people = [[f"Ann {last}", f"{last}@x.org"] for last in ("Lee", "Ode", "Ray")]
    path = tmp_path / "f.csv"
    path.write_bytes(as_csv([head, *(["Neglect", "2026-03-14", *each, "No"] for each in people)]))
    (question,) = learn(path, name="x").questions
    assert question.id == "word:No"
    unmarked = learn(path, name="x", answers={"word:No": "no mark"})
    assert unmarked.settled
    assert {row.cells["status"] for row in unmarked.rows} == {"unknown"}
    missed = learn(path, name="x", answers={"word:No": "no_show"})
    assert {row.cells["status"] for row in missed.rows} == {"missed"}


def test_headings_one_by_one_are_read_and_hardly_ever_misread() -> None:
    missed: list[tuple[str, str | None]] = []
    wrong: list[tuple[str, str | None]] = []
    for heading, under, field, kind in HEADINGS:
        cells = CELLS[under]
        sure = scores(Column(0, heading, cells, len(cells)), kind)
        best = max(sure, key=lambda each: sure[each], default=None)
        got = best if best is not None and sure[best] >= LEAST else None
        if got != field:
            (missed if got is None else wrong).append((heading, got))
    assert len(HEADINGS) > 300
    assert len(wrong) <= len(HEADINGS) // 100, wrong
    assert len(missed) <= len(HEADINGS) // 50, missed


def test_no_table_is_no_proposal(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear all,\nplease find the list of next week.\nKind regards\n")
    with pytest.raises(BadFile, match="No row looks like the headings"):
        learn(path, name="x")


@pytest.mark.parametrize(
    ("roles", "is_role"),
    [(["Delegate", "Trainer", "Delegate"], True), (["Lecturer", "Tutor", "Instructor"], False)],
)
def test_what_delegates_work_as_makes_no_trainers_of_them(
    roles: list[str], is_role: bool, tmp_path: Path
) -> None:
    """Whoever trained assesses those who came, so a college's tutors are not taken for trainers."""
    rows = [["Neglect", "14/03/2026", f"Ann {n} Lee", f"a{n}@x.org", "Attended", role]
            for n, role in enumerate(roles * 4)]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_bytes(as_csv([["Course", "Date", "Name", "Email", "Attendance", "Role"], *rows]))
    assert ("role" in learn(path, name="x").profile["columns"]) is is_role


def test_what_was_planned_is_counted_in_minutes_that_passed() -> None:
    """Half past midnight to half past two is one hour in the night when the clocks go forward."""
    profile = Profile(
        "night", columns={"event_code": "C", "event_date": "D", "start_time": "S", "end_time": "E",
                          "name": "N", "check_in": "I", "check_out": "O"},
        dates=Order.DAY_FIRST,
    )  # fmt: skip
    cells = {"event_code": "C1", "start_time": "00:30", "end_time": "02:30", "name": "Ann Lee",
                 "check_in": "00:30", "check_out": "02:30"}  # fmt: skip
    reader = RowReader(profile, list(profile.columns))
    told = []
    for day in ("28/03/2026", "29/03/2026"):
        row = cells | {"event_date": day}
        (item,) = reader.read([row[field] for field in profile.columns]).items
        assert isinstance(item.fact, LearningFact)
        assert item.fact.booking is not None
        told.append((item.fact.booking.planned, item.fact.booking.minutes, item.fact.attendance))
    assert told == [(120, 120, 1.0), (60, 60, 1.0)]
