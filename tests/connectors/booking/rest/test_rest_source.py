"""Records by a REST profile: every way to page, and what goes wrong on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from werkzeug import Request, Response

from bridge.domain.errors import BadAnswer, Damaged, NeedsAdministrator, PeerError, TryLater
from bridge.domain.ports import Source
from bridge.domain.records import AttendanceState, LearningFact, Status, Unreadable
from tests.connectors.booking.rest.conftest import (
    NOW,
    SECRET,
    Api,
    facts,
    profile,
    record,
    source,
)

LINK = {"kind": "link", "next": "links.next"}
PAGINGS: list[dict[str, Any]] = [
    LINK,
    {"kind": "header"},
    {"kind": "page", "param": "page", "last": "paging.pages"},
    {"kind": "page", "param": "page", "size_param": "n", "size": 2},
    {"kind": "offset", "param": "offset"},
    {"kind": "offset", "param": "offset", "more": "paging.more"},
    {"kind": "token", "param": "token", "next": "paging.token"},
    {"kind": "token", "param": "token", "next": "paging.token", "more": "paging.more"},
]


@pytest.mark.parametrize("paging", PAGINGS, ids=lambda p: "-".join(map(str, p.values())))
def test_every_page_is_read_however_they_are_chained(api: Api, paging: dict[str, Any]) -> None:
    found: Source = source(profile(api, paging))
    pages = list(found.pull(None))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    told = [item.fact for page in pages for item in page.items]
    assert [f.account.email for f in told if isinstance(f, LearningFact)] == [
        f"p{n}@n.example" for n in range(1, 6)
    ]
    assert {f.status for f in told if isinstance(f, LearningFact)} == {Status.ATTENDED}
    assert pages[-1].bookmark is not None
    assert pages[-1].bookmark <= NOW


def test_one_page_may_be_all(api: Api) -> None:
    api.size = 100
    assert len(facts(source(profile(api, {"kind": "none"})))) == 5


@pytest.mark.parametrize(
    "auth",
    [
        {"kind": "bearer"},
        {"kind": "header", "name": "X-Api-Key", "prefix": "Key "},
        {"kind": "basic", "user": "bridge"},
    ],
)
def test_the_secret_travels_in_a_header_alone(api: Api, auth: dict[str, str]) -> None:
    found = source(profile(api, LINK, auth=auth))
    assert len(facts(found)) == 5
    assert not any(SECRET in request.url for request in api.asked)
    assert SECRET not in repr(found.settings)


def test_only_what_changed_is_asked_for(api: Api) -> None:
    api.records.append(record(6, changed="2026-11-22T09:00:00Z"))
    since = {"param": "since", "format": "iso"}
    told = facts(source(profile(api, LINK, changed_since=since)), NOW - timedelta(days=2))
    assert [fact.account.display_name for fact in told] == ["Person 6"]
    asked = {"epoch": "1763726400", "date": "2025-11-21", "%d/%m/%Y": "21/11/2025"}
    for how, written in asked.items():
        data = profile(api, LINK, changed_since={"param": "after", "format": how})
        list(source(data).pull(NOW - timedelta(days=367)))
        assert api.asked[-1].args.get("after", written) == written


@pytest.mark.parametrize(
    ("state", "starts", "status", "code"),
    [
        ("Attended", "2026-11-12", Status.ATTENDED, AttendanceState.FULLY_ATTENDED),
        ("Left early", "2026-11-12", Status.PARTLY_ATTENDED, AttendanceState.PARTIALLY_ATTENDED),
        ("DNA", "2026-11-12", Status.MISSED, AttendanceState.NO_SHOW),
        ("Booked", "2026-12-12", Status.BOOKED, AttendanceState.BOOKED),
        ("Booked", "2026-11-12", Status.UNKNOWN, None),
        ("Reserve", "2026-12-12", Status.WAITLISTED, AttendanceState.WAITLISTED),
        ("Apologies", "2026-11-12", Status.CANCELLED, AttendanceState.USER_CANCELLED),
        ("Zombie", "2026-11-12", Status.MISSED, AttendanceState.NO_SHOW),
    ],
)
def test_words_become_states_and_a_past_booking_is_unknown(
    api: Api, state: str, starts: str, status: Status, code: AttendanceState | None
) -> None:
    api.records = [record(1, state=state, event={"title": "S47", "starts": starts})]
    data = profile(api, LINK) | {"words": {"Zombie": "no_show"}}
    found = source(data)
    (page, _) = found.pull(None)
    (item,) = page.items
    assert isinstance(item.fact, LearningFact)
    assert item.fact.booking is not None
    assert (item.fact.status, item.fact.booking.state) == (status, code)
    assert item.fact.booking.said == state
    assert found.read(item.natural_key, item.body, page.envelope) == item


def test_an_unknown_word_is_held_with_its_reason_and_read_once_the_profile_knows_it(
    api: Api,
) -> None:
    api.records = [record(1, state="Frobnicated")]
    (page, _) = source(profile(api, LINK)).pull(None)
    (item,) = page.items
    assert isinstance(item.fact, Unreadable)
    assert "Frobnicated" in item.fact.message
    assert "record 1" in item.fact.message
    wiser = source(profile(api, LINK) | {"words": {"Frobnicated": "fully_attended"}})
    again = wiser.read(item.natural_key, item.body, page.envelope)
    assert isinstance(again.fact, LearningFact)
    assert again.natural_key == item.natural_key


def test_while_a_record_cannot_be_known_nothing_is_gone(api: Api) -> None:
    """Its key holds the date; read again once there is one, it is known by that."""
    data = profile(api, LINK) | {"key": ["event", "date", "person"]}
    before = [item for page in source(data).pull(None) for item in page.items]
    api.records[0] = record(1, event={"title": "S47", "starts": "the twelfth"})
    pages = list(source(data).pull(None))
    assert (pages[-1].whole, "nothing was taken to be gone" in pages[-1].note) == (False, True)
    assert list(source(data).pull(NOW - timedelta(days=400)))[-1].note == ""
    waits = pages[0].items[0]
    assert isinstance(waits.fact, Unreadable)
    body = waits.body.replace(b"the twelfth", b"2026-11-12")
    again = source(data).read(waits.natural_key, body, pages[0].envelope)
    assert isinstance(again.fact, LearningFact)
    assert again.natural_key != waits.natural_key
    assert len({item.natural_key for item in before}) == 5


def test_a_nul_in_a_text_stops_nothing(api: Api) -> None:
    api.records = [record(1, state="DN\0A"), record(2, state="Att\0ended")]
    told = facts(source(profile(api, LINK)))
    assert [fact.status for fact in told] == [Status.MISSED, Status.ATTENDED]


def test_a_corrected_record_is_the_same_record(api: Api) -> None:
    found = source(profile(api, LINK))
    (before, *_) = [item for page in found.pull(None) for item in page.items]
    api.records[0] = record(1, state="DNA")
    (after, *_) = [item for page in found.pull(None) for item in page.items]
    assert before.natural_key == after.natural_key
    assert before.body != after.body


def test_trainers_come_with_the_records(api: Api) -> None:
    data = profile(api, LINK)
    data["columns"] |= {"trainer": "event.trainer.name", "trainer_email": "event.trainer.email"}
    told = {"title": "S47", "starts": "2026-11-12",
            "trainer": {"name": "Tess Hart", "email": "tess@n.example"}}  # fmt: skip
    api.records = [record(1, event=told)]
    (page, _) = source(data).pull(None)
    (trainer,) = page.trainers
    assert trainer.account.email == "tess@n.example"
    assert trainer.activity.title == "S47"


def _answers(body: str, status: int = 200, **headers: str) -> Any:
    def answer(_: Request) -> Response:
        return Response(body, status, headers)

    return answer


@pytest.mark.parametrize(
    ("body", "status", "headers", "error", "words"),
    [
        ("", 302, {"Location": "https://elsewhere.example/"}, NeedsAdministrator, "elsewhere"),
        ('{"data": {"items": [{"id": 1}]}, "links": {"next": "https://elsewhere.example/2"}}', 200,
         {}, BadAnswer, "elsewhere"),
        ('{"data": {"items": [{"id": 1}]}, "links": {"next": "//127.0.0.1:1/2"}}', 200, {},
         BadAnswer, "leads away"),
        ('{"data": {"items": [{"id": 1}]}, "links": {"next": "?offset=0"}}', 200, {}, BadAnswer,
         "came twice"),
        ('{"items": []}', 200, {}, BadAnswer, "no list of records"),
        ('{"data": {"items": ["x"]}}', 200, {}, BadAnswer, "no list of records"),
        ("<html>Log in</html>", 200, {}, BadAnswer, "web page"),
        ('{"data": ', 200, {}, BadAnswer, "cut short"),
        ("", 429, {"Retry-After": "30"}, TryLater, "too many"),
        ("", 503, {}, TryLater, "maintenance"),
        ("", 401, {}, NeedsAdministrator, "not accepted"),
        ("", 404, {}, NeedsAdministrator, "nothing at"),
        ("", 400, {}, BadAnswer, "not understood"),
    ],
)  # fmt: skip
def test_troubles_are_told_apart(
    api: Api, body: str, status: int, headers: dict[str, str], error: type[PeerError], words: str
) -> None:
    api.answer = _answers(body, status, **headers)
    found = source(profile(api, LINK))
    with pytest.raises(error, match=words) as caught:
        list(found.pull(None))
    assert SECRET not in str(caught.value)
    (finding, *_) = found.doctor()
    assert finding.check == "reach"


def test_doctor_says_how_much_is_understood(api: Api) -> None:
    assert all(finding.ok for finding in source(profile(api, LINK)).doctor())
    api.records[0] = record(1, state="Frobnicated")
    (_, finding) = source(profile(api, LINK)).doctor()
    assert "1 of the first 2" in finding.message
    assert "Frobnicated" in finding.message


@pytest.mark.parametrize(
    ("url", "values", "words"),
    [
        ("http://api.example.org/x", {}, "in the clear"),
        ("https://{host}.example.org/x", {"host": "evil"}, "host"),
        ("https://api.example.org/{org}/x", {}, "values.org"),
        ("https://api.example.org/{org}/x", {"org": "../admin"}, "no address may hold"),
    ],
)
def test_addresses_that_could_lead_astray_are_refused(
    api: Api, url: str, values: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        source(profile(api, LINK, url=url), **values)


def test_what_is_not_ours_is_not_read(api: Api) -> None:
    with pytest.raises(Damaged):
        source(profile(api, LINK)).read("booking:1", b"{}", b'{"route":"pretix"}')


@pytest.mark.parametrize(
    "odd",
    [
        {"event": {"title": "x", "starts": "9999-12-31T23:59:00Z"}},
        {"event": {"title": "x", "starts": "0001-01-01T00:00:00+23:00"}},
        {"planned": "1e300"},
        {"planned": "9" * 400},
        {"planned": "inf"},
    ],
)
def test_a_record_that_nobody_can_reckon_with_waits_and_stops_no_other(
    api: Api, odd: dict[str, Any]
) -> None:
    api.records = [record(1, **odd), record(2)]
    told = profile(api, LINK)
    told["columns"] = {**told["columns"], "planned_minutes": "planned"}
    found = [item.fact for page in source(told).pull(None) for item in page.items]
    assert [type(fact) for fact in found] == [Unreadable, LearningFact]


def test_a_nul_in_a_text_goes_no_further(api: Api) -> None:
    api.records = [record(1, person={"name": "Di\0an", "email": "d@x.example"}, state="\0Attended")]
    (item,) = [item for page in source(profile(api, LINK)).pull(None) for item in page.items]
    assert isinstance(item.fact, LearningFact)
    assert item.fact.account.display_name == "Dian"
    assert b"\\u0000" not in item.body


def test_no_peer_is_waited_for_longer_than_a_day(api: Api) -> None:
    api.answer = lambda _: Response("{}", 429, headers={"Retry-After": "9" * 400})
    with pytest.raises(TryLater) as caught:
        list(source(profile(api, LINK)).pull(None))
    assert caught.value.retry_after == 86_400


@pytest.mark.parametrize("text", ["x", "\\u0000"])
def test_an_answer_that_is_nested_without_end_is_refused(api: Api, text: str) -> None:
    deep = f'{{"data": {{"items": [{{"id": {"[" * 900}"{text}"{"]" * 900}}}]}}}}'
    api.answer = lambda _: Response(deep, content_type="application/json")
    with pytest.raises(BadAnswer, match="nested deeper"):
        list(source(profile(api, LINK)).pull(None))
