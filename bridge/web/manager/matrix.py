"""A team as a matrix: people by competency, each cell a sign with its word for screen readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from markupsafe import Markup

from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef
from bridge.services.progress import Line, Progress, Stand


@dataclass(frozen=True, slots=True)
class Row:
    """One person: the cells as HTML, and how many competencies are alike, in the legend's order."""

    person: int
    name: str
    post: str
    cells: Markup
    counts: tuple[tuple[Stand, int], ...]
    other_frameworks: tuple[str, ...]
    training_due: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """The columns and rows of one framework."""

    columns: tuple[Line, ...]
    rows: tuple[Row, ...]


def matrix(members: Sequence[Progress], edition: Edition | None) -> Matrix:
    """Where these people stand with what one edition asks of any of them."""
    asked: dict[CompetencyRef, Line] = {}
    lines: dict[int, dict[CompetencyRef, Line]] = {}
    for member in members:
        own = {x.ref: x for x in member.lines if edition is None or x.ref.edition == edition.id}
        lines[member.person] = own
        for ref, line in own.items():
            asked.setdefault(ref, line)
    order = {c.code: n for n, c in enumerate(edition.competencies)} if edition else {}
    columns = sorted(asked.values(), key=lambda x: (x.ref.edition, order.get(x.ref.code, 0)))
    cells = _cells()
    return Matrix(
        tuple(columns),
        tuple(_row(member, lines[member.person], columns, cells) for member in members),
    )


def _row(
    member: Progress,
    own: dict[CompetencyRef, Line],
    columns: Sequence[Line],
    cells: dict[Stand | None, str],
) -> Row:
    stands = [own[c.ref].stand if c.ref in own else None for c in columns]
    counted = Counter(stand for stand in stands if stand is not None)
    return Row(
        member.person,
        member.name,
        ", ".join(post.title for post in member.posts),
        Markup("".join(cells[stand] for stand in stands)),  # noqa: S704  made of our own signs
        tuple((stand, counted[stand]) for stand in Stand if counted[stand]),
        member.other_frameworks,
        member.training_due,
    )


def _cells() -> dict[Stand | None, str]:
    """The HTML of each kind of cell, made once a page: there may be thousands of them."""
    sign = current_app.jinja_env.get_template("parts/state.html").module.sign  # type: ignore[attr-defined]
    cells: dict[Stand | None, str] = {stand: f"<td>{sign(stand)}</td>" for stand in Stand}
    cells[None] = '<td><span class="visually-hidden">not asked</span></td>'
    return cells
