"""The pretix source: places booked and attended, all of them or what has changed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from bridge.connectors.booking.pretix.around import Around
from bridge.connectors.booking.pretix.client import Json, Listed, PretixClient, missing
from bridge.connectors.booking.pretix.doctor import findings
from bridge.connectors.booking.pretix.reading import (
    ENVELOPE,
    WAITING,
    Place,
    held_of,
    place_of,
    pulled,
    read_place,
    words,
)
from bridge.connectors.booking.pretix.settings import PretixSettings, Series
from bridge.domain.errors import BadAnswer, PeerError
from bridge.domain.ports import Clock, Finding
from bridge.domain.records import Page, Pulled

#: Left out of every order: payments, addresses, and what opens a ticket.
_EXCLUDED = [
    "payments", "refunds", "fees", "invoice_address", "phone", "secret", "url", "downloads",
    "comment", "api_meta", "plugin_data", "positions.secret", "positions.downloads",
    "positions.print_logs", "positions.street", "positions.zipcode", "positions.city",
    "positions.pseudonymization_id", "positions.plugin_data",
]  # fmt: skip
_ORDERS = {
    "include_canceled_positions": "true",
    # Orders keep their place in this order, so none slips over a page's edge when it changes.
    "ordering": "datetime",
    "exclude": _EXCLUDED,
}
#: A day without an end is over at its end, so it is looked at for a day longer.
_A_DAY = timedelta(days=1)


class PretixSource:
    """The bookings of one organiser, read through one team's API token."""

    def __init__(self, settings: PretixSettings, clock: Clock) -> None:
        self.settings = settings
        self.client = PretixClient(settings)
        self._clock = clock

    @property
    def key(self) -> str:
        """The configured name of the source."""
        return self.settings.key

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """Every place, or those of orders that changed at or after `since`; waiting lists last.

        Undoing a check-in on pretix's own pages does not touch its order, and a session that
        ends changes what its register means, so the sessions that lay between `since` and now
        are read again whatever their orders say. The bookmark is pretix's own time of the first
        page of orders. Raises PeerError.
        """
        return self._checked(self._pull(since))

    def _pull(self, since: datetime | None) -> Iterator[Page]:
        around = Around(self.client, self._clock.now())
        asked = dict(_ORDERS)
        if since is None:
            around.know_all()
        else:
            asked["modified_since"] = _written(since)
        first: datetime | None = None
        for listed in self.client.pages("orders/", asked):
            first = first or listed.generated
            if since is None and not listed.count:
                self._see_that_orders_show(around)
            yield self._page(around, listed)
        if first is None:
            raise BadAnswer(f"{self.key}: pretix does not say when it made its list of orders. "
                            "It must be version 3.0 or later.", peer=self.key)  # fmt: skip
        if since is not None:
            yield from self._lately_held(around, since)
        yield from self._waiting(around, since)
        yield Page((), ENVELOPE, last=True, bookmark=first)

    def look_again(self, notes: Sequence[str]) -> Iterator[Page]:
        """Read what notes name ("order:EVENT:CODE", "event:EVENT", "waiting:EVENT").

        What pretix no longer has is left to the nightly full pull. Raises PeerError.
        """
        return self._checked(self._look_again(notes))

    def _look_again(self, notes: Sequence[str]) -> Iterator[Page]:
        around = Around(self.client, self._clock.now())
        for note in notes:
            kind, _, rest = note.partition(":")
            slug, _, code = rest.partition(":")
            try:
                if kind == "order":
                    path = f"events/{slug}/orders/{code}/"
                    asked = {k: v for k, v in _ORDERS.items() if k != "ordering"}
                    order = self.client.one(path, asked)
                    yield self._page(around, Listed([order], 1, None))
                elif kind == "event":
                    yield from self._orders_of(around, slug, {})
                elif kind == "waiting":
                    yield self._waiting_of(around, slug)
            except PeerError as error:
                if not missing(error):
                    raise

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """A stored place read again. Raises Damaged for what is not ours."""
        return read_place(natural_key, body, envelope)

    def doctor(self) -> list[Finding]:
        """Whether pulling will work, by harmless reads; each failure with its remedy."""
        return findings(self.client, self._clock.now())

    def _checked(self, pages: Iterator[Page]) -> Iterator[Page]:
        """The pages, where what pretix says has the shape that it describes."""
        try:
            yield from pages
        except (KeyError, TypeError, ValueError) as error:
            raise self.client.web.bad(
                f"something is not as pretix describes it ({type(error).__name__}: {error})"
            ) from error

    def _see_that_orders_show(self, around: Around) -> None:
        """Without the permission the organiser's orders are an empty list; an event's are a 403."""
        for slug in around.slugs[:1]:
            self.client.count(f"events/{slug}/orders/", {})

    def _lately_held(self, around: Around, since: datetime) -> Iterator[Page]:
        now = self._clock.now()
        asked = {"ends_after": _written(since - _A_DAY)}
        for event in self.client.all("events/", asked):
            # Asked for its dates, pretix leaves series out: those come with their own.
            if not event.get("has_subevents") and held_of(event, now).start <= now:
                yield from self._orders_of(around, str(event["slug"]), {})
        for session in self.client.all("subevents/", asked):
            if held_of(session, now).start <= now:
                yield from self._orders_of(
                    around, str(session["event"]), {"subevent": str(session["id"])}
                )

    def _orders_of(self, around: Around, slug: str, more: dict[str, str]) -> Iterator[Page]:
        for listed in self.client.pages(f"events/{slug}/orders/", {**_ORDERS, **more}):
            yield self._page(around, listed, slug)

    def _page(self, around: Around, listed: Listed, slug: str = "") -> Page:
        items: list[Pulled] = []
        for order in listed.results:
            if order.get("testmode"):
                continue
            items += self._places(around, order, str(order.get("event") or slug))
        return Page(tuple(items), ENVELOPE, expected=listed.count)

    def _places(self, around: Around, order: Json, slug: str) -> Iterator[Pulled]:
        event, lists = around.event(slug), around.lists(slug)
        places = [
            p for p in order["positions"]
            if p.get("addon_to") is None and around.grants_admission(slug, p["item"])
        ]  # fmt: skip
        standing = [p for p in places if not p.get("canceled")]
        booked = Counter(_attendee(p) for p in standing)
        for position in places:
            number = position.get("subevent")
            checked = any(
                lists is None or check.get("list") in lists for check in position["checkins"]
            )
            sessions = None
            if number is not None and self.settings.series is Series.ALL:
                sessions = sum(bool(s.get("active")) for s in around.sessions(slug).values())
            elif number is not None:
                sessions = booked[_attendee(position)]
            place = place_of(
                self.settings, order, position, event, around.session(slug, number),
                around.held(slug, number, checked=checked), sessions, len(places) == 1, lists,
            )  # fmt: skip
            # A position is at one session; moved to another, it is the same place corrected.
            yield pulled(f"order:{slug}:{order['code']}:{position['id']}", place)

    def _waiting(self, around: Around, since: datetime | None) -> Iterator[Page]:
        """Waiting lists of what is still to come; in a full pull, all of them."""
        if since is None:
            slugs = around.slugs
        else:
            asked = {"ends_after": _written(self._clock.now())}
            slugs = [str(event["slug"]) for event in self.client.all("events/", asked)]
            slugs += [str(one["event"]) for one in self.client.all("subevents/", asked)]
        for slug in dict.fromkeys(slugs):
            yield self._waiting_of(around, slug)

    def _waiting_of(self, around: Around, slug: str) -> Page:
        items = []
        for entry in self.client.all(f"events/{slug}/waitinglistentries/"):
            number = entry.get("subevent")
            event, session = around.event(slug), around.session(slug, number)
            separate = session is not None and self.settings.series is Series.SEPARATE
            place = Place(
                status=WAITING,
                activity=f"{slug}/{number}" if separate else slug,
                title=words((session if separate and session else event)["name"]),
                held=held_of(session or event, self._clock.now()),
                name=entry.get("name") or "",
                email=entry.get("email") or "",
            )
            items.append(pulled(f"waiting:{slug}:{entry['id']}", place))
        return Page(tuple(items), ENVELOPE)


def _attendee(position: Json) -> tuple[str, str]:
    name, email = position.get("attendee_name") or "", position.get("attendee_email") or ""
    return name.casefold(), email.casefold()


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
