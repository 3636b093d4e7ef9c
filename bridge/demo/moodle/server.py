"""The stand-in Moodle as a running server on loopback: the REST endpoint, faults and records.

with StandInMoodle(seed.demo_site(now)) as moodle:
    requests.post(f"{moodle.base_url}/webservice/rest/server.php", data={...})
    assert moodle.calls("core_reportbuilder_retrieve_report") == 1
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flask import Flask, Response, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from bridge.demo.moodle import pages
from bridge.demo.moodle.call import Call
from bridge.demo.moodle.errors import (
    MoodleError,
    access_denied,
    database_down,
    invalid_parameter,
    invalid_token,
    site_maintenance,
    upgrade_running,
)
from bridge.demo.moodle.faults import Fault, Faults
from bridge.demo.moodle.functions import php_json, run
from bridge.demo.moodle.lti import LtiPlatform
from bridge.demo.moodle.lti_pages import add_lti_pages
from bridge.demo.moodle.params import parse_form
from bridge.demo.moodle.state import ADMIN, Site
from bridge.demo.moodle.tables import User

_ENDPOINT = "/webservice/rest/server.php"
# What any call may ask for beside its parameters, as `moodlewssettinglang=en`.
_SETTINGS = ("raw", "fileurl", "filter", "lang", "timezone")
_HEADERS = {
    "Cache-Control": "private, must-revalidate, pre-check=0, post-check=0, max-age=0",
    "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    "Pragma": "no-cache",
    "Accept-Ranges": "none",
    "Access-Control-Allow-Origin": "*",
}
_PAGE_IN_PLACE = (
    "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came: the function asked for and its parameters, without the token."""

    function: str
    params: Mapping[str, Any]


class StandInMoodle:
    """A stand-in Moodle on 127.0.0.1, serving `site` from a thread until it is stopped.

    `site` may be changed while it runs, under `lock`. `faults` switches troubles on.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.faults = Faults()
        self.lock = threading.RLock()
        self.requests: list[Seen] = []
        self.base_url = ""
        self.lti = LtiPlatform(site)
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> str:
        """Serve from a thread of its own, on any free port unless told; returns the address."""
        self._server = make_server(
            "127.0.0.1", port, self._app(), threaded=True, request_handler=_QuietHandler
        )
        self.base_url = self.lti.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="stand-in-moodle",
            daemon=True,
        )
        self._thread.start()
        return self.base_url

    def stop(self) -> None:
        """Stop serving and free the port."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> StandInMoodle:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def calls(self, function: str | None = None) -> int:
        """How many requests came, of one function or in all; failed ones count."""
        with self.lock:
            return sum(function in (None, seen.function) for seen in self.requests)

    def cron(self) -> int | None:
        """What Moodle's cron does for the plugin: send its webhook. The status of the answer."""
        with self.lock:
            plugin, now = self.site.plugin, self.site.now
        return None if plugin is None else plugin.cron(now)

    def forget(self) -> None:
        """Forget the requests seen so far."""
        with self.lock:
            self.requests.clear()

    def _app(self) -> Flask:
        app = Flask("bridge.demo.moodle", static_folder="static", static_url_path="/static")
        app.add_url_rule(_ENDPOINT, "rest", self._rest, methods=["GET", "POST"])
        pages.add_pages(app, self.site, self.lock)
        add_lti_pages(app, self.lti, self.lock)
        return app

    def _rest(self) -> Response:
        form = parse_form([*request.args.items(multi=True), *request.form.items(multi=True)])
        token = str(form.pop("wstoken", ""))
        name = str(form.pop("wsfunction", ""))
        as_json = form.pop("moodlewsrestformat", "xml") == "json"
        settings = {one: str(form.pop(f"moodlewssetting{one}", "")) for one in _SETTINGS}
        with self.lock:
            self.requests.append(Seen(name, form))
        faults = self.faults.striking(name)
        if Fault.SLOW in faults:
            time.sleep(float(faults[Fault.SLOW]))
        replaced = _in_place_of_answer(faults)
        if replaced is not None:
            return replaced
        with self.lock:
            body = self._answer(token, name, form, faults, settings, as_json=as_json)
        kind = "application/json" if as_json else "application/xml; charset=utf-8"
        return _deliver(body.encode(), kind, faults)

    def _answer(
        self,
        token: str,
        name: str,
        form: Mapping[str, Any],
        faults: Mapping[Fault, str],
        settings: Mapping[str, str],
        *,
        as_json: bool,
    ) -> str:
        try:
            if Fault.DATABASE_DOWN in faults:
                raise database_down()
            if Fault.SITE_MAINTENANCE in faults:
                raise site_maintenance()
            if Fault.UPGRADE_RUNNING in faults:
                raise upgrade_running()
            if Fault.TOKEN_EXPIRED in faults:
                raise access_denied() if faults[Fault.TOKEN_EXPIRED] == "1" else invalid_token()
            user, service = self._authenticate(token)
            offered = self.site.services[service]
            call = Call(self.site, user, offered, self.base_url, faults, settings)
            if not name:
                raise invalid_parameter()
            answer = run(call, name, form)
        except MoodleError as error:
            return php_json(error.as_answer()) if as_json else _xml_error(error)
        return php_json(answer) if as_json else _xml(answer)

    def _authenticate(self, value: str) -> tuple[User, str]:
        token = self.site.tokens.get(value)
        if token is None:
            raise invalid_token()
        if token.validuntil and token.validuntil < self.site.now:
            # Moodle deletes an expired token when it meets one, so the next call finds none.
            del self.site.tokens[value]
            raise access_denied()
        if token.iprestriction:
            network = ipaddress.ip_network(token.iprestriction)
            if ipaddress.ip_address(request.remote_addr or "0.0.0.0") not in network:  # noqa: S104
                raise access_denied()
        user = self.site.users[token.userid]
        if user.suspended:
            raise MoodleError(
                "moodle_exception",
                "wsaccessusersuspended",
                f"Refused web service access for suspended username: {user.username}",
            )
        if user.id != ADMIN and "webservice/rest:use" not in user.capabilities:
            raise access_denied()
        return user, token.service


class _QuietHandler(WSGIRequestHandler):
    """Serves without a line in the log for each request, and without naming its software.

    HTTP/1.0, so that a connection told to drop is closed at once, not kept for another request.
    """

    protocol_version = "HTTP/1.0"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: the requests are kept by the server itself."""

    def version_string(self) -> str:
        """The Server header."""
        return "stand-in"


def _in_place_of_answer(faults: Mapping[Fault, str]) -> Response | None:
    if Fault.MAINTENANCE in faults:
        page = _PAGE_IN_PLACE.format("This site is under maintenance")
        return Response(page, 503, {"Retry-After": "300"}, "text/html")
    if Fault.WEB_SERVICES_OFF in faults:
        return Response("", 403, mimetype="text/html")
    if Fault.TOO_MANY_REQUESTS in faults:
        wait = {"Retry-After": faults[Fault.TOO_MANY_REQUESTS]}
        return Response(_PAGE_IN_PLACE.format("Too many requests"), 429, wait, "text/html")
    if Fault.HTML_PAGE in faults:
        return Response(_PAGE_IN_PLACE.format("Log in to the site"), 200, mimetype="text/html")
    return None


def _deliver(body: bytes, kind: str, faults: Mapping[Fault, str]) -> Response:
    half = body[: len(body) // 2]
    if Fault.LOST_REPLY in faults:
        return Response(_dropping(b""), 200, _HEADERS, content_type=kind)
    if Fault.DRIPPING in faults:
        drips = _dripping(body, float(faults[Fault.DRIPPING]))
        return Response(drips, 200, _HEADERS, content_type=kind)
    if Fault.CUT_CONNECTION in faults:
        promised = _HEADERS | {"Content-Length": str(len(body))}
        return Response(_dropping(half), 200, promised, content_type=kind)
    if Fault.TRUNCATED_BODY in faults:
        body = half
    return Response(body, 200, _HEADERS, content_type=kind)


def _dripping(body: bytes, seconds: float) -> Iterator[bytes]:
    for at in range(len(body)):
        time.sleep(seconds)
        yield body[at : at + 1]


def _dropping(sent: bytes) -> Iterator[bytes]:
    """Send this much, then end the connection as a broken line would."""
    if sent:
        yield sent
    raise ConnectionAbortedError("the stand-in was told to drop this connection")


def _xml(answer: Any) -> str:
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n<RESPONSE>\n{_xml_value(answer)}</RESPONSE>\n'


def _xml_value(value: Any) -> str:
    if isinstance(value, Mapping):
        keys = (
            f"<KEY name={quoteattr(str(name))}>{_xml_value(one)}</KEY>\n"
            for name, one in value.items()
        )
        return f"<SINGLE>\n{''.join(keys)}</SINGLE>\n"
    if isinstance(value, list):
        return f"<MULTIPLE>\n{''.join(_xml_value(one) for one in value)}</MULTIPLE>\n"
    if value is None:
        return '<VALUE null="null"/>\n'
    text = str(int(value)) if isinstance(value, bool) else str(value)
    return f"<VALUE>{escape(text)}</VALUE>\n"


def _xml_error(error: MoodleError) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n'
        f"<EXCEPTION class={quoteattr(error.exception)}>\n"
        f"<ERRORCODE>{escape(error.errorcode)}</ERRORCODE>\n"
        f"<MESSAGE>{escape(error.message)}</MESSAGE>\n</EXCEPTION>\n"
    )
