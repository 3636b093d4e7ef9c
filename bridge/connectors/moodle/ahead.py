"""Asks for the next page while the last one is being stored; never more than one request at a time.

A pull is then as long as the slower of asking and storing, and not as both together.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from bridge.connectors.moodle.client import Answer, MoodleClient, Params


class Ahead:
    """The answers to calls of one function, of which the next one is asked for ahead.

    Used in a `with` block, at whose end no request is under way any more, however it ended.
    """

    def __init__(self, client: MoodleClient, function: str) -> None:
        self._client = client
        self._function = function
        self._thread = ThreadPoolExecutor(1, "moodle-ahead")
        self._coming: Future[Answer] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Whoever stops in the middle may call next; what is under way is waited for.
        self._thread.shutdown(wait=True, cancel_futures=True)

    def ask(self, params: Params) -> None:
        """Send this call now, and read its answer meanwhile. Takes the place of no other."""
        if self._coming is not None:
            raise RuntimeError("one call is under way already")
        self._coming = self._thread.submit(self._fetch(params))

    def answer(self) -> Answer:
        """The answer to what was asked; raises what the client raised."""
        if self._coming is None:
            raise RuntimeError("nothing was asked")
        coming, self._coming = self._coming, None
        return coming.result()

    def _fetch(self, params: Params) -> Callable[[], Answer]:
        return lambda: self._client.fetch(self._function, params)
