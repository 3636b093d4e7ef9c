"""What programs can do with a token, what they cannot, and what they are told."""

from __future__ import annotations

from datetime import date

import pytest

from bridge.domain.permissions import Role
from bridge.services import tokens
from bridge.services.counts import recount
from tests.support import World
from tests.web.api.client import Office, Program, office

REF = {"edition": "care-2026", "code": "2"}


@pytest.fixture
def place(world: World) -> Office:
    """The usual people and things behind the API."""
    return office(world)


def test_a_token_is_asked_for_and_cookies_open_nothing(place: Office) -> None:
    answer = Program(place.pages).call("GET", "/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    browser = place.pages.browser(place.learner)
    assert browser.get("/account/").status_code == 200
    assert browser.get("/api/v1/me").status_code == 401
    wrong = Program(place.pages, "cb_" + "x" * 43).call("GET", "/me")
    assert wrong.status_code == 401
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]


def test_a_token_acts_with_its_persons_roles(place: Office) -> None:
    me = place.program(place.learner).get("/me")
    assert me["person"] == {"id": place.learner, "name": "u1"}
    assert me["roles"] == ["practitioner"]
    assert place.program(place.learner).call("GET", "/ledger").status_code == 403
    assert place.program(place.manager).get("/ledger")["items"][0]["adds_up"] is True


def test_an_ended_token_opens_nothing(place: Office) -> None:
    program = place.program(place.learner)
    (made,) = tokens.tokens(place.world.as_(place.learner))
    tokens.end_token(place.world.as_(place.learner), made.id)
    assert program.call("GET", "/me").status_code == 401


def test_a_read_only_token_reads(place: Office) -> None:
    program = place.program(place.learner, read_only=True)
    assert program.get("/evidence")["items"]
    answer = program.post(f"/evidence/{place.submitted}/recall")
    assert answer.status_code == 403
    assert "insufficient_scope" in answer.headers["WWW-Authenticate"]
    assert place.world.states(place.submitted)["1"] == "submitted"


def test_from_draft_to_verified(place: Office) -> None:
    learner, manager = place.program(place.learner), place.program(place.manager)
    (verifier,) = learner.get("/me/verifiers")["items"]
    draft = f"/evidence/{place.draft}"
    assert "Suggested by rule" in str(learner.get(f"{draft}/why"))
    sent = {"competencies": [REF], "reflection": "It changed my visits.",
            "verifier": verifier["person"]["id"]}  # fmt: skip
    assert learner.post(f"{draft}/submit", sent).status_code == 200
    assert learner.post(f"{draft}/recall").json == {"changed": 1}
    assert learner.post(f"{draft}/submit", sent).status_code == 200
    assert len(manager.get("/waiting")["items"]) == 2
    read = manager.get(f"{draft}/reflection")
    assert read["answers"]
    back = {"question": "Which visit?", "competencies": [REF], "reflection": read["id"]}
    assert manager.post(f"{draft}/send-back", back).json == {"changed": 1}
    assert learner.post(f"{draft}/submit", sent).status_code == 200
    verified = {"method": "discussion", "reflection": read["id"]}
    assert manager.post(f"{draft}/verify", verified).status_code == 409  # it came anew since
    verified["reflection"] = manager.get(f"{draft}/reflection")["id"]
    assert manager.post(f"{draft}/verify", verified).json == {"changed": 1}
    claims = learner.get(draft)["claims"]
    verified = next(c for c in claims if c["state"] == "verified")
    assert "current" in {c["stand"] for c in learner.get("/me/progress")["competencies"]}
    revoked = manager.post(f"/claims/{verified['id']}/revoke", {"reason": "Another person."})
    assert revoked.status_code == 200


def test_nobody_verifies_their_own(place: Office) -> None:
    learner = place.program(place.learner)
    body = {"method": "discussion", "reflection": 1}
    answer = learner.post(f"/evidence/{place.submitted}/verify", body)
    assert answer.status_code == 403


def test_what_may_not_be_seen_is_not_there(place: Office) -> None:
    stranger = place.program(place.stranger)
    for path in ("", "/why", "/reflection", "/draft"):
        answer = stranger.call("GET", f"/evidence/{place.draft}{path}")
        assert answer.status_code in (403, 404)
        assert "u1" not in answer.text
    assert stranger.call("GET", f"/evidence/{2**70}").status_code == 404


def test_a_former_verifier_finds_it_no_more(place: Office) -> None:
    manager = place.program(place.manager)
    for path in ("", "/why"):
        manager.get(f"/evidence/{place.submitted}{path}")
    place.world.post(place.learner, place.stranger, date(2020, 1, 1))
    for path in ("", "/why", "/reflection"):
        assert manager.call("GET", f"/evidence/{place.submitted}{path}").status_code == 404


def test_own_evidence_is_made_dismissed_and_reopened(place: Office) -> None:
    learner = place.program(place.learner)
    own = {"title": "Supervision", "learning_activity": "supervision",
           "occurred_on": "2026-06-01", "competencies": [REF],
           "reference": "HR file 3"}  # fmt: skip
    made = learner.post("/evidence", own)
    assert made.status_code == 201
    where = made.headers["Location"]
    assert made.json is not None
    assert where == made.json["url"] == f"http://localhost/api/v1/evidence/{made.json['id']}"
    assert learner.call("GET", where).json == made.json
    path = f"/evidence/{made.json['id']}"
    assert learner.post(f"{path}/dismiss", {"competencies": [REF]}).json == {"changed": 1}
    assert learner.post(f"{path}/reopen", {"competencies": [REF]}).json == {"changed": 1}
    late = learner.post("/evidence", own | {"occurred_on": "2027-06-01"})
    assert late.status_code == 409
    assert "future" in late.text


def test_typing_is_kept_and_never_overwritten_unseen(place: Office) -> None:
    learner = place.program(place.learner)
    path = f"/evidence/{place.draft}/draft"
    assert learner.get(path)["revision"] is None
    first = learner.call("PUT", path, {"reflection": "One"}).json
    place.world.clock.advance(minutes=1)
    assert first is not None
    second = {"reflection": "Two", "revision": first["revision"]}
    assert learner.call("PUT", path, second).status_code == 200
    place.world.clock.advance(minutes=1)
    for stale in (first["revision"], "no revision at all", None):
        answer = learner.call("PUT", path, {"reflection": "Three", "revision": stale})
        assert answer.status_code == 409
    assert learner.get(path)["reflection"] == "Two"


def test_every_fault_is_told_with_its_place(place: Office) -> None:
    learner = place.program(place.learner)
    answer = learner.post(
        f"/evidence/{place.draft}/submit",
        {"competencies": [{"edition": "care-2026"}], "reflection": 7, "verifyer": 3},
    )
    assert answer.status_code == 422
    assert answer.json is not None
    where = {fault["where"] for fault in answer.json["errors"]}
    assert where == {"/competencies/0/code", "/reflection", "/verifier", "/verifyer"}
    assert all(f["what"] and f["why"] and f["remedy"] for f in answer.json["errors"])
    assert answer.json["request"] == answer.headers["X-Request-ID"]
    whole = {"competencies": [REF], "reflection": "So.", "verifier": float(place.stranger)}
    assert learner.post(f"/evidence/{place.draft}/submit", whole).status_code in (403, 409)
    for query in ("limit=0", "limit=many", "limt=3", "limit=1&limit=2"):
        assert learner.call("GET", f"/evidence?{query}").status_code == 422


def test_wrong_methods_formats_and_sizes(place: Office) -> None:
    learner = place.program(place.learner)
    answer = learner.call("DELETE", "/me")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.content_type == "application/problem+json"
    assert learner.call("GET", "/nothing").content_type == "application/problem+json"
    client = place.pages.app.test_client()
    path = f"/api/v1/evidence/{place.draft}/submit"
    with_token = {"Authorization": f"Bearer {learner.token}"}
    form = client.post(path, data={"a": "b"}, headers=with_token)
    assert form.status_code == 415
    for body, status in ((b"{", 400), (b'"\xff"', 400), (b" " * 400_000, 413)):
        sent = client.post(path, data=body, headers=with_token, content_type="application/json")
        assert sent.status_code == status
        assert sent.content_type == "application/problem+json"


def test_pages_hold_each_item_once_whatever_comes_between(place: Office) -> None:
    learner = place.program(place.learner)

    def add(title: str, on: str = "2026-06-02") -> None:
        own = {"title": title, "learning_activity": "supervision", "occurred_on": on,
               "competencies": [REF]}  # fmt: skip
        assert learner.post("/evidence", own).status_code == 201

    for number in range(3):
        add(f"Talk {number}")
    page = learner.get("/evidence?limit=2")
    seen = [item["id"] for item in page["items"]]
    add("Newer than what was shown", "2026-06-14")
    while page["next"] is not None:
        page = learner.get(page["next"])
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
    assert len(seen) == len(set(seen)) == 5
    stolen = learner.get("/evidence?limit=2")["next"]
    assert place.program(place.manager).call("GET", stolen).status_code == 404
    assert learner.call("GET", stolen[:-1] + "A").status_code == 404


def test_the_training_team_maps_matches_and_publishes(place: Office) -> None:
    team = place.program(place.manager)
    assert team.get("/status")["sources"][0]["source"] == "moodle"
    assert team.get("/unmapped")["items"][0]["title"] == "Knots"
    (waiting,) = team.get("/unmatched")["items"]
    linked = team.post(
        f"/accounts/{waiting['account']}/link", {"person": place.stranger, "reason": "Badge seen."}
    )
    assert linked.status_code == 200
    assert team.get("/unmatched")["items"] == []
    assert len(place.program(place.stranger).get("/evidence")["items"]) == 1
    assert team.get("/quarantine")["items"][0]["code"] == "no-date"
    assert team.post("/mappings/check").json == {"publishable": True, "errors": [], "warnings": []}
    assert team.post("/mappings/impact").status_code == 200
    published = team.post("/mappings/publish", {"comment": "As before."})
    assert published.status_code == 200
    assert published.json is not None
    assert published.json["human_before"] == published.json["human_after"]


def test_an_organisations_training_team_changes_nothing_of_the_whole(place: Office) -> None:
    with place.world.store.begin() as uow:
        uow.people.organisation("wych", "Wych", "", None)
    place.pages.give(place.stranger, [Role.TRAINING_TEAM], "wych")
    narrowed = place.program(place.stranger)
    assert narrowed.post("/mappings/publish", {"comment": "Mine."}).status_code in (403, 409)


def test_badges_are_listed_and_reconciled(place: Office) -> None:
    admin = place.program(place.manager)
    assert admin.get("/badges?only=held")["items"] == []
    assert admin.post("/targets/moodle/reconcile").json["target"] == "moodle"  # type: ignore[index]
    assert admin.post("/targets/nowhere/reconcile").status_code == 404


def test_counts_have_no_small_numbers_and_no_names(place: Office) -> None:
    recount(place.world.ctx, everybody=True)
    program = place.program(place.manager)
    found = program.get("/counts/competencies")
    assert "u1" not in str(found["lines"])
    assert all(line["standings"]["people"] is None for line in found["lines"])
    assert program.call("GET", "/counts/competencies?kind=nothing").status_code == 404
    for path in ("organisations", "groups", "kinds"):
        program.get(f"/counts/{path}?edition=care-2026&code=1")
        assert program.call("GET", f"/counts/{path}?edition=care-2026").status_code == 422
        gone = program.call("GET", f"/counts/{path}?edition=care-2026&code=none")
        assert gone.status_code == 404


def test_a_manager_sees_where_the_team_stands(place: Office) -> None:
    team = place.program(place.manager).get("/team")
    assert [m["person"]["name"] for m in team["members"]] == ["u1"]
    assert place.program(place.learner).call("GET", "/team").status_code == 403


def test_frameworks_are_there_for_whoever_is_signed_in(place: Office) -> None:
    learner = place.program(place.learner)
    assert [e["id"] for e in learner.get("/frameworks")["items"]] == ["care-2026"]
    assert len(learner.get("/frameworks/care-2026")["competencies"]) == 6
    assert learner.call("GET", "/frameworks/none").status_code == 404


def test_too_many_calls_wait(place: Office) -> None:
    place.pages.app.config["API_A_MINUTE"] = 3
    learner = place.program(place.learner)
    # The minute may turn in between, so one more than twice as many.
    answers = [learner.call("GET", "/me") for _ in range(7)]
    slow = [a for a in answers if a.status_code == 429]
    assert slow
    assert int(slow[0].headers["Retry-After"]) >= 1
    assert place.program(place.manager).call("GET", "/me").status_code == 200


def test_wrong_tokens_are_counted(place: Office) -> None:
    wrong = Program(place.pages, "cb_" + "y" * 43)
    assert {wrong.call("GET", "/me").status_code for _ in range(102)} == {401, 429}


def test_acts_by_a_token_are_in_the_trail_as_such(place: Office) -> None:
    place.program(place.learner).post(f"/evidence/{place.submitted}/recall")
    with place.world.store.reading() as uow:
        entry = next(e for e in uow.trail.latest(50) if e.act == "recall")
    assert entry.channel == "api"
    assert entry.actor == f"person:{place.learner}"
