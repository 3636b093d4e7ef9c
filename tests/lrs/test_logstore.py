"""Statements of the shape in which Moodle's logstore_xapi 5.0 sends them, with its own ways."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.counting import CountsWhen
from bridge.domain.lrs.senders import Scope
from bridge.domain.mapping import Matcher, Rule
from bridge.domain.records import Status
from tests.lrs.site import Client, Endpoint, new_id
from tests.support import ref

SITE = "https://lms.example.org"
INFO = "http://lrs.learninglocker.net/define/extensions/info"
LMS = {
    "objectType": "Activity",
    "id": SITE,
    "definition": {"type": "http://id.tincanapi.com/activitytype/lms", "name": {"en": "Lab"}},
}
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
UNCOMPLETED = "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/uncompleted"
QUIZ = f"{SITE}/mod/quiz/view.php?id=22"
QUIZ_RULE = Rule(
    "sent", "final-test", "Final test", (Matcher(activity=QUIZ),), suggests=(ref(1),),
    learning_activity="e-learning",
)  # fmt: skip


def activity(path: str, kind: str, name: str, **definition: Any) -> dict[str, Any]:
    about = {"type": kind, "name": {"en": name}, **definition}
    return {"objectType": "Activity", "id": f"{SITE}{path}", "definition": about}


COURSE = activity("/course/view.php?id=8", "https://w3id.org/xapi/cmi5/activitytype/course", "S47")
TEST = activity(
    "/mod/quiz/view.php?id=22", "http://adlnet.gov/expapi/activities/assessment", "Final test"
)


def sent(
    event: str, verb: str, about: dict[str, Any], *, parents: Any = (COURSE,), **more: Any
) -> dict[str, Any]:
    """A statement without id, of an event of Moodle."""
    return {
        "context": {
            "platform": "Moodle",
            "registration": "3fab1170-9696-5f91-a01e-0c24cebfbbca",
            "language": "en",
            "extensions": {
                INFO: {
                    "http://moodle.org": "4.4dev (Build: 20231124)",
                    "https://github.com/xAPI-vle/moodle-logstore_xapi": "5.0.1",
                    "event_name": event,
                    "event_function": "\\src\\transformer\\events",
                }
            },
            "contextActivities": {"parent": list(parents), "category": [LMS]},
        },
        "timestamp": "2026-06-10T09:00:00.000Z",
        "actor": {"name": "Ana", "mbox": "mailto:ana@example.org"},
        "verb": {"id": verb, "display": {"en": "Did"}},
        "object": about,
        **more,
    }


def attempt(raw: int, number: int = 2) -> dict[str, Any]:
    """A quiz attempt; the logstore's "scaled" runs from -1 to 1."""
    about = activity(
        f"/mod/quiz/attempt.php?attempt={number}&cmid=22",
        "http://adlnet.gov/expapi/activities/attempt", "Attempt",
    )  # fmt: skip
    score = {"raw": raw, "min": 0, "max": 100, "scaled": raw / 50 - 1}
    result = {"score": score, "completion": True, "success": raw >= 60, "duration": "PT120S"}
    event = "\\mod_quiz\\event\\attempt_submitted"
    return sent(event, COMPLETED, about, parents=(TEST, COURSE), result=result)


def answered(response: Any, **question: Any) -> dict[str, Any]:
    """A question of that attempt."""
    about = activity(
        "/question/question.php?cmid=22&id=3",
        "http://adlnet.gov/expapi/activities/cmi.interaction", "Question", **question,
    )  # fmt: skip
    event = "\\mod_quiz\\event\\attempt_submitted"
    verb = "http://adlnet.gov/expapi/verbs/answered"
    return sent(event, verb, about, result={"response": response, "completion": True})


UNANSWERED = answered(None, interactionType="numeric", correctResponsesPattern=["3"])
ALIKE = answered(
    "newt[.]amphibian",
    interactionType="matching",
    source=[{"id": each, "description": {"en": each}} for each in ("frog", "cat", "newt", "")],
    target=[{"id": each} for each in ("amphibian", "mammal", "amphibian", "insect")],
)


def plain(statement: dict[str, Any]) -> dict[str, Any]:
    """The same by another sender."""
    return {**statement, "context": {**statement["context"], "extensions": {}}}


@pytest.fixture
def logstore(shared: Endpoint) -> Client:
    """A credential of a source whose small errors are let through."""
    return shared.client(f"logstore-{new_id()[:8]}", scopes=(Scope.WRITE, Scope.READ_MINE))


@pytest.fixture
def ana(fresh: Endpoint) -> int:
    """Somebody whom statements name by her address."""
    return fresh.world.person("ana", manager=fresh.world.person("bea"))


# --- what is not right in small things -------------------------------------------------------
@pytest.mark.parametrize("flawed", [UNANSWERED, ALIKE], ids=["unanswered", "alike"])
def test_a_quiz_is_not_lost_for_a_question(
    client: Client, logstore: Client, flawed: dict[str, Any]
) -> None:
    ids = logstore.kept(attempt(75), flawed)
    kept = logstore.get("/statements", statementId=ids[1])
    assert kept.json["result"] == flawed["result"]
    # What another wrote is refused, and all of it where nobody said that it may come.
    for sender, statement in ((logstore, plain(flawed)), (client, flawed)):
        other = sender.post(attempt(75), statement)
        assert other.status_code == 400
        assert other.json["problems"][0]["pointer"].startswith("/1/")


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": {"response": 7}},
        {"result": {"response": None, "success": None}},
        {"result": {"score": {"scaled": 2}}},
        {"actor": {"name": "Nobody"}},
        {"object": {"id": "no iri"}},
        {"object": activity("/q", COMPLETED, "Q", interactionType="matching", target=[{"id": 1}])},
        {"context": {**ALIKE["context"], "instructor": "System"}},
    ],
)
def test_what_else_is_wrong_is_refused_of_the_logstore_too(
    logstore: Client, wrong: dict[str, Any]
) -> None:
    assert logstore.post({**UNANSWERED, **wrong}).status_code == 400


# --- a second try -----------------------------------------------------------------------------
def test_a_second_try_by_another_process_changes_nothing(logstore: Client) -> None:
    batch = [attempt(75), UNANSWERED]
    first = logstore.kept(*batch)
    again = json.loads(json.dumps(batch))
    for each in again:
        each["context"]["registration"] = "692dc98e-21c0-5ad4-8131-6462c253c16d"
    assert logstore.kept(*again) == first
    assert logstore.kept(attempt(75, number=3), *again)[1:] == first
    assert len(logstore.found(limit=20)) == 3
    # With another sender a registration is somebody's enrolment, and tells two apart.
    one, other = (plain(batch[0]), plain(again[0]))
    assert logstore.kept(one) != logstore.kept(other)


def test_the_registration_is_kept_as_it_came_first(client: Client) -> None:
    (key,) = client.kept(attempt(75))
    told = {**attempt(75), "id": key}
    told["context"] = {**told["context"], "registration": new_id()}
    assert client.post(told).status_code == 200
    assert client.one(key)["context"]["registration"] == attempt(75)["context"]["registration"]


# --- what is read of it -----------------------------------------------------------------------
@pytest.mark.parametrize(("raw", "drafts"), [(75, 1), (65, 0)])
def test_a_mark_is_what_the_learner_reached(
    fresh: Endpoint, ana: int, raw: int, drafts: int
) -> None:
    asked = CountsWhen(frozenset({Status.COMPLETED, Status.PASSED}), min_score=0.7)
    fresh.world.publish([replace(QUIZ_RULE, counts_when=asked)], "sent")
    fresh.client("logstore-one").kept(attempt(raw), UNANSWERED, ALIKE)
    assert fresh.drained().drafts == drafts
    assert len(fresh.world.items_of(ana)) == drafts


@pytest.mark.parametrize("backwards", [False, True])
def test_a_module_that_is_complete_when_looked_at_stays_complete(
    fresh: Endpoint, ana: int, backwards: bool
) -> None:
    fresh.world.publish([QUIZ_RULE], "sent")
    event = "\\core\\event\\course_module_completion_updated"
    done = sent(event, COMPLETED, TEST, result={"completion": True})
    client = fresh.client()
    for each in (done, sent(event, UNCOMPLETED, TEST))[:: 1 if backwards else -1]:
        client.kept(each)
        fresh.drained()
    assert len(fresh.world.items_of(ana)) == 1
    fresh.world.check_what_is_kept_up()


def test_completed_of_a_scorm_package_and_an_account_on_the_site_are_no_learning(
    fresh: Endpoint, ana: int
) -> None:
    # "completed" is also said of a score in the middle, and of a package that was failed.
    package = activity(
        "/mod/quiz/view.php?id=22",
        "https://xapi.edlm/profiles/edlm-lms/concepts/activity-types/scorm-content-object", "SCO",
    )  # fmt: skip
    fresh.world.publish([QUIZ_RULE], "sent")
    score, status = (f"\\mod_scorm\\event\\{each}_submitted" for each in ("scoreraw", "status"))
    fresh.client().kept(
        sent(score, COMPLETED, package, result={"score": {"raw": 30}}),
        sent(status, COMPLETED, package),
        sent("\\core\\event\\user_created", "http://adlnet.gov/expapi/verbs/registered", LMS),
    )
    assert fresh.drained().dispositions == {"not counting": 3}
    fresh.client().kept(sent(status, "http://adlnet.gov/expapi/verbs/passed", package))
    assert fresh.drained().drafts == 1
