"""The training team's pages of activities and of accounts in doubt, and what a draft shows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.errors import Refused
from bridge.domain.permissions import Role
from bridge.services import accounts, activities, people
from tests.services.booked import ONE, Booked, Seat, drafts, event_rule
from tests.support import NOW, Completion
from tests.web.site import Browser, WebWorld


@pytest.fixture
def team(pages: WebWorld) -> Browser:
    """A browser of the whole partnership's training team."""
    person = pages.world.person("team")
    pages.give(person, [Role.TRAINING_TEAM])
    return pages.browser(person)


def test_activities_are_found_joined_and_parted(pages: WebWorld, team: Browser) -> None:
    world = pages.world
    booked = Booked(world, replace(ONE, one_activity=False))
    learner = world.person("u1")
    booked.pull(Seat(day=-9))
    world.pull(Completion(course="C9", title="<b>Course</b> one"))
    assert len(drafts(world, learner)) == 2
    assert "No two activities are joined yet" in team.get("/training/activities?only=joined").text
    assert "Event E1" in team.get("/training/activities").text
    found = team.get("/training/activities?q=course").text
    assert "<b>Course" not in found
    assert "Nothing has these words" in team.get("/training/activities?q=nowhere").text
    one, other = (activities.activities(world.ctx, w).items[0].id for w in ("course", "event"))
    wrong = team.post(f"/training/activities/{one}", {"other": str(one), "reason": "x"})
    assert wrong.status_code == 422
    assert "one activity already" in wrong.text
    assert "Give the number" in team.post(f"/training/activities/{one}", {}).text
    done = team.post(f"/training/activities/{one}", {"other": str(other), "reason": "Same day."})
    assert done.status_code == 302
    assert len(drafts(world, learner)) == 1
    page = team.get(done.headers["Location"]).text
    assert "Same day." in page
    undo = re.search(r'action="(/training/activities/joins/\d+/undo)"', page)
    assert undo is not None
    assert team.post(undo[1], {}).status_code == 302
    assert len(drafts(world, learner)) == 2
    assert team.get("/training/activities/987654").status_code == 404


def test_doubts_and_answers_are_settled_on_their_pages(pages: WebWorld, team: Browser) -> None:
    world = pages.world
    world.publish([event_rule(1)], "events")
    booked = Booked(world)
    world.person("Ann Smith", email="office@example.org")
    world.person("Bob Jones", email="bob@example.org")
    booked.pull(Seat("Ann Smith", email="office@example.org"))
    booked.pull(
        Seat("Ann Smith", email="office@example.org"),
        Seat("Bob Jones", email="office@example.org"),
    )
    queue = team.get("/training/unmatched").text
    assert "on several names (Ann Smith, Bob Jones)" in queue
    assert "known by the same email office@example.org" in queue
    assert "Only a hint" in queue
    settle = re.search(r'href="(/training/unmatched/\d+)"', queue)
    assert settle is not None
    assert "only a hint: the same name" in team.get(settle[1]).text
    doubts = team.get("/training/doubts").text
    action = re.search(r'action="(/training/doubts/\d+)"', doubts)
    assert action is not None
    assert team.post(action[1], {"do": "keep", "reason": " "}).status_code == 422
    assert team.post(action[1], {"do": "keep", "reason": "Hers."}).status_code == 302
    assert "✓ None" in team.get("/training/doubts").text
    assert team.post(f"{settle[1]}/nobody", {"reason": ""}).status_code == 302
    assert "Bob Jones" in team.get("/training/unmatched").text
    assert team.post(f"{settle[1]}/nobody", {"reason": "A visitor."}).status_code == 302
    assert "✓ None" in team.get("/training/unmatched").text
    answered = team.get("/training/answered").text
    assert "A visitor." in answered
    again = re.search(r'action="(/training/answered/\d+)"', answered)
    assert again is not None
    team.post(again[1], {})
    assert "Bob Jones" in team.get("/training/unmatched").text


def test_a_draft_and_its_verifier_see_what_the_booking_system_says(pages: WebWorld) -> None:
    world = pages.world
    booked = Booked(world, ONE)
    manager = world.person("manager")
    learner = world.person("u1", manager=manager)
    seat = Seat(session="Morning", sessions=2, minutes=95, evaluated=True)
    booked.pull(seat)
    world.pull(Completion(course="C9", when=NOW - timedelta(days=9)))
    (item,) = drafts(world, learner)
    path = f"/evidence/{item.evidence.id}"
    page = pages.browser(learner).get(path).text
    for words in ("session “Morning” of 2", "their word: “Came”", "95 minutes",
                  "evaluation handed in", "Moodle: “"):  # fmt: skip
        assert words in page
    world.submit(learner, item.evidence.id, manager, 1)
    assert "95 minutes" in pages.browser(manager).get(f"/verify/{item.evidence.id}").text


def test_numbers_and_characters_that_no_database_holds_are_refused(
    pages: WebWorld, team: Browser
) -> None:
    pages.world.pull(Completion("nobody"), Completion("someone", "C2"))
    huge = "9" * 30
    for path in ("activities/{}", "people/{}", "unmatched/{}"):
        assert team.get(f"/training/{path.format(huge)}").status_code == 404
    (one, other), account = (1, 2), "/training/unmatched/1"
    joined = {"other": huge, "reason": "I know."}
    assert team.post(f"/training/activities/{one}", joined).status_code == 422
    assert team.post(account, {"person": huge, "reason": "I know."}).status_code == 422
    assert team.post(f"/training/doubts/{huge}", {"do": "take"}).status_code == 404
    for path, form in (
        (f"/training/activities/{one}", {"other": str(other), "reason": "I\0know."}),
        ("/training/people/outside", {"name": "A", "email": "a@b.org\0", "organisation": "O"}),
    ):
        answer = team.post(path, form)
        assert (answer.status_code, "cannot be kept" in answer.text) == (422, True)
    person = pages.world.person("someone")
    with pytest.raises(Refused, match="at most 400"):
        accounts.keep(pages.world.ctx, _account_of(pages, person), "x" * 401)
    outside = {"name": "A", "email": "a@b.org\r\nBcc:c@d.org", "organisation": "O",
               "kind": "peer"}  # fmt: skip
    assert "name@example.org" in team.post("/training/people/outside", outside).text


def _account_of(pages: WebWorld, person: int) -> int:
    account: int = pages.world.scalar("SELECT id FROM accounts WHERE value = 'someone'")
    people.link(pages.world.ctx, account, person, "Asked her.")
    return account
