"""Mappings on the desk: check the files, look at the impact, publish with a comment, versions."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from bridge.domain.errors import Refused
from bridge.domain.permissions import Permission
from bridge.domain.problems import BadFile, Problem, Severity, in_order
from bridge.services import desk as desk_service
from bridge.services import mappings as mappings_service
from bridge.services.mappings import Impact
from bridge.web.access import ctx, permits, site
from bridge.web.asked import number
from bridge.web.training.blueprint import training


class PublishForm(FlaskForm):
    """Put the files in force."""

    comment = StringField(
        "What changes, and why?",
        [DataRequired("Say in a few words what changes, and why."), Length(max=400)],
        description="It is kept with the version, for whoever asks later.",
    )


@training.get("/mappings")
@permits(Permission.TRAINING)
def mappings() -> Response:
    """What is in force, its history, and what can be done."""
    return _page(PublishForm(formdata=None))


def _page(
    form: PublishForm,
    status: int = 200,
    *,
    problems: list[Problem] | None = None,
    impact: Impact | None = None,
    refused: str = "",
) -> Response:
    text = render_template(
        "training/mappings.html",
        form=form,
        page=desk_service.versions(ctx(Permission.TRAINING), number("before")),
        problems=problems,
        errors=sum(p.severity is Severity.ERROR for p in problems or ()),
        impact=impact,
        refused=refused,
    )
    return make_response(text, status)


@training.post("/mappings/check")
@permits(Permission.TRAINING)
def check_mappings() -> Response:
    """Read the files and tell everything that is wrong in them. Nothing is changed."""
    return _page(PublishForm(formdata=None), problems=in_order(site().problems()))


@training.post("/mappings/impact")
@permits(Permission.TRAINING)
def mapping_impact() -> Response:
    """What publishing would do, counted. Nothing is changed."""
    form = PublishForm(formdata=None)
    try:
        found = mappings_service.impact(ctx(), site().files())
    except BadFile as error:
        return _page(form, 422, problems=in_order(error.problems))
    except Refused as error:
        return _page(form, 422, refused=str(error))
    return _page(form, impact=found)


@training.post("/mappings/publish")
@permits(Permission.TRAINING_CHANGE)
def publish_mappings() -> Response:
    """Put the files in force, all or none."""
    form = PublishForm()
    if not form.validate_on_submit():
        return _page(form, 422)
    try:
        found = mappings_service.publish_site(ctx(), site().files(), form.comment.data or "")
    except BadFile as error:
        return _page(form, 422, problems=in_order(error.problems))
    except Refused as error:
        form.comment.errors = [str(error)]
        return _page(form, 422)
    if found.nothing:
        flash("The files say what is in force already. Nothing was published.")
    else:
        flash(
            f"Published. {found.records:,} records were looked at: {found.added:,} suggestions "
            f"added, {found.withdrawn:,} untouched ones withdrawn, for {found.people:,} people."
        )
    return make_response(redirect(url_for("training.mappings")))


@training.get("/mappings/versions/<int:version_id>")
@permits(Permission.TRAINING)
def mapping_version(version_id: int) -> str:
    """A mapping file as it was published."""
    version, text = desk_service.version_source(ctx(), version_id)
    return render_template("training/version.html", version=version, text=text)
