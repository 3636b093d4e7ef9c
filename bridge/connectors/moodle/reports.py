"""Pulls completions through a custom report, page by page, in full or since an instant.

The report is stock Moodle (4.1 and later): datasource Course participants. Its filters are kept
on the server per user, so one run at a time may use the service user, and every run leaves the
filters as it wants to find them: unset.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from bridge.connectors.moodle import zones
from bridge.connectors.moodle.ahead import Ahead
from bridge.connectors.moodle.cells import text_of
from bridge.connectors.moodle.client import UNREADABLE, Call, MoodleClient
from bridge.connectors.moodle.refusals import REPORTS_PAGE
from bridge.connectors.moodle.rows import REQUIRED, Envelope, RowReader, columns_of
from bridge.domain.errors import BadAnswer, NeedsAdministrator, PeerError, TryLater
from bridge.domain.ports import Clock
from bridge.domain.records import LearningFact, Page, Pulled, Unreadable
from bridge.domain.times import aware

LIST = "core_reportbuilder_list_reports"
RETRIEVE = "core_reportbuilder_retrieve_report"
SET_FILTERS = "core_reportbuilder_set_filters"
RESET_FILTERS = "core_reportbuilder_filters_reset"
NO_SUCH_REPORT = "report"
_DATE_RANGE = 3
#: A call costs Moodle as much as reading 1,500 rows more, so what changed lately comes in one.
_CHANGES_PAGES = 5
_TO_THE_MINUTE = timedelta(minutes=1)
_WIDEST_ZONE = timedelta(hours=14)
_log = logging.getLogger(__name__)


class Details(msgspec.Struct):
    """What a report says about itself, as far as it is used."""

    name: str = ""
    source: str = ""
    conditiondata: str | None = None


class Data(msgspec.Struct):
    """One page of a report; each row is left as the bytes that came."""

    headers: list[str]
    rows: list[msgspec.Raw]
    totalrowcount: int


class Retrieved(msgspec.Struct):
    """One answer of retrieve_report."""

    details: Details
    data: Data


_decode = msgspec.json.Decoder(Retrieved).decode


class _Shifted(Exception):
    """The report changed while it was being read."""


class ReportRoute:
    """Completions of one Moodle by its custom report. Raises PeerError, as the client does."""

    def __init__(self, client: MoodleClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._settings = client.settings

    def pull(
        self, since: datetime | None, answers: Mapping[str, Any] | None = None
    ) -> Iterator[Page]:
        """Pages of everything, or of what was completed at or after `since` (aware).

        In full: at most two calls and one for each page; since an instant: at most three and one
        for each page, which are five times as large. The next page is asked for while one is being
        stored. The last comes only when as many rows were seen as the report says it has.
        `answers`, by function, came already with whatever was asked first.
        """
        began = aware(self._clock.now())
        report = self._prepare(began, answers or {})
        if since is None:
            yield from self._sweep(report, began)
        else:
            yield from self._changes(report, began, aware(since))

    def _prepare(self, now: datetime, known: Mapping[str, Any]) -> int:
        """The report's id, having made sure of the time zone where the service permits it."""
        wanted = self._settings.report
        if wanted is None:
            raise NeedsAdministrator(
                f"{self._settings.key}: no report is configured. Name one in the configuration "
                "(report).",
                peer=self._settings.key,
                detail=NO_SUCH_REPORT,
            )
        calls: list[Call] = [zones.probe(now)]
        by_name = not (isinstance(wanted, int) or str(wanted).isdecimal())
        if by_name:
            # Batches stop at their first error: what may be refused comes last.
            calls.insert(0, (LIST, {"perpage": 1000}))
        missing = [call for call in calls if call[0] not in known]
        asked = self._client.call_many(missing)
        answers = {**known, **{name: a for (name, _), a in zip(missing, asked, strict=True)}}
        self._check_zone(answers[zones.TIMESTAMPS], now)
        if not by_name:
            return int(str(wanted))
        listed = answers[LIST]
        if isinstance(listed, PeerError):
            raise listed
        return find_report(self._client, str(wanted), listed)

    def _check_zone(self, answer: Any, now: datetime) -> None:
        if not isinstance(answer, PeerError):
            zones.check(self._settings, answer, now)
        elif answer.detail == "accessexception":
            _log.info(
                "%s: %s is not in the service, so the zone of dates is taken on trust",
                self._settings.key,
                zones.TIMESTAMPS,
            )
        else:
            raise answer

    def _sweep(self, report: int, began: datetime) -> Iterator[Page]:
        for attempt in (1, 2):
            # A run that was killed may have left its filter behind.
            self._client.call(RESET_FILTERS, {"reportid": report})
            try:
                yield from self._pages(report, began, self._settings.page_size)
                return
            except _Shifted as shift:
                _log.info("%s: %s (attempt %d)", self._settings.key, shift, attempt)
        raise TryLater(
            f"{self._settings.key}: the report kept changing while it was read. What came is "
            "kept; the sweep will be tried again.",
            peer=self._settings.key,
            detail="shifted",
        )

    def _changes(self, report: int, began: datetime, since: datetime) -> Iterator[Page]:
        values = {
            "completion:timecompleted_operator": _DATE_RANGE,
            "completion:timecompleted_from": int(since.timestamp()),
            "completion:timecompleted_to": 0,
        }
        self._client.call(SET_FILTERS, {"reportid": report, "values": json.dumps(values)})
        filtered = True
        size = _CHANGES_PAGES * self._settings.page_size
        try:
            # Closed before the filter is unset: no page may be under way then.
            with closing(self._pages(report, began, size)) as pages:
                for page in pages:
                    self._check_since(page, since)
                    if page.last:
                        filtered = False
                        self._reset_quietly(report)
                    yield page
        except _Shifted as shift:
            raise TryLater(
                f"{self._settings.key}: {shift}; it will be read again.",
                peer=self._settings.key,
                detail="shifted",
            ) from None
        finally:
            if filtered:
                self._reset_quietly(report)

    def _reset_quietly(self, report: int) -> None:
        """A filter left behind harms nothing: every run begins by setting it anew."""
        try:
            self._client.call(RESET_FILTERS, {"reportid": report})
        except PeerError as error:
            _log.warning("%s: the report's filter was left set: %s", self._settings.key, error)

    def _check_since(self, page: Page, since: datetime) -> None:
        """Rows from before `since` mean that the filter was ignored, or that dates are shifted."""
        moments = (
            item.fact.occurred_at for item in page.items if isinstance(item.fact, LearningFact)
        )
        earliest = min(moments, default=since)
        if earliest >= since - _TO_THE_MINUTE:
            return
        if earliest >= since - _WIDEST_ZONE:
            raise zones.wrong_zone(
                self._settings,
                f"asked for completions from {since:%d %B %Y %H:%M} on, it shows one of "
                f"{earliest:%d %B %Y %H:%M}",
            )
        _log.warning(
            "%s: the report ignores its filter, so everything was read again. Add the filter "
            "'Time completed' to the report at %s",
            self._settings.key,
            self._settings.page(REPORTS_PAGE),
        )

    def _pages(self, report: int, began: datetime, size: int) -> Generator[Page, None, None]:
        with Ahead(self._client, RETRIEVE) as ahead:
            ahead.ask({"reportid": report, "page": 0, "perpage": size})
            number = seen = 0
            reader: RowReader | None = None
            envelope, headings, total, bookmark = b"", [""], 0, began
            while True:
                answer = ahead.answer()
                try:
                    data = _decode(answer.body).data
                except UNREADABLE:
                    raise self._client.unreadable(RETRIEVE) from None
                if reader is None:
                    headings, total = data.headers, data.totalrowcount
                    self._check_headings(headings)
                    bookmark = min(began, answer.sent_at or began)
                    context = self._envelope(report, headings)
                    reader, envelope = RowReader(context), context.encode()
                elif (data.headers, data.totalrowcount) != (headings, total):
                    raise _Shifted(
                        f"the report had {total} rows and now has {data.totalrowcount}"
                        if data.headers == headings
                        else "the report's columns were changed while it was read"
                    )
                seen += len(data.rows)
                last = seen == total
                if not last and (seen > total or len(data.rows) < size):
                    raise BadAnswer(
                        f"{self._settings.key}: the report says it has {total} rows and gave "
                        f"{seen}. Nothing was concluded from it.",
                        peer=self._settings.key,
                    )
                items = self._items(reader, data.rows)
                if not last:
                    number += 1
                    ahead.ask({"reportid": report, "page": number, "perpage": size})
                yield Page(items, envelope, last, bookmark if last else None, total)
                if last:
                    return

    def _envelope(self, report: int, headings: list[str]) -> Envelope:
        settings = self._settings
        return Envelope(
            settings.base, report, headings, settings.timezone, float(settings.grade_max)
        )

    def _check_headings(self, headings: list[str]) -> None:
        problem = heading_problem(self._client, headings)
        if problem is not None:
            raise problem

    def _items(self, reader: RowReader, rows: list[msgspec.Raw]) -> tuple[Pulled, ...]:
        """The rows read; a completion listed once for each way of enrolment comes once."""
        items: dict[str, Pulled] = {}
        bad_dates = good_dates = not_completed = 0
        for row in rows:
            item = reader.read(bytes(row))
            if item is None:
                not_completed += 1
                continue
            if isinstance(item.fact, LearningFact):
                good_dates += 1
            elif item.fact.code == "bad-date":
                bad_dates += 1
            twin = items.get(item.natural_key)
            # Which twin comes first is not fixed; which is smaller is.
            if twin is None or item.body < twin.body:
                items[item.natural_key] = item
        if bad_dates and not good_dates:
            raise language_problem(self._client, "no date can be read")
        if not_completed:
            _log.warning(
                "%s: %d rows of people who completed nothing were passed over. Add the condition "
                "'Completed: Yes' to the report at %s",
                self._settings.key,
                not_completed,
                self._settings.page(REPORTS_PAGE),
            )
        return tuple(items.values())


def read_row(natural_key: str, body: bytes, envelope: bytes) -> Pulled:
    """A stored row read again in its stored context, under the key it is stored by."""
    item = _reader_for(envelope).read(body)
    fact = item.fact if item else Unreadable("not-completed", "The row says: not completed.")
    return Pulled(natural_key, body, fact)


@lru_cache(maxsize=64)
def _reader_for(envelope: bytes) -> RowReader:
    return RowReader(msgspec.json.decode(envelope, type=Envelope))


def find_report(client: MoodleClient, name: str, listed: Any) -> int:
    """The id of the report with that name. Raises NeedsAdministrator for none or several."""
    settings = client.settings
    try:
        reports = [(text_of(str(one["name"])), int(one["id"])) for one in listed["reports"]]
    except (KeyError, TypeError, ValueError):
        raise client.unreadable(LIST) from None
    found = [number for title, number in reports if title.casefold() == name.strip().casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        words = f"{len(found)} reports are named {name!r}; put the id of one in the configuration."
    else:
        seen = ", ".join(repr(title) for title, _ in reports) or "none"
        words = (
            f"no report named {name!r} is shown to the service user (shown: {seen}). Create it at "
            f"{settings.page(REPORTS_PAGE)}, add the service user to it (tab Audience), and see "
            "that its role has moodle/reportbuilder:view. Without a report, set report to an empty "
            "text in bridge.toml: completions are then read person by person, in many more calls."
        )
    raise NeedsAdministrator(f"{settings.key}: {words}", peer=settings.key, detail=NO_SUCH_REPORT)


def heading_problem(client: MoodleClient, headings: list[str]) -> NeedsAdministrator | None:
    """Why a report with these headings cannot be read, if so."""
    columns = columns_of(headings)
    missing = [name for role, name in REQUIRED.items() if role not in columns]
    if not missing:
        return None
    if headings and not columns:
        return language_problem(client, f"the headings are {', '.join(headings)}")
    settings = client.settings
    return NeedsAdministrator(
        f"{settings.key}: the report lacks what every completion needs: {'; '.join(missing)}. Add "
        f"these columns to the report at {settings.page(REPORTS_PAGE)}. It shows: "
        f"{', '.join(headings) or 'no columns'}. Keep the columns' own English headings.",
        peer=settings.key,
        detail="columns",
    )


def language_problem(client: MoodleClient, seen: str) -> NeedsAdministrator:
    """The error for a report that is not in English."""
    settings = client.settings
    return NeedsAdministrator(
        f"{settings.key}: the report does not come in English ({seen}). Set the service user's "
        f"preferred language to English at {settings.page('/admin/user.php')} (Edit profile), "
        "and keep the columns' own headings.",
        peer=settings.key,
        detail="language",
    )
