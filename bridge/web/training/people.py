"""Finding a person, and those whom nobody's team has: without a post, or without a manager."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import EmailField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from bridge.domain.authority import Authority
from bridge.domain.errors import Refused
from bridge.domain.permissions import Permission
from bridge.services import desk as desk_service
from bridge.services import outsiders
from bridge.services.directory import search_people
from bridge.web.access import ctx, permits
from bridge.web.asked import number, words
from bridge.web.training.blueprint import training


class OutsiderForm(FlaskForm):
    """Add a verifier who holds no post here."""

    name = StringField("Their name", [DataRequired("Enter their name."), Length(max=200)])
    email = EmailField(
        "Their work email address",
        [DataRequired("Enter their work email address."), Length(max=320)],
        description="One that only they use: links to what is submitted to them go there.",
    )
    organisation = StringField(
        "Where they work", [DataRequired("Enter where they work."), Length(max=200)]
    )
    kind = SelectField(
        "They verify as",
        choices={"assessor": "Assessor, by the framework's methods for assessors",
                 "peer": "Peer, by the methods that it opens to peers"},
    )  # fmt: skip


@training.get("/people")
@permits(Permission.TRAINING)
def people() -> Response:
    """Search by name, email, staff number or number; the only one found is shown at once."""
    return _page(OutsiderForm(formdata=None))


def _page(form: OutsiderForm, status: int = 200) -> Response:
    asked = words("q")
    after = words("after") or None
    page = search_people(ctx(Permission.TRAINING), asked, after) if asked else None
    if page is not None and len(page.items) == 1 and after is None:
        only = page.items[0].person.canonical
        return make_response(redirect(url_for("training.person", person_id=only)))
    text = render_template("training/people.html", asked=asked, page=page, outsider=form)
    return make_response(text, status)


@training.post("/people/outside")
@permits(Permission.TRAINING_CHANGE)
def add_outsider() -> Response:
    """A verifier from outside: known by the address that the training team gives."""
    form = OutsiderForm()
    if not form.validate_on_submit():
        return _page(form, 422)
    who = outsiders.Outsider(
        form.name.data or "", form.email.data or "", form.organisation.data or "",
        Authority(form.kind.data),
    )  # fmt: skip
    try:
        person = outsiders.add_outsider(ctx(), who)
    except Refused as error:
        form.email.errors = [str(error)]
        return _page(form, 422)
    flash(f"{who.name} may verify as {who.kind}. What is submitted to them is mailed as a link.")
    return make_response(redirect(url_for("training.person", person_id=person), 303))


@training.get("/people/unplaced/<kind>")
@permits(Permission.TRAINING)
def unplaced(kind: str) -> str:
    """People without a present post, or posts without a manager."""
    read = desk_service.without_manager if kind == "manager" else desk_service.without_post
    kind = "manager" if kind == "manager" else "post"
    return render_template(
        "training/unplaced.html", page=read(ctx(), number("after") or 0), kind=kind
    )
