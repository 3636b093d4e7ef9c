"""What statements tell of learning: verbs, results, activities, what is around them, actors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from bridge.domain.records import (
    AttendanceState,
    LearningFact,
    NoRecord,
    Pulled,
    Status,
    Unreadable,
)
from bridge.domain.xapi import verbs
from bridge.domain.xapi.actors import identifier_of
from bridge.domain.xapi.content import content_key
from bridge.domain.xapi.durations import minutes_of
from bridge.domain.xapi.reader import Reader
from bridge.domain.xapi.reading import USUAL, ReadingRules, items_of, member_key, natural_key
from tests.domain.xapi.making import AGENT, REF, WHOLE, put

ADL, CMI5 = "http://adlnet.gov/expapi/verbs/", "https://w3id.org/xapi/adl/verbs/"
TLA = "https://w3id.org/xapi/tla/verbs/"
BARE = {k: v for k, v in WHOLE.items() if k in ("id", "actor", "verb", "object", "timestamp")}


_READERS: dict[int, tuple[ReadingRules, Reader]] = {}


def read(statement: dict[str, Any], rules: ReadingRules = USUAL) -> list[Pulled]:
    body = orjson.dumps(statement)
    items = items_of(statement, body, rules)
    # Whoever reads many says the same, of what it reads first and of what it remembers.
    _, reader = _READERS.setdefault(id(rules), (rules, Reader(rules)))
    for _ in range(2):
        assert reader.items_of(natural_key(statement), body, statement.get("stored")) == items
    return items


def fact(statement: dict[str, Any], rules: ReadingRules = USUAL) -> LearningFact:
    (item,) = read(statement, rules)
    assert isinstance(item.fact, LearningFact), item.fact
    return item.fact


def why_not(statement: dict[str, Any], rules: ReadingRules = USUAL) -> str:
    (item,) = read(statement, rules)
    assert isinstance(item.fact, NoRecord), item.fact
    return item.fact.code


def by(verb: str, **result: Any) -> dict[str, Any]:
    made = put("/verb", {"id": verb}, BARE)
    return put("/result", result, made) if result else made


@pytest.mark.parametrize(
    ("verb", "result", "status"),
    [
        (f"{ADL}completed", {}, Status.COMPLETED),
        (f"{ADL}completed", {"completion": True, "success": True}, Status.COMPLETED),
        (f"{ADL}completed", {"completion": True, "success": False}, Status.FAILED),
        (f"{ADL}passed", {"success": True}, Status.PASSED),
        (f"{ADL}passed", {"success": False}, Status.FAILED),
        (f"{ADL}mastered", {}, Status.PASSED),
        (f"{TLA}mastered", {}, Status.PASSED),
        (f"{TLA}achieved", {}, Status.COMPLETED),
        (f"{ADL}failed", {}, Status.FAILED),
        (f"{ADL}attended", {}, Status.ATTENDED),
        (f"{TLA}attended", {"completion": True}, Status.ATTENDED),
        (f"{ADL}attended", {"completion": False}, Status.PARTLY_ATTENDED),
        (f"{ADL}registered", {}, Status.BOOKED),
    ],
)
def test_a_verb_and_its_result_tell_a_status(
    verb: str, result: dict[str, Any], status: Status
) -> None:
    assert fact(by(verb, **result)).status is status


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (by(f"{ADL}answered", success=True, completion=True), "nothing-done"),
        (by(f"{ADL}completed", completion=False), "nothing-done"),
        (by("http://activitystrea.ms/schema/1.0/start"), "nothing-done"),
        (by(f"{TLA}forfeited"), "nothing-done"),
        (by(f"{CMI5}abandoned"), "nothing-done"),
        (by(f"{CMI5}waived", success=True), "waived"),
        (by(f"{CMI5}satisfied"), "satisfied-at-once"),
        (put("/object", REF, BARE), "about-a-statement"),
        (put("/object", {"objectType": "Agent", **AGENT}, BARE), "about-a-person"),
        (put("/object", {"objectType": "SubStatement", **BARE}, BARE), "sub-statement"),
        (
            put(
                "/object/definition/type", next(iter(verbs.COMPETENCY_TYPES)), by(f"{TLA}achieved")
            ),
            "about-a-competency",
        ),
        (put("/actor", {"objectType": "Group", **AGENT}, BARE), "group-without-members"),
    ],
)
def test_what_tells_of_no_learning_says_why(statement: dict[str, Any], code: str) -> None:
    assert why_not(statement) == code


def test_cmi5_says_satisfied_of_who_was_only_put_down() -> None:
    said = by(f"{CMI5}satisfied")
    shown = put("/context", {"extensions": {verbs.MOVE_ON: "CompletedAndPassed"}}, said)
    assert fact(shown).status is Status.COMPLETED
    nothing = put("/context", {"extensions": {verbs.MOVE_ON: "NotApplicable"}}, said)
    assert why_not(nothing, ReadingRules(satisfied=True)) == "satisfied-at-once"
    assert fact(said, ReadingRules(satisfied=True)).status is Status.COMPLETED
    assert fact(by(f"{CMI5}satisfied", completion=True)).status is Status.COMPLETED


def test_further_verbs_are_told_apart_as_configured() -> None:
    rules = ReadingRules(verbs={"urn:done": Status.PASSED, f"{ADL}completed": None})
    assert fact(by("urn:done"), rules).status is Status.PASSED
    assert why_not(by(f"{ADL}completed"), rules) == "nothing-done"


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ({"scaled": 0.85}, 0.85),
        ({"scaled": -0.5}, 0.0),
        ({"raw": 7, "min": 5, "max": 10}, 0.4),
        ({"raw": 85}, None),
        # As Moodle's logstore sends it: "scaled" runs from -1 to 1.
        ({"raw": 75, "min": 0, "max": 100, "scaled": 0.5}, 0.75),
        ({"raw": 80, "min": 0, "max": 100, "scaled": 0.6000000000000001}, 0.8),
        ({"raw": 10, "min": 0, "max": 100, "scaled": -0.8}, 0.1),
        ({"raw": 75, "min": 0, "max": 100, "scaled": 0.7}, 0.7),
        ({"raw": 5, "min": -10, "max": 10, "scaled": 0.5}, 0.5),
        ({"raw": 85, "max": 100}, None),
        ({"raw": 0, "min": -1e308, "max": 1e308}, None),
        ({}, None),
    ],
)
def test_a_mark_is_a_fraction_or_nothing(score: dict[str, float], expected: float | None) -> None:
    assert fact(by(f"{ADL}completed", score=score)).score == expected


def test_a_duration_is_how_many_minutes_somebody_was_there() -> None:
    told = fact(by(f"{ADL}attended", duration="PT5H30M")).booking
    assert told is not None
    assert (told.state, told.said, told.minutes) == (
        AttendanceState.FULLY_ATTENDED,
        "attended",
        330,
    )
    alone = fact(by(f"{ADL}completed", duration="P1DT1M30S")).booking
    assert alone is not None
    assert (alone.state, alone.minutes) == (None, 1441.5)
    assert fact(by(f"{ADL}completed")).booking is None
    for text in ("P1M", "P1Y2M", "P99999999999D", "P1.5.5D"):
        assert minutes_of(text) is None
    assert minutes_of("P2W") == 20160


def test_a_failure_and_an_uncompleted_take_back() -> None:
    assert fact(by(f"{ADL}failed")).takes_back_days == 90
    assert fact(by(f"{ADL}completed")).takes_back_days == 0
    (item,) = read(by(next(iter(verbs.UNCOMPLETED))), ReadingRules(takes_back_days=7))
    assert isinstance(item.fact, NoRecord)
    assert (item.fact.code, item.fact.days) == ("uncompleted", 7)
    assert item.fact.account is not None
    (item,) = read(put("/object", REF, by(verbs.VOIDED)))
    assert item.fact == NoRecord("voiding", voids=str(REF["id"]))


# --- when ---------------------------------------------------------------------------------------
def test_it_happened_when_it_says_and_not_when_it_was_stored() -> None:
    late = put(
        "/stored", "2026-11-20T00:00:00Z", put("/timestamp", "2025-11-02T10:00:00+01:00", BARE)
    )
    assert fact(late).occurred_at == datetime(2025, 11, 2, 9, tzinfo=UTC)
    del late["timestamp"]
    assert fact(late).occurred_at == datetime(2026, 11, 20, tzinfo=UTC)
    del late["stored"]
    (item,) = read(late)
    assert isinstance(item.fact, Unreadable)
    assert item.fact.code == "no-date"


# --- what it is about ---------------------------------------------------------------------------
LMS = "https://w3id.org/learning-analytics/learning-management-system"


def _activity(number: int, kind: str, name: str, **extensions: Any) -> dict[str, Any]:
    return {
        "id": f"https://lms.example.org/{number}",
        "definition": {"type": kind, "name": {"en": name}, "extensions": extensions},
    }


QUIZ = _activity(
    1, "http://adlnet.gov/expapi/activities/assessment", "Final test",
    **{f"{LMS}/external-id": "QUIZ-1", f"{LMS}/short-id": 12},
)  # fmt: skip
SECTION = _activity(2, "http://id.tincanapi.com/activitytype/section", "Section 0")
COURSE = _activity(3, "https://w3id.org/xapi/cmi5/activitytype/course", "Safer recruitment")


def test_a_module_has_its_own_number_and_the_name_of_its_course() -> None:
    around = {"contextActivities": {"parent": [SECTION, COURSE]}}
    told = fact(put("/context", around, put("/object", QUIZ, BARE))).activity
    assert (told.kind, told.value, told.iri) == ("xapi-activity", QUIZ["id"], QUIZ["id"])
    assert (told.title, told.idnumber, told.shortname) == ("Final test", "QUIZ-1", "12")
    assert told.category == "Safer recruitment"


def test_an_attempt_is_at_what_it_is_an_attempt_at() -> None:
    attempt = _activity(9, "http://adlnet.gov/expapi/activities/attempt", "Attempt 46")
    around = {"contextActivities": {"parent": [QUIZ, SECTION, COURSE]}}
    told = fact(put("/context", around, put("/object", attempt, BARE))).activity
    assert (told.value, told.category) == (QUIZ["id"], "Safer recruitment")
    assert fact(put("/object", attempt, BARE)).activity.value == attempt["id"]


def test_cmi5_names_what_the_publisher_made_in_its_grouping() -> None:
    around = {
        "contextActivities": {
            "category": [{"id": verbs.CMI5}],
            "grouping": [{"id": "https://publisher.example/au/1"}, COURSE],
        }
    }
    told = fact(put("/context", around, put("/object", QUIZ, BARE))).activity
    assert (told.value, told.title) == ("https://publisher.example/au/1", "Final test")
    assert told.category == "Safer recruitment"


def test_names_without_end_and_nuls_are_no_trouble() -> None:
    long_ = "https://lms.example.org/" + "x" * 5000
    made = put("/object/id", long_, BARE)
    made = put("/object/definition/name", {"de": "Kurs\x00", "en-GB": "A\x00 course "}, made)
    told = fact(made).activity
    assert len(told.value) <= 300
    assert told.iri == long_
    assert told.title == "A course"
    other = fact(put("/object/id", long_ + "y", BARE)).activity
    assert other.value != told.value


# --- who ----------------------------------------------------------------------------------------
def test_members_of_a_group_are_told_one_by_one_in_an_order_of_our_own() -> None:
    members = [{"mbox": f"mailto:m{n}@example.org"} for n in (2, 1, 2)]
    items = read(put("/actor", {"objectType": "Group", "member": members}, BARE))
    assert [i.natural_key for i in items] == [member_key(BARE["id"], n) for n in (0, 1)]
    accounts = [i.fact.account.value for i in items if isinstance(i.fact, LearningFact)]
    assert accounts == ["mailto:m1@example.org", "mailto:m2@example.org"]
    crowd = [{"mbox": f"mailto:m{n}@example.org"} for n in range(501)]
    (item,) = read(put("/actor", {"objectType": "Group", "member": crowd}, BARE))
    assert isinstance(item.fact, Unreadable)
    assert "500" in item.fact.message


def test_accounts_are_the_same_however_their_system_is_written() -> None:
    def account(home: str, name: str) -> LearningFact:
        return fact(put("/actor", {"account": {"homePage": home, "name": name}}, BARE))

    one = account("https://LMS.example.org/", "42").account
    assert one.value == account("https://lms.example.org", "42").account.value
    assert one.value == "account:https://lms.example.org|42"
    assert one.value != account("https://lms.example.org/a", "42").account.value
    assert one.username == "42"
    assert len(account("https://x/", "n" * 900).account.value) <= 300


def test_an_authority_is_told_from_another() -> None:
    account = {"account": {"homePage": "https://LRS.example.org/", "name": "a"}}
    assert identifier_of(account) == "account:https://lrs.example.org|a"
    group = {"objectType": "Group", "member": [account, {"mbox": "mailto:A@b.org"}]}
    assert identifier_of(group) == "account:https://lrs.example.org|a+mbox:mailto:a@b.org"
    assert identifier_of({}) == identifier_of(None) == ""


def test_one_without_an_id_is_known_by_what_it_says() -> None:
    without = {k: v for k, v in WHOLE.items() if k != "id"}
    (item,) = read(without)
    assert item.natural_key == content_key(WHOLE)
    assert content_key({**without, "stored": "2030-01-01T00:00:00Z", "version": "1.0.0"}) == (
        content_key(WHOLE)
    )
    assert content_key(put("/result/success", False)) != content_key(WHOLE)
    (item,) = read({**without, "id": str(WHOLE["id"]).upper()})
    assert item.natural_key == WHOLE["id"]


def test_no_identifier_passes_for_one_of_another_kind() -> None:
    actors: list[dict[str, Any]] = [
        {"mbox": "mailto:ana@example.org"},
        {"openid": "mailto:ana@example.org"},
        {"mbox_sha1sum": "ab" * 20},
        {"openid": f"sha1:{'ab' * 20}"},
        {"mbox": "mailto:x|ana@example.org"},
        {"account": {"homePage": "mailto:x", "name": "ana@example.org"}},
        {"openid": "account:https://lms.example.org"},
    ]
    values = [fact(put("/actor", actor, BARE)).account.value for actor in actors]
    assert len(set(values)) == len(actors)
