"""An API on a local port that pages in every way there is."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from bridge.connectors.booking.rest import RestProfile, RestSettings, RestSource
from bridge.domain.records import LearningFact

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = "s3cret-of-the-api"
COLUMNS = {
    "reference": "id", "event_title": "event.title", "event_date": "event.starts",
    "name": "person.name", "email": "person.email", "status": "state",
}  # fmt: skip


class FixedClock:
    """It is NOW."""

    def now(self) -> datetime:
        return NOW


def record(number: int, **more: Any) -> dict[str, Any]:
    """One booking of an event that is over."""
    told: dict[str, Any] = {
        "id": number, "state": "Attended", "changed": "2026-11-20T10:00:00Z",
        "event": {"title": "Section 47", "starts": "2026-11-12T09:30:00Z"},
        "person": {"name": f"Person {number}", "email": f"p{number}@n.example"},
    }  # fmt: skip
    return told | more


@dataclass
class Api:
    """Serves `records` two at a time, and keeps what it was asked."""

    server: HTTPServer
    records: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    size: int = 2
    answer: Callable[[Request], Response | None] = lambda _: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/v1/bookings"

    def handle(self, request: Request) -> Response:
        self.asked.append(request)
        if (instead := self.answer(request)) is not None:
            return instead
        bearer, basic = f"Bearer {SECRET}", b64encode(f"bridge:{SECRET}".encode()).decode()
        known = (request.headers.get("Authorization"), request.headers.get("X-Api-Key"))
        if not {bearer, f"Basic {basic}", f"Key {SECRET}"} & set(known):
            return Response("{}", 401)
        found = [r for r in self.records if r["changed"] >= request.args.get("since", "")]
        start = max(
            request.args.get("offset", 0, int), (request.args.get("page", 1, int) - 1) * self.size,
            int(request.args.get("token", "t0")[1:]),
        )  # fmt: skip
        some, end = found[start : start + self.size], start + self.size
        more = end < len(found)
        here = f"{self.url}?offset={end}"
        told = {
            "data": {"items": some}, "links": {"next": here if more else None},
            "paging": {"token": f"t{end}" if more else None, "more": more,
                       "pages": -(-len(found) // self.size)},
        }  # fmt: skip
        headers = {"Link": f'<{here}>; rel="next"'} if more else {}
        return Response(json.dumps(told), headers=headers, content_type="application/json")


@pytest.fixture
def api(httpserver: HTTPServer) -> Api:
    """An API with five bookings."""
    made = Api(httpserver, [record(n) for n in range(1, 6)])
    httpserver.expect_request("/v1/bookings").respond_with_handler(made.handle)
    return made


def source(data: Mapping[str, Any], secret: str = SECRET, **values: str) -> RestSource:
    """A source by a profile's data."""
    settings = RestSettings("events", RestProfile.from_data(data), secret, values)
    return RestSource(settings, FixedClock())


def profile(api: Api, paging: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A profile of the API; `more` changes its request."""
    request = {"url": api.url, "auth": {"kind": "bearer"}, "records": "data.items",
               "paging": dict(paging), **more}  # fmt: skip
    return {"profile": "events", "request": request, "columns": dict(COLUMNS)}


def facts(found: RestSource, since: datetime | None = None) -> list[LearningFact]:
    """What a pull says."""
    told = [item.fact for page in found.pull(since) for item in page.items]
    assert all(isinstance(fact, LearningFact) for fact in told), told
    return told  # type: ignore[return-value]
