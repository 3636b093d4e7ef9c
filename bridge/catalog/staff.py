"""Reads a staff list (CSV): every error at once, by line and column, or the rows in full."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from datetime import date, datetime
from pathlib import Path

from bridge.domain.identity import normal_email, normal_staff_number
from bridge.domain.model import PostDetails
from bridge.domain.problems import BadFile, Problem
from bridge.domain.staff import StaffRow, organisation_key

REQUIRED = ("name", "organisation", "start_date")
OPTIONAL = (
    "staff_number", "email", "role", "target_groups", "extra_competencies", "london_level",
    "manager", "manager_staff_number", "manager_email", "end_date",
)  # fmt: skip
LARGEST = 20_000_000


def read_staff_list(path: Path, groups: Collection[str]) -> list[StaffRow]:
    """The rows of a staff list. `groups` are the target groups that the frameworks know.

    Raises BadFile with every error in it; nothing is half-read.
    """
    name = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile([_problem(name, 1, None, "It cannot be read", str(error))]) from None
    if len(raw) > LARGEST:
        raise BadFile([_problem(name, 1, None, "It is too large for a staff list", "")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    return parse_staff_list(text, name, groups)


def parse_staff_list(text: str, name: str, groups: Collection[str]) -> list[StaffRow]:
    """The rows of a staff list's text; `name` stands in the messages."""
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header = [cell.strip().casefold().replace(" ", "_") for cell in next(reader, [])]
    problems = list(_header_problems(header, name))
    if problems:
        raise BadFile(problems)
    at = {column: index for index, column in enumerate(header) if column}
    rows: list[StaffRow] = []
    named: dict[str, StaffRow] = {}
    for cells in reader:
        if any(cell.strip() for cell in cells):
            line = _Line(name, reader.line_num, cells, at, problems)
            row = _row(line, groups)
            if row is None:
                continue
            rows.append(row)
            earlier = named.setdefault(row.staff_number or "", row)
            if row.staff_number and earlier.name.casefold() != row.name.casefold():
                line.wrong(
                    "staff_number",
                    f"Line {earlier.line} gives this staff number to {earlier.name}",
                    "Correct one of the two: several posts of one person bear one name.",
                )
    if problems:
        raise BadFile(problems)
    return rows


def _header_problems(header: list[str], name: str) -> Iterable[Problem]:
    for column in REQUIRED:
        if column not in header:
            yield _problem(
                name,
                1,
                None,
                f"There is no column '{column}'",
                f"A staff list has the columns {', '.join(REQUIRED)}; "
                f"it may have {', '.join(OPTIONAL)}.",
            )
    if header and not {"staff_number", "email"} & set(header):
        yield _problem(
            name, 1, None, "People need a staff_number or an email column",
            "Names alone match nobody."
        )  # fmt: skip
    for index, column in enumerate(header):
        if column and (column not in REQUIRED + OPTIONAL or header.index(column) != index):
            yield _problem(
                name, 1, index + 1, f"The column '{column}' is unknown or stands twice",
                "Remove or rename it."
            )  # fmt: skip


def _problem(name: str, line: int, column: int | None, what: str, remedy: str) -> Problem:
    return Problem(what=what, why="", remedy=remedy, file=name, line=line, column=column)


class _Line:
    """One line of the file, by column name; collects what is wrong with it."""

    def __init__(
        self,
        name: str,
        number: int,
        cells: list[str],
        at: dict[str, int],
        problems: list[Problem],
    ) -> None:
        self.number = number
        self._name, self._cells, self._at, self.problems = name, cells, at, problems

    def get(self, column: str) -> str:
        """A cell's text without blanks at its ends; empty where there is none."""
        index = self._at.get(column)
        return self._cells[index].strip() if index is not None and index < len(self._cells) else ""

    def wrong(self, column: str, what: str, remedy: str) -> None:
        """Note an error in a column."""
        index = self._at.get(column)
        place = None if index is None else index + 1
        self.problems.append(_problem(self._name, self.number, place, what, remedy))

    def day(self, column: str) -> date | None:
        """A date as 2026-04-30 or 30/04/2026. UK lists write the day first."""
        text = self.get(column)
        if not text:
            return None
        for form in ("%Y-%m-%d", "%d/%m/%Y"):
            try:
                return datetime.strptime(text, form).date()
            except ValueError:
                continue
        self.wrong(column, f"'{text}' is no date", "Write it as 2026-04-30 or 30/04/2026.")
        return None

    def several(self, column: str) -> tuple[str, ...]:
        """A cell that holds a list, separated by semicolons or bars."""
        parts = self.get(column).replace("|", ";").split(";")
        return tuple(part.strip() for part in parts if part.strip())


def _row(line: _Line, groups: Collection[str]) -> StaffRow | None:
    before = len(line.problems)
    staff_number = normal_staff_number(line.get("staff_number"))
    email = normal_email(line.get("email"))
    for column in ("name", "organisation"):
        if not line.get(column):
            line.wrong(column, f"The {column} is empty", "Fill it in.")
    if line.get("email") and email is None:
        line.wrong("email", f"'{line.get('email')}' is no email address", "Correct or empty it.")
    if not staff_number and not email and not line.get("email"):
        line.wrong("name", "There is neither a staff number nor an email", "Give one of them.")
    start = line.day("start_date")
    if start is None and not line.get("start_date"):
        line.wrong("start_date", "The start date is empty", "Say when they came to this post.")
    end = line.day("end_date")
    if start and end and end < start:
        line.wrong("end_date", "The post ends before it starts", "Correct one of the dates.")
    for group in line.several("target_groups"):
        if group not in groups:
            line.wrong(
                "target_groups",
                f"There is no target group '{group}'",
                f"The frameworks know {', '.join(sorted(groups))}.",
            )
    if len(line.problems) > before or start is None:
        return None
    manager = line.get("manager") or line.get("manager_staff_number") or line.get("manager_email")
    return StaffRow(
        line=line.number,
        name=line.get("name"),
        staff_number=staff_number,
        email=email,
        organisation=line.get("organisation"),
        post=PostDetails(
            organisation_key=organisation_key(line.get("organisation")),
            title=line.get("role"),
            target_groups=line.several("target_groups"),
            extra_competencies=line.several("extra_competencies"),
            london_level=line.get("london_level") or None,
            valid_from=start,
            valid_to=end,
        ),
        manager=manager or None,
    )
