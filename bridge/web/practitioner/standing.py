"""Where a practitioner stands, in one line for the top of their page."""

from __future__ import annotations

from bridge.services.progress import Line, Progress, Stand
from bridge.web.words import day, listed, plural

#: Nothing is to be done about these.
SETTLED = frozenset({Stand.CURRENT, Stand.NOT_APPLICABLE})


def in_one_line(standing: Progress, drafts: int) -> str:
    """As in "2 drafts to reflect on; core 8 of 10 current; review due 14 March 2026"."""
    words = [f"{plural(drafts, 'draft')} to reflect on" if drafts else "No drafts to reflect on"]
    if standing.lines:
        core = [line for line in standing.lines if line.core]
        rest = [line for line in standing.lines if not line.core]
        words += [
            f"{name} {_settled(some)} of {len(some)} current".strip()
            for name, some in (("core", core), ("beyond the core" if core else "", rest))
            if some
        ]
        words += _due(standing.lines)
    elif standing.other_frameworks:
        words.append(f"your organisation follows {listed(standing.other_frameworks)}")
    return "; ".join(words) + "."


def _settled(lines: list[Line]) -> int:
    return sum(line.stand in SETTLED for line in lines)


def _due(lines: tuple[Line, ...]) -> list[str]:
    overdue = sum(line.stand in (Stand.REVIEW_DUE, Stand.REFRESH_OVERDUE) for line in lines)
    if overdue:
        return [f"{overdue} due for review now"]
    soonest = min((line.until for line in lines if line.until), default=None)
    return [f"next review due {day(soonest)}"] if soonest else []
