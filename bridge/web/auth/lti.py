"""Launches from Moodle (LTI 1.3): login, launch, deep linking, registration, and our public keys.

Other sites post here, so Flask-WTF's token cannot guard it. State and nonce do, each good for one
answer, and a cookie that binds the launch to the browser in which it was begun (against login
CSRF). It comes back from a cross-site post only with SameSite=None, and so only over https; where
a browser withholds it in a frame, a click opens a window of our own.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlencode, urlsplit

import structlog
from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask import session as flask_session

from bridge.domain.errors import NotFound
from bridge.domain.lti import LaunchRefused, Link, LtiTool, Opens, Platform, ToolPages, origin_of
from bridge.domain.permissions import Permission
from bridge.services import launch as launches
from bridge.services import platforms, signin
from bridge.services.launch import Arrival
from bridge.web.access import permits, site, visitor
from bridge.web.auth.pages import next_page, web_ctx
from bridge.web.sessions import BridgeSession

lti = Blueprint("lti", __name__, url_prefix="/lti")
_log = structlog.get_logger("bridge.web")
_FRAMES = frozenset({"iframe", "frame", "embed", "object"})
#: What a teacher can put into a course.
LINKS = {
    Opens.COURSE: Link(
        "My evidence from this course",
        "Turn what you learned here into safeguarding evidence. It takes about two minutes.",
        Opens.COURSE,
    ),
    Opens.HOME: Link(
        "My safeguarding evidence",
        "What you have, what waits for you, and what is due.",
        Opens.HOME,
    ),
}


def tool() -> LtiTool:
    """The LTI side of this site. Raises NotFound where it has none."""
    found = site().lti
    if found is None:
        raise NotFound("This bridge is not connected to an LMS.")
    return found


def pages() -> ToolPages:
    """Where our pages are, by the configured address: never by the Host header."""
    settings = site().settings
    return ToolPages(settings.base_url, settings.title)


# --- cookies and frames -------------------------------------------------------------------------
def cookie_name(purpose: str) -> str:
    """A cookie of ours that no sub-domain can set."""
    return f"__Host-bridge-{purpose}" if site().settings.secure else f"bridge-{purpose}"


def in_frame(otherwise: bool = False) -> bool:
    """Whether the browser asks for a frame's page; `otherwise` where it does not say."""
    asked = request.headers.get("Sec-Fetch-Dest")
    return otherwise if asked is None else asked in _FRAMES


def loses_cookies() -> bool:
    """Whether a session could not live in a frame: without https, in another site's page."""
    return not site().settings.secure and request.headers.get("Sec-Fetch-Site") == "cross-site"


def allowed_ancestors() -> tuple[str, ...]:
    """Who may show the present page in a frame: for a session begun in the frame of a registered
    platform, that platform; otherwise nobody."""
    session = visitor().session
    framed_by = session.data.get("framed_by") if session else None
    return (framed_by,) if framed_by in platforms.origins(site().ctx) else ()


@lti.after_app_request
def let_frame(response: Response) -> Response:
    """Every page of a session that was begun in a frame may stay in it."""
    session = g.who.session if "who" in g else None
    if session is not None and "framed_by" in session.data and "frame_ancestors" not in g:
        g.frame_ancestors = allowed_ancestors()
    return response


@lti.errorhandler(LaunchRefused)
def refused(error: LaunchRefused) -> Response:
    """Say why, also within the frame in which it happened: the page holds nothing else."""
    _log.warning("launch refused", code=error.code)
    g.frame_ancestors = platforms.origins(site().ctx)
    return make_response(render_template("lti/refused.html", words=str(error)), 403)


# --- the launch -----------------------------------------------------------------------------------
@lti.route("/login", methods=["GET", "POST"])
@permits(Permission.PUBLIC)
def login() -> Response:
    """A platform asks us to ask it who is there (OIDC third-party initiated login)."""
    asked = request.values
    secure = site().settings.secure
    browser = request.cookies.get(cookie_name("lti"), "") if secure else None
    if secure and not (browser and len(browser) == 43):
        browser = secrets.token_urlsafe(32)
    question = launches.begin(
        web_ctx(),
        asked.get("iss", ""),
        asked.get("client_id") or None,
        asked.get("lti_deployment_id") or None,
        browser,
        request.remote_addr or "",
    )
    platform = question.platform
    query = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": pages().launch,
        "login_hint": asked.get("login_hint", ""),
        "state": question.state,
        "nonce": question.nonce,
    }
    if "lti_message_hint" in asked:
        query["lti_message_hint"] = asked["lti_message_hint"]
    join = "&" if urlsplit(platform.auth_url).query else "?"
    answer = make_response(redirect(f"{platform.auth_url}{join}{urlencode(query)}"))
    if browser is not None:
        answer.set_cookie(
            cookie_name("lti"), browser, httponly=True, secure=True, samesite="None",
            partitioned=in_frame(), path="/",
        )  # fmt: skip
    return answer


@lti.get("/launch")
@permits(Permission.PUBLIC)
def opened_by_hand() -> Response:
    """The address of a link, opened without Moodle."""
    return make_response(redirect(url_for("public.start")))


@lti.post("/launch")
@permits(Permission.PUBLIC)
def launch() -> Response:
    """The platform's signed answer: let in, asked to go on, asked to join, or given a choice."""
    if "error" in request.form:
        raise LaunchRefused(
            "platform", "Moodle could not say who you are. Sign in to Moodle, then open the link "
            "again."
        )  # fmt: skip
    ctx = web_ctx()
    browser = request.cookies.get(cookie_name("lti")) if site().settings.secure else None
    platform, said, bound = launches.receive(
        ctx, tool(), request.form.get("state", ""), request.form.get("id_token", ""), browser
    )
    framed = in_frame(otherwise=said.framed)
    if framed:
        g.frame_ancestors = [platform.origin]
    if said.deep_linking is not None:
        secret = launches.offer_links(ctx, platform, said)
        return make_response(
            render_template("lti/choose.html", links=LINKS.values(), secret=secret, said=said)
        )
    rules = site().identity.get(platform.source_key, ())
    arrival = launches.arrive(ctx, tool(), platform, said, rules, bound=bound, framed=framed)
    if bound and not (framed and (arrival.person is None or loses_cookies())):
        return enter(arrival)
    secret = launches.keep_arrival(ctx, arrival)
    return make_response(render_template("lti/continue.html", arrival=arrival, secret=secret))


@lti.post("/continue")
@permits(Permission.PUBLIC)
def go_on() -> Response:
    """They clicked "Continue", on our own page, and so in this browser."""
    if request.headers.get("Sec-Fetch-Site") != "same-origin":
        raise LaunchRefused(
            "not-our-page", "Your browser does not say where this came from. Ask your LMS "
            "administrator to let the link open in a new window."
        )  # fmt: skip
    return enter(launches.go_on(web_ctx(), request.form.get("secret", "")))


def enter(arrival: Arrival) -> Response:
    """Sign them in and lead them where they wanted to go; or ask whose account it is."""
    ctx = web_ctx()
    if arrival.person is None:
        answer = make_response(redirect(url_for("joining.show"), 303))
        answer.set_cookie(
            cookie_name("join"), launches.keep_to_join(ctx, arrival), httponly=True,
            secure=site().settings.secure, samesite="Lax", path="/",
            max_age=launches.JOINING_LASTS,
        )  # fmt: skip
        return answer
    data = {"framed_by": arrival.origin} if arrival.framed else None
    secret = signin.start_session(ctx, arrival.person, signin.LAUNCH, site().settings.lasting, data)
    current = flask_session
    assert isinstance(current, BridgeSession)  # noqa: S101  our interface makes all sessions
    current.start(secret, framed=arrival.framed)
    return make_response(redirect(destination(arrival), 303))


def destination(arrival: Arrival) -> str:
    """A page of ours: the one that the link names, their evidence from its course, or home."""
    assert arrival.person is not None  # noqa: S101  only who is known goes anywhere
    named = own_page(arrival.target)
    if named is not None and arrival.opens is None:
        return named
    evidence = launches.draft_from_course(launches.as_person(web_ctx(), arrival.person), arrival)
    if evidence is None:
        return url_for("public.start")
    return url_for("practitioner.item", evidence_id=evidence)


def own_page(url: str | None) -> str | None:
    """The page of ours that an address names; None for any other site's, and for the way in."""
    # A blank or a control character stands in no address; parsers differ in what they make of it.
    if not url or any(ord(c) < 33 for c in url):
        return None
    if origin_of(url) != origin_of(site().settings.base_url):
        return None
    parts = urlsplit(url)
    if parts.path in ("", "/") or parts.path == "/lti" or parts.path.startswith("/lti/"):
        return None
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    safe = next_page(path)
    return safe if safe == path else None


# --- deep linking -----------------------------------------------------------------------------
@lti.post("/link")
@permits(Permission.PUBLIC)
def choose() -> Response:
    """A teacher's choice, signed, on its way back to the course."""
    chosen = request.form.get("opens", "")
    link = LINKS[Opens(chosen)] if chosen in list(Opens) else None
    where, token = launches.choose_link(web_ctx(), tool(), request.form.get("secret", ""), link)
    g.frame_ancestors = g.form_targets = [origin_of(where)]
    return make_response(render_template("lti/chosen.html", where=where, token=token))


# --- registration and keys --------------------------------------------------------------------
@lti.get("/jwks")
@permits(Permission.PUBLIC)
def jwks() -> Response:
    """Our public keys."""
    answer = make_response(tool().public_keys())
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@lti.get("/register/<secret>")
@permits(Permission.PUBLIC)
def look_at_invite(secret: str) -> str:
    """What Moodle's administrator sees in Moodle's own page: one button."""
    source = tool().sources[platforms.invited_source(web_ctx(), secret)]
    g.frame_ancestors = [origin_of(source.base_url)]
    return render_template(
        "lti/register.html",
        lms=source.base_url,
        email=source.shares_email,
        secret=secret,
        configuration=request.args.get("openid_configuration", ""),
        token=request.args.get("registration_token", ""),
    )


@lti.post("/register/<secret>")
@permits(Permission.PUBLIC)
def register(secret: str) -> str:
    """Register with the Moodle that the link is for; the link is used up."""
    ctx = web_ctx()
    made: Platform = platforms.register(
        ctx, tool(), secret, request.form.get("configuration", ""), request.form.get("token", ""),
        pages(),
    )  # fmt: skip
    g.frame_ancestors = [made.origin]
    return render_template("lti/registered.html", platform=made)
