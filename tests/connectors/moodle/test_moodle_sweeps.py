"""Sweeps and increments: filters always reset, short and shifting answers never believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses
from requests import PreparedRequest
from werkzeug import Request

from bridge.demo.moodle import Fault, StandInMoodle
from bridge.domain.errors import (
    BadAnswer,
    InMaintenance,
    NeedsAdministrator,
    PeerError,
    TryLater,
)
from bridge.domain.records import LearningFact, Page, Pulled, Unreadable
from tests.connectors.moodle.conftest import Peer, Script

RowMaker = Callable[..., dict[str, list[str]]]
PageMaker = Callable[..., dict[str, Any]]

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIST = "core_reportbuilder_list_reports"
RETRIEVE = "core_reportbuilder_retrieve_report"
SET, RESET = "core_reportbuilder_set_filters", "core_reportbuilder_filters_reset"
BATCH, TIMESTAMPS = "tool_mobile_call_external_functions", "core_calendar_get_timestamps"
DATE = "Thursday, 13 July 2023, 9:18 PM"


def items_of(pages: Iterable[Page]) -> dict[str, Pulled]:
    return {item.natural_key: item for page in pages for item in page.items}


def only(pages: Iterable[Page]) -> Pulled:
    (item,) = items_of(pages).values()
    return item


def problem(item: Pulled) -> Unreadable:
    assert isinstance(item.fact, Unreadable), item
    return item.fact


def fact(item: Pulled) -> LearningFact:
    assert isinstance(item.fact, LearningFact), item
    return item.fact


# Filters


def test_a_filter_left_by_a_run_that_was_killed_does_not_shorten_a_sweep(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    client = stand_in.client()
    client.call(
        SET,
        {"reportid": 1, "values": '{"completion:timecompleted_operator": 3, '
         '"completion:timecompleted_from": 1790000000, "completion:timecompleted_to": 0}'},
    )  # fmt: skip
    assert len(items_of(stand_in.source().pull(None))) == 840


@pytest.mark.parametrize("fault", [Fault.HTML_PAGE, Fault.CUT_CONNECTION, Fault.TRUNCATED_BODY])
def test_filters_are_reset_when_a_pull_fails(
    stand_in: Peer, moodle: StandInMoodle, fault: Fault
) -> None:
    moodle.faults.add(fault, function=RETRIEVE)
    with pytest.raises(PeerError):
        list(stand_in.source().pull(NOW - timedelta(days=30)))
    assert moodle.site.user_filters == {}


def test_filters_are_reset_when_the_caller_walks_away(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    pages = stand_in.source(page_size=5).pull(NOW - timedelta(days=300))
    next(pages)
    assert isinstance(pages, Generator)
    pages.close()
    assert moodle.site.user_filters == {}


def test_a_reset_that_fails_harms_nothing(
    stand_in: Peer, moodle: StandInMoodle, caplog: pytest.LogCaptureFixture
) -> None:
    moodle.faults.add(Fault.HTML_PAGE, function=RESET)
    pages = list(stand_in.source().pull(NOW - timedelta(days=30)))
    assert pages[-1].last
    assert "filter was left set" in caplog.text


def test_a_filter_that_is_ignored_gives_everything_and_says_so(
    stand_in: Peer, moodle: StandInMoodle, caplog: pytest.LogCaptureFixture
) -> None:
    moodle.site.reports[1].filters.clear()
    assert len(items_of(stand_in.source().pull(NOW - timedelta(days=14)))) == 840
    assert "Add the filter 'Time completed'" in caplog.text


# Short, shifting and broken answers


def test_a_report_that_grows_during_a_sweep_is_swept_once_more(
    script: Script, row: RowMaker, page: PageMaker
) -> None:
    rows = [row(user, 4, DATE) for user in (1, 2, 3)]
    totals = iter([2, 3, 3, 3, 3])

    def answer(request: Request) -> Any:
        number = int(request.form["page"])
        return page(rows[number : number + 1], next(totals))

    script.says(RETRIEVE, answer)
    pages = list(script.source(page_size=1).pull(None))
    assert [one.last for one in pages] == [False, False, False, True]
    assert len(items_of(pages)) == 3
    assert script.count(RESET) == 2


def test_a_report_that_keeps_changing_is_left_for_later(
    script: Script, row: RowMaker, page: PageMaker
) -> None:
    script.says(
        RETRIEVE,
        lambda request: page([row(1, 4, DATE)], 10 + int(request.form["page"])),
    )
    seen: list[Page] = []
    with pytest.raises(TryLater, match="kept changing"):
        seen.extend(script.source(page_size=1).pull(None))
    assert [one.last for one in seen] == [False, False]


@pytest.mark.parametrize(("given", "told"), [(1, 3), (0, 3), (3, 2)])
def test_rows_that_do_not_add_up_are_not_believed(
    script: Script, row: RowMaker, page: PageMaker, given: int, told: int
) -> None:
    script.says(RETRIEVE, page([row(user, 4, DATE) for user in range(1, given + 1)], told))
    with pytest.raises(BadAnswer, match=f"says it has {told} rows and gave {given}"):
        list(script.source().pull(None))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.HTML_PAGE, BadAnswer),
        (Fault.TRUNCATED_BODY, BadAnswer),
        (Fault.CUT_CONNECTION, TryLater),
        (Fault.DATABASE_DOWN, InMaintenance),
        (Fault.MAINTENANCE, InMaintenance),
        (Fault.TOO_MANY_REQUESTS, TryLater),
        (Fault.TOKEN_EXPIRED, NeedsAdministrator),
        (Fault.WEB_SERVICES_OFF, NeedsAdministrator),
    ],
)
def test_trouble_in_the_middle_of_a_sweep_keeps_what_came_and_ends_without_a_last_page(
    stand_in: Peer, moodle: StandInMoodle, fault: Fault, kind: type[PeerError]
) -> None:
    moodle.faults.add(fault, function=RETRIEVE, skip=2)
    seen: list[Page] = []
    with pytest.raises(PeerError) as caught:
        seen.extend(stand_in.source(page_size=100).pull(None))
    assert type(caught.value) is kind
    assert len(items_of(seen)) == 200
    assert not any(one.last for one in seen)


def test_a_sudden_empty_answer_claims_to_have_expected_nothing(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.faults.add(Fault.EMPTY_ANSWER, function=RETRIEVE)
    (only_page,) = stand_in.source().pull(None)
    assert only_page.items == ()
    assert only_page.expected == 0


def test_a_report_taken_away_is_named(stand_in: Peer, moodle: StandInMoodle) -> None:
    moodle.faults.add(Fault.REPORTS_MISSING)
    with pytest.raises(NeedsAdministrator, match="report does not exist"):
        list(stand_in.source().pull(None))
    with pytest.raises(NeedsAdministrator, match=r"named 'Bridge completions'.*shown: none"):
        list(stand_in.source(report="Bridge completions").pull(None))


def test_a_service_user_outside_the_audience_is_told(stand_in: Peer, moodle: StandInMoodle) -> None:
    moodle.site.reports[1].audience.clear()
    with pytest.raises(NeedsAdministrator, match="tab Audience"):
        list(stand_in.source().pull(None))


def test_two_reports_of_one_name_are_not_chosen_between(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    first = moodle.site.reports[1]
    moodle.site.add_report(
        first.name, first.source, first.columns, audience=[moodle.site.user("svc-bridge")]
    )
    with pytest.raises(NeedsAdministrator, match="2 reports are named"):
        list(stand_in.source(report=first.name).pull(None))


def test_without_batches_and_probe_a_pull_still_works(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.site.services["competency_bridge"].functions -= {BATCH, TIMESTAMPS}
    assert len(items_of(stand_in.source(report="Bridge completions").pull(None))) == 840


@responses.activate
@pytest.mark.parametrize(
    ("date", "bookmark"),
    [
        ("Mon, 23 Nov 2026 11:58:30 GMT", NOW - timedelta(seconds=90)),
        ("Mon, 23 Nov 2026 13:00:00 GMT", NOW),
        ("today", NOW),
    ],
)
def test_moodles_own_clock_sets_the_bookmark_where_it_is_behind(
    script: Script, page: PageMaker, date: str, bookmark: datetime
) -> None:
    refusal = {"exception": "e", "errorcode": "accessexception", "message": ""}
    answers = {RETRIEVE: page([]), RESET: True}

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        (function,) = parse_qs(str(request.body))["wsfunction"]
        return 200, {"Date": date}, json.dumps(answers.get(function, refusal))

    responses.add_callback("POST", "https://m.example/webservice/rest/server.php", answer)
    (only_page,) = script.source(url="https://m.example").pull(None)
    assert only_page.bookmark == bookmark
