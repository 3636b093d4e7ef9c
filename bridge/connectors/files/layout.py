"""Finds the table in a file: titles above it, its heading row, and the totals at its foot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz import fuzz, process

from bridge.connectors.booking.words import folded
from bridge.connectors.files.opening import Opened, Row
from bridge.connectors.files.profile import Profile
from bridge.domain.problems import BadFile, Problem

#: Within so many rows the headings come, or the file is not what the profile says.
HEADINGS_WITHIN = 60
_FOOT = re.compile(
    r"^(?:grand |sub)?-?\s?totals?\b|^count\b|^sum\b|^report (?:generated|run|created|date|printed)"
    r"|^(?:generated|printed|exported|created|run|downloaded|produced) (?:on|by|at|from)\b"
    r"|^end of (?:report|file|list|export)|^page \d+|^\(?\d[\d,]* (?:rows?|records?|bookings?|"
    r"delegates?|attendees?|results?|entries|items|people|learners?)\b|^number of\b|^no\. of\b"
    r"|^(?:average|mean|overall)\b|^signed?\b|^notes?:|^key:|^\*|^©|^copyright|^confidential"
    r"|^all times\b|^filters?\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Table:
    """Where things are: the number and labels of the heading row, the column of each field and
    session, and what stands above for the fields that the profile looks for there."""

    row: int
    labels: tuple[str, ...]
    at: Mapping[str, int]
    sessions: tuple[int, ...]
    above: Mapping[str, str]


def labels_of(cells: Sequence[str]) -> list[str]:
    """The headings, blanks single; the second one of the same words is "Email #2"."""
    seen: dict[str, int] = {}
    found = []
    for cell in cells:
        label = " ".join(cell.replace("\ufeff", "").split())
        count = seen[folded(label)] = seen.get(folded(label), 0) + 1
        found.append(f"{label} #{count}" if label and count > 1 else label)
    return found


def find_table(opened: Opened, profile: Profile) -> Table:
    """The table of a file as the profile knows it.

    Raises BadFile where a column that the profile names is not there, with the one it may be now.
    """
    wanted = {**{f: folded(h) for f, h in profile.columns.items()}}
    names = [folded(s.column) for s in profile.sessions]
    needed = {*wanted.values(), *names}
    best: tuple[int, Row | None] = (-1, None)
    before: list[Row] = []
    for count, row in enumerate(opened.rows()):
        if count >= HEADINGS_WITHIN:
            break
        labels = labels_of(row.cells)
        places: dict[str, int] = {}
        for place, label in enumerate(labels):
            if label:
                places.setdefault(folded(label), place)
        hits = len(needed & places.keys())
        if hits == len(needed):
            return Table(
                row.number,
                tuple(labels),
                {field: places[heading] for field, heading in wanted.items()},
                tuple(places[heading] for heading in names),
                _above(profile, before, opened.name),
            )
        if hits > best[0]:
            best = (hits, row)
        before.append(row)
    raise BadFile(_missing(opened.name, profile, needed, best))


def _missing(
    name: str, profile: Profile, needed: set[str], best: tuple[int, Row | None]
) -> list[Problem]:
    hits, row = best
    if row is None or hits * 2 < len(needed):
        wanted = ", ".join([*profile.columns.values(), *(s.column for s in profile.sessions)])
        return [Problem(
            f"This is no file of the profile '{profile.name}'",
            f"In its first rows there is none with the headings {wanted}",
            "Choose the right profile, or let 'bridge booking learn' make one of this file",
            name, row.number if row else 1, 1,
        )]  # fmt: skip
    labels = [label for label in labels_of(row.cells) if label]
    known = {folded(label): label for label in labels}
    free = [label for key, label in known.items() if key not in needed]
    problems = []
    for heading in [*profile.columns.values(), *(s.column for s in profile.sessions)]:
        if folded(heading) in known:
            continue
        near = process.extractOne(heading, free, scorer=fuzz.WRatio, score_cutoff=60)
        if near is None and len(free) == 1:
            near = (free[0], 0.0, 0)
        column = labels_of(row.cells).index(near[0]) + 1 if near else None
        problems.append(Problem(
            f"The column '{heading}' is not there",
            f"The profile '{profile.name}' reads it"
            + (f"; there is a column '{near[0]}' instead" if near else ""),
            "If it was renamed, correct the heading in the profile; otherwise export it again "
            "with that column",
            name, row.number, column,
        ))  # fmt: skip
    return problems


def _above(profile: Profile, before: Sequence[Row], name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    pairs = dict(reversed(list(labelled(before))))
    problems = []
    for field, label in profile.above.items():
        value = pairs.get(folded(label))
        if value:
            found[field] = value
        else:
            problems.append(Problem(
                f"Above the table there is no '{label}'",
                f"The profile '{profile.name}' reads the {field.replace('_', ' ')} beside it",
                "Export it again with its titles, or correct the profile", name, 1, None,
            ))  # fmt: skip
    if problems:
        raise BadFile(problems)
    return found


def labelled(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """The folded labels above a table, each with the text beside it, behind it ("Course: Core"),
    or under it, where a row of three labels and more has as many texts in the next."""
    for labels, texts in pairwise(rows):
        places = [place for place, cell in enumerate(labels.cells) if cell.strip()]
        under = [place for place, cell in enumerate(texts.cells) if cell.strip()]
        if len(places) > 2 and places == under:
            for place in places:
                yield folded(labels.cells[place]), " ".join(texts.cells[place].split())
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row.cells]
        filled = [cell for cell in cells if cell]
        for here, cell in enumerate(filled):
            label, colon, rest = cell.partition(":")
            if colon and rest.strip() and not re.search(r"\d$", label):
                yield folded(label), rest.strip()
            elif here + 1 < len(filled) and (cell.endswith(":") or len(filled) == 2):
                yield folded(cell), filled[here + 1]


def body_rows(opened: Opened, header: int, width: int) -> Iterator[tuple[Row, bool]]:
    """The rows under the headings, blank ones left out; with each, whether it may be a foot.

    A foot says so ("Total"), or has at most two cells filled in a table of more columns.
    """
    most = max(width, 4) + 1
    for row in opened.rows():
        if row.number <= header:
            continue
        cells = row.cells
        # One count tells a whole row apart from all the others, without looking at each cell.
        filled = len(cells) - cells.count("")
        if 2 * filled > most and filled > 2:
            yield row, False
            continue
        filled = sum(1 for cell in cells if cell and not cell.isspace())
        if filled:
            yield row, (width > 3 and filled <= 2) or (2 * filled <= most and says_foot(row))


def says_foot(row: Row) -> bool:
    """Whether a row says itself that it is a total or a note."""
    first = next((cell for cell in row.cells if cell.strip()), "")
    return _FOOT.match(first.strip()) is not None


def is_repeat(row: Row, labels: Sequence[str]) -> bool:
    """Whether the headings stand there once more, as after a page break."""
    return [c.strip() for c in row.cells] == [c.strip() for c in labels[: len(row.cells)]]


#: A cell that begins with none of these is plain once the blanks at its ends are gone.
ODD_START = frozenset(("=", "-", "–", "—", "n", "N", "#"))
_NOTHING = frozenset(("-", "--", "–", "—", "n/a", "N/A", "null", "NULL", "#N/A"))


def plain_cell(cell: str) -> str:
    """A cell without blanks at its ends; one that says "nothing" is empty.

    `="0123"`, with which Excel keeps a nought, is its text.
    """
    if cell[:2] == '="' and cell[-1] == '"' and '"' not in cell[2:-1]:
        cell = cell[2:-1]
    cell = cell.strip()
    return "" if cell in _NOTHING else cell
