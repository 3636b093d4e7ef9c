"""Files of a booking system or an LMS on the desk: look at one, answer what is open, load it."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField
from wtforms.validators import DataRequired

from bridge.domain.errors import LostLease, Refused
from bridge.domain.permissions import Permission
from bridge.domain.problems import BadFile
from bridge.domain.proposals import Proposal, TableReader
from bridge.services.context import acting_person, training_team_only
from bridge.services.looking import LookReport, look_at_source
from bridge.services.tables import keep_profile, load_table
from bridge.web.access import ctx, permits, site
from bridge.web.training.blueprint import training, whole_partnership

_ANSWER = "answer:"


class TableForm(FlaskForm):
    """Choose a file, and where it comes from."""

    source = SelectField("Where does it come from?", [DataRequired("Choose where it comes from.")])
    file = FileField(
        "File (CSV or Excel workbook)",
        [FileRequired("Choose the file.")],
        description="As the system exported it. Nothing is loaded before you say so.",
        render_kw={"accept": ".csv,.tsv,.txt,.xlsx"},
    )


@training.url_value_preprocessor
def allow_a_table(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """This one form may send more than any other; of whoever may not send it, no more is read."""
    if endpoint == "training.look_at_table" and whole_partnership():
        request.max_content_length = site().settings.table_bytes + 100_000


def _desk() -> TableReader:
    training_team_only(ctx())
    desk = site().table_desk
    if desk is None or not site().settings.table_bytes:
        raise Refused("Files are not taken on this page. Load them on the server: bridge booking.")
    return desk


def _form(**more: Any) -> TableForm:
    form = TableForm(**more)
    form.source.choices = [(key, key) for key in site().file_profiles]
    return form


def _page(form: TableForm, status: int = 200, **more: Any) -> Response:
    megabytes = site().settings.table_bytes // 1_000_000
    text = render_template("training/tables.html", form=form, megabytes=megabytes, **more)
    return make_response(text, status)


@training.get("/files")
@permits(Permission.TRAINING)
def tables() -> Response:
    """The form."""
    _desk()
    return _page(_form(formdata=None))


@training.post("/files")
@permits(Permission.TRAINING_CHANGE)
def look_at_table() -> Response:
    """Look at a file: what loading it would do, or, where its columns are new, what they are."""
    desk, form = _desk(), _form()
    if not form.validate_on_submit():
        return _page(form, 422)
    sent = form.file.data
    person = acting_person(ctx())
    word = desk.hold(sent.stream, (sent.filename or "table")[-80:], person)
    sent.close()
    try:
        return _look(desk, word, form.source.data, {})
    except BadFile as error:
        desk.drop(word, person)
        return _page(form, 422, problems=[str(problem) for problem in error.problems])
    except BaseException:
        desk.drop(word, person)
        raise


@training.post("/files/held")
@permits(Permission.TRAINING_CHANGE)
def go_on_with_table() -> Response:
    """Answer what was open about a file that was looked at, or load it."""
    desk = _desk()
    source, word = request.form.get("source", ""), request.form.get("held", "")
    answers = {
        key.removeprefix(_ANSWER): value
        for key, value in request.form.items()
        if key.startswith(_ANSWER) and value
    }
    try:
        if request.form.get("do") != "load":
            return _look(desk, word, source, answers)
        return _load(desk, word, source, answers)
    except BadFile as error:
        # It is of no use any more: the form asks for a file anew.
        desk.drop(word, acting_person(ctx()))
        problems = [str(problem) for problem in error.problems]
        return _page(_form(formdata=None), 422, problems=problems)


def _profile_of(source: str) -> str:
    profile = site().file_profiles.get(source)
    if profile is None:
        raise Refused("There is no such source of files. Choose one of those in the list.")
    return profile


def _look(desk: TableReader, word: str, source: str, answers: dict[str, str]) -> Response:
    profile = _profile_of(source)
    path, name = desk.held(word, acting_person(ctx()))
    proposal: Proposal | None = None
    report: LookReport | None = None
    if desk.keeps(profile):
        report = look_at_source(ctx(), site().file_source(source, path, name))
    else:
        proposal = desk.propose(path, name, profile, answers)
    return _page(
        _form(formdata=None), proposal=proposal, report=report, held=word, source=source,
        name=name, answers=answers,
    )  # fmt: skip


def _load(desk: TableReader, word: str, source: str, answers: dict[str, str]) -> Response:
    profile, person = _profile_of(source), acting_person(ctx())
    path, name = desk.held(word, person)
    if not desk.keeps(profile):
        proposal = desk.propose(path, name, profile, answers)
        if not proposal.settled:
            return _look(desk, word, source, answers)
        keep_profile(ctx(), desk, proposal)
    try:
        report = load_table(ctx(), site().file_source(source, path, name))
    except LostLease as error:
        raise Refused(f"{error} Load the file in a minute.") from None
    desk.drop(word, person)
    tally = report.tally
    flash(
        f"{name} is loaded: {tally.new:,} new, {tally.changed:,} changed, {tally.unchanged:,} "
        f"known already, {tally.drafts:,} drafts. {report.note}".rstrip()
    )
    return make_response(redirect(url_for("training.tables")))
