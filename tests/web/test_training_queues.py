"""The training team's queues: unmapped with a rule to copy, unmatched, quarantine, the trail."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest
from ruamel.yaml import YAML

from bridge.domain.lms_frameworks import CourseLink
from bridge.domain.mapping import Matcher, Rule
from bridge.domain.model import Alias
from bridge.domain.permissions import Role
from bridge.domain.records import ActivityFacts
from bridge.services.snippets import rule_key, rule_snippet
from tests.support import EDITION, NOW, Completion, World
from tests.web.site import Browser, WebWorld


@pytest.fixture
def team(pages: WebWorld) -> Browser:
    """A browser of the whole partnership's training team."""
    person = pages.world.person("team")
    pages.give(person, [Role.TRAINING_TEAM])
    return pages.browser(person)


def test_an_unmapped_activity_shows_its_facts_and_a_rule_to_copy(
    pages: WebWorld, team: Browser
) -> None:
    pages.world.pull(
        Completion("u1", "NEW-1", title="Fire: <b>safety</b>"),
        Completion("u2", "NEW-1", title="Fire: <b>safety</b>"),
        Completion("u1", "NEW-2", title="Other"),
    )
    page = team.get("/training/unmapped").text
    assert "<b>safety" not in page
    assert page.index("2 people wait") < page.index("1 person waits")
    found = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    (rule,) = YAML(typ="safe").load("rules:\n" + html.unescape(found[0]))["rules"]
    assert rule["match"] == [{"source": "moodle", "idnumber": "NEW-1"}]
    assert rule["title"] == "Fire: <b>safety</b>"
    assert rule["rule"] == "fire-b-safety-b"
    assert rule["suggests"] == {"care": []}


def test_what_the_source_links_a_course_to_comes_with_a_rule_to_copy(
    pages: WebWorld, team: Browser
) -> None:
    world = pages.world
    world.pull(Completion("u1", "NEW-1", title="Fire"), Completion("u1", "NEW-2", title="Water"))
    assert "links this course" not in team.get("/training/unmapped").text
    links = [
        CourseLink("id-NEW-1", 1, 7, "care-2026", "care-2026:2", "Two", 3),
        CourseLink("id-NEW-1", 2, 8, "OTHER", "X", "Not <b>ours</b>", 1),
    ]
    with world.ctx.store.begin() as uow:
        uow.course_links.replace("moodle", "id-NEW-1", [(one, "") for one in links], NOW)
    page = team.get("/training/unmapped").text
    assert page.count("links this course to care-2026 2") == 1
    assert "without any person" in page
    assert "Not &lt;b&gt;ours" in page
    assert "<b>ours" not in page
    found = [html.unescape(one) for one in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)]
    rules = [YAML(typ="safe").load("rules:\n" + one)["rules"][0] for one in found]
    assert [rule["suggests"] for rule in rules if rule["suggests"] != {"care": []}] == [
        {"care-2026": [2]}
    ]


def test_a_rule_that_names_an_activity_elsewhere_is_shown_with_what_to_add(
    pages: WebWorld, team: Browser
) -> None:
    world = pages.world
    elsewhere = (Matcher(source="events", idnumber="NEW-1"), Matcher(kind="xapi", title="Fire"))
    world.publish([Rule("own", "fire", "Fire", elsewhere, ignore="No")], "own")
    world.pull(Completion("u1", "NEW-1", title="Fire"), Completion("u1", "NEW-2", title="Water"))
    page = team.get("/training/unmapped").text
    assert page.count("and for another source alone") == 1
    (added,) = re.findall(r'aria-label="One more way[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert YAML(typ="safe").load(html.unescape(added)) == [
        {"source": "moodle", "idnumber": "NEW-1"}
    ]
    assert "own/fire" in page


@pytest.mark.parametrize(
    "title",
    ["Plain", 'Quotes " and \\', "- dash: colon # hash", "{a}", "Ünïcödé 🚒", "tab\there",
     "line\nbreak", "\x85\u2028\x7f", "* star ?", "yes", "0047", "", "%", "'", "@at"],
)  # fmt: skip
def test_a_rule_to_copy_is_sound_yaml_whatever_the_source_calls_things(title: str) -> None:
    facts = ActivityFacts("course", "17", title=title or None, category=title or None)
    made = rule_snippet(Alias(1, 1, "moodle", "moodle", facts), [EDITION])
    (rule,) = YAML(typ="safe").load("rules:\n" + made)["rules"]
    assert rule["title"] == (title or "17")
    assert rule["match"][0] == {"source": "moodle", **({"title": title} if title else
                                                       {"course_id": "17"})}  # fmt: skip
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", rule["rule"])


def test_rule_keys_are_short_and_plain() -> None:
    assert rule_key("Section 47 – Enquiries!") == "section-47-enquiries"
    assert rule_key("日本語") == "new-rule"
    assert len(rule_key("x" * 300)) <= 60


def test_an_unmatched_account_shows_why_and_is_joined_with_a_reason(
    pages: WebWorld, team: Browser
) -> None:
    world = pages.world
    one = world.person("One Share", email="shared@example.org")
    other = world.person("Other Share", email="shared@example.org")
    world.pull(Completion("u1", "C1", email="shared@example.org"))
    page = team.get("/training/unmatched").text
    assert "Several people share" in page
    assert "One Share" in page
    assert "Other Share" in page
    path = re.search(r'href="(/training/unmatched/\d+)"', page)
    assert path is not None
    account = team.get(path[1]).text
    assert account.count("known by the same email shared@example.org") == 2
    assert "Third Wheel" not in account
    third = world.person("Third Wheel")
    assert "Third Wheel" in team.get(f"{path[1]}?q=third+wh").text
    without = team.post(path[1], {"person": str(third), "reason": " "})
    assert without.status_code == 422
    assert "Say how you know" in without.text
    done = team.post(path[1], {"person": str(one), "reason": "She told us."})
    assert done.status_code == 302
    assert "every account" in team.get("/training/unmatched").text.casefold()
    assert len(world.items_of(one)) == 1
    assert world.items_of(other) == []
    page = team.get(f"/training/people/{one}").text
    assert "joined by hand: She told us." in page
    unlink = re.search(r'action="(/training/people/\d+/accounts/\d+/unlink)"', page)
    assert unlink is not None
    assert team.post(unlink[1], {"reason": "A namesake."}).status_code == 302
    (item,) = world.items_of(one)
    assert set(world.states(item.evidence.id).values()) == {"withdrawn"}
    assert "taken off" in team.get(f"/training/people/{one}").text


def test_quarantine_is_shown_whole_and_read_again(pages: WebWorld, team: Browser) -> None:
    world = pages.world
    world.person("u1")
    world.pull(Completion("u1", "C1", when=None, title="<script>Lost</script>"))
    page = team.get("/training/quarantine").text
    assert "has no date." in page
    assert "<script>Lost" not in page
    path = re.search(r'href="(/training/quarantine/\d+)"', page)
    assert path is not None
    item = team.get(path[1]).text
    assert "&#34;user&#34;: &#34;u1&#34;" in item
    answer = team.post("/training/quarantine/moodle/replay")
    assert answer.status_code == 302
    assert "1 are still in quarantine" in team.get("/training/quarantine").text
    world.source.readable = True
    team.post("/training/quarantine/moodle/replay")
    assert "Nothing is in quarantine" in team.get("/training/quarantine").text
    assert team.get(path[1]).status_code == 404
    assert team.post("/training/quarantine/nowhere/replay").status_code == 404


def test_long_lists_come_in_pages(pages: WebWorld, team: Browser) -> None:
    world = pages.world
    world.pull(*(Completion(f"u{n}", f"NEW-{n}", title=f"Course {n}") for n in range(45)))
    seen: list[str] = []
    path: str | None = "/training/unmapped"
    while path:
        page = team.get(path).text
        seen += re.findall(r'<h2 id="activity-\d+">(Course \d+)</h2>', page)
        onward = re.search(r'href="([^"]*after=[^"]*)"[^>]*>Next page', page)
        path = html.unescape(onward[1]) if onward else None
    assert len(seen) == len(set(seen)) == 45


def test_the_trail_tells_who_did_what_and_comes_in_pages(pages: WebWorld, team: Browser) -> None:
    world = pages.world
    people = [world.person(f"p{n}") for n in range(60)]
    for person in people:
        pages.give(person, [Role.PARTNERSHIP])
    page = team.get("/training/trail").text
    assert page.count(">grant</td>") == 50
    onward = re.search(r'href="([^"]*before=[^"]*)"[^>]*>Next page', page)
    assert onward is not None
    assert team.get(html.unescape(onward[1])).text.count(">grant</td>") >= 10
    about = team.get(f"/training/trail?about=person:{people[7]}").text
    assert about.count(">grant</td>") == 1
    for odd in ("before=x", "before=99999999999999999999999", "about=%00", "before=-1"):
        assert team.get(f"/training/trail?{odd}").status_code == 200


def test_what_is_stuck_names_who_can_move_it(pages: WebWorld, team: Browser) -> None:
    world = pages.world
    manager = world.person("Slow Manager")
    learner = world.person("u1", manager=manager, post_from=date(2020, 1, 1))
    world.person("Nobodys Own")
    world.pull(Completion("u1", "C1"))
    (item,) = world.items_of(learner)
    world.submit(learner, item.evidence.id, manager)
    assert (
        "Slow Manager"
        not in team.get("/training/stuck").text.split("Posts without")[0].split("People without")[0]
    )
    world.clock.advance(days=29)
    again = pages.browser(_team_again(world, pages))
    page = again.get("/training/stuck").text
    assert "Slow Manager" in page.split("Contested")[0]
    assert "Nobodys Own" in page
    assert "What I learned changed my visits" not in page


def _team_again(world: World, pages: WebWorld) -> int:
    person = world.person("team two")
    pages.give(person, [Role.TRAINING_TEAM])
    return person
