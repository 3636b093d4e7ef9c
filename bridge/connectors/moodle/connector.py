"""The Moodle source: completions by the plugin, by a report, or person by person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.doctor import source_findings
from bridge.connectors.moodle.feed import PluginRoute
from bridge.connectors.moodle.grades import GRADES, GradesRoute, read_grade
from bridge.connectors.moodle.grades import ROUTE as GRADES_ROUTE
from bridge.connectors.moodle.peruser import PerUserRoute, read_answer
from bridge.connectors.moodle.pluginrows import read_again
from bridge.connectors.moodle.reports import ReportRoute, read_row
from bridge.connectors.moodle.settings import MoodleSettings
from bridge.connectors.moodle.vanished import Vanished
from bridge.connectors.moodle.ways import (
    PER_USER,
    PLUGIN,
    RANKED,
    REPORT,
    Choice,
    Opening,
    choose,
    open_up,
    rank_of_mark,
)
from bridge.domain.errors import Damaged, NeedsAdministrator
from bridge.domain.ports import Clock, Finding
from bridge.domain.records import AccountFacts, ActivityFacts, LearningFact, Page, Pulled
from bridge.domain.vanishing import Gone

#: What the keys of all completions begin with; a stock Moodle tells no more of itself.
_COMPLETIONS = ("completion:", "unreadable:")


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
        """Pages of completions; see the way's own `pull` for what each costs and promises."""
        return self.pull_on(since, "")

    def pull_on(self, since: datetime | None, mark: str) -> Iterator[Page]:
        """As `pull`, going on from where the last complete run stood.

        A weaker way than that of the last run proves no absence: it cannot see all that the better
        one saw, and what the better one knew stays.
        """
        if self.settings.way == PER_USER:
            opening = Opening()
        else:
            opening = open_up(self.client, self._clock.now())
        choice = choose(self.settings, opening)
        if choice.way == PLUGIN:
            status = opening.status
            if status is None or not status.can_read:
                raise self._no_plugin(opening)
            yield from PluginRoute(self.client).pull(status, mark, full=since is None)
            return
        fallen = self.settings.way == "auto" and RANKED.index(choice.way) > rank_of_mark(mark)
        pages = self._stock(choice.way, opening, since)
        offered = opening.offered or frozenset()
        if since is None and self.settings.activities and GRADES in offered and not fallen:
            pages = self._with_grades(pages)
        for page in pages:
            yield self._marked(page, choice, mark, fallen=fallen)

    def _stock(self, way: str, opening: Opening, since: datetime | None) -> Iterator[Page]:
        if way == REPORT:
            return ReportRoute(self.client, self._clock).pull(since, opening.answers)
        return PerUserRoute(self.client, self._clock).pull(since)

    def _with_grades(self, pages: Iterator[Page]) -> Iterator[Page]:
        """The same, and before their end the grades in the courses that they were about."""
        courses: dict[str, ActivityFacts] = {}
        people: dict[str, AccountFacts] = {}
        for page in pages:
            for item in page.items:
                if isinstance(item.fact, LearningFact):
                    courses[item.fact.activity.value] = item.fact.activity
                    people[item.fact.account.value] = item.fact.account
            if not page.last:
                yield page
                continue
            yield replace(page, last=False)
            route = GradesRoute(self.client)
            yield from route.pull(courses.values(), people)
            spans = (*_COMPLETIONS, "activity:") if route.complete else _COMPLETIONS
            yield replace(page, items=(), spans=spans)

    def _marked(self, page: Page, choice: Choice, mark: str, *, fallen: bool) -> Page:
        """A page of a stock way; the last one says where the next run goes on."""
        if not page.last:
            return replace(page, coarser=True)
        spans = page.spans or _COMPLETIONS
        if not fallen:
            return replace(page, coarser=True, spans=spans, mark=choice.way)
        before = mark.partition(":")[0]
        note = (
            f"Completions came by the way '{before}' until now, and it is not open any more: "
            f"{choice.why} They are read by the way '{choice.way}' meanwhile, which sees less, so "
            f"nothing is taken for gone. {choice.better} If '{choice.way}' is to stay, set way = "
            f'"{choice.way}".'
        )
        # The better way goes on where it stood, once it is open again.
        return replace(page, coarser=True, spans=spans, mark=mark, whole=False, note=note)

    def _no_plugin(self, opening: Opening) -> NeedsAdministrator:
        better = choose(replace(self.settings, way="auto"), opening).better
        return NeedsAdministrator(
            f'{self.key}: the settings say way = "plugin", and it is not open. {better}',
            peer=self.key,
            detail=PLUGIN,
        )

    def look_again(self, notes: Sequence[str]) -> Iterator[Page]:
        """What the plugin's webhooks ("changes:7-9") were about, as it is now."""
        return PluginRoute(self.client).look_again(notes)

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
        if route == PLUGIN:
            return read_again(natural_key, body)
        if route == REPORT:
            return read_row(natural_key, body, envelope)
        if route == PER_USER:
            return read_answer(natural_key, body)
        if route == GRADES_ROUTE:
            return read_grade(natural_key, body)
        raise Damaged(f"{natural_key}: it was stored by a route {route!r} that is not known here")

    def doctor(self) -> list[Finding]:
        """Whether pulling will work, by harmless reads; each failure with its remedy."""
        return source_findings(self.client, self._clock.now())


class _Route(msgspec.Struct):
    route: str
