"""What is made of an API's answer that nobody has described: proposed, or asked, never guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from bridge.answers import SiteAnswers, auth_of, is_answer
from bridge.catalog.rest_profiles import parse_rest_profile, rest_profile_text
from bridge.connectors.booking.rest.learning import learn_records
from bridge.domain.errors import BridgeError, NeedsAdministrator, Refused
from bridge.domain.problems import BadFile
from bridge.domain.proposals import Proposal
from bridge.domain.records import Status
from tests.connectors.booking.rest.conftest import SECRET, Api, facts, source

NAMES = ["Ana Reid", "Ben Cole", "Cara Doyle", "Dan Eve", "Eli Fox", "Fay Gray", "Gus Hill",
         "Hal Iles", "Ivy Jones", "Jo King", "Kit Lane", "Lou Moss"]  # fmt: skip
STATES = ["Attended", "DNA", "Left early"]
URL = "https://api.example.org/v1/bookings"


def mail(name: str) -> str:
    return f"{name.casefold().replace(' ', '.')}@n.example"


def nested(date: str = "2026-11-12T09:30:00Z") -> list[dict[str, Any]]:
    """Bookings as most APIs give them, with what is not asked for beside."""
    return [
        {"bookingRef": f"B{100 + n}", "createdAt": "2026-10-01T08:00:00Z",
         "delegate": {"fullName": name, "emailAddress": mail(name), "phone": "020 7946 0018"},
         "course": {"title": "Neglect: a day", "code": "LSCP-N"}, "courseDate": date,
         "attendance": STATES[n % 3]}
        for n, name in enumerate(NAMES)
    ]  # fmt: skip


def propose(answer: Any, **answers: str) -> Proposal:
    told = {key.replace("__", ":"): value for key, value in answers.items()}
    return learn_records(answer, name="api", shown="api.json", request={"url": URL}, answers=told)


SHAPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "link": ({"data": nested(), "links": {"next": f"{URL}?page=2", "prev": None}},
             {"kind": "link", "next": "links.next"}),
    "last page of links": ({"results": nested(), "next": None}, {"kind": "link", "next": "next"}),
    "odata": ({"value": nested(), "@odata.nextLink": f"{URL}?$skip=12"},
              {"kind": "link", "next": '"@odata.nextLink"'}),
    "pages": ({"items": nested(), "meta": {"page": 1, "last_page": 4}},
              {"kind": "page", "param": "page", "last": "meta.last_page"}),
    "continuation": ({"bookings": nested(), "pagination": {"continuation": "abc",
                                                           "has_more_items": True}},
                     {"kind": "token", "param": "continuation", "next": "pagination.continuation",
                      "more": "pagination.has_more_items"}),
    "cursor": ({"bookings": nested(), "next_cursor": "abc"},
               {"kind": "token", "param": "cursor", "next": "next_cursor"}),
    "few": (nested()[:4], {"kind": "none"}),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_records_fields_and_paging_are_found(shape: str) -> None:
    answer, paging = SHAPES[shape]
    proposal = propose(answer)
    assert proposal.settled, proposal.questions
    data = parse_rest_profile(rest_profile_text(proposal.profile), "api.yaml")
    assert data["request"]["paging"] == paging
    assert data["columns"] == {
        "event_title": "course.title", "event_code": "course.code", "event_date": "courseDate",
        "name": "delegate.fullName", "email": "delegate.emailAddress", "reference": "bookingRef",
        "status": "attendance",
    }  # fmt: skip
    assert {"createdAt", "delegate.phone"} <= set(proposal.ignored)
    assert proposal.rows[0].cells["person"] == "Ana Reid"
    assert proposal.rows[1].cells["status"] == "missed"


def test_what_could_be_two_things_is_asked_and_an_answer_settles_it() -> None:
    told = nested("03/04/2026")
    told[0]["attendance"] = "Frobnicated"
    proposal = propose({"data": told, "next": None})
    assert {q.id for q in proposal.questions} == {"dates", "word:Frobnicated"}
    settled = propose({"data": told, "next": None}, dates="day-first",
                      word__Frobnicated="fully_attended")  # fmt: skip
    assert settled.settled
    assert settled.profile["dates"] == "day-first"
    assert settled.profile["words"] == {"Frobnicated": "fully_attended"}


def test_whether_there_are_more_is_asked_where_nothing_says_so() -> None:
    (question,) = propose({"data": nested()}).questions
    assert question.id == "paging"
    assert propose({"data": nested()}, paging="none").settled


def test_the_address_is_asked_for_where_only_a_file_is_known() -> None:
    proposal = learn_records(nested()[:3], name="api", shown="api.json", request={}, answers={})
    assert [q.id for q in proposal.questions] == ["url"]
    told = learn_records(
        nested()[:3], name="api", shown="api.json", request={}, answers={"url": URL}
    )
    assert told.profile["request"]["url"] == URL


def test_one_name_on_several_records_of_an_order_is_asked_about() -> None:
    told = [{**one, "orderId": f"O{n // 2}"} for n, one in enumerate(nested()[:6])]
    assert propose(told).settled
    told[1]["delegate"] = told[0]["delegate"]
    (question,) = propose(told).questions
    assert (question.id, [c.value for c in question.choices]) == ("order", ["orderId", "-"])
    assert propose(told, order="orderId").profile["order"] == {"of": "orderId"}
    assert "order" not in propose(told, order="-").profile


def test_parts_with_odd_names_have_a_way_to_them() -> None:
    told = [
        {"Id": n, "Course Title": "S47", "Attendee Name": name, "Attendee Email": mail(name),
         "Start": {"utc": "2026-03-14T09:00:00Z", "local": "2026-03-14T09:00:00"},
         "Attendance Status": "Attended"}
        for n, name in enumerate(NAMES[:5])
    ]  # fmt: skip
    columns = propose(told).profile["columns"]
    assert columns["event_title"] == '"Course Title"'
    assert columns["event_date"] == "Start.utc"
    assert "Start.local" not in columns.values()


@pytest.mark.parametrize("answer", [{}, [], {"error": "no"}, {"data": []}, {"data": [1, 2]}, "x"])
def test_an_answer_without_records_is_an_error_with_a_remedy(answer: Any) -> None:
    with pytest.raises(BadFile, match="no list of records"):
        propose(answer)


def test_a_learned_profile_reads_the_api_it_was_learned_from(api: Api, tmp_path: Path) -> None:
    reader = SiteAnswers(tmp_path, url=api.url, auth=auth_of("bearer"), secret=SECRET)
    proposal = reader.propose(Path("api"), api.url, "events", {})
    assert proposal.settled, proposal.questions
    assert not reader.keeps("events")
    path = reader.save(proposal)
    assert reader.keeps("events")
    assert SECRET not in path.read_text(encoding="utf-8")
    told = facts(source(parse_rest_profile(path.read_text(encoding="utf-8"), "events.yaml")))
    assert [fact.status for fact in told] == [Status.ATTENDED] * 5
    with pytest.raises(BridgeError, match="already"):
        reader.save(proposal)
    assert len(api.asked) == 1 + 3


def test_an_open_question_keeps_a_profile_from_being_saved(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(nested()[:3]), encoding="utf-8")
    reader = SiteAnswers(tmp_path)
    with pytest.raises(Refused, match="address"):
        reader.save(reader.propose(path, "answer.json", "api", {}))
    path.write_text('[{"a": 1},\n {"b": ]', encoding="utf-8")
    with pytest.raises(BadFile, match=r"answer\.json:2"):
        reader.propose(path, "answer.json", "api", {})


def test_an_address_that_leads_on_is_not_followed(api: Api, tmp_path: Path) -> None:
    def elsewhere(_: Request) -> Response:
        return Response("", 302, {"Location": "https://elsewhere.example/"})

    api.answer = elsewhere
    reader = SiteAnswers(tmp_path, url=api.url, auth=auth_of("bearer"), secret=SECRET)
    with pytest.raises(NeedsAdministrator, match="elsewhere"):
        reader.propose(Path("api"), api.url, "events", {})
    with pytest.raises(BridgeError, match="in the clear"):
        SiteAnswers(tmp_path, url="http://api.example.org/x").propose(Path("x"), "x", "x", {})


def test_ways_to_come_in_are_read() -> None:
    assert auth_of("header:Authorization:Token ") == {
        "kind": "header", "name": "Authorization", "prefix": "Token ",
    }  # fmt: skip
    assert auth_of("basic:me") == {"kind": "basic", "user": "me"}
    for wrong in ("oauth", "bearer:abc", "header", "basic:"):
        with pytest.raises(BridgeError, match="no way to come in"):
            auth_of(wrong)
    assert [is_answer(t) for t in ("https://x/y", "a/b.JSON", "a.csv")] == [True, True, False]
