"""What the partnership sees: counts by competency, agency and group, and nobody's name."""

from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, make_response, render_template

from bridge.domain.counts import EVERYONE, Count, Standings
from bridge.domain.mapping import CompetencyRef
from bridge.domain.permissions import Permission
from bridge.services import counts as counts_service
from bridge.services.counts import Counts
from bridge.web.access import ctx, permits, site
from bridge.web.asked import words

partnership = Blueprint("partnership", __name__, url_prefix="/counts")

#: The numbers of a line, and how they are headed.
HEADINGS = (
    ("people", "People asked"),
    ("current", "Current"),
    ("due", "Review due"),
    ("waiting", "With a verifier"),
    ("draft", "Draft"),
    ("missing", "Nothing yet"),
)
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def _kind() -> str | None:
    """The kind of organisation that is asked for; "-" stands for those of which none is said."""
    asked = words("kind")
    return "" if asked == "-" else asked or None


@partnership.get("/")
@permits(Permission.COUNTS)
def counts() -> str:
    """Competency by competency, of one group, in one agency or all of them together."""
    group, organisation = words("group") or EVERYONE, words("organisation") or None
    kind = _kind()
    found = counts_service.by_competency(ctx(), group, organisation, kind)
    return render_template(
        "partnership/counts.html",
        found=found,
        group=group,
        kind=kind,
        organisation=organisation,
        all_agencies=ctx().actor.scope.organisations is None,
        headings=HEADINGS,
    )


@partnership.get("/competency/<edition>/<code>")
@permits(Permission.COUNTS)
def competency(edition: str, code: str) -> str:
    """One competency: agency by agency, and group by group."""
    ref = CompetencyRef(edition, code)
    group, organisation = words("group") or EVERYONE, words("organisation") or None
    found = counts_service.of_competency(ctx(), ref, group, organisation)
    return render_template(
        "partnership/competency.html",
        ref=ref,
        text=found.text,
        group=group,
        organisation=organisation,
        by_kind=found.by_kind,
        by_agency=found.by_organisation,
        by_group=found.by_group,
        all_agencies=ctx().actor.scope.organisations is None,
        headings=HEADINGS,
    )


@partnership.get("/counts.csv")
@permits(Permission.COUNTS)
def counts_csv() -> Response:
    """What the page of all competencies shows, for a spreadsheet."""
    group, organisation = words("group") or EVERYONE, words("organisation") or None
    found = counts_service.by_competency(ctx(), group, organisation, _kind())
    return _csv(found, "Competency", f"counts-{group}", found.lines)


@partnership.get("/competency/<edition>/<code>/counts.csv")
@permits(Permission.COUNTS)
def competency_csv(edition: str, code: str) -> Response:
    """One competency, agency by agency, for a spreadsheet."""
    group = words("group") or EVERYONE
    found = counts_service.by_organisation(ctx(), CompetencyRef(edition, code), group)
    lines = (*found.lines, *((found.total,) if found.total else ()))
    return _csv(found, "Organisation", f"counts-{edition}-{code}", lines)


def _csv(found: Counts, first: str, name: str, lines: tuple[Count, ...]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([first, *(heading for _, heading in HEADINGS), "Note"])
    for line in lines:
        title = f"{line.ref.code}. {line.title}" if line.ref else line.title
        writer.writerow([safe_cell(title), *_cells(line.standings), safe_cell(_note(line))])
    counted = found.counted_at.isoformat(timespec="minutes") if found.counted_at else "never"
    writer.writerow([f"Counted {counted}. Small numbers are hidden. {site().settings.title}"])
    answer = make_response("\ufeff" + text.getvalue())
    answer.content_type = "text/csv; charset=utf-8"
    plain = "".join(c if c.isalnum() or c in "-." else "-" for c in name if c.isascii())
    answer.headers["Content-Disposition"] = f'attachment; filename="{plain}.csv"'
    return answer


def _cells(standings: Standings | None) -> list[str]:
    if standings is None:
        return [""] * len(HEADINGS)
    values = (getattr(standings, name) for name, _ in HEADINGS)
    return ["hidden" if value is None else str(value) for value in values]


def _note(line: Count) -> str:
    if line.other_framework:
        return f"Other framework: {line.other_framework}"
    return ""


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
