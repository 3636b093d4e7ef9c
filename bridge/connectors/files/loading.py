"""A whole file: it is looked through first, and only if it is sound as a whole do pages come of it.

A fault of shape (another heading, a broken line, cells that spill over) is a fault of the file:
nothing of it is loaded. A fault in a cell (a word nobody knows, a date that is none) is a fault of
its row alone, which waits in quarantine with its number; so do rows that are one booking by their
key and say different things. Where a fifth of the rows are at fault, the profile is wrong, and the
file is refused.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from operator import itemgetter

import orjson

from bridge.connectors.files.cells import Fault, HalfFile
from bridge.connectors.files.layout import (
    ODD_START,
    Table,
    body_rows,
    find_table,
    is_repeat,
    plain_cell,
    says_foot,
)
from bridge.connectors.files.opening import Opened, Row
from bridge.connectors.files.profile import Profile
from bridge.connectors.files.reading import KEYLESS, TWO_THINGS, RowReader, kept_fields
from bridge.domain.identity import normal_email
from bridge.domain.problems import BadFile, Problem
from bridge.domain.records import LearningFact, Page, Pulled, Trainer, Unreadable

PAGE = 1000
#: So many faults are never blamed on the profile.
FAULTS_ALLOWED = 4
FAULTS_SHARE = 5
_NAMES = ("name", "first_name", "last_name")


@dataclass(slots=True)
class Looked:
    """What looking a file through showed. `clashes` are hashes of keys that say two things;
    `keyless` counts items of which it cannot be read what they are about."""

    rows: int = 0
    keyless: int = 0
    items: int = 0
    faults: int = 0
    skipped: int = 0
    clashes: frozenset[int] = frozenset()
    first_faults: list[Problem] = field(default_factory=list)

    @property
    def doubt(self) -> str:
        """Why nothing can be said of what is missing, or nothing where it can."""
        if not self.keyless and not self.clashes:
            return ""
        return (
            f"Of {self.keyless + len(self.clashes)} rows it cannot be told which bookings they "
            "are, so nothing was taken to be gone. See 'bridge quarantine', and put a corrected "
            "file in."
        )


class Sheet:
    """One opened file with its profile."""

    def __init__(self, opened: Opened, profile: Profile) -> None:
        self.opened, self.profile = opened, profile
        self.table = find_table(opened, profile)
        self.fields = kept_fields(profile)
        self.reader = RowReader(profile, self.fields)
        self._fill = {**profile.fixed, **self.table.above}
        self.pick = self._picker(self.table)
        self._width = len(self.table.labels)
        self._last = max((*self.table.at.values(), *self.table.sessions), default=0)

    def _picker(self, table: Table) -> Callable[[list[str]], list[str]]:
        """Takes the kept cells out of a row, in their order, without blanks at their ends."""
        beyond = len(table.labels)
        extra = [f for f in self.fields if f not in table.at]
        places = [
            table.at[f] if f in table.at else beyond + extra.index(f) for f in self.fields
        ] + list(table.sessions)
        fill = [self._fill[f] for f in extra]
        take = itemgetter(*places) if len(places) > 1 else None

        def pick(cells: list[str]) -> list[str]:
            if len(cells) != beyond:
                cells = cells[:beyond] + [""] * (beyond - len(cells))
            padded = cells + fill if fill else cells
            found = take(padded) if take is not None else (padded[places[0]],)
            return [
                c if (c := cell.strip())[:1] not in ODD_START else plain_cell(c) for cell in found
            ]

        return pick

    @property
    def envelope(self) -> bytes:
        """What it takes to read a stored row again: the profile, and the order of its cells."""
        return orjson.dumps(
            {"route": "table", "profile": self.profile.to_data(), "fields": self.fields}
        )

    def rows(self) -> Iterator[tuple[Row, list[str]]]:
        """The rows that are bookings, with their kept cells. Raises BadFile for a broken one.

        Totals and notes at the foot are left out; a row that only looks like one, and is followed
        by others, is a row.
        """
        held: list[Row] = []
        labels = self.table.labels
        for row, maybe_foot in body_rows(self.opened, self.table.row, self._width):
            if maybe_foot:
                held.append(row)
                continue
            for earlier in held:
                if not says_foot(earlier) or self._is_person(earlier):
                    self._check_shape(earlier)
                    yield earlier, self.pick(earlier.cells)
            held.clear()
            if row.cells[0] == labels[0] and is_repeat(row, labels):
                continue
            self._check_shape(row)
            yield row, self.pick(row.cells)
        for row in held:
            if self._is_person(row) or (not says_foot(row) and self._is_booking(row)):
                if not self.opened.ends_whole and len(row.cells) > 1:
                    # The last line of half a file looks like a foot; a note has one cell.
                    self._check_shape(row)
                yield row, self.pick(row.cells)

    def _is_booking(self, row: Row) -> bool:
        """Whether a thin row at the foot names a person or a booking all the same."""
        return any(
            place < len(row.cells) and row.cells[place].strip()
            for name, place in self.table.at.items()
            if name in ("email", "staff_number", "reference", "username", "last_name")
        )

    def _is_person(self, row: Row) -> bool:
        """Whether a row whose first words are those of a foot ("Sum Li", "Page 3") is of somebody:
        an address stands there, or somebody is named beside two other things that are read."""
        cells = row.cells
        filled = {
            f: c for f, p in self.table.at.items() if p < len(cells) and (c := cells[p].strip())
        }
        if normal_email(filled.get("email")):
            return True
        marks = sum(1 for p in self.table.sessions if p < len(cells) and cells[p].strip())
        first = next((cell.strip() for cell in cells if cell.strip()), "")
        named = any(
            any(c.isalpha() for c in filled.get(f, ""))
            and (filled[f] != first or not says_foot(row))
            for f in _NAMES
        )
        return named and len(filled) + marks >= (3 if says_foot(row) else 2)

    def _check_shape(self, row: Row) -> None:
        count = len(row.cells)
        if count > self._width and any(cell.strip() for cell in row.cells[self._width :]):
            raise BadFile([Problem(
                f"This row has {count} cells, and the headings are {self._width}",
                "A separator stands within a cell that has no quotes, or quotes are not closed",
                "Export the file again, as XLSX if it has such texts",
                self.opened.name, row.number, self._width + 1,
            )])  # fmt: skip
        if count <= self._last and self.opened.encoding:
            kind = BadFile if self.opened.ends_whole else HalfFile
            raise kind([Problem(
                f"This row ends after {count} cells, and the headings are {self._width}",
                "The line is broken, or the file was cut off here",
                "Export the file again", self.opened.name, row.number, count,
            )])  # fmt: skip

    def look(self) -> Looked:
        """Go through all of it, and tell how it is. Raises BadFile where it cannot be loaded."""
        found = Looked()
        keys, bodies = array("q"), array("q")
        for row, cells in self.rows():
            found.rows += 1
            read = self.reader.read(cells)
            if read.faults:
                found.faults += 1
                if len(found.first_faults) < 3:
                    found.first_faults.append(self._problem(row, read.faults[0]))
            if not read.items and not read.trainers:
                found.skipped += 1
            for item in read.items:
                found.items += 1
                found.keyless += item.natural_key.startswith(KEYLESS)
                keys.append(hash(item.natural_key))
                bodies.append(hash(item.body))
        if found.faults > max(FAULTS_ALLOWED, found.rows // FAULTS_SHARE):
            raise BadFile([
                Problem(
                    f"{found.faults:,} of {found.rows:,} rows cannot be read, so the profile "
                    f"'{self.profile.name}' does not fit",
                    "The first of them follow",
                    "Let 'bridge booking learn' look at the file, and correct the profile",
                    self.opened.name,
                ),
                *found.first_faults,
            ])  # fmt: skip
        found.clashes = _clashes(keys, bodies)
        if len(found.clashes) > max(FAULTS_ALLOWED, found.rows // FAULTS_SHARE):
            raise BadFile([Problem(
                f"{len(found.clashes):,} bookings stand there more than once and say different "
                "things", f"A row is known by {', '.join(self.profile.row_key())}",
                "Name under key: in the profile what makes a row itself", self.opened.name,
            )])  # fmt: skip
        return found

    def _problem(self, row: Row, fault: Fault) -> Problem:
        place = self.table.at.get(fault.field)
        heading = self.table.labels[place] if place is not None else fault.field
        return Problem(
            f"{heading}: {fault.message}", "", "", self.opened.name, row.number,
            None if place is None else place + 1,
        )  # fmt: skip

    def pages(self, looked: Looked, size: int = PAGE) -> Iterator[Page]:
        """The items, a page at a time; `looked` is what `look` gave of the same file."""
        envelope = self.envelope
        items: list[Pulled] = []
        trainers: dict[Trainer, None] = {}
        clashes = looked.clashes

        def page() -> Page:
            return Page(
                tuple(items), envelope, expected=looked.items, trainers=tuple(trainers),
                note=looked.doubt,
            )  # fmt: skip

        for row, cells in self.rows():
            read = self.reader.read(cells)
            if read.faults:
                read = self.reader.read(cells, self._where(row, read.faults[0]))
            if clashes:
                items += [self._or_clash(item, row, clashes) for item in read.items]
            else:
                items += read.items
            for trainer in read.trainers:
                trainers[trainer] = None
            if len(items) >= size:
                yield page()
                items, trainers = [], {}
        if items or trainers:
            yield page()

    def _where(self, row: Row, fault: Fault) -> str:
        place = self.table.at.get(fault.field)
        column = f", column {place + 1} ({self.table.labels[place]})" if place is not None else ""
        return f"{self.opened.name}, row {row.number}{column}"

    def _or_clash(self, item: Pulled, row: Row, clashes: frozenset[int]) -> Pulled:
        if hash(item.natural_key) not in clashes or not isinstance(item.fact, LearningFact):
            return item
        cells, session = orjson.loads(item.body)[:2]
        body = orjson.dumps((cells, session, TWO_THINGS))
        return Pulled(
            f"{item.natural_key}:{hash_of(item.body)}",
            body,
            Unreadable(
                TWO_THINGS,
                f"{self.opened.name}, row {row.number}: another row is the same booking (by "
                f"{', '.join(self.profile.row_key())}) and says something else. Correct the file, "
                "or name under key: in the profile what makes a row itself.",
            ),
        )


def hash_of(body: bytes) -> str:
    """A short name of some bytes that is the same for ever."""
    return blake2b(body, digest_size=8).hexdigest()


def _clashes(keys: array[int], bodies: array[int]) -> frozenset[int]:
    """The keys that stand there with more than one body."""
    ordered = sorted(keys)
    twice = {one for one, other in pairwise(ordered) if one == other}
    if not twice:
        return frozenset()
    first: dict[int, int] = {}
    found = set()
    for key, body in zip(keys, bodies, strict=True):
        if key in twice and first.setdefault(key, body) != body:
            found.add(key)
    return frozenset(found)
