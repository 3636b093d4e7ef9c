"""The log's pages: by competency, by level, by date, and what is history.

The yearly logs, which the person and their manager look at alike, are under `web/manager/logs.py`.
"""

from __future__ import annotations

from flask import render_template, request

from bridge.domain.mapping import CompetencyRef
from bridge.domain.permissions import Permission
from bridge.services.logbook import competency, history, logbook, today
from bridge.web.access import ctx, permits
from bridge.web.practitioner.blueprint import practitioner

#: The views of the log, in order: endpoint and title.
VIEWS = (
    ("practitioner.log", "By competency"),
    ("practitioner.log_levels", "By level"),
    ("practitioner.log_dates", "By date"),
    ("practitioner.log_history", "History"),
)


@practitioner.get("/log")
@permits(Permission.OWN_EVIDENCE)
def log() -> str:
    """Every competency that is asked, where it stands, and what it rests on."""
    own = ctx()
    gaps = request.args.get("show") == "gaps"
    return render_template(
        "practitioner/log.html", log=logbook(own), views=VIEWS, gaps=gaps, today=today(own)
    )


@practitioner.get("/log/levels")
@permits(Permission.OWN_EVIDENCE)
def log_levels() -> str:
    """The levels that are asked, statement by statement."""
    return render_template("practitioner/levels.html", log=logbook(ctx()), views=VIEWS)


@practitioner.get("/log/dates")
@permits(Permission.OWN_EVIDENCE)
def log_dates() -> str:
    """What expires when."""
    own = ctx()
    return render_template(
        "practitioner/dates.html", log=logbook(own), views=VIEWS, today=today(own)
    )


@practitioner.get("/log/competency/<edition>/<code>")
@permits(Permission.OWN_EVIDENCE)
def log_competency(edition: str, code: str) -> str:
    """One competency, with everything about it."""
    page = request.args.get("page", 1, type=int)
    view = competency(ctx(), CompetencyRef(edition, code), page)
    return render_template("practitioner/competency.html", view=view)


@practitioner.get("/log/history")
@permits(Permission.OWN_EVIDENCE)
def log_history() -> str:
    """What was too long ago to be recorded."""
    view = history(ctx(), request.args.get("page", 1, type=int))
    return render_template("practitioner/history.html", view=view, views=VIEWS)
