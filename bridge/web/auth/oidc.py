"""Signing in through the organisation's identity provider, and joining its account to a person."""

from __future__ import annotations

import re
import secrets

import structlog
from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from bridge.domain.errors import NotFound, PeerError
from bridge.domain.permissions import Permission
from bridge.domain.sso import IdentityProvider, SignInRefused
from bridge.services import sso
from bridge.web.access import ctx, own_way_in, permits, site, visitor
from bridge.web.auth.pages import enter, next_page, web_ctx

oidc = Blueprint("oidc", __name__, url_prefix="/sign-in/with")
_log = structlog.get_logger("bridge.web")
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_BROWSER, _JOINING = "bridge-oidc", "bridge-oidc-join"


def _provider(name: str) -> IdentityProvider:
    found = site().providers.get(name)
    if found is None:
        raise NotFound("There is no such way to sign in. Go back to the sign-in page.")
    return found


def _cookie(name: str) -> str:
    return f"__Host-{name}" if site().settings.secure else name


def _kept(name: str) -> str | None:
    value = request.cookies.get(_cookie(name), "")
    return value if _SECRET.fullmatch(value) else None


def _keep(response: Response, name: str, value: str, seconds: float) -> Response:
    """A cookie that comes back with the provider's redirect (so Lax), and to this site alone."""
    response.set_cookie(
        _cookie(name), value, max_age=int(seconds), httponly=True, samesite="Lax", path="/",
        secure=site().settings.secure,
    )  # fmt: skip
    return response


def _back_address(name: str) -> str:
    """Where the provider sends the browser: the configured address, never the Host header."""
    return site().settings.base_url + url_for("oidc.back", name=name)


def _refused(error: SignInRefused | PeerError, status: int = 403) -> Response:
    code = error.code if isinstance(error, SignInRefused) else type(error).__name__
    _log.warning("sign-in refused", code=code)
    return make_response(render_template("auth/oidc_refused.html", words=str(error)), status)


@oidc.get("/<name>")
@permits(Permission.PUBLIC)
def begin(name: str) -> Response:
    """To the provider's own sign-in page."""
    provider = _provider(name)
    browser = _kept(_BROWSER) or secrets.token_urlsafe(32)
    back_to = next_page(request.args.get("next"))
    try:
        where = sso.begin(
            web_ctx(), provider, _back_address(name), browser, back_to, request.remote_addr or ""
        )
    except PeerError as error:
        return _refused(error, 502)
    return _keep(make_response(redirect(where)), _BROWSER, browser, 3600)


@oidc.get("/<name>/back")
@permits(Permission.PUBLIC)
def back(name: str) -> Response:
    """The provider's answer: state first, then the code for an id token, then whose it is."""
    provider = _provider(name)
    who = visitor()
    signed_in = who.person if who.only_evidence is None else None
    try:
        asked = sso.asked_for(web_ctx(), provider, request.args.get("state", ""), _kept(_BROWSER))
        if "error" in request.args or not request.args.get("code"):
            raise SignInRefused(
                "provider",
                f"{provider.title} did not sign you in. Please try again, or sign in another way.",
            )
        asserted = sso.receive(
            web_ctx(), provider, _back_address(name), asked, request.args["code"],
            request.args.get("iss"),
        )  # fmt: skip
        arrival = sso.arrive(web_ctx(), provider, asserted, signed_in)
    except SignInRefused as error:
        return _refused(error)
    except PeerError as error:
        return _refused(error, 502)
    if arrival.person is not None:
        if signed_in is None:
            enter(arrival.person, f"oidc:{name}")
        return make_response(redirect(next_page(str(asked.data["next"]))))
    secret = sso.put_aside(web_ctx(), provider, asserted)
    if signed_in is not None:
        response = make_response(redirect(url_for("oidc.show_join")))
    else:
        response = make_response(
            render_template("auth/oidc_unknown.html", provider=provider, name=asserted.name), 403
        )
    return _keep(response, _JOINING, secret, sso.JOINING_LASTS.total_seconds())


@oidc.get("/")
@permits(Permission.ACCOUNT)
def accounts() -> str:
    """One's own work accounts: which are joined, which can be."""
    return render_template(
        "auth/oidc_accounts.html", joined=sso.work_accounts(ctx()), all=site().providers
    )


@oidc.get("/join")
@permits(Permission.ACCOUNT)
def show_join() -> Response:
    """Ask whether the account that waits in this browser is theirs."""
    secret = _kept(_JOINING)
    found = sso.waiting(ctx(), secret) if secret else None
    if found is None:
        flash("No work account waits to be joined.")
        return make_response(redirect(url_for("oidc.accounts")))
    title = _provider(found.provider).title
    return make_response(render_template("auth/oidc_join.html", found=found, title=title))


@oidc.post("/join")
@permits(Permission.ACCOUNT)
def join() -> Response:
    """Join it."""
    own_way_in()
    secret, session = _kept(_JOINING), visitor().session
    if secret is None or session is None:
        abort(400, "No work account waits to be joined. Start again from the sign-in page.")
    try:
        sso.join(ctx(), secret, session)
    except SignInRefused as error:
        return _refused(error)
    flash("Your work account is joined. From now on it signs you in.")
    response = make_response(redirect(url_for("oidc.accounts")))
    response.delete_cookie(_cookie(_JOINING), path="/", secure=site().settings.secure)
    return response


@oidc.post("/accounts/<int:identity_id>/part")
@permits(Permission.ACCOUNT)
def part(identity_id: int) -> Response:
    """Part from an account."""
    sso.part(ctx(), identity_id)
    flash("That work account no longer signs you in.")
    return make_response(redirect(url_for("oidc.accounts")))
