"""Pulls statements from an LRS: ascending, page by page, and never past what it has shown whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.connectors.xapi.ahead import Ahead
from bridge.connectors.xapi.client import LrsClient, StatementPage
from bridge.connectors.xapi.clock import Latecomer, which_clock, written
from bridge.connectors.xapi.doctor import findings
from bridge.connectors.xapi.settings import LrsSettings, SinceMeans
from bridge.connectors.xapi.slow import within
from bridge.connectors.xapi.statements import Told, read_statement
from bridge.domain.errors import PeerError
from bridge.domain.ports import Clock, Finding
from bridge.domain.records import Page, Pulled

ENVELOPE = b'{"route":"xapi","version":1}'
#: How far a pull reaches back where `since` goes by when things happened: so late may be told
#: what happened, and still be found before the next full pull.
WIDE = timedelta(days=21)
#: What an LRS answers where a `more` link has had its day.
_EXPIRED = frozenset({"400", "404", "410"})


@dataclass(slots=True)
class _Seen:
    """What one pull has seen so far. `newest` is the latest time of storing."""

    newest: datetime | None = None
    through: datetime | None = None
    late: Latecomer = field(default_factory=Latecomer)

    def note(self, page: StatementPage, told: list[Told]) -> None:
        """Look at a page."""
        # What appears later may have been stored before what the first page was sure of.
        if page.through is not None:
            self.through = min(filter(None, (self.through, page.through)))
        for one in told:
            self.late.look_at(one.key, one.happened, one.stored)
            if one.stored is not None:
                self.newest = max(filter(None, (self.newest, one.stored)))


class LrsSource:
    """Implements `bridge.domain.ports.Source` for one LRS."""

    def __init__(
        self, settings: LrsSettings, clock: Clock, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.settings = settings
        self.client = LrsClient(settings, sleep)
        self._clock = clock

    @property
    def key(self) -> str:
        """The configured name."""
        return self.settings.key

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """Statements stored after `since`, or all of them, oldest first.

        The run never says that it is whole: an LRS voids, and what it clears away by its age
        stays learning. Raises PeerError.
        """
        with within(self.client.altogether, self.key):
            self.client.negotiate()
        seen = _Seen()
        for page in self._pages(since, seen):
            told = [read_statement(part, self.settings.rules) for part in page.parts]
            seen.note(page, told)
            items = tuple(item for one in told for item in one.items)
            if page.more:
                yield Page(items, ENVELOPE)
                continue
            means = self._clock_of(seen)
            yield Page(
                items,
                ENVELOPE,
                last=True,
                bookmark=_bookmark(seen, since, page, means),
                whole=False,
                note=self._note(means),
            )

    def _pages(self, since: datetime | None, seen: _Seen) -> Iterator[StatementPage]:
        """The pages of an answer; further ones are under way while one is worked on.

        Where a link to the next has expired, it is asked anew from what was seen last.
        """
        asked = [since]
        while True:
            first = True
            try:
                with Ahead(self.client, self._query(asked[-1])) as ahead:
                    for page in ahead.pages():
                        first = False
                        yield page
                    return
            except PeerError as error:
                if first or error.detail not in _EXPIRED:
                    raise
            anew = self._anew(since, seen)
            if asked.count(anew) > 1:
                raise self.client.web.bad(
                    "its links to further pages expire before they can be followed"
                )
            asked.append(anew)

    def _query(self, since: datetime | None) -> dict[str, str | int]:
        query: dict[str, str | int] = {"ascending": "true"}
        if self.settings.page_size:
            query["limit"] = self.settings.page_size
        if since is not None:
            query["since"] = written(since)
        return query

    def _anew(self, since: datetime | None, seen: _Seen) -> datetime | None:
        """From where to ask again: by the wrong clock, only the beginning is safe."""
        if self.settings.since_means is SinceMeans.STORED and seen.newest is not None:
            return seen.newest - timedelta(seconds=1)
        if seen.newest is not None and self._clock_of(seen) is SinceMeans.STORED:
            return seen.newest - timedelta(seconds=1)
        return since

    def _clock_of(self, seen: _Seen) -> SinceMeans:
        if self.settings.since_means is SinceMeans.DETECT:
            return which_clock(self.client, seen.late)
        return self.settings.since_means

    def _note(self, means: SinceMeans) -> str:
        if means is not SinceMeans.TIMESTAMP or self.settings.since_means is means:
            return ""
        return (
            f"The LRS {self.key} gives what happened since a time, not what it stored since then. "
            f"What is told late is looked for {WIDE.days} days back. Write since_means = "
            f'"timestamp" under [lrs.{self.key}], and each night everything is read again, so that '
            "nothing is missed however late it is told."
        )

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """Read a stored statement again, under the key it is stored by where it tells that."""
        items = read_statement(body, self.settings.rules).items
        return next((item for item in items if item.natural_key == natural_key), items[0])

    def others(self, natural_key: str, body: bytes, envelope: bytes) -> list[Pulled]:
        """Of a group's statement that was kept as a whole, what it tells of the other members."""
        items = read_statement(body, self.settings.rules).items
        if any(item.natural_key == natural_key for item in items):
            return []
        return items[1:]

    def doctor(self) -> list[Finding]:
        """Real reads: whether it answers, in which version, and by which clock."""
        return findings(self.client, self._clock.now())


def _bookmark(
    seen: _Seen, since: datetime | None, page: StatementPage, means: SinceMeans
) -> datetime | None:
    """How far everything has been seen: what was stored last, or what the LRS vouches for, if that
    is earlier."""
    told = [moment for moment in (seen.newest, seen.through) if moment is not None]
    if not told:
        return since or page.sent_at
    if seen.newest is None and since is not None:
        # Nothing new: to stay where it is can skip nothing.
        return since
    return min(told) - (WIDE if means is SinceMeans.TIMESTAMP else timedelta(0))
