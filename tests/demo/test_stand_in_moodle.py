"""The stand-in Moodle answers as a real one was seen to: protocol, reports, cohorts, badges."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import requests

from bridge.demo.moodle import StandInMoodle, seed
from bridge.demo.moodle.tables import Course
from tests.demo.conftest import NOW, Client

LIST, RETRIEVE = "core_reportbuilder_list_reports", "core_reportbuilder_retrieve_report"
SET, RESET = "core_reportbuilder_set_filters", "core_reportbuilder_filters_reset"
SITE_INFO = "core_webservice_get_site_info"
COURSE_STATUS = "core_completion_get_course_completion_status"
ADD, DELETE = "core_cohort_add_cohort_members", "core_cohort_delete_cohort_members"
GRADE = "core_competency_grade_competency"


def member(cohort: str, user: object, by: str = "id") -> dict[str, Any]:
    """One entry of `members` for core_cohort_add_cohort_members."""
    return {
        "cohorttype": {"type": "idnumber", "value": cohort},
        "usertype": {"type": by, "value": user},
    }


def badges_of(ask: Client, userid: int) -> list[str]:
    """The names of the badges that a user holds."""
    answer = ask("core_badges_get_user_badges", userid=userid)
    assert answer["warnings"] == []
    return [badge["name"] for badge in answer["badges"]]


# Protocol


def test_site_info_names_the_user_the_release_and_the_functions_on_offer(
    moodle: StandInMoodle, ask: Client
) -> None:
    info = ask(SITE_INFO)
    assert info["username"] == "svc-bridge"
    assert info["siteurl"] == moodle.base_url
    assert info["release"].startswith("4.4")
    assert {"name": RETRIEVE, "version": info["version"]} in info["functions"]
    moodle.site.services["competency_bridge"].functions.remove(GRADE)
    assert GRADE not in [one["name"] for one in ask(SITE_INFO)["functions"]]


def test_an_error_is_http_200_with_exception_code_and_message(ask: Client) -> None:
    assert ask("core_foo_bar") == {
        "exception": "dml_missing_record_exception",
        "errorcode": "invalidrecord",
        "message": "Can't find data record in database table external_functions.",
    }
    assert ask("core_course_delete_courses", courseids=[1]) == {
        "exception": "webservice_access_exception",
        "errorcode": "accessexception",
        "message": "Access control exception",
    }


@pytest.mark.parametrize(
    ("function", "params"),
    [
        (COURSE_STATUS, {"courseid": 2}),
        (COURSE_STATUS, {"courseid": "abc", "userid": 3}),
        (SITE_INFO, {"foo": 1}),
        (ADD, {"members": [{"cohorttype": {"type": "id"}}]}),
        ("", {}),
    ],
)
def test_missing_bad_and_unexpected_parameters_share_one_text(
    ask: Client, function: str, params: dict[str, Any]
) -> None:
    assert ask(function, **params) == {
        "exception": "invalid_parameter_exception",
        "errorcode": "invalidparameter",
        "message": "Invalid parameter value detected",
    }


def test_the_answer_is_xml_unless_json_is_asked_for(moodle: StandInMoodle, ask: Client) -> None:
    url = f"{moodle.base_url}/webservice/rest/server.php"
    form = {"wstoken": "nothing", "wsfunction": SITE_INFO}
    refused = requests.post(url, data=form, timeout=10)
    assert refused.headers["Content-Type"].startswith("application/xml")
    assert "<ERRORCODE>invalidtoken</ERRORCODE>" in refused.text
    granted = requests.post(url, data=form | {"wstoken": ask.token}, timeout=10)
    assert '<KEY name="username"><VALUE>svc-bridge</VALUE>' in granted.text


def test_tokens_are_refused_as_moodle_refuses_them(moodle: StandInMoodle, ask: Client) -> None:
    site = moodle.site
    token = site.tokens[ask.token]
    assert Client(moodle, "").error(SITE_INFO) == "invalidtoken"
    token.iprestriction = "10.0.0.0/8"
    assert ask.error(SITE_INFO) == "accessexception"
    token.iprestriction = "127.0.0.0/8"
    assert ask(SITE_INFO)["userid"] == token.userid
    user = site.users[token.userid]
    site.suspend(user.id)
    assert ask(SITE_INFO)["message"] == (
        "Refused web service access for suspended username: svc-bridge"
    )
    site.suspend(user.id, suspended=False)
    user.capabilities.remove("webservice/rest:use")
    assert ask.error(SITE_INFO) == "accessexception"
    user.capabilities.add("webservice/rest:use")
    site.services[token.service].allowed_users = set()
    assert ask.error(SITE_INFO) == "accessexception"
    site.services[token.service].allowed_users = None
    site.services[token.service].enabled = False
    assert ask.error(SITE_INFO) == "accessexception"


def test_an_expired_token_is_deleted_when_it_is_met(moodle: StandInMoodle, ask: Client) -> None:
    moodle.site.tokens[ask.token].validuntil = moodle.site.now - 1
    assert [ask.error(SITE_INFO), ask.error(SITE_INFO)] == ["accessexception", "invalidtoken"]


def test_requests_are_counted_and_kept_without_the_token(
    moodle: StandInMoodle, ask: Client
) -> None:
    ask(RETRIEVE, reportid=1, perpage=1)
    ask.error("core_foo_bar")
    assert (moodle.calls(), moodle.calls(RETRIEVE)) == (2, 1)
    assert moodle.requests[0].params == {"reportid": "1", "perpage": "1"}
    assert ask.token not in str(moodle.requests)
    moodle.forget()
    assert moodle.calls() == 0


def test_a_batch_stops_at_its_first_error(ask: Client) -> None:
    wanted = [{"courseid": 2, "userid": 9999}, {"courseid": 2, "userid": 3}]
    requests_ = [{"function": LIST}]
    requests_ += [{"function": COURSE_STATUS, "arguments": json.dumps(one)} for one in wanted]
    first, second = ask("tool_mobile_call_external_functions", requests=requests_)["responses"]
    assert json.loads(first["data"])["reports"][0]["name"] == "Bridge completions"
    assert second["error"] is True
    assert json.loads(second["exception"])["errorcode"] == "invaliduser"


# Reports


def test_a_page_of_the_completions_report(moodle: StandInMoodle, ask: Client) -> None:
    site = moodle.site
    site.completions.clear()
    site.complete(3, 6, NOW.replace(2023, 7, 13, 21, 18), grade=80)
    answer = ask(RETRIEVE, reportid=1, page=0, perpage=10)
    assert answer["details"]["source"] == "core_course\\reportbuilder\\datasource\\participants"
    assert answer["details"]["conditiondata"] == '{"completion:completed_operator":1}'
    assert answer["warnings"] == []
    data = answer["data"]
    assert data["totalrowcount"] == 1
    user = site.users[3]
    assert dict(zip(data["headers"], data["rows"][0]["columns"], strict=True)) == {
        "ID number": "ESR100001",
        "Email address": user.email,
        "Username": user.username,
        "Full name with link": f'<a href="{moodle.base_url}/user/profile.php?id=3">'
        f"{user.fullname}</a>",
        "Suspended": "No",
        "Course ID number": "LSCP-DA",
        "Course short name": "DA",
        "Course full name with link": f'<a href="{moodle.base_url}/course/view.php?id=6">'
        "Domestic Abuse: Recognise &amp; Respond</a>",
        "Category name": "Classroom and multi-agency",
        "Time completed": "Thursday, 13 July 2023, 9:18 PM",
        "Grade": "80.00",
        "Status": "Active",
    }


def test_pages_add_up_and_the_page_past_the_end_is_empty(ask: Client) -> None:
    pages = [ask(RETRIEVE, reportid=1, page=page, perpage=500)["data"] for page in (0, 1, 2)]
    assert [len(one["rows"]) for one in pages] == [500, 340, 0]
    assert {one["totalrowcount"] for one in pages} == {840}
    whole = ask(RETRIEVE, reportid=1, page=7, perpage=0)["data"]["rows"]
    assert whole == pages[0]["rows"] + pages[1]["rows"]


def test_a_range_filter_holds_for_its_user_until_it_is_reset(
    moodle: StandInMoodle, ask: Client
) -> None:
    since = int((NOW - timedelta(days=30)).timestamp())
    recent = [one for one in moodle.site.completions.values() if (one.timecompleted or 0) >= since]
    values = {
        "completion:timecompleted_operator": 3,
        "completion:timecompleted_from": since,
        "completion:timecompleted_to": 0,
    }
    assert ask(SET, reportid=1, values=json.dumps(values)) is True
    assert 0 < len(ask.rows()) == len(recent) < 840
    assert ask(RESET, reportid=1) is True
    assert len(ask.rows()) == 840


@pytest.mark.parametrize("values", ["{oops", "[1]", '{"user:nonsense_operator": 3}'])
def test_a_filter_that_means_nothing_answers_true_and_gives_everything(
    ask: Client, values: str
) -> None:
    assert ask(SET, reportid=1, values=values) is True
    assert len(ask.rows()) == 840


def test_range_ends_are_in_the_range(moodle: StandInMoodle, ask: Client) -> None:
    moodle.site.completions.clear()
    moodle.site.complete(3, 2, NOW)
    moment = int(NOW.timestamp())
    found = []
    for start, end in ((moment, moment), (moment + 1, 0), (0, moment), (0, moment + 1)):
        values = {
            "completion:timecompleted_operator": 3,
            "completion:timecompleted_from": start,
            "completion:timecompleted_to": end,
        }
        ask(SET, reportid=1, values=json.dumps(values))
        found.append(len(ask.rows()))
    assert found == [1, 0, 0, 1]


def test_dates_follow_the_zone_and_language_of_the_service_user(
    moodle: StandInMoodle, ask: Client
) -> None:
    moodle.site.completions.clear()
    moodle.site.complete(3, 2, NOW.replace(2023, 7, 13, 23, 18))
    user = moodle.site.user("svc-bridge")
    user.timezone = "Europe/London"
    assert ask.rows()[0]["Time completed"] == "Friday, 14 July 2023, 12:18 AM"
    user.lang = "fr"
    row = ask.rows()[0]
    assert row["Date d'achèvement"] == "vendredi 14 juillet 2023, 00:18"
    assert row["Suspendu"] == "Non"


def test_who_is_in_the_report(moodle: StandInMoodle, ask: Client) -> None:
    site = moodle.site
    site.completions.clear()
    for userid in (3, 4, 5, 6):
        site.complete(userid, 2, NOW)
    site.complete(7, 2, None)
    site.enrol(3, 2, "self")
    site.suspend(4)
    site.unenrol(5, 2)
    site.delete_user(6)
    rows = ask.rows()
    assert [(row["ID number"], row["Suspended"]) for row in rows] == [
        ("ESR100001", "No"),
        ("ESR100001", "No"),
        ("ESR100002", "Yes"),
    ]
    assert rows[0] == rows[1]
    site.reset_course(2)
    assert ask.rows() == []


def test_re_taking_never_moves_the_date(moodle: StandInMoodle, ask: Client) -> None:
    before = ask.rows()
    userid, courseid = next(iter(moodle.site.completions))
    moodle.site.complete(userid, courseid, NOW)
    assert ask.rows() == before


def test_reports_need_a_capability_and_an_audience(
    moodle: StandInMoodle, ask: Client, ask_nocap: Client
) -> None:
    assert ask_nocap(LIST) == {"reports": [], "warnings": []}
    assert ask_nocap.error(RETRIEVE, reportid=1) == "errorreportview"
    assert ask(RETRIEVE, reportid=99)["message"] == (
        "Can't find data record in database table reportbuilder_report."
    )
    moodle.site.user("svc-bridge").capabilities.remove("moodle/reportbuilder:view")
    assert ask.error(LIST) == ask.error(SET, reportid=1, values="{}") == "errorreportview"


# Users, courses and completion, one by one


def test_enrolled_users_by_page_and_field(moodle: StandInMoodle, ask: Client) -> None:
    everyone = ask("core_enrol_get_enrolled_users", courseid=2)
    assert {"id", "fullname", "email", "roles", "enrolledcourses"} <= set(everyone[0])
    options = {"userfields": "id,email", "limitfrom": "10", "limitnumber": "5", "sortby": "id"}
    page = ask(
        "core_enrol_get_enrolled_users",
        courseid=2,
        options=[{"name": name, "value": value} for name, value in options.items()],
    )
    assert (
        page == [{key: one[key] for key in ("id", "fullname", "email")} for one in everyone][10:15]
    )


def test_a_missing_capability_is_silence_or_an_error_as_in_moodle(
    moodle: StandInMoodle, ask: Client
) -> None:
    capabilities = moodle.site.user("svc-bridge").capabilities
    by_idnumber = {"field": "idnumber", "values": ["ESR100001"]}
    assert [one["id"] for one in ask("core_user_get_users_by_field", **by_idnumber)] == [3]
    assert ask("core_user_get_users_by_field", field="username", values=["admin"]) == []
    capabilities.remove("moodle/site:viewuseridentity")
    assert ask("core_user_get_users_by_field", **by_idnumber) == []
    assert "email" not in ask("core_enrol_get_enrolled_users", courseid=2)[0]
    capabilities.remove("moodle/user:viewdetails")
    assert ask("core_enrol_get_enrolled_users", courseid=2) == []
    assert ask("core_enrol_get_users_courses", userid=3) == []
    capabilities.remove("moodle/course:viewparticipants")
    assert "(View participants)" in ask("core_enrol_get_enrolled_users", courseid=2)["message"]
    capabilities.remove("moodle/course:view")
    assert ask.error("core_enrol_get_enrolled_users", courseid=2) == "errorcoursecontextnotvalid"
    assert ask.error(COURSE_STATUS, courseid=2, userid=3) == "requireloginerror"


def test_one_course_that_cannot_be_entered_fails_the_whole_list(
    moodle: StandInMoodle, ask: Client
) -> None:
    courses = ask("core_course_get_courses")
    assert len(courses) == 15
    assert all("idnumber" not in one for one in courses)
    capabilities = moodle.site.user("svc-bridge").capabilities
    capabilities.add("moodle/course:update")
    assert ask("core_course_get_courses")[1]["idnumber"] == "LSCP-S47"
    capabilities -= {"moodle/course:update", "moodle/course:viewhiddencourses"}
    assert "(course id:14)" in ask("core_course_get_courses")["message"]
    by_idnumber = {"field": "idnumber", "value": "LSCP-EXPLOIT-OLD"}
    assert ask("core_course_get_courses_by_field", **by_idnumber)["courses"] == []


def test_categories_are_listed_with_their_courses_counted(ask: Client) -> None:
    shown = ask("core_course_get_categories")
    assert [(one["name"], one["path"]) for one in shown] == [
        ("E-learning", "/1"),
        ("Classroom and multi-agency", "/2"),
    ]
    assert sum(one["coursecount"] for one in shown) == 14


def test_course_completion_has_dates_on_criteria_only(moodle: StandInMoodle, ask: Client) -> None:
    site = moodle.site
    site.completions.clear()
    for userid, dated in ((3, True), (4, False)):
        site.complete(userid, 2, NOW, criteria_dated=dated)
    site.enrol(5, 2)
    seen = {}
    for userid in (3, 4, 5):
        status = ask(COURSE_STATUS, courseid=2, userid=userid)["completionstatus"]
        dates = {one["timecompleted"] for one in status["completions"]}
        seen[userid] = (status["completed"], dates)
    moment = int(NOW.timestamp())
    assert seen == {3: (True, {moment}), 4: (True, {None}), 5: (False, {None})}
    (activity,) = ask("core_completion_get_activities_completion_status", courseid=2, userid=3)[
        "statuses"
    ]
    assert (activity["state"], activity["timecompleted"]) == (1, moment)


def test_course_completion_says_why_it_cannot_tell(moodle: StandInMoodle, ask: Client) -> None:
    site = moodle.site
    site.delete_user(9)
    site.unenrol(3, 2)
    site.add_course(Course(50, "NC", "No criteria", 1, has_criteria=False))
    site.add_course(Course(51, "OFF", "Completion off", 1, enablecompletion=False))
    for courseid in (50, 51):
        site.enrol(3, courseid)
    asked = ((2, 9), (2, 9999), (99, 3), (2, 3), (50, 3), (51, 3))
    assert [ask.error(COURSE_STATUS, courseid=one, userid=who) for one, who in asked] == [
        "userdeleted",
        "invaliduser",
        "invalidrecord",
        "usernotenroled",
        "nocriteriaset",
        "cannotviewreport",
    ]


# Cohorts, competencies and badges


def test_adding_to_a_cohort_issues_its_badge_at_once_to_suspended_users_too(
    moodle: StandInMoodle, ask: Client
) -> None:
    moodle.site.suspend(4)
    added = ask(ADD, members=[member("LLR-CORE-2026", 3), member("LLR-CORE-2026", 4)])
    assert added == {"warnings": []}
    assert badges_of(ask, 3) == badges_of(ask, 4) == ["LLR Core 2026"]
    assert badges_of(ask, 5) == []
    row = next(one for one in ask.rows(2) if one["ID number"] == "ESR100001")
    assert (row["Name"], row["Visible"]) == ("LLR Core 2026", "Yes")
    assert row["Date issued"] == "Monday, 23 November 2026, 12:00 PM"
    assert row["Expiry date"] == "Tuesday, 23 November 2027, 12:00 PM"


def test_adding_warns_of_what_it_could_not_do_and_does_the_rest(ask: Client) -> None:
    ask(ADD, members=[member("LLR-CORE-2026", 3)])
    answer = ask(
        ADD,
        members=[
            member("LLR-CORE-2026", 3),
            member("LLR-CORE-2026", "nobody", by="username"),
            member("NOPE", 3),
            member("LLR-CORE-2026", "ESR100002", by="idnumber"),
            member("LLR-CORE-2026", 4),
        ],
    )
    assert answer["warnings"] == [
        {
            "warningcode": "3",
            "message": "record already exists: cohort(idnumber=LLR-CORE-2026 id=3)",
        },
        {"warningcode": "2", "message": "user username=nobody not exists"},
        {"warningcode": "2", "message": "cohort idnumber=NOPE not exists"},
        {"warningcode": "1", "message": "invalid parameter: usertype=idnumber"},
    ]
    assert badges_of(ask, 4) == ["LLR Core 2026"]


def test_removal_never_revokes(moodle: StandInMoodle, ask: Client) -> None:
    cohort = ask("core_cohort_search_cohorts", query="CORE-2026", context={"contextid": 1})
    cohortid = cohort["cohorts"][0]["id"]
    ask(ADD, members=[member("LLR-CORE-2026", 3)])
    assert ask("core_cohort_get_cohort_members", cohortids=[cohortid]) == [
        {"cohortid": cohortid, "userids": [3]}
    ]
    gone = {"cohortid": cohortid, "userid": 3}
    assert ask(DELETE, members=[gone]) is None
    assert ask(DELETE, members=[gone]) is None
    assert ask("core_cohort_get_cohort_members", cohortids=[cohortid])[0]["userids"] == []
    assert badges_of(ask, 3) == ["LLR Core 2026"]


def test_an_expired_badge_is_never_issued_again(moodle: StandInMoodle, ask: Client) -> None:
    moments = [NOW]
    moodle.site.clock = lambda: moments[-1]
    ask(ADD, members=[member("LLR-CORE-2026", 3)])
    ask(DELETE, members=[{"cohortid": 3, "userid": 3}])
    moments.append(NOW + timedelta(days=400))
    assert ask(ADD, members=[member("LLR-CORE-2026", 3)]) == {"warnings": []}
    (badge,) = ask("core_badges_get_user_badges", userid=3)["badges"]
    assert badge["dateissued"] == int(NOW.timestamp())
    assert badge["dateexpire"] < moments[-1].timestamp()


def test_a_proficient_rating_issues_and_a_lower_one_takes_nothing_back(ask: Client) -> None:
    (competency,) = ask(
        "core_competency_list_competencies",
        filters=[{"column": "idnumber", "value": "LONDON-L1-2026"}],
    )
    which = {"userid": 3, "competencyid": competency["id"]}
    assert ask(GRADE, **which, grade=1)["gradename"] == "Not yet competent"
    assert badges_of(ask, 3) == []
    rated = ask(GRADE, **which, grade=2, note="https://bridge.example.org/evidence/1")
    assert (rated["grade"], rated["gradename"]) == (2, "Competent")
    assert rated["note"] == "https://bridge.example.org/evidence/1"
    assert badges_of(ask, 3) == ["London Level 1 2026"]
    ask(GRADE, **which, grade=1, note="Expired")
    summary = ask("tool_lp_data_for_user_competency_summary", **which)
    assert summary["usercompetency"]["proficiency"] is False
    assert [one["grade"] for one in summary["evidence"]] == [1, 2, 1]
    assert badges_of(ask, 3) == ["London Level 1 2026"]


def test_ratings_are_refused_as_moodle_refuses_them(moodle: StandInMoodle, ask: Client) -> None:
    asked = (
        ({"userid": 3, "competencyid": 1, "grade": 9}, "Error: Invalid rating"),
        ({"userid": 3, "competencyid": 99, "grade": 2}, "Error: 99 competency can not be found"),
        ({"userid": 9999, "competencyid": 1, "grade": 2}, "Error: Invalid user ID"),
    )
    for params, message in asked:
        assert ask(GRADE, **params) == {
            "exception": "core\\invalid_persistent_exception",
            "errorcode": "invalidpersistenterror",
            "message": message,
        }
    moodle.site.user("svc-bridge").capabilities.remove("moodle/competency:competencygrade")
    assert "(Set competency rating)" in ask(GRADE, userid=3, competencyid=1, grade=2)["message"]
    assert badges_of(ask, 3) == []


def test_an_empty_sort_breaks_the_list_of_frameworks(ask: Client) -> None:
    where = {"context": {"contextid": 1}}
    listed = ask("core_competency_list_competency_frameworks", **where)
    assert [one["idnumber"] for one in listed] == ["LONDON"]
    assert ask.error("core_competency_list_competency_frameworks", sort="", **where) == (
        "dmlreadexception"
    )


def test_cohorts_need_their_capabilities(
    moodle: StandInMoodle, ask: Client, ask_nocap: Client
) -> None:
    assert "(View site-wide cohorts)" in ask_nocap("core_cohort_get_cohorts")["message"]
    refused = ask_nocap(ADD, members=[member("LLR-CORE-2026", 3)])
    assert "(Add and remove cohort members)" in refused["message"]
    new = {
        "categorytype": {"type": "system", "value": ""},
        "name": "New holders",
        "idnumber": "NEW",
        "visible": 0,
    }
    # The bridge's own service has no business with it; an administrator's has.
    moodle.site.services["competency_bridge"].functions.add("core_cohort_create_cohorts")
    assert ask.error("core_cohort_create_cohorts", cohorts=[new]) == "nopermissions"
    moodle.site.user("svc-bridge").capabilities.add("moodle/cohort:manage")
    (made,) = ask("core_cohort_create_cohorts", cohorts=[new])
    assert (made["idnumber"], made["visible"]) == ("NEW", False)
    assert ask.error("core_cohort_create_cohorts", cohorts=[new]) == "invalidparameter"


def test_badge_details_are_zeroed_without_the_configure_capability(
    moodle: StandInMoodle, ask: Client
) -> None:
    ask(ADD, members=[member("LLR-CORE-2026", 3)])
    (shown,) = ask("core_badges_get_user_badges", userid=3)["badges"]
    assert (shown["status"], shown["visible"], shown["timecreated"]) == (0, 0, 0)
    moodle.site.user("svc-bridge").capabilities.add("moodle/badges:configuredetails")
    (shown,) = ask("core_badges_get_user_badges", userid=3)["badges"]
    assert (shown["status"], shown["visible"]) == (3, 1)
    assert ask.error("core_badges_get_user_badges", userid=9999) == "invaliduser"


def test_the_badge_report_has_a_row_for_a_badge_nobody_holds(ask: Client) -> None:
    rows = ask.rows(2)
    assert len(rows) == 9
    assert {(row["Username"], row["Date issued"]) for row in rows} == {("", "")}


# Pages


def test_the_profile_shows_the_badge_and_says_that_it_is_a_stand_in(
    moodle: StandInMoodle, ask: Client
) -> None:
    user = moodle.site.users[3]
    user.lastname = "<script>alert(1)</script>"
    ask(ADD, members=[member("LLR-CORE-2026", 3)])
    page = requests.get(f"{moodle.base_url}/user/profile.php?id=3", timeout=10)
    assert "stand-in Moodle" in page.text
    assert "LLR Core 2026" in page.text
    assert "Issued 23 November 2026, expires 23 November 2027." in page.text
    assert user.email in page.text
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    people = requests.get(moodle.base_url, timeout=10).text
    assert people.count('scope="row"') == 200


def test_a_badge_has_a_page_of_its_own(moodle: StandInMoodle, ask: Client) -> None:
    ask(ADD, members=[member("LLR-CORE-2026", 3)])
    (badge,) = ask("core_badges_get_user_badges", userid=3)["badges"]
    url = f"{moodle.base_url}/badges/badge.php"
    page = requests.get(url, params={"hash": badge["uniquehash"]}, timeout=10)
    assert "LLR Core 2026" in page.text
    assert moodle.site.users[3].fullname in page.text
    assert requests.get(badge["badgeurl"], timeout=10).headers["Content-Type"].startswith("image/")
    assert requests.get(url, params={"hash": "none"}, timeout=10).status_code == 404


def test_the_port_is_free_again_after_stopping() -> None:
    moodle = StandInMoodle(seed.demo_site(NOW))
    url = moodle.start()
    port = int(url.rsplit(":", 1)[1])
    moodle.stop()
    again = StandInMoodle(seed.demo_site(NOW))
    assert again.start(port) == url
    again.stop()
