"""A team as a matrix: people by competency, each cell a sign with its word for screen readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for
from markupsafe import Markup

from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef
from bridge.services.progress import Line, Progress, Stand


@dataclass(frozen=True, slots=True)
class Row:
    """One person: the cells as HTML, and how many competencies are alike, in the legend's order."""

    url: str
    name: str
    post: str
    cells: Markup
    counts: Markup
    other_frameworks: tuple[str, ...]
    training_due: bool
    unagreed: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """The columns and rows of one framework."""

    columns: tuple[Line, ...]
    rows: tuple[Row, ...]


def matrix(members: Sequence[Progress], edition: Edition | None, me: int | None) -> Matrix:
    """Where these people stand with what one edition asks of any of them. `me` is the visitor."""
    asked: dict[CompetencyRef, Line] = {}
    lines: dict[int, dict[CompetencyRef, Line]] = {}
    for member in members:
        own = {x.ref: x for x in member.lines if edition is None or x.ref.edition == edition.id}
        lines[member.person] = own
        for ref, line in own.items():
            asked.setdefault(ref, line)
    order = {c.code: n for n, c in enumerate(edition.competencies)} if edition else {}
    columns = sorted(asked.values(), key=lambda x: (x.ref.edition, order.get(x.ref.code, 0)))
    html = _Html()
    return Matrix(
        tuple(columns),
        tuple(_row(member, lines[member.person], columns, html, me) for member in members),
    )


def _row(
    member: Progress,
    own: dict[CompetencyRef, Line],
    columns: Sequence[Line],
    html: _Html,
    me: int | None,
) -> Row:
    stands = [own[c.ref].stand if c.ref in own else None for c in columns]
    counted = Counter(stand for stand in stands if stand is not None)
    return Row(
        url_for("manager.member", person_id=member.person),
        member.name,
        ", ".join(post.title for post in member.posts),
        Markup("".join(html.cells[stand] for stand in stands)),  # noqa: S704  our own signs
        Markup(" ").join(html.count(stand, counted[stand]) for stand in Stand if counted[stand]),
        member.other_frameworks,
        member.training_due,
        any(post.manager == me and post.listed is None for post in member.posts),
    )


class _Html:
    """The HTML of each kind of cell and count, made once a page: there may be thousands of them."""

    def __init__(self) -> None:
        made: Any = current_app.jinja_env.get_template("parts/state.html").module
        self._tag = made.tag
        self._counts: dict[tuple[Stand, int], Markup] = {}
        self.cells: dict[Stand | None, str] = {
            stand: f"<td>{made.sign(stand)}</td>" for stand in Stand
        }
        self.cells[None] = '<td><span class="visually-hidden">not asked</span></td>'

    def count(self, stand: Stand, count: int) -> Markup:
        """So many competencies stand so."""
        if (stand, count) not in self._counts:
            self._counts[stand, count] = Markup(self._tag(stand, f"{stand}: {count}"))  # noqa: S704
        return self._counts[stand, count]
