"""A Moodle account that nobody is known for: its person signs in once, and says it is theirs."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask import session as flask_session

from bridge.domain.permissions import Permission
from bridge.domain.scope import Actor, of_person
from bridge.services import launch as launches
from bridge.services import signin
from bridge.web.access import ctx, permits, site, visitor
from bridge.web.auth.lti import cookie_name, destination
from bridge.web.auth.pages import web_ctx
from bridge.web.sessions import BridgeSession

joining = Blueprint("joining", __name__, url_prefix="/join")


def _secret() -> str:
    return request.cookies.get(cookie_name("join"), "")


def _leave(where: str) -> Response:
    answer = make_response(redirect(where, 303))
    answer.delete_cookie(cookie_name("join"), path="/", secure=site().settings.secure)
    return answer


@joining.before_app_request
def come_back() -> Response | None:
    """Whoever signs in by a link in a mail begins at the start page: take up the launch there."""
    if request.endpoint == "public.start" and _secret() and visitor().signed_in:
        return make_response(redirect(url_for("joining.show")))
    return None


@joining.get("")
@permits(Permission.PUBLIC)
def show() -> Response:
    """Whose account this is, in the LMS's words; sign in, then say that it is yours."""
    found = launches.joining(web_ctx(), _secret(), visitor().session)
    if found is None:
        return _leave(url_for("public.start"))
    return make_response(render_template("lti/join.html", found=found))


@joining.post("/sign-in")
@permits(Permission.PUBLIC)
def sign_in() -> Response:
    """Sign in anew, whoever had been signed in on this computer before."""
    who = visitor()
    if launches.joining(web_ctx(), _secret(), who.session) is None:
        return _leave(url_for("public.start"))
    if who.session is not None and who.person is not None:
        own = site().ctx.acting_as(Actor(of_person(who.person), "web"))
        signin.sign_out(own, who.session.id)
        current = flask_session
        assert isinstance(current, BridgeSession)  # noqa: S101  our interface makes all sessions
        current.end()
    return make_response(redirect(url_for("auth.sign_in", next=url_for("joining.show")), 303))


@joining.post("")
@permits(Permission.PUBLIC)
def confirm() -> Response:
    """The account is theirs."""
    arrival = launches.join(ctx(), _secret(), visitor().session)
    return _leave(destination(arrival))


@joining.post("/leave")
@permits(Permission.PUBLIC)
def leave() -> Response:
    """It is not, or not now: nothing is joined."""
    return _leave(url_for("public.start"))
