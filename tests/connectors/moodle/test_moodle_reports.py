"""The report route at its edges: every kind of bad input has one clear outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from werkzeug import Request, Response

from bridge.demo.moodle import Fault, StandInMoodle
from bridge.demo.moodle.tables import Course, User
from bridge.domain.errors import BadAnswer, Damaged, NeedsAdministrator, PeerError, TryLater
from bridge.domain.records import LearningFact, Page, Pulled, Unreadable

Peer: TypeAlias = Any  # of the conftest beside this file
Script: TypeAlias = Any
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


# Measures: 840 completions


@pytest.mark.parametrize("report", [1, "1", "Bridge completions", "bridge COMPLETIONS"])
def test_840_completions_in_three_calls_and_the_changed_ones_in_four(
    stand_in: Peer, moodle: StandInMoodle, report: int | str
) -> None:
    source = stand_in.source(report=report)
    assert len(items_of(source.pull(None))) == 840
    assert source.client.calls == moodle.calls() <= 3
    moodle.forget()
    assert 0 < len(items_of(source.pull(NOW - timedelta(days=14)))) < 840
    assert moodle.calls() <= 4


def test_one_page_is_in_memory_at_a_time(stand_in: Peer, moodle: StandInMoodle) -> None:
    pages = stand_in.source(page_size=100).pull(None)
    next(pages)
    next(pages)
    assert moodle.calls(RETRIEVE) == 2


# Rows


def test_a_course_without_idnumber_a_hidden_one_and_a_suspended_learner_come_as_they_are(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    site = moodle.site
    site.add_course(Course(id=90, shortname="X1", fullname="A & B", category=1, visible=False))
    site.add_user(User(900, "sus", "Sus", "Pended", "sus@example.org", suspended=True))
    site.complete(900, 90, NOW - timedelta(days=1))
    (item,) = (
        item for key, item in items_of(stand_in.source().pull(None)).items() if ":900:" in key
    )
    assert fact(item).account.suspended
    assert fact(item).account.staff_number is None
    assert fact(item).activity.idnumber is None
    assert (fact(item).activity.title, fact(item).activity.shortname) == ("A & B", "X1")


def test_two_ways_of_enrolment_give_one_completion(stand_in: Peer, moodle: StandInMoodle) -> None:
    whole = items_of(stand_in.source().pull(None))
    moodle.faults.add(Fault.DUPLICATE_ROWS)
    pages = list(stand_in.source(page_size=2000).pull(None))
    assert pages[-1].expected == 2 * len(whole)
    assert [item for page in pages for item in page.items] == list(whole.values())


def test_which_of_two_unequal_twins_is_kept_does_not_hang_on_their_order(
    script: Script, row: RowMaker, page: PageMaker
) -> None:
    twins = [row(3, 4, DATE, "B"), row(3, 4, DATE, "A")]
    script.says(RETRIEVE, page(twins))
    first = only(script.source().pull(None))
    script.says(RETRIEVE, page(twins[::-1]))
    assert only(script.source().pull(None)) == first


@pytest.mark.parametrize("date", ["", "-", "Thursday, 1 January 1970, 12:00 AM", None])
def test_a_completion_without_a_date_is_kept_and_says_so(
    script: Script, row: RowMaker, page: PageMaker, date: Any
) -> None:
    script.says(RETRIEVE, page([row(3, 4, date)]))
    item = only(script.source().pull(None))
    assert item.natural_key == "completion:3:4:undated"
    assert problem(item).code == "no-date"
    assert "user 3 completed course 4" in problem(item).message


def test_no_row_is_dropped_however_odd(script: Script, row: RowMaker, page: PageMaker) -> None:
    good = row(3, 4, DATE)
    no_user = {"columns": ["Somebody", *good["columns"][1:]]}
    no_course = {"columns": [good["columns"][0], None, *good["columns"][2:]]}
    rows = [
        good,
        row(3, 4, "the other day"),
        no_user,
        no_course,
        {"columns": good["columns"][:2]},
        {"columns": [1, 2, 3, 4]},
        {"cells": []},
        "nonsense",
    ]
    script.says(RETRIEVE, page(rows))
    source = script.source()
    (pulled,) = source.pull(None)
    codes = [getattr(item.fact, "code", "") for item in pulled.items]
    assert codes == [
        "", "bad-date", "no-user", "no-course", "bad-row", "bad-row", "bad-row", "bad-row"
    ]  # fmt: skip
    assert pulled.last
    for item in pulled.items:
        assert source.read(item.natural_key, item.body, pulled.envelope) == item
    assert list(source.pull(None)) == [pulled]


def test_people_who_completed_nothing_are_passed_over_and_the_report_is_named(
    script: Script, row: RowMaker, page: PageMaker, caplog: pytest.LogCaptureFixture
) -> None:
    headings = ["Full name with link", "Course full name with link", "Time completed", "Completed"]
    rows = [row(3, 4, DATE, "Yes"), row(5, 4, "", "No")]
    script.says(RETRIEVE, page(rows, headings=headings))
    assert only(script.source().pull(None)).natural_key.startswith("completion:3:")
    assert "condition 'Completed: Yes'" in caplog.text


def test_stored_bytes_with_an_envelope_that_is_not_ours_are_damage(script: Script) -> None:
    for envelope in (b"", b"{}", b'{"route": "fax"}'):
        with pytest.raises(Damaged, match="completion:1:2:x"):
            script.source().read("completion:1:2:x", b"{}", envelope)


# Columns


def test_columns_may_stand_in_any_order_with_others_between(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    whole = items_of(stand_in.source().pull(None))
    moodle.faults.add(Fault.REARRANGED_COLUMNS)
    rearranged = items_of(stand_in.source().pull(None))
    assert {key: item.fact for key, item in rearranged.items()} == {
        key: item.fact for key, item in whole.items()
    }


@pytest.mark.parametrize(
    ("column", "named"),
    [
        ("completion:timecompleted", "Time completed"),
        ("user:fullnamewithlink", "Full name with link"),
        ("course:coursefullnamewithlink", "Course full name with link"),
    ],
)
def test_a_column_that_is_needed_and_missing_is_named(
    stand_in: Peer, moodle: StandInMoodle, column: str, named: str
) -> None:
    moodle.faults.add(Fault.MISSING_COLUMN, value=column)
    with pytest.raises(NeedsAdministrator, match="the report lacks") as caught:
        list(stand_in.source().pull(None))
    assert named in str(caught.value)
    assert "/reportbuilder/" in str(caught.value)


def test_columns_changed_in_the_middle_of_a_sweep_are_never_mixed(
    script: Script, row: RowMaker, page: PageMaker
) -> None:
    headings = ["Course full name with link", "Full name with link", "Time completed", "x"]
    odd = page([row(3, 4, DATE)], 2, headings)

    def answer(request: Request) -> Any:
        return page([row(1, 2, DATE)], 2) if request.form["page"] == "0" else odd

    script.says(RETRIEVE, answer)
    with pytest.raises(TryLater, match="kept changing"):
        list(script.source(page_size=1).pull(None))


# Language and zone


def test_another_language_is_recognised_and_not_guessed(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.faults.add(Fault.OTHER_LANGUAGE)
    with pytest.raises(NeedsAdministrator, match="does not come in English") as caught:
        list(stand_in.source().pull(None))
    assert "preferred language" in str(caught.value)


def test_dates_of_another_language_under_english_headings_are_not_guessed(
    script: Script, row: RowMaker, page: PageMaker
) -> None:
    script.says(RETRIEVE, page([row(3, 4, "jeudi 13 juillet 2023, 21:18")]))
    with pytest.raises(NeedsAdministrator, match="no date can be read"):
        list(script.source().pull(None))


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Asia/Kolkata"])
def test_a_zone_the_site_forces_is_noticed_in_every_season(
    stand_in: Peer, moodle: StandInMoodle, zone: str
) -> None:
    moodle.faults.add(Fault.OTHER_ZONE, value=zone)
    with pytest.raises(NeedsAdministrator, match="another time zone than UTC") as caught:
        list(stand_in.source().pull(None))
    assert "section=locationsettings" in str(caught.value)


def test_a_forced_zone_that_is_configured_gives_the_right_instants(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    in_utc = set(items_of(stand_in.source().pull(None)))
    moodle.faults.add(Fault.OTHER_ZONE, value="Europe/London")
    london = items_of(stand_in.source(timezone="Europe/London").pull(None))
    unclear = [item for item in london.values() if isinstance(item.fact, Unreadable)]
    assert len(in_utc - london.keys()) == len(unclear) <= 3


def test_the_hour_that_autumn_repeats_is_flagged(
    script: Script, row: RowMaker, page: PageMaker
) -> None:
    rows = [row(3, 4, "Sunday, 30 October 2022, 1:30 AM"), row(5, 4, DATE)]
    script.says(RETRIEVE, page(rows))
    flagged, clear = items_of(script.source(timezone="Europe/London").pull(None)).values()
    assert problem(flagged).code == "ambiguous-date"
    assert fact(clear).occurred_at == datetime(2023, 7, 13, 20, 18, tzinfo=UTC)


def test_a_shifted_zone_shows_against_the_filter_where_it_cannot_be_asked_for(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.site.services["competency_bridge"].functions.remove(TIMESTAMPS)
    moment = NOW - timedelta(days=2)
    moodle.site.add_user(User(900, "new", "New", "Comer", "new@example.org"))
    moodle.site.complete(900, 2, moment)
    moodle.faults.add(Fault.OTHER_ZONE, value="America/New_York")
    with pytest.raises(NeedsAdministrator, match="another time zone"):
        list(stand_in.source().pull(moment))


def test_a_probe_that_answers_nonsense_is_not_believed(
    script: Script, row: RowMaker, page: PageMaker
) -> None:
    script.says(RETRIEVE, page([row(3, 4, DATE)]))
    script.says(TIMESTAMPS, {"timestamps": [{"key": "x"}]})
    with pytest.raises(BadAnswer, match="did not answer with instants"):
        list(script.source().pull(None))


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
        (Fault.DATABASE_DOWN, TryLater),
        (Fault.MAINTENANCE, TryLater),
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
    responses.post(
        "https://m.example/webservice/rest/server.php",
        json=page([]) | {"timestamps": []},
        headers={"Date": date},
    )
    source = script.source(url="https://m.example")
    route = ReportRoute(source.client, FixedNow())
    (only_page,) = route._pages(1, FixedNow().now())
    assert only_page.bookmark == bookmark
