"""Reads lists from pretix page by page (`count`, `next`, `results`), at one origin throughout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.connectors.booking.pretix.settings import PretixSettings
from bridge.connectors.booking.web import JsonClient, Query
from bridge.domain.errors import PeerError, TryLater
from bridge.domain.times import aware

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list. `generated` is when pretix began to make it, by its own clock."""

    results: list[Json]
    count: int
    generated: datetime | None


class PretixClient:
    """One organiser, read through one token."""

    def __init__(self, settings: PretixSettings) -> None:
        self.settings = settings
        self.web = JsonClient(settings.origin())

    def one(self, path: str, query: Query | None = None) -> Json:
        """One thing. Raises PeerError; where there is no such thing, its detail is "404"."""
        value = self.web.get(path, query).value
        if not isinstance(value, dict):
            raise self.web.bad(f"{path} is no object")
        return value

    def pages(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[Listed]:
        """A list to its end.

        Pages are counted by position, so where the list gets shorter meanwhile something slips
        over a page's edge unseen: then TryLater is raised, and nothing is concluded.
        """
        asked: dict[str, Any] | None = {"page_size": self.settings.page_size, **(query or {})}
        url, before = path, 0
        visited: set[str] = set()
        while True:
            try:
                answer = self.web.get(url, asked)
            except PeerError as error:
                if visited and missing(error):
                    raise self._shrunk(path) from None
                raise
            page = self._page(path, answer.value, answer.headers.get("X-Page-Generated"))
            if page.count < before:
                raise self._shrunk(path)
            before = page.count
            yield page
            following = answer.value["next"]
            if not following:
                return
            if following in visited or not page.results:
                raise self.web.bad(f"{path} leads round in a circle")
            visited.add(following)
            url, asked = following, None

    def all(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[Json]:
        """Everything in a list."""
        for page in self.pages(path, query):
            yield from page.results

    def count(self, path: str, query: Mapping[str, Any]) -> int:
        """How many there are, without reading them."""
        answer = self.web.get(path, {**query, "page_size": 1})
        return self._page(path, answer.value, None).count

    def _shrunk(self, path: str) -> TryLater:
        return TryLater(
            f"{self.settings.key}: something was deleted in pretix while {path} was read. It will "
            "be read again.",
            peer=self.settings.key,
        )

    def _page(self, path: str, value: Any, generated: str | None) -> Listed:
        if not (
            isinstance(value, dict)
            and isinstance(value.get("results"), list)
            and isinstance(value.get("count"), int)
            and isinstance(value.get("next"), str | None)
            and all(isinstance(one, dict) for one in value["results"])
        ):
            raise self.web.bad(f"{path} is no list as pretix gives them")
        return Listed(value["results"], value["count"], instant(generated) if generated else None)


def instant(text: str) -> datetime:
    """An instant as pretix writes it. Raises ValueError."""
    return aware(datetime.fromisoformat(text))


def missing(error: PeerError) -> bool:
    """Whether pretix says that there is no such thing."""
    return error.detail == "404"
