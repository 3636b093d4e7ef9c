"""Each fault of the stand-in Moodle does what it says, only when and where it was asked to."""

from __future__ import annotations

import json

import pytest
import requests

from bridge.demo.moodle import Fault, StandInMoodle
from tests.demo.conftest import Client

LIST, RETRIEVE = "core_reportbuilder_list_reports", "core_reportbuilder_retrieve_report"
ADD = "core_cohort_add_cohort_members"
SITE_INFO = "core_webservice_get_site_info"
NEW_MEMBER = {
    "members": [
        {
            "cohorttype": {"type": "idnumber", "value": "LLR-CORE-2026"},
            "usertype": {"type": "id", "value": 3},
        }
    ]
}


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        (Fault.MAINTENANCE, 503, {"Retry-After": "300"}),
        (Fault.WEB_SERVICES_OFF, 403, {"Content-Length": "0"}),
        (Fault.TOO_MANY_REQUESTS, 429, {"Retry-After": "1"}),
        (Fault.HTML_PAGE, 200, {}),
    ],
)
def test_pages_in_place_of_an_answer(
    moodle: StandInMoodle, ask: Client, fault: Fault, status: int, headers: dict[str, str]
) -> None:
    moodle.faults.add(fault)
    response = ask.post(SITE_INFO)
    assert response.status_code == status
    assert headers.items() <= response.headers.items()
    assert response.headers["Content-Type"].startswith("text/html")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


def test_the_database_down_is_json_with_html_inside(moodle: StandInMoodle, ask: Client) -> None:
    moodle.faults.add(Fault.DATABASE_DOWN)
    answer = ask(SITE_INFO)
    assert answer["errorcode"] == "dbconnectionfailed"
    assert answer["message"].startswith("<p>")


def test_an_expired_token_changes_its_tale(moodle: StandInMoodle, ask: Client) -> None:
    moodle.faults.add(Fault.TOKEN_EXPIRED)
    codes = [ask.error(SITE_INFO) for _ in range(3)]
    assert codes == ["accessexception", "invalidtoken", "invalidtoken"]


def test_a_fault_strikes_one_function_so_often_and_after_so_many(
    moodle: StandInMoodle, ask: Client
) -> None:
    moodle.faults.add(Fault.DATABASE_DOWN, function=LIST, times=1, skip=1)
    assert "userid" in ask(SITE_INFO)
    struck = ["errorcode" in ask(LIST) for _ in range(3)]
    assert struck == [False, True, False]
    moodle.faults.add(Fault.DATABASE_DOWN)
    moodle.faults.clear()
    assert "userid" in ask(SITE_INFO)


def test_a_slow_answer_is_late_for_a_client_that_will_not_wait(
    moodle: StandInMoodle, ask: Client
) -> None:
    moodle.faults.add(Fault.SLOW, value=0.5, times=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(f"{moodle.base_url}/webservice/rest/server.php", timeout=0.05)
    assert "userid" in ask(SITE_INFO)


def test_a_connection_cut_in_the_middle_of_a_page(moodle: StandInMoodle, ask: Client) -> None:
    moodle.faults.add(Fault.CUT_CONNECTION, times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask.post(RETRIEVE, {"reportid": 1, "perpage": 100})
    assert len(ask.rows()) == 840


def test_a_body_that_ends_early_without_a_sign(moodle: StandInMoodle, ask: Client) -> None:
    whole = ask.post(RETRIEVE, {"reportid": 1}).text
    moodle.faults.add(Fault.TRUNCATED_BODY)
    short = ask.post(RETRIEVE, {"reportid": 1}).text
    assert whole.startswith(short)
    with pytest.raises(json.JSONDecodeError):
        json.loads(short)


def test_a_lost_reply_comes_after_the_effect(moodle: StandInMoodle, ask: Client) -> None:
    moodle.faults.add(Fault.LOST_REPLY, function=ADD, times=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        ask.post(ADD, NEW_MEMBER)
    assert ask(ADD, **NEW_MEMBER)["warnings"][0]["warningcode"] == "3"
    assert len(ask("core_badges_get_user_badges", userid=3)["badges"]) == 1


def test_sudden_emptiness_has_no_error(moodle: StandInMoodle, ask: Client) -> None:
    ask(ADD, **NEW_MEMBER)
    moodle.faults.add(Fault.EMPTY_ANSWER)
    data = ask(RETRIEVE, reportid=1)["data"]
    assert (data["rows"], data["totalrowcount"]) == ([], 0)
    assert ask(LIST)["reports"] == []
    assert ask("core_enrol_get_enrolled_users", courseid=2) == []
    assert ask("core_badges_get_user_badges", userid=3)["badges"] == []
    assert ask("core_cohort_get_cohort_members", cohortids=[2])[0]["userids"] == []


def test_missing_reports(moodle: StandInMoodle, ask: Client) -> None:
    moodle.faults.add(Fault.REPORTS_MISSING)
    assert ask(LIST) == {"reports": [], "warnings": []}
    assert ask.error(RETRIEVE, reportid=1) == "invalidrecord"


def test_rearranged_columns_keep_their_headings(moodle: StandInMoodle, ask: Client) -> None:
    before = ask(RETRIEVE, reportid=1)["data"]
    moodle.faults.add(Fault.REARRANGED_COLUMNS)
    after = ask(RETRIEVE, reportid=1)["data"]
    assert after["headers"] == before["headers"][::-1]
    assert after["rows"][0]["columns"] == before["rows"][0]["columns"][::-1]


def test_a_missing_column_is_gone_from_headings_and_rows(
    moodle: StandInMoodle, ask: Client
) -> None:
    before = ask.rows()
    moodle.faults.add(Fault.MISSING_COLUMN, value="user:idnumber")
    assert [row | {"ID number": ""} for row in ask.rows()] == [
        row | {"ID number": ""} for row in before
    ]
    assert "ID number" not in ask.rows()[0]


def test_another_zone_and_language(moodle: StandInMoodle, ask: Client) -> None:
    before = ask.rows()[0]["Time completed"]
    moodle.faults.add(Fault.OTHER_ZONE, value="Asia/Tokyo", times=1)
    assert ask.rows()[0]["Time completed"] != before
    assert ask.rows()[0]["Time completed"] == before
    moodle.faults.add(Fault.OTHER_LANGUAGE)
    assert "Statut" in ask.rows()[0]


def test_duplicate_rows_are_identical_and_counted(moodle: StandInMoodle, ask: Client) -> None:
    before = ask.rows()
    moodle.faults.add(Fault.DUPLICATE_ROWS)
    assert ask.rows() == [row for row in before for _ in range(2)]
    assert ask(RETRIEVE, reportid=1)["data"]["totalrowcount"] == 1680
