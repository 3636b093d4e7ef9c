"""The log's pages: by competency, by level, by date, its yearly periods, and what is history."""

from __future__ import annotations

from datetime import date

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for

from bridge.domain.errors import Refused
from bridge.domain.mapping import CompetencyRef
from bridge.domain.permissions import Permission
from bridge.services import signoff
from bridge.services.context import acting_person
from bridge.services.logbook import competency, history, logbook, today
from bridge.web.access import ctx, permits
from bridge.web.practitioner.blueprint import practitioner
from bridge.web.practitioner.warning import look

#: The views of the log, in order: endpoint and title.
VIEWS = (
    ("practitioner.log", "By competency"),
    ("practitioner.log_levels", "By level"),
    ("practitioner.log_dates", "By date"),
    ("practitioner.log_periods", "By year"),
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


@practitioner.get("/log/years")
@permits(Permission.OWN_EVIDENCE)
def log_periods() -> str:
    """The yearly logs: open, over, signed off."""
    own = ctx()
    return render_template(
        "practitioner/periods.html",
        periods=signoff.periods_of(own, acting_person(own)),
        today=today(own),
        views=VIEWS,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(404)


@practitioner.get("/log/years/<starts_on>")
@permits(Permission.OWN_EVIDENCE)
def log_period(starts_on: str) -> Response:
    """One year's log as it is signed off."""
    return _period(_day(starts_on))


def _period(starts_on: date, text: str = "", wrong: str = "", status: int = 200) -> Response:
    own = ctx()
    view = signoff.look(own, acting_person(own), starts_on)
    page = render_template(
        "practitioner/period.html", view=view, text=text, wrong=wrong, today=today(own)
    )
    return make_response(page, status)


@practitioner.post("/log/years/<starts_on>/add")
@permits(Permission.OWN_EVIDENCE)
def add_to_period(starts_on: str) -> Response:
    """Add to a signed log; the log itself stays as it was signed."""
    day = _day(starts_on)
    text = request.form.get("text", "").replace("\r\n", "\n")
    warned = look(text)
    if warned is not None and warned.mark != request.form.get("looked"):
        return make_response(
            render_template(
                "practitioner/period.html", warned=warned, text=text, wrong="", today=today(ctx()),
                view=signoff.look(ctx(), acting_person(ctx()), day),
            ),
            422,
        )  # fmt: skip
    own = ctx()
    try:
        signoff.add(own, acting_person(own), day, text)
    except Refused as error:
        return _period(day, text, str(error), 422)
    flash("Added to the log.")
    return make_response(redirect(url_for("practitioner.log_period", starts_on=starts_on), 303))
