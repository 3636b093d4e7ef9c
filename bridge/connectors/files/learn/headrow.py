"""Finds the heading row of a file that nobody has described, and reads the columns under it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from bridge.connectors.files.layout import body_rows, is_repeat, labels_of, plain_cell, says_foot
from bridge.connectors.files.learn.contents import Column
from bridge.connectors.files.learn.headings import NOT_THE_DAY, NOT_THE_PERSON, meanings, plain
from bridge.connectors.files.opening import Opened, Row
from bridge.domain.problems import BadFile, Problem

#: So many rows show what a column holds; the keys are looked at in more.
SAMPLE = 3000
_WITHIN = 40


def find_headings(opened: Opened) -> tuple[Row, list[Row]]:
    """The heading row, and those above it. Raises BadFile where no row looks like one."""
    first = list(islice(opened.rows(), _WITHIN))
    best: tuple[float, int] = (0.0, -1)
    for place, row in enumerate(first):
        score = _looks_like_headings(row, first[place + 1 : place + 6])
        if score > best[0] + 0.01:
            best = (score, place)
    if best[1] < 0:
        raise BadFile([Problem(
            "No row looks like the headings of a table",
            "A table has a row that says what each column is, such as Name, Email, Date, Status",
            "Add one above the data", opened.name, first[0].number if first else 1, 1,
        )])  # fmt: skip
    return first[best[1]], first[: best[1]]


def _looks_like_headings(row: Row, below: Sequence[Row]) -> float:
    filled = [cell.strip() for cell in row.cells if cell.strip()]
    if len(filled) < 2:
        return 0.0
    score = 0.0
    for cell in filled:
        text = plain(cell)
        if any(c.isdigit() for c in cell) and "@" in cell:
            score -= 1
        elif meanings(cell):
            score += 1
        elif NOT_THE_DAY.search(text) or NOT_THE_PERSON.search(text):
            score += 0.6
        elif "@" in cell:
            score -= 1
        elif cell.replace(".", "").replace("/", "").replace("-", "").isdigit():
            score -= 0.4
        elif len(cell) > 60:
            score -= 0.5
    # A label with its value beside it, above the table, is as wide as itself alone.
    widths = [len([c for c in other.cells if c.strip()]) for other in below]
    if widths and max(widths) > 2 * len(filled):
        return 0.0
    return score


def columns_of(opened: Opened, heading: Row) -> tuple[list[Column], list[tuple[Row, list[str]]]]:
    """The columns under the headings, by a sample of the rows; and the rows of that sample."""
    labels = labels_of(heading.cells)
    width = len(labels)
    rows: list[tuple[Row, list[str]]] = []
    held: list[tuple[Row, list[str]]] = []
    for row, maybe_foot in body_rows(opened, heading.number, width):
        cells = [plain_cell(cell) for cell in row.cells[:width]]
        cells += [""] * (width - len(cells))
        if maybe_foot:
            if not says_foot(row):
                held.append((row, cells))
            continue
        if is_repeat(row, labels):
            continue
        rows += [*held, (row, cells)]
        held.clear()
        if len(rows) >= SAMPLE:
            break
    columns = [
        Column(place, label, [c[place] for _, c in rows if c[place]], len(rows))
        for place, label in enumerate(labels)
        if label
    ]
    return columns, rows
