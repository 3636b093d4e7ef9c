"""LMSs that may launch the bridge: a list, a registration link, registration by hand, the end."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from bridge.domain.errors import Refused
from bridge.domain.lti import LtiTool, ToolPages
from bridge.domain.permissions import Permission
from bridge.services import platforms as platform_service
from bridge.web.access import ctx, permits, site
from bridge.web.lms.blueprint import lms


class InviteForm(FlaskForm):
    """Make a registration link."""

    source = SelectField("Which LMS?", choices={}, id="invite-source")


class ByHandForm(FlaskForm):
    """Register with what Moodle shows."""

    source = SelectField("Which LMS?", choices={}, id="hand-source")
    client_id = StringField(
        "Client ID", [DataRequired("Enter the client ID that Moodle shows."), Length(max=200)]
    )
    deployment = StringField(
        "Deployment ID",
        [DataRequired("Enter the deployment ID that Moodle shows."), Length(max=200)],
        description="Several with a comma between.",
    )


@lms.get("/launching")
@permits(Permission.BADGES)
def platforms() -> Response:
    """Who may launch the bridge, and how to let another."""
    return _page()


def _page(
    status: int = 200,
    *,
    invite: InviteForm | None = None,
    by_hand: ByHandForm | None = None,
    link: str = "",
) -> Response:
    tool = site().lti
    invite = invite or InviteForm(formdata=None)
    by_hand = by_hand or ByHandForm(formdata=None)
    invite.source.choices = by_hand.source.choices = _choices(tool)
    text = render_template(
        "lms/platforms.html",
        platforms=platform_service.platforms(ctx(Permission.BADGES)),
        tool=tool,
        pages=_tool_pages(),
        invite=invite,
        by_hand=by_hand,
        link=link,
    )
    return make_response(text, status)


def _tool_pages() -> ToolPages:
    settings = site().settings
    return ToolPages(settings.base_url.rstrip("/"), settings.title)


def _choices(tool: LtiTool | None) -> dict[str, str]:
    return {key: key for key in (tool.sources if tool else ())}


def _tool() -> LtiTool:
    tool = site().lti
    if tool is None or not tool.sources:
        raise Refused("No LMS is configured that could launch the bridge. Add it to bridge.toml.")
    return tool


@lms.post("/launching/link")
@permits(Permission.BADGES)
def invite_platform() -> Response:
    """A link with which one LMS registers itself; it is shown on this answer alone."""
    tool = _tool()
    form = InviteForm()
    form.source.choices = _choices(tool)
    if not form.validate_on_submit():
        return _page(422, invite=form)
    secret = platform_service.invite(ctx(), form.source.data, tool)
    return _page(link=f"{_tool_pages().base_url}/lti/register/{secret}")


@lms.post("/launching")
@permits(Permission.BADGES)
def add_platform() -> Response:
    """Register by hand."""
    tool = _tool()
    form = ByHandForm()
    form.source.choices = _choices(tool)
    if not form.validate_on_submit():
        return _page(422, by_hand=form)
    deployments = [part.strip() for part in (form.deployment.data or "").split(",") if part.strip()]
    try:
        new = tool.by_hand(form.source.data, (form.client_id.data or "").strip(), deployments)
        made = platform_service.register_by_hand(ctx(), new)
    except Refused as error:
        form.client_id.errors = [str(error)]
        return _page(422, by_hand=form)
    flash(f"{made.title} may launch the bridge.")
    return make_response(redirect(url_for("lms.platforms")))


@lms.post("/launching/<int:platform_id>/end")
@permits(Permission.BADGES)
def end_platform(platform_id: int) -> Response:
    """It launches no more."""
    platform_service.end(ctx(), platform_id)
    flash("It launches the bridge no more.")
    return make_response(redirect(url_for("lms.platforms")))
