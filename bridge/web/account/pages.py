"""One's own account: where one is signed in, the password, and tokens for programs."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask import session as flask_session
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired

from bridge.domain.errors import Refused, TooOften
from bridge.domain.permissions import Permission
from bridge.services import signin, tokens
from bridge.web.access import ctx, own_way_in, permits, visitor
from bridge.web.auth.pages import enter
from bridge.web.sessions import BridgeSession

account = Blueprint("account", __name__, url_prefix="/account")


class NewPasswordForm(FlaskForm):
    """Set one's password."""

    login = StringField(
        "Sign-in name",
        [InputRequired("Enter a sign-in name.")],
        description="Such as your work email address.",
    )
    present = PasswordField(
        "Present password",
        description="Forgotten? Sign out, sign in with a link or your work account, and come back.",
        render_kw={"autocomplete": "current-password"},
    )
    password = PasswordField(
        "New password",
        [InputRequired("Enter a password.")],
        render_kw={"autocomplete": "new-password"},
        description=f"At least {signin.PASSWORD_LENGTH} characters. Three random words work well.",
    )
    again = PasswordField(
        "The same once more",
        [EqualTo("password", "The two passwords are not the same.")],
        render_kw={"autocomplete": "new-password"},
    )


class TokenForm(FlaskForm):
    """Make a token."""

    name = StringField(
        "Name of the token",
        [InputRequired("Give it a name that says where you use it.")],
        description="Such as “laptop script”.",
    )
    read_only = BooleanField("It may only read", default=True)


@account.get("/")
@permits(Permission.ACCOUNT)
def show() -> Response:
    """Everything about one's account."""
    return _page(NewPasswordForm(formdata=None), TokenForm(formdata=None))


def _page(
    password: NewPasswordForm, token: TokenForm, secret: str = "", status: int = 200
) -> Response:
    current = visitor().session
    text = render_template(
        "account/show.html",
        password=password,
        door=signin.password_door(ctx(), current),
        token=token,
        secret=secret,
        sessions=signin.sessions(ctx()),
        tokens=tokens.tokens(ctx()),
        current=current.id if current else None,
    )
    return make_response(text, status)


@account.post("/password")
@permits(Permission.ACCOUNT)
def set_password() -> Response:
    """Set the password; every other sign-in ends."""
    own_way_in()
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return _page(form, TokenForm(formdata=None), status=422)
    person = visitor().person
    assert person is not None  # noqa: S101  the permission asks for somebody signed in
    try:
        signin.set_password(
            ctx(), form.login.data or "", form.password.data or "", visitor().session,
            form.present.data or "",
        )  # fmt: skip
    except signin.WrongPassword as error:
        form.present.errors = [str(error)]
        return _page(form, TokenForm(formdata=None), status=422)
    except (Refused, TooOften) as error:
        form.password.errors = [str(error)]
        return _page(form, TokenForm(formdata=None), status=422)
    enter(person, signin.PASSWORD)
    flash("Your password is set, and your other sign-ins have ended.")
    return make_response(redirect(url_for("account.show")))


@account.post("/sign-in-again")
@permits(Permission.ACCOUNT)
def sign_in_again() -> Response:
    """End this sign-in, and come back here with a new one."""
    current = visitor().session
    if current is not None:
        signin.sign_out(ctx(), current.id)
    _end_here()
    return make_response(redirect(url_for("auth.sign_in", next=url_for("account.show")), 303))


def _end_here() -> None:
    browser = flask_session
    assert isinstance(browser, BridgeSession)  # noqa: S101  our interface makes all sessions
    browser.end()


@account.post("/tokens")
@permits(Permission.ACCOUNT)
def make_token() -> Response:
    """Make a token; its secret is shown on this answer alone."""
    own_way_in()
    form = TokenForm()
    if not form.validate_on_submit():
        return _page(NewPasswordForm(formdata=None), form, status=422)
    secret = tokens.make_token(ctx(), form.name.data or "", read_only=bool(form.read_only.data))
    return _page(NewPasswordForm(formdata=None), TokenForm(formdata=None), secret)


@account.post("/tokens/<int:token_id>/end")
@permits(Permission.ACCOUNT)
def end_token(token_id: int) -> Response:
    """End a token."""
    tokens.end_token(ctx(), token_id)
    flash("The token has ended.")
    return make_response(redirect(url_for("account.show")))


@account.post("/sessions/<int:session_id>/end")
@permits(Permission.ACCOUNT)
def end_session(session_id: int) -> Response:
    """Sign out there."""
    signin.sign_out(ctx(), session_id)
    current = visitor().session
    if current is not None and current.id == session_id:
        _end_here()
        return make_response(redirect(url_for("auth.sign_in")))
    flash("You are signed out there.")
    return make_response(redirect(url_for("account.show")))
