"""The staff list on the desk: a CSV file is checked first, then taken in, all of it or nothing."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired

from bridge.domain.errors import Refused
from bridge.domain.permissions import Permission
from bridge.domain.problems import BadFile
from bridge.services.staff import StaffListError, StaffReport, look_at_staff_list, take_staff_list
from bridge.web.access import ctx, permits, site
from bridge.web.training.blueprint import training

#: A line of a list is about a hundred bytes, so this is everybody of a large partnership.
STAFF_LIST_BYTES = 20_000_000


class StaffListForm(FlaskForm):
    """Choose a staff list."""

    file = FileField(
        "Staff list (CSV)",
        [FileRequired("Choose the file.")],
        description="Saved from a spreadsheet as CSV. The columns are explained below.",
        render_kw={"accept": ".csv,text/csv"},
    )


@training.url_value_preprocessor
def allow_a_staff_list(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """This one form may send more than any other; who may not is turned away before it is read."""
    if endpoint == "training.take_staff":
        request.max_content_length = STAFF_LIST_BYTES


@training.get("/staff")
@permits(Permission.TRAINING)
def staff() -> Response:
    """The form."""
    return _page(StaffListForm(formdata=None))


def _page(
    form: StaffListForm,
    status: int = 200,
    *,
    problems: list[str] | None = None,
    report: StaffReport | None = None,
) -> Response:
    text = render_template("training/staff.html", form=form, problems=problems, report=report)
    return make_response(text, status)


@training.post("/staff")
@permits(Permission.TRAINING_CHANGE)
def take_staff() -> Response:
    """Check the list (and say what it would change), or take it in."""
    form = StaffListForm()
    read = site().read_staff
    if read is None:
        raise Refused("This site takes in staff lists at the command line: bridge people import.")
    if not form.validate_on_submit():
        return _page(form, 422)
    sent = form.file.data
    name = (sent.filename or "staff list")[-80:]
    raw = sent.read()
    sent.close()
    try:
        found = read(_text(raw), name)
        if request.form.get("do") != "take":
            report = look_at_staff_list(ctx(), found.rows, found.organisations)
            return _page(StaffListForm(formdata=None), report=report)
        done = take_staff_list(ctx(), found.rows, found.organisations, site().identity)
    except BadFile as error:
        return _page(form, 422, problems=[str(problem) for problem in error.problems])
    except StaffListError as error:
        return _page(form, 422, problems=list(error.messages))
    flash(
        f"Taken in: {done.rows:,} lines, {done.added:,} people added, {done.changed:,} changed, "
        f"{done.accounts_matched:,} waiting accounts matched."
    )
    return make_response(redirect(url_for("training.staff")))


def _text(raw: bytes) -> str:
    """As spreadsheets save it: UTF-8, or the Windows code page of an older one."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")
