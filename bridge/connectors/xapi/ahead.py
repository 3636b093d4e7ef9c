"""Follows an LRS's links in a thread of its own, while what came is still being worked on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from queue import Full, Queue
from types import TracebackType

from bridge.connectors.xapi.client import LrsClient, StatementPage
from bridge.domain.errors import PeerError

#: So many pages wait at most; then the links are followed no further until one is taken.
AHEAD = 8
#: Pages that wait are given together, up to so many statements: each transaction has its price.
TOGETHER = 1000
#: Nor are they followed while so many bytes wait.
WAITING_BYTES = 32_000_000
_LOOK_UP = 0.1


class Ahead:
    """The pages of one question. Nobody else may use the client until the block ends."""

    def __init__(self, client: LrsClient, query: Mapping[str, str | int]) -> None:
        self._client = client
        self._query = query
        self._came: Queue[StatementPage | Exception] = Queue(AHEAD)
        self._stop = threading.Event()
        self._bytes = 0
        self._counting = threading.Lock()
        self._thread = threading.Thread(
            target=self._follow, name=f"lrs-{client.settings.key}", daemon=True
        )

    def __enter__(self) -> Ahead:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def pages(self) -> Iterator[StatementPage]:
        """What came, in order, until its end. Raises what following the links raised."""
        while True:
            found = [self._next(wait=True)]
            while (
                found[-1].more
                and sum(len(page.parts) for page in found) < TOGETHER
                and self._came.qsize()
            ):
                try:
                    found.append(self._next(wait=False))
                except PeerError:
                    # What came before it is good all the same.
                    yield _together(found)
                    raise
            yield _together(found)
            if not found[-1].more:
                return

    def _next(self, *, wait: bool) -> StatementPage:
        came = self._came.get(wait)
        if isinstance(came, Exception):
            raise came
        self._count(-_size(came))
        return came

    def _count(self, more: int) -> None:
        with self._counting:
            self._bytes += more

    def _follow(self) -> None:
        visited: set[str] = set()
        ask: Callable[[], StatementPage] = lambda: self._client.statements(self._query)  # noqa: E731
        while not self._stop.is_set():
            try:
                page = ask()
                if page.more in visited:
                    raise self._client.web.bad("its pages lead round in a circle")
            except Exception as error:
                self._put(error)
                return
            self._count(_size(page))
            self._put(page)
            while self._bytes > WAITING_BYTES and not self._stop.wait(_LOOK_UP):
                pass
            if not page.more:
                return
            visited.add(page.more)
            ask = _asking(self._client, page.more)

    def _put(self, came: StatementPage | Exception) -> None:
        while not self._stop.is_set():
            try:
                self._came.put(came, timeout=_LOOK_UP)
            except Full:
                continue
            return


def _asking(client: LrsClient, link: str) -> Callable[[], StatementPage]:
    return lambda: client.more(link)


def _size(page: StatementPage) -> int:
    return sum(map(len, page.parts))


def _together(pages: list[StatementPage]) -> StatementPage:
    """Several pages as one; nothing is vouched for that any of them does not vouch for."""
    if len(pages) == 1:
        return pages[0]
    through = [page.through for page in pages if page.through is not None]
    return StatementPage(
        [part for page in pages for part in page.parts],
        pages[-1].more,
        min(through, default=None),
        pages[-1].sent_at,
    )
