"""A booking office that works at a pretix: at the stand-in's own tables, or by a real one's API."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import requests

from bridge.demo.booking.answers import written
from bridge.demo.booking.state import Booker, Order, Shop

#: BRIDGE_TEST_PRETIX_URL, _ORGANIZER, _TOKEN (what the bridge reads with) and _ADMIN_TOKEN (what
#: the tests book with; they leave what they made).
ENV = {
    name.removeprefix("BRIDGE_TEST_PRETIX_").lower(): value
    for name, value in os.environ.items()
    if name.startswith("BRIDGE_TEST_PRETIX_") and value
}
REAL = {"url", "organizer", "token", "admin_token"} <= set(ENV)


class SystemClock:
    """The contract is about the present, on either."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Booked:
    """An order: its event, its code, and its places' ids."""

    slug: str
    code: str
    places: tuple[int, ...]

    def key(self, number: int = 1) -> str:
        """The natural key of one of its places."""
        return f"order:{self.slug}:{self.code}:{self.places[number - 1]}"


class Desk(Protocol):
    """What the contract does at a pretix."""

    def event(self, slug: str, name: str, start: datetime, end: datetime | None) -> None: ...
    def series(self, slug: str, name: str, starts: Iterable[datetime]) -> list[int]: ...
    def book(self, slug: str, *bookers: Booker, email: str = "", status: str = "p") -> Booked: ...
    def scan(self, booked: Booked, number: int, at: datetime, *, leaving: bool = False) -> None: ...
    def cancel(self, booked: Booked) -> None: ...
    def drop(self, booked: Booked, number: int) -> None: ...
    def wait(self, slug: str, name: str, email: str) -> None: ...


@dataclass
class StandInDesk:
    """Works in the stand-in's own tables."""

    shop: Shop

    def event(self, slug: str, name: str, start: datetime, end: datetime | None) -> None:
        self.shop.add_event(slug, name, start, end)

    def series(self, slug: str, name: str, starts: Iterable[datetime]) -> list[int]:
        dates = list(starts)
        self.shop.add_event(slug, name, dates[0], None, series=True)
        return [self.shop.add_session(slug, name, at, at.replace(hour=13)) for at in dates]

    def book(self, slug: str, *bookers: Booker, email: str = "", status: str = "p") -> Booked:
        order = self.shop.book(slug, *bookers, email=email or "desk@n.example", status=status)
        places = tuple(p.id for p in order.positions if p.addon_to is None)
        return Booked(slug, order.code, places)

    def _order(self, booked: Booked) -> Order:
        return next(o for o in self.shop.orders if o.code == booked.code)

    def _number(self, booked: Booked, number: int) -> int:
        wanted = booked.places[number - 1]
        return next(p.number for p in self._order(booked).positions if p.id == wanted)

    def scan(self, booked: Booked, number: int, at: datetime, *, leaving: bool = False) -> None:
        self.shop.scan(
            self._order(booked), self._number(booked, number), at, leaving=leaving, on="Register"
        )

    def cancel(self, booked: Booked) -> None:
        self.shop.cancel(self._order(booked))

    def drop(self, booked: Booked, number: int) -> None:
        self.shop.drop(self._order(booked), self._number(booked, number))

    def wait(self, slug: str, name: str, email: str) -> None:
        self.shop.wait(slug, name, email)


@dataclass
class RealDesk:
    """Works by the API of a real pretix, with a token that may do everything."""

    session: requests.Session = field(default_factory=requests.Session)
    items: dict[str, tuple[int, int]] = field(default_factory=dict)
    lists: dict[str, int] = field(default_factory=dict)
    secrets: dict[int, str] = field(default_factory=dict)

    def _do(self, method: str, path: str, values: dict[str, Any] | None = None) -> Any:
        answer = self.session.request(
            method, f"{ENV['url'].rstrip('/')}/api/v1/organizers/{ENV['organizer']}/{path}",
            json=values, headers={"Authorization": f"Token {ENV['admin_token']}"}, timeout=60,
        )  # fmt: skip
        assert answer.status_code < 400, (method, path, answer.status_code, answer.text[:500])
        return answer.json() if answer.content else None

    def event(
        self, slug: str, name: str, start: datetime, end: datetime | None, series: bool = False
    ) -> None:
        self._do("POST", "events/", {
            "name": {"en": name}, "slug": slug, "live": False, "currency": "GBP",
            "date_from": written(start), "date_to": written(end), "timezone": "Europe/London",
            "has_subevents": series, "plugins": [], "meta_data": {},
        })  # fmt: skip
        product = {"default_price": "0.00", "active": True, "tax_rule": None}
        place, lunch = (
            self._do("POST", f"events/{slug}/items/", {
                **product, "name": {"en": title}, "admission": admission,
                "personalized": admission,
            })["id"]
            for title, admission in (("Place", True), ("Lunch", False))
        )  # fmt: skip
        self.items[slug] = place, lunch
        if not series:
            # Full after three: only then may anybody join the waiting list.
            quota = {"name": "few", "size": 3, "items": [place], "variations": []}
            self._do("POST", f"events/{slug}/quotas/", {**quota, "subevent": None})
        self.lists[slug] = self._do("POST", f"events/{slug}/checkinlists/", {
            "name": "Register", "all_products": True, "limit_products": [], "subevent": None,
            "include_pending": True, "allow_multiple_entries": False,
            "allow_entry_after_exit": True,
        })["id"]  # fmt: skip

    def series(self, slug: str, name: str, starts: Iterable[datetime]) -> list[int]:
        dates = list(starts)
        self.event(slug, name, dates[0], None, series=True)
        return [
            self._do("POST", f"events/{slug}/subevents/", {
                "name": {"en": name}, "active": True, "date_from": written(at),
                "date_to": written(at.replace(hour=13)), "item_price_overrides": [],
                "variation_price_overrides": [], "meta_data": {},
            })["id"]
            for at in dates
        ]  # fmt: skip

    def book(self, slug: str, *bookers: Booker, email: str = "", status: str = "p") -> Booked:
        place, lunch = self.items[slug]
        positions: list[dict[str, Any]] = []
        mains = []
        # An order that costs nothing is paid at once, whatever status it is placed with.
        price = "5.00" if status == "n" else "0.00"
        for booker in bookers:
            mains.append(len(positions))
            parts = {"_scheme": "full", "full_name": booker.name} if booker.name else {}
            positions.append({
                "positionid": len(positions) + 1, "item": place, "variation": None,
                "price": price, "attendee_name_parts": parts,
                "attendee_email": booker.email or None, "subevent": booker.session, "answers": [],
            })  # fmt: skip
            if booker.lunch:
                positions.append({
                    "positionid": len(positions) + 1, "item": lunch, "variation": None,
                    "price": "0.00", "addon_to": len(positions), "subevent": booker.session,
                    "answers": [],
                })  # fmt: skip
        order = self._do("POST", f"events/{slug}/orders/", {
            "email": email or "desk@n.example", "locale": "en", "sales_channel": "web",
            "status": status, "positions": positions, "payment_provider": "manual", "force": True,
        })  # fmt: skip
        places = [order["positions"][index] for index in mains]
        self.secrets |= {one["id"]: one["secret"] for one in places}
        return Booked(slug, order["code"], tuple(one["id"] for one in places))

    def scan(self, booked: Booked, number: int, at: datetime, *, leaving: bool = False) -> None:
        told = self._do("POST", "checkinrpc/redeem/", {
            "secret": self.secrets[booked.places[number - 1]], "lists": [self.lists[booked.slug]],
            "datetime": written(at), "type": "exit" if leaving else "entry", "force": True,
        })  # fmt: skip
        assert told["status"] == "ok", told

    def cancel(self, booked: Booked) -> None:
        path = f"events/{booked.slug}/orders/{booked.code}/mark_canceled/"
        self._do("POST", path, {"send_email": False})

    def drop(self, booked: Booked, number: int) -> None:
        self._do("DELETE", f"events/{booked.slug}/orderpositions/{booked.places[number - 1]}/")

    def wait(self, slug: str, name: str, email: str) -> None:
        self._do("POST", f"events/{slug}/waitinglistentries/", {
            "name_parts": {"_scheme": "full", "full_name": name}, "email": email,
            "item": self.items[slug][0], "variation": None, "locale": "en", "subevent": None,
        })  # fmt: skip
