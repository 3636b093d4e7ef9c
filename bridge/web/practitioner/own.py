"""Evidence of one's own: what no system recorded, with its date and where a record is held."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, flash, make_response, render_template, request
from flask_wtf import FlaskForm
from wtforms import DateField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from bridge.domain.errors import Refused
from bridge.domain.frameworks import Delivery
from bridge.domain.permissions import Permission
from bridge.services.evidence import OwnActivity, add_own
from bridge.services.practitioner import Choices, own_choices
from bridge.web.access import ctx, permits
from bridge.web.practitioner.blueprint import practitioner, refs_of, to_item

_DELIVERY = {
    "": "Does not apply",
    Delivery.SINGLE_AGENCY.value: "One agency",
    Delivery.MULTI_AGENCY.value: "Several agencies together",
    Delivery.E_LEARNING.value: "Online, on my own",
}


_SHORTER = "Use at most {} letters."


class OwnForm(FlaskForm):
    """What was done, when, and where a record is held."""

    learning_activity = RadioField(
        "What kind of learning was it?", [InputRequired("Choose what kind of learning it was.")]
    )
    title = StringField(
        "What was it?",
        [
            InputRequired("Give it a short name."),
            Length(max=200, message="Use at most 200 letters."),
        ],
        description="Such as “Supervision on a neglect case” or “Read the new procedures”. "
        "Name no child or family.",
    )
    occurred_on = DateField(
        "When was it?", [InputRequired("Enter the day, as in 14 3 2026.")],
        description="The day it took place, within the last 12 months.",
    )  # fmt: skip
    reference = StringField(
        "Where is a record of it held? (optional)",
        [Optional(), Length(max=400, message=_SHORTER.format(400))],
        description="Such as “Supervision file, note of that day”. Not the record itself.",
    )
    delivery = SelectField("Who took part? (optional)", [Optional()], choices=_DELIVERY)


def _form(choices: Choices, **more: Any) -> OwnForm:
    form = OwnForm(**more)
    form.learning_activity.choices = {
        a.key: a.text for a in choices.activities if not a.background_only
    }
    return form


@practitioner.get("/evidence/new")
@permits(Permission.OWN_EVIDENCE)
def new() -> Response:
    """The form for one's own evidence; `?for=edition code` ticks nothing but opens the list."""
    choices = own_choices(ctx())
    return _page(choices, _form(choices, formdata=None))


def _page(choices: Choices, form: OwnForm, wrong: str = "", status: int = 200) -> Response:
    text = render_template(
        "practitioner/new.html",
        form=form,
        choices=choices,
        background=[a for a in choices.activities if a.background_only],
        ticks=set(refs_of(request.form.getlist("tick"))),
        wanted=request.args.get("for", ""),
        wrong=wrong,
    )
    return make_response(text, status)


@practitioner.post("/evidence/new")
@permits(Permission.OWN_EVIDENCE)
def add() -> Response:
    """Keep it as a draft, and go on to reflect on it."""
    own = ctx()
    choices = own_choices(own)
    form = _form(choices)
    refs = refs_of(request.form.getlist("tick"))
    valid = form.validate_on_submit()
    wrong = "" if refs else "Tick at least one competency that it could evidence."
    if not valid or wrong:
        return _page(choices, form, wrong, 422)
    on = form.occurred_on.data
    assert isinstance(on, date)  # noqa: S101  the form has checked it
    activity = OwnActivity(
        (form.title.data or "").strip(), form.learning_activity.data, on,
        (form.reference.data or "").strip() or None, form.delivery.data or None,
    )  # fmt: skip
    try:
        made = add_own(own, activity, refs)
    except Refused as error:
        field = form.occurred_on if "date" in str(error) else form.learning_activity
        field.errors = [str(error)]
        return _page(choices, form, "", 422)
    flash("Kept as a draft. Now reflect on it and tick what it truly evidences.")
    return to_item(made)
