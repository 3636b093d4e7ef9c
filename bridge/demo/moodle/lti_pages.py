"""The LTI pages of the stand-in Moodle: registering a tool, launching it, selecting its content.

There are no passwords here: "sign in as" anybody, because everything in it is invented.
"""

from __future__ import annotations

import json
import secrets
from contextlib import AbstractContextManager
from typing import Any

import requests
from flask import Flask, Response, abort, make_response, redirect, render_template, request

from bridge.demo.moodle.lti import Begun, LtiPlatform, LtiRefused, teaches
from bridge.demo.moodle.tables import User

_COOKIE = "MoodleSession"


def add_lti_pages(app: Flask, lti: LtiPlatform, lock: AbstractContextManager[Any]) -> None:
    """Add the pages to the server's app; `lock` guards the site while one is made."""
    site = lti.site

    def signed_in() -> User:
        number = request.cookies.get(_COOKIE, "")
        user = site.users.get(int(number)) if number.isdecimal() else None
        if user is None or user.deleted or user.suspended:
            abort(403, "Sign in first: /login/as.php?user=...")
        return user

    def page(template: str, status: int = 200, **values: Any) -> Response:
        nonce = secrets.token_urlsafe(12)
        answer = make_response(render_template(template, nonce=nonce, site=site.name, **values))
        answer.status_code = status
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'self'; img-src 'self'; script-src 'nonce-{nonce}'; "
            "form-action http: https:; frame-src http: https:; base-uri 'none'; "
            "frame-ancestors 'self'"
        )
        return answer

    def post_on(where: str, values: dict[str, str]) -> Response:
        return page("lti_post.html", where=where, values=values)

    @app.errorhandler(LtiRefused)
    def refused(error: LtiRefused) -> Response:
        return Response(str(error), error.status, mimetype="text/plain")

    @app.get("/login/as.php")
    def sign_in_as() -> Response:
        user = site.users.get(request.args.get("user", 0, int))
        if user is None:
            abort(404)
        answer = make_response(
            redirect(f"/course/view.php?id={request.args.get('course', 2, int)}")
        )
        answer.set_cookie(_COOKIE, str(user.id), httponly=True, samesite="Lax")
        return answer

    @app.get("/course/view.php")
    def course() -> Response:
        user = signed_in()
        with lock:
            found = site.courses.get(request.args.get("id", 0, int))
            if found is None:
                abort(404)
            links = [one for one in lti.links.values() if one.courseid == found.id]
            tools = list(lti.tools.values()) if teaches(user) else []
            return page("course.html", course=found, user=user, links=links, tools=tools)

    @app.get("/mod/lti/openid-configuration.php")
    def configuration() -> dict[str, Any]:
        return lti.configuration()

    @app.get("/mod/lti/certs.php")
    def certs() -> dict[str, Any]:
        with lock:
            return lti.certs()

    @app.get("/mod/lti/startltiadvregistration.php")
    def start_registration() -> Response:
        if not teaches(signed_in()):
            abort(403)
        where = request.args.get("url", "")
        if not where.startswith(("http://", "https://")):
            abort(400)
        query = requests.models.PreparedRequest()
        query.prepare_url(
            where,
            {
                "openid_configuration": f"{lti.base_url}/mod/lti/openid-configuration.php",
                "registration_token": lti.registration_token(),
            },
        )
        return make_response(redirect(str(query.url)))

    @app.post("/mod/lti/openid-registration.php")
    def registration() -> Response:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not token:
            raise LtiRefused(401, "missing_registration_token")
        with lock:
            return make_response(lti.register(token.strip(), request.get_json(force=True)))

    @app.get("/mod/lti/view.php")
    def view() -> Response:
        signed_in()
        with lock:
            link = lti.links.get(request.args.get("id", 0, int))
            if link is None:
                abort(404)
            return page("lti_view.html", link=link)

    @app.get("/mod/lti/launch.php")
    def launch() -> Response:
        user = signed_in()
        with lock:
            link = lti.links.get(request.args.get("id", 0, int))
            if link is None:
                abort(404)
            tool, asked = lti.begin(Begun(user.id, link.courseid, link.typeid, link.id))
        return post_on(tool.initiatelogin, asked)

    @app.get("/mod/lti/contentitem.php")
    def select_content() -> Response:
        user = signed_in()
        typeid, courseid = request.args.get("id", 0, int), request.args.get("course", 0, int)
        if not teaches(user):
            abort(403)
        with lock:
            if typeid not in lti.tools or courseid not in site.courses:
                abort(404)
            tool, asked = lti.begin(Begun(user.id, courseid, typeid, None))
        return post_on(tool.initiatelogin, asked)

    @app.route("/mod/lti/auth.php", methods=["GET", "POST"])
    def authenticate() -> Response:
        asked = request.values
        with lock:
            try:
                hint = json.loads(asked.get("lti_message_hint", ""))["launchid"]
            except (ValueError, KeyError, TypeError):
                raise LtiRefused(400, "No launch id in LTI hint") from None
            begun = lti.take_begun(str(hint))
            tool = lti.tools[begun.typeid]
            where = asked.get("redirect_uri", "")
            if where not in tool.redirectionuris:
                raise LtiRefused(400, "invalidrequest")
            error = _error(asked, tool.clientid, signed_in().id)
            if error:
                answer = {"error": error}
            else:
                answer = {"id_token": lti.sign(lti.claims(begun, asked["nonce"]))}
        return post_on(where, {**answer, "state": asked.get("state", "")})

    @app.post("/mod/lti/contentitem_return.php")
    def content_selected() -> Response:
        user = signed_in()
        typeid, courseid = request.args.get("id", 0, int), request.args.get("course", 0, int)
        if not teaches(user) or typeid not in lti.tools or courseid not in site.courses:
            abort(403)
        keyset = requests.get(lti.tools[typeid].publickeyset, timeout=10).json()
        with lock:
            added = lti.take_answer(typeid, courseid, request.form.get("JWT", ""), keyset)
        return page("lti_selected.html", added=added, courseid=courseid)


def _error(asked: Any, clientid: str, userid: int) -> str:
    """What Moodle finds wrong with a question, in its own order; "" for nothing."""
    if not asked.get("nonce") or not asked.get("login_hint"):
        return "invalid_request"
    if asked.get("scope") != "openid":
        return "invalid_scope"
    if asked.get("response_type") != "id_token":
        return "unsupported_response_type"
    if asked.get("client_id") != clientid:
        return "unauthorized_client"
    if asked["login_hint"] != str(userid):
        return "access_denied"
    if asked.get("response_mode") != "form_post" or asked.get("prompt", "none") != "none":
        return "invalid_request"
    return ""
