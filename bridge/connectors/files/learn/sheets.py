"""Looks at a file, and where it is a workbook, at the sheet that names people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bridge.connectors.files.learn.proposing import propose
from bridge.connectors.files.opening import MEGABYTE, opened
from bridge.domain.problems import BadFile
from bridge.domain.proposals import Proposal

#: What is asked where no column names people: a summary, mostly.
_NOBODY = "column:name"


def learn(
    path: Path,
    *,
    name: str,
    shown: str = "",
    answers: Mapping[str, str] | None = None,
    largest: int = 200 * MEGABYTE,
) -> Proposal:
    """What a file looks like, as a profile called `name`. `answers` are by the questions' ids.

    Of a workbook, the first sheet is read, unless it names nobody and another does; which, and
    what is left out, is among the notes. Raises BadFile where it is no table at all.
    """
    given = answers or {}
    with opened(path, name=shown or path.name, largest=largest) as table:
        found, title, others = propose(table, name, given), table.sheet, table.others
    if _names_nobody(found):
        for other in others:
            with opened(path, name=shown or path.name, largest=largest, sheet=other) as table:
                try:
                    there = propose(table, name, given, other)
                except BadFile:
                    continue
            if not _names_nobody(there):
                found, others = there, (title, *(o for o in others if o != other))
                title = other
                break
    if others:
        note = f"Only the sheet '{title}' is read, and not {', '.join(others)}."
        found = replace(found, notes=(*found.notes, note))
    return found


def _names_nobody(proposal: Proposal) -> bool:
    return any(question.id == _NOBODY for question in proposal.questions)
