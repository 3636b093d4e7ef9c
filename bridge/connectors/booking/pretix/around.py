"""What lies around an order in pretix: its event, the dates of a series, products, registers.

Each is asked for once in a pull, and only where an order needs it.
"""

from __future__ import annotations

from datetime import datetime

from bridge.connectors.booking.pretix.client import Json, PretixClient
from bridge.connectors.booking.pretix.reading import Held, held_of
from bridge.domain.errors import NeedsAdministrator


class Around:
    """The surroundings of the orders of one pull. `now` is the instant of the pull."""

    def __init__(self, client: PretixClient, now: datetime) -> None:
        self._client = client
        self._now = now
        self._events: dict[str, Json] = {}
        self._sessions: dict[str, dict[int, Json]] = {}
        self._admission: dict[str, frozenset[int] | None] = {}
        self._lists: dict[str, frozenset[int] | None] = {}
        self._used: dict[tuple[str, int | None], bool] = {}

    def know_all(self) -> None:
        """Read every event and every date at once: a full pull needs most of them."""
        self._events = {str(event["slug"]): event for event in self._client.all("events/")}
        self._sessions = {slug: {} for slug in self._events}
        if any(event.get("has_subevents") for event in self._events.values()):
            for one in self._client.all("subevents/"):
                self._sessions.setdefault(str(one["event"]), {})[int(one["id"])] = one

    @property
    def slugs(self) -> list[str]:
        """The events read so far."""
        return list(self._events)

    def event(self, slug: str) -> Json:
        """One event."""
        if slug not in self._events:
            self._events[slug] = self._client.one(f"events/{slug}/")
        return self._events[slug]

    def sessions(self, slug: str) -> dict[int, Json]:
        """The dates of a series, by id; none for a single event."""
        if slug not in self._sessions:
            series = self.event(slug).get("has_subevents")
            found = self._client.all(f"events/{slug}/subevents/") if series else ()
            self._sessions[slug] = {int(one["id"]): one for one in found}
        return self._sessions[slug]

    def session(self, slug: str, number: int | None) -> Json | None:
        """One date of a series. It is asked for where it is newer than the list of them."""
        if number is None:
            return None
        known = self.sessions(slug)
        if number not in known:
            known[number] = self._client.one(f"events/{slug}/subevents/{number}/")
        return known[number]

    def grants_admission(self, slug: str, item: int) -> bool:
        """Whether a product is a place, and not a lunch. So is every one where nobody may look."""
        if slug not in self._admission:
            try:
                items = self._client.all(f"events/{slug}/items/")
                self._admission[slug] = frozenset(i["id"] for i in items if not i["admission"])
            except NeedsAdministrator:
                self._admission[slug] = None
        return item not in (self._admission[slug] or ())

    def lists(self, slug: str) -> frozenset[int] | None:
        """The check-in lists that are registers; None where all of them are."""
        names = {name.casefold() for name in self._client.settings.lists}
        if not names:
            return None
        if slug not in self._lists:
            self._lists[slug] = frozenset(
                one["id"]
                for one in self._client.all(f"events/{slug}/checkinlists/")
                if str(one["name"]).casefold() in names
            )
        return self._lists[slug]

    def held(self, slug: str, number: int | None, *, checked: bool) -> Held:
        """When a session is, and whether its register was used, where that makes a difference.

        `checked`: this very place was checked in.
        """
        held = held_of(self.session(slug, number) or self.event(slug), self._now)
        if not held.over or not self._client.settings.no_show:
            return held
        if checked:
            self._used[slug, number] = True
        return Held(held.start, held.end, held.over, self._was_used(slug, number))

    def _was_used(self, slug: str, number: int | None) -> bool:
        """Whether anybody at all was checked in there."""
        key = slug, number
        if key not in self._used:
            asked: dict[str, str | int] = {"has_checkin": "true"}
            if number is not None:
                asked["subevent"] = number
            lists = self.lists(slug)
            paths = (
                [f"events/{slug}/orderpositions/"]
                if lists is None
                else [f"events/{slug}/checkinlists/{one}/positions/" for one in sorted(lists)]
            )
            self._used[key] = any(self._client.count(path, asked) for path in paths)
        return self._used[key]
