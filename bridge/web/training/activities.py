"""Activities by all their names: which are one, joining two, and undoing that."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from bridge.domain.errors import NotFound, Refused
from bridge.domain.permissions import Permission
from bridge.services import activities as service
from bridge.web.access import ctx, permits
from bridge.web.asked import LARGEST, words
from bridge.web.training.blueprint import training


class JoinForm(FlaskForm):
    """Say that another activity is this one."""

    other = IntegerField(
        "Number of the other activity",
        [
            InputRequired("Give the number of the other activity, as the list shows it."),
            NumberRange(1, LARGEST, "Give the number of the other activity, as the list shows it."),
        ],
    )
    reason = StringField(
        "How do you know?",
        [InputRequired("Say how you know that they are one activity."), Length(max=400)],
        description="Such as “the course page of the event on 3 May”. It is kept.",
    )


@training.get("/activities")
@permits(Permission.TRAINING)
def activities() -> str:
    """Activities, by a word of any of their names; all, or those of several names alone."""
    asked, joined = words("q"), words("only") == "joined"
    page = service.activities(
        ctx(Permission.TRAINING), asked, words("after") or None, joined=joined
    )
    return render_template("training/activities.html", page=page, asked=asked, joined=joined)


@training.get("/activities/<int:activity_id>")
@permits(Permission.TRAINING)
def activity(activity_id: int) -> Response:
    """One activity with all its names."""
    return _activity(activity_id, JoinForm(formdata=None))


def _activity(activity_id: int, form: JoinForm, status: int = 200) -> Response:
    shown = service.activity(ctx(Permission.TRAINING), activity_id)
    text = render_template("training/activity.html", shown=shown, form=form)
    return make_response(text, status)


@training.post("/activities/<int:activity_id>")
@permits(Permission.TRAINING_CHANGE)
def join_activity(activity_id: int) -> Response:
    """Two activities are one."""
    form = JoinForm()
    if not form.validate_on_submit():
        return _activity(activity_id, form, 422)
    try:
        made = service.join(ctx(), activity_id, form.other.data or 0, form.reason.data or "")
    except (Refused, NotFound) as error:
        form.other.errors = [str(error)]
        return _activity(activity_id, form, 422)
    flash("They are one activity now. Drafts of the same days have come together.")
    return make_response(redirect(url_for("training.activity", activity_id=made)))


@training.post("/activities/joins/<int:join_id>/undo")
@permits(Permission.TRAINING_CHANGE)
def part_activity(join_id: int) -> Response:
    """Two activities again."""
    service.part(ctx(), join_id)
    flash("They are two activities again. What people have worked on stays as it is.")
    return make_response(redirect(url_for("training.activities")))
