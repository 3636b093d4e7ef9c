"""Asks an LRS for statements: the version that both speak, patience with what passes by itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bridge.connectors.booking.web import JsonClient, RawAnswer, date_of
from bridge.connectors.xapi.paging import BrokenPage, taken_apart
from bridge.connectors.xapi.settings import VERSIONS, LrsSettings
from bridge.connectors.xapi.slow import patient, within
from bridge.domain.errors import BadAnswer, PeerError, TryLater
from bridge.domain.xapi.instants import read_instant

#: Seconds before another try of the same question, each with as much again by chance at most.
PAUSES = (1.0, 3.0, 9.0)
#: Who is told to wait longer than this, in seconds, comes back another time instead.
LONGEST_WAIT = 30.0
#: In seconds: a page is given up after so long.
ALTOGETHER = 300.0


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Some statements as they came, and the way to the next ones ("" at the end).

    `through` is X-Experience-API-Consistent-Through, `sent_at` the LRS's own clock; None where it
    does not tell.
    """

    parts: list[bytes]
    more: str
    through: datetime | None
    sent_at: datetime | None


class _Web(JsonClient):
    """What is asked of an LRS, over connections that a `Deadline` can end."""

    def __init__(self, settings: LrsSettings, version: str) -> None:
        super().__init__(settings.origin(version))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, patient())


class LrsClient:
    """One LRS. `sleep` waits so many seconds; `calls` counts the requests made.

    No page takes longer than `altogether` seconds, however slowly it comes.
    """

    def __init__(
        self,
        settings: LrsSettings,
        sleep: Callable[[float], None] = time.sleep,
        altogether: float = ALTOGETHER,
    ) -> None:
        self.settings = settings
        self.version = settings.version or VERSIONS[-1]
        self.web: JsonClient = _Web(settings, self.version)
        self._sleep = sleep
        self.altogether = altogether

    def negotiate(self) -> str:
        """Speak the newest version that both know; which one that is.

        An LRS that does not tell is spoken to as 1.0.3, which all know. Raises PeerError.
        """
        if self.settings.version is None:
            told = self.about()
            self.version = next((v for v in VERSIONS if v in told), VERSIONS[-1])
            self.web = _Web(self.settings, self.version)
        return self.version

    def about(self) -> list[str]:
        """The versions that the LRS says it knows; none where it does not say."""
        try:
            value = self.web.get("about").value
        except TryLater:
            raise
        except PeerError:
            return []
        versions = value.get("version") if isinstance(value, dict) else None
        return [v for v in versions if isinstance(v, str)] if isinstance(versions, list) else []

    def statements(self, query: Mapping[str, str | int]) -> StatementPage:
        """The first page of an answer. Raises PeerError."""
        return self._page("statements", query)

    def more(self, link: str) -> StatementPage:
        """The page that `more` leads to. Raises PeerError."""
        return self._page(link, None)

    def _page(self, url: str, query: Mapping[str, str | int] | None) -> StatementPage:
        for pause in (*PAUSES, None):
            try:
                with within(self.altogether, self.settings.key) as deadline:
                    return self._read(self.web.raw(url, query))
            except (TryLater, CutShort) as error:
                asked = error.retry_after if isinstance(error, TryLater) else None
                if pause is None or (asked or 0.0) > LONGEST_WAIT or deadline.over:
                    raise
                # By chance a little later, so that all who were sent away do not come at once.
                self._sleep(max(asked or 0.0, pause) * (1 + random.random()))  # noqa: S311
        raise AssertionError("the last try returns or raises")

    def _read(self, raw: RawAnswer) -> StatementPage:
        try:
            parts, more = taken_apart(raw.body)
        except BrokenPage:
            wrong = self.web.bad("an answer is JSON, and no list of statements")
            if not _whole(raw.body):
                wrong = self.web.no_json(raw.body)
            raise CutShort(str(wrong), peer=self.settings.key) from None
        through = raw.headers.get("X-Experience-API-Consistent-Through", "")
        return StatementPage(
            parts,
            more,
            read_instant(through.strip(), second=False),
            date_of(raw.headers.get("Date", "")),
        )


def _whole(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


class CutShort(BadAnswer):
    """An answer that is no page of statements; it may come whole another time."""
