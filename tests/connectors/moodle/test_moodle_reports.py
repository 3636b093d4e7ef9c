"""What a report may hold: every odd row, column, language and zone has one clear outcome."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug import Request

from bridge.demo.moodle import Fault, StandInMoodle
from bridge.demo.moodle.tables import Course, User
from bridge.domain.errors import BadAnswer, Damaged, NeedsAdministrator, TryLater
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


def test_one_page_is_asked_for_ahead_and_no_more(stand_in: Peer, moodle: StandInMoodle) -> None:
    pages = stand_in.source(page_size=100).pull(None)
    next(pages)
    next(pages)
    assert isinstance(pages, Generator)
    pages.close()
    assert moodle.calls(RETRIEVE) <= 3


def test_what_changed_lately_comes_in_four_calls_where_a_sweep_takes_pages(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    changed = items_of(stand_in.source(page_size=100).pull(NOW - timedelta(days=300)))
    assert len(changed) > 300
    assert moodle.calls() <= 4


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
