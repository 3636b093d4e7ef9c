"""The Moodle source: completions, by the report route or, without a report, person by person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.doctor import source_findings
from bridge.connectors.moodle.peruser import PerUserRoute, read_answer
from bridge.connectors.moodle.reports import ReportRoute, read_row
from bridge.connectors.moodle.settings import MoodleSettings
from bridge.connectors.moodle.vanished import Vanished
from bridge.domain.errors import Damaged
from bridge.domain.ports import Clock, Finding
from bridge.domain.records import Page, Pulled
from bridge.domain.vanishing import Gone


class MoodleSource:
    """Completions of one Moodle, read through one service user's token."""

    def __init__(self, settings: MoodleSettings, clock: Clock) -> None:
        self.settings = settings
        self.client = MoodleClient(settings)
        self._clock = clock

    @property
    def key(self) -> str:
        """The configured name of the source."""
        return self.settings.key

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """Pages of completions; see the route's own `pull` for what each costs and promises."""
        if self.settings.report is None:
            return PerUserRoute(self.client, self._clock).pull(since)
        return ReportRoute(self.client, self._clock).pull(since)

    @property
    def conversation(self) -> str:
        """Only one conversation at a time is held with this Moodle."""
        return self.settings.conversation

    def why_gone(self, keys: Sequence[str], shown: Sequence[str]) -> Mapping[str, Gone]:
        """Why these are not shown any more, as far as stock functions tell. Raises TryLater."""
        return Vanished(self.client).why(keys, shown)

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """A stored completion read again. Raises Damaged for an envelope that is not ours."""
        try:
            route = msgspec.json.decode(envelope, type=_Route).route
        except msgspec.MsgspecError as error:
            raise Damaged(f"{natural_key}: its stored envelope cannot be read: {error}") from error
        if route == "report":
            return read_row(natural_key, body, envelope)
        if route == "per-user":
            return read_answer(natural_key, body)
        raise Damaged(f"{natural_key}: it was stored by a route {route!r} that is not known here")

    def doctor(self) -> list[Finding]:
        """Whether pulling will work, by harmless reads; each failure with its remedy."""
        return source_findings(self.client, self._clock.now())


class _Route(msgspec.Struct):
    route: str
