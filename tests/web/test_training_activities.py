"""The training team's pages of activities and of accounts in doubt, and what a draft shows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.permissions import Role
from bridge.services import activities
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
