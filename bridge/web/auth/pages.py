"""Signing in and out: by password, and by a link in a mail that a POST confirms."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask import session as flask_session
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import InputRequired

from bridge.domain.errors import NotAllowed
from bridge.domain.identity import folded_address
from bridge.domain.permissions import Permission
from bridge.domain.scope import Actor, of_person
from bridge.services import limits, signin
from bridge.services.context import Context
from bridge.web.access import permits, site, visitor
from bridge.web.sessions import BridgeSession

auth = Blueprint("auth", __name__)
#: In a quarter of an hour: links asked for from one network address, and for one mail address.
LINKS_AN_ADDRESS = 300
LINKS_A_PERSON = 5


class PasswordForm(FlaskForm):
    """Sign in by name and password."""

    login = StringField("Sign-in name", [InputRequired("Enter your sign-in name.")])
    password = PasswordField("Password", [InputRequired("Enter your password.")])


class LinkForm(FlaskForm):
    """Have a link sent."""

    email = EmailField("Work email address", [InputRequired("Enter your work email address.")])


def next_page(asked: str | None) -> str:
    """Where to go after signing in: one of our own pages, whatever was asked for."""
    if not asked or not asked.startswith("/") or asked.startswith(("//", "/\\")):
        return url_for("public.start")
    parts = urlsplit(asked)
    if parts.scheme or parts.netloc or any(ord(c) < 32 for c in asked) or "\\" in asked:
        return url_for("public.start")
    return asked


def web_ctx() -> Context:
    """The surroundings of an act at the door: nobody's yet, from the web."""
    ctx = site().ctx
    return ctx.acting_as(Actor(ctx.actor.scope, "web"))


def enter(person: int, method: str) -> None:
    """Sign a person in, in this browser, under a new secret."""
    secret = signin.start_session(web_ctx(), person, method, site().settings.lasting)
    begin_session(secret)


def begin_session(secret: str) -> None:
    """From the next page on this browser has the session with that secret."""
    current = flask_session
    assert isinstance(current, BridgeSession)  # noqa: S101  our interface makes all sessions
    current.start(secret)


@auth.get("/sign-in")
@permits(Permission.PUBLIC)
def sign_in() -> Response:
    """The ways in."""
    if visitor().signed_in:
        return make_response(redirect(next_page(request.args.get("next"))))
    return _page(PasswordForm(), LinkForm())


def _page(password: PasswordForm, link: LinkForm, status: int = 200) -> Response:
    asked = request.values.get("next", "")
    settings = site().settings
    return make_response(
        render_template(
            "auth/sign_in.html",
            password=password if settings.passwords else None,
            link=link if settings.links and site().ask_for_link else None,
            next=next_page(asked) if asked else "",
        ),
        status,
    )


@auth.post("/sign-in/password")
@permits(Permission.PUBLIC)
def by_password() -> Response:
    """Check a name and password."""
    form = PasswordForm()
    if not site().settings.passwords or not form.validate_on_submit():
        return _page(form, LinkForm(formdata=None), 422)
    try:
        person = signin.check_password(
            web_ctx(), form.login.data or "", form.password.data or "", request.remote_addr or ""
        )
    except NotAllowed as error:
        form.login.errors = [str(error)]
        return _page(form, LinkForm(formdata=None), 422)
    enter(person, "password")
    return make_response(redirect(next_page(request.form.get("next"))))


@auth.post("/sign-in/link")
@permits(Permission.PUBLIC)
def ask_for_link() -> Response:
    """Have a link sent; the answer is the same whether or not the address is known."""
    form = LinkForm()
    send = site().ask_for_link
    if send is None or not site().settings.links or not form.validate_on_submit():
        return _page(PasswordForm(formdata=None), form, 422)
    address = form.email.data or ""
    ctx = web_ctx()
    try:
        limits.count_attempt(ctx, f"asked:{request.remote_addr}", LINKS_AN_ADDRESS)
        limits.count_attempt(ctx, f"link:{folded_address(address)}", LINKS_A_PERSON)
    except NotAllowed as error:
        form.email.errors = [str(error)]
        return _page(PasswordForm(formdata=None), form, 422)
    person = signin.person_of_address(ctx, address)
    if person is not None:
        send(person)
    return make_response(render_template("auth/link_sent.html"))


@auth.get("/link/<secret>")
@permits(Permission.PUBLIC)
def look_at_link(secret: str) -> str:
    """Ask for a click: mail scanners open links, and must not use them up."""
    found = signin.look_at_link(web_ctx(), secret)
    return render_template("auth/link.html", secret=secret, link=found)


@auth.post("/link")
@permits(Permission.PUBLIC)
def use_link() -> Response:
    """Use the link up and sign in."""
    ctx = web_ctx()
    _, secret = signin.use_link(ctx, request.form.get("secret", ""), site().settings.lasting)
    begin_session(secret)
    return make_response(redirect(url_for("public.start")))


@auth.post("/sign-out")
@permits(Permission.PUBLIC)
def sign_out() -> Response:
    """End this sign-in."""
    who = visitor()
    if who.session is not None and who.person is not None:
        own = site().ctx.acting_as(Actor(of_person(who.person), "web"))
        signin.sign_out(own, who.session.id)
    current = flask_session
    assert isinstance(current, BridgeSession)  # noqa: S101  our interface makes all sessions
    current.end()
    return make_response(redirect(url_for("auth.sign_in")))
