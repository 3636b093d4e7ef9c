"""The manager's part of the web: its blueprint, and what its pages share."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, g, request

from bridge.domain.errors import NotFound
from bridge.domain.mapping import CompetencyRef

manager = Blueprint("manager", __name__)


@manager.before_request
def _section() -> None:
    """The team's pages belong to "My team", the others to what waits; logs say it themselves."""
    g.section = "manager.team" if request.path.startswith("/team/") else "manager.waiting"


#: (id of the field or "", words) pairs, for the summary of errors.
Errors = list[tuple[str, str]]


def day_of(text: str) -> date:
    """A day that stands in an address. Raises NotFound."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound("The page does not exist, or it is not one that you may see.") from None


def typed_day(text: str) -> date | None:
    """A day as a form sends it; None where it is none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def ref_of(text: str) -> CompetencyRef | None:
    """A competency as a form names it ("edition code"); None where it names none."""
    edition, _, code = text.partition(" ")
    return CompetencyRef(edition, code) if edition and code else None
