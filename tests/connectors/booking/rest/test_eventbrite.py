"""Eventbrite by its documentation, on a stand-in: continuation, changes, and whose name it is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from bridge.catalog.rest_profiles import parse_rest_profile
from bridge.connectors.booking.rest import RestProfile, RestSettings, RestSource
from bridge.connectors.booking.rest.presets import presets
from bridge.domain.records import AttendanceState, LearningFact, Status
from tests.connectors.booking.rest.conftest import NOW, SECRET, FixedClock, facts


@dataclass
class Eventbrite:
    """Attendees of one organisation, three on a page; a shop that asks for the orderer alone."""

    server: HTTPServer
    attendees: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def attend(
        self, order: str, name: str, email: str, status: str = "Attending",
        changed: str = "2026-11-01T09:00:00Z", days: int = -11, **more: Any,
    ) -> None:  # fmt: skip
        """Somebody gets a ticket."""
        start = NOW + timedelta(days=days)
        self.attendees.append({
            "id": str(5000 + len(self.attendees)), "order_id": order, "event_id": "321",
            "changed": changed, "created": changed, "quantity": 1, "status": status,
            "checked_in": status == "Checked In", "cancelled": False, "refunded": False,
            "profile": {"name": name, "email": email, "first_name": name.split()[0],
                        "last_name": name.split()[-1], "addresses": {}},
            "event": {
                "name": {"text": "Working Together", "html": "Working Together"},
                "start": {"timezone": "Europe/London", "utc": f"{start:%Y-%m-%dT09:30:00Z}"},
                "end": {"timezone": "Europe/London", "utc": f"{start:%Y-%m-%dT12:30:00Z}"},
            },
            **more,
        })  # fmt: skip

    def handle(self, request: Request) -> Response:
        self.asked.append(request.full_path)
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return Response('{"error": "NO_AUTH"}', 401)
        if "/orders/" in request.path:
            order = request.path.rstrip("/").rpartition("/")[2]
            found = [a for a in self.attendees if a["order_id"] == order]
            return Response(json.dumps({"id": order, "attendees": found}))
        since = request.args.get("changed_since", "")
        found = [a for a in self.attendees if a["changed"] >= since]
        start = int(request.args.get("continuation", "c0")[1:])
        more = start + 3 < len(found)
        page: dict[str, Any] = {"object_count": len(found), "has_more_items": more}
        if more:
            page["continuation"] = f"c{start + 3}"
        told = {"pagination": page, "attendees": found[start : start + 3]}
        return Response(json.dumps(told), content_type="application/json")

    def source(self) -> RestSource:
        """The preset as it comes with the bridge, at this address."""
        profile = RestProfile.from_data(parse_rest_profile(presets()["eventbrite"], "eventbrite"))
        here = f"http://127.0.0.1:{self.server.port}"

        def moved(url: str) -> str:
            return url.replace("https://www.eventbriteapi.com", here)

        assert profile.order is not None
        local = replace(
            profile, url=moved(profile.url),
            order=replace(profile.order, url=moved(profile.order.url)),
        )  # fmt: skip
        return RestSource(RestSettings("eb", local, SECRET, {"organization": "77"}), FixedClock())


@pytest.fixture
def shop(httpserver: HTTPServer) -> Eventbrite:
    """An organisation whose orders are of one place, of two with one name, and of two by name."""
    made = Eventbrite(httpserver)
    for path in ("/v3/organizations/77/attendees/", "/v3/orders/2/", "/v3/orders/3/"):
        httpserver.expect_request(path).respond_with_handler(made.handle)
    made.attend("1", "Ana Reid", "ana@n.example", "Checked In")
    made.attend("2", "Olive Desk", "office@n.example", "Checked In")
    made.attend("2", "Olive Desk", "office@n.example", changed="2026-11-20T09:00:00Z")
    made.attend("3", "Ben Cole", "ben@n.example", changed="2026-11-20T09:00:00Z")
    made.attend("3", "Cara Doyle", "cara@n.example", "Not Attending")
    made.attend("4", "Dan Eve", "dan@n.example", cancelled=True)
    made.attend("5", "Eli Fox", "eli@n.example", days=11)
    return made


def test_attendees_are_read_to_the_last_continuation(shop: Eventbrite) -> None:
    told = facts(shop.source())
    assert [fact.status for fact in told] == [
        Status.ATTENDED, Status.ATTENDED, Status.UNKNOWN, Status.UNKNOWN, Status.CANCELLED,
        Status.CANCELLED, Status.BOOKED,
    ]  # fmt: skip
    first = told[0]
    assert first.booking is not None
    assert (first.booking.state, first.booking.said) == (
        AttendanceState.FULLY_ATTENDED, "Checked In",
    )  # fmt: skip
    assert (first.activity.title, first.booking.planned) == ("Working Together", 180)
    assert first.account.email == "ana@n.example"


def test_the_name_on_several_tickets_of_an_order_is_nobodys(shop: Eventbrite) -> None:
    told = facts(shop.source())
    olive = told[1:3]
    assert [fact.account.email for fact in olive] == [None, None]
    assert olive[0].account.value != olive[1].account.value
    assert "Olive Desk" in str(olive[0].account.display_name)
    assert told[3].account.email == "ben@n.example"


def test_changes_alone_still_tell_whose_name_it_is(shop: Eventbrite) -> None:
    told = facts(shop.source(), NOW - timedelta(days=7))
    assert [fact.account.email for fact in told] == [None, "ben@n.example"]
    assert any("changed_since=2026-11-16T12%3A00%3A00Z" in path for path in shop.asked)
    assert any("/v3/orders/2/?expand=attendees" in path for path in shop.asked)


def test_what_is_kept_reads_back_the_same(shop: Eventbrite) -> None:
    source = shop.source()
    for page in source.pull(None):
        for item in page.items:
            assert isinstance(item.fact, LearningFact)
            assert source.read(item.natural_key, item.body, page.envelope) == item
