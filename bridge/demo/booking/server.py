"""The stand-in pretix as a running server on loopback: its REST API, faults, and its webhooks.

with StandInPretix(shop) as pretix:
    PretixSource(PretixSettings("events", pretix.base_url, shop.organizer, shop.token), clock)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import orjson
import requests
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from bridge.demo.booking import answers
from bridge.demo.booking.faults import Fault, Faults
from bridge.demo.booking.state import Event, Order, Session, Shop
from bridge.demo.serving import Served

_PAGE = "<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>Log in</body></html>"
_ELSEWHERE = "https://elsewhere.example"
MOST_PER_PAGE = 50


class _Answer(HTTPException):
    """An answer that ends the request, as REST framework's exceptions do."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(response=_json({"detail": words}, status))


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, mimetype="application/json")


def _forbidden() -> _Answer:
    return _Answer(403, "You do not have permission to perform this action.")


class StandInPretix:
    """A stand-in pretix on 127.0.0.1, serving `shop` from a thread until it is stopped."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.faults = Faults()
        self.requests: list[str] = []
        self.base_url = ""
        self._served = Served(self._app(), "stand-in-pretix")

    def start(self, port: int = 0) -> str:
        """Serve from a thread of its own, on any free port unless told; returns the address."""
        self.base_url = self._served.start(port)
        return self.base_url

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._served.stop()

    def __enter__(self) -> StandInPretix:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def send_notices(self, url: str) -> list[int]:
        """Post what has happened to a webhook's address, unsigned, as pretix does; the statuses."""
        with self.shop.lock:
            notices, self.shop.notices = self.shop.notices, []
        return [
            requests.post(url, json=one, timeout=30, allow_redirects=False).status_code
            for one in notices
        ]

    def _app(self) -> Flask:
        app = Flask("bridge.demo.booking", static_folder=None)
        base = f"/api/v1/organizers/{self.shop.organizer}/"
        routes: dict[str, Callable[..., Any]] = {
            "events/": self._events,
            "events/<slug>/": self._event,
            "subevents/": self._sessions,
            "events/<slug>/subevents/": self._sessions,
            "events/<slug>/subevents/<int:number>/": self._session,
            "events/<slug>/items/": self._items,
            "orders/": self._orders,
            "events/<slug>/orders/": self._orders,
            "events/<slug>/orders/<code>/": self._order,
            "events/<slug>/orderpositions/": self._positions,
            "events/<slug>/checkinlists/": self._lists,
            "events/<slug>/checkinlists/<int:number>/positions/": self._positions,
            "events/<slug>/waitinglistentries/": self._waiting,
        }
        for path, view in routes.items():
            app.add_url_rule(base + path, path, self._guarded(view))
        app.before_request(self._before)
        app.register_error_handler(404, lambda _: _json({"detail": "Not found."}, 404))
        return app

    def _before(self) -> Response | None:
        with self.shop.lock:
            self.requests.append(request.full_path.rstrip("?"))
        if self.faults.strikes(Fault.TOO_MANY_REQUESTS):
            return Response(_PAGE, 429, {"Retry-After": "7"}, mimetype="text/html")
        if self.faults.strikes(Fault.MAINTENANCE):
            return Response(_PAGE, 503, mimetype="text/html")
        if self.faults.strikes(Fault.HTML_PAGE):
            return Response(_PAGE, mimetype="text/html")
        if self.faults.strikes(Fault.MOVED):
            return Response("", 302, {"Location": f"{_ELSEWHERE}{request.path}"})
        said = request.headers.get("Authorization", "")
        if not said:
            return _json({"detail": "Authentication credentials were not provided."}, 401)
        if said != f"Token {self.shop.token}":
            return _json({"detail": "Invalid token."}, 401)
        if not request.path.startswith(f"/api/v1/organizers/{self.shop.organizer}/"):
            raise _forbidden()
        return None

    def _guarded(self, view: Callable[..., Any]) -> Callable[..., Response]:
        def answer(**where: Any) -> Response:
            with self.shop.lock:
                if where.get("slug", "") not in ("", *self.shop.events):
                    # pretix does not say whether an event exists to whoever may not see it.
                    raise _forbidden()
                return self._deliver(view(**where))

        return answer

    def _deliver(self, response: Response) -> Response:
        body = response.get_data()
        if self.faults.strikes(Fault.CUT_CONNECTION):
            promised = {"Content-Length": str(len(body))}
            return Response(_dropping(body[: len(body) // 2]), 200, promised,
                            mimetype="application/json")  # fmt: skip
        if self.faults.strikes(Fault.TRUNCATED_BODY):
            return Response(body[: len(body) // 2], mimetype="application/json")
        return response

    def _listed(self, found: Sequence[Any], *, generated: bool = False) -> Response:
        size = min(MOST_PER_PAGE, request.args.get("page_size", MOST_PER_PAGE, int))
        page = request.args.get("page", 1, int)
        pages = max(1, -(-len(found) // size))
        if not 1 <= page <= pages:
            raise _Answer(404, "Invalid page.")
        following = None
        if page < pages:
            asked = sorted({**request.args.to_dict(flat=False), "page": [str(page + 1)]}.items())
            host = _ELSEWHERE if self.faults.strikes(Fault.NEXT_ELSEWHERE) else self.base_url
            following = f"{host}{request.path}?{urlencode(asked, doseq=True)}"
        body = {"count": len(found), "next": following, "previous": None,
                "results": list(found[(page - 1) * size : page * size])}  # fmt: skip
        response = _json(body)
        if generated:
            response.headers["X-Page-Generated"] = str(answers.written(self.shop.now()))
        return response

    def _events(self) -> Response:
        after = _asked_for("ends_after")
        found: list[Event] = [
            one for one in self.shop.events.values()
            if after is None or (not one.series and (one.date_to or one.date_from) >= after)
        ]  # fmt: skip
        return self._listed([answers.event(one) for one in found])

    def _event(self, slug: str) -> Response:
        return _json(answers.event(self.shop.events[slug]))

    def _sessions(self, slug: str = "") -> Response:
        after = _asked_for("ends_after")
        found: list[Session] = [
            one for one in self.shop.sessions.values()
            if slug in ("", one.event)
            and (after is None or (one.date_to or one.date_from) >= after)
        ]  # fmt: skip
        return self._listed([answers.session(one) for one in found], generated=True)

    def _session(self, slug: str, number: int) -> Response:
        one = self.shop.sessions.get(number)
        if one is None or one.event != slug:
            raise _Answer(404, "No SubEvent matches the given query.")
        return _json(answers.session(one))

    def _items(self, slug: str) -> Response:
        return self._listed(answers.items(self.shop, slug))

    def _orders(self, slug: str = "") -> Response:
        if self.faults.strikes(Fault.NO_ORDERS):
            if slug:
                raise _forbidden()
            return self._listed([], generated=True)
        since, session = _asked_for("modified_since"), request.args.get("subevent", type=int)
        found = [
            one for one in self.shop.orders
            if slug in ("", one.event)
            and (since is None or one.modified >= since)
            and (session is None or any(p.session == session for p in one.positions))
        ]  # fmt: skip
        response = self._listed([self._told(one) for one in found], generated=True)
        if self.faults.strikes(Fault.SHRINKING):
            self.shop.orders.pop(0)
        return response

    def _order(self, slug: str, code: str) -> Response:
        for one in self.shop.orders:
            if (one.event, one.code) == (slug, code.upper()):
                return _json(self._told(one))
        raise _Answer(404, "No Order matches the given query.")

    def _told(self, one: Order) -> dict[str, Any]:
        excluded = set(request.args.getlist("exclude"))
        if self.faults.strikes(Fault.ODD_SHAPE):
            excluded.add("positions.checkins")
        told = answers.order(one, excluded)
        if request.args.get("include_canceled_positions") != "true":
            told["positions"] = [p for p in told["positions"] if not p["canceled"]]
        return told

    def _positions(self, slug: str, number: int | None = None) -> Response:
        session = request.args.get("subevent", type=int)
        wanted = request.args.get("has_checkin")
        found = []
        for order in self.shop.orders:
            for place in order.positions if order.event == slug else ():
                scanned = any(number in (None, scan.list) for scan in place.scans)
                if session in (None, place.session) and wanted in (None, str(scanned).lower()):
                    found.append(answers.position(order, place, set()))
        return self._listed(found)

    def _lists(self, slug: str) -> Response:
        return self._listed(
            [answers.checkin_list(self.shop, slug, one) for one in self.shop.lists[slug]]
        )

    def _waiting(self, slug: str) -> Response:
        return self._listed([answers.waiting(w) for w in self.shop.waiting if w.event == slug])


def _asked_for(name: str) -> datetime | None:
    said = request.args.get(name)
    if not said:
        return None
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        raise _Answer(400, "Enter a valid date/time.") from None


def _dropping(sent: bytes) -> Iterator[bytes]:
    """Send this much, then end the connection as a broken line would."""
    yield sent
    raise ConnectionAbortedError("the stand-in was told to drop this connection")
