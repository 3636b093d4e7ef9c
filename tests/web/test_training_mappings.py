"""Mappings on the desk: faults by their place, the impact in numbers, published for a reason."""

from __future__ import annotations

import re

import pytest

from bridge.domain.permissions import Role
from bridge.domain.problems import BadFile, Problem, Severity
from bridge.services.mappings import SiteSources
from tests.support import BADGE, EDITION, MAPPING, Completion, mapping_file, rule
from tests.web.site import Browser, WebWorld

WRONG = Problem("There is no source 'moodel'", "Only moodle is known", "Write moodle",
                "mappings/a.yaml", 7, 12)  # fmt: skip
DOUBTFUL = Problem("Two rules match", "They are alike", "Remove one", "mappings/a.yaml", 3, 1,
                   severity=Severity.WARNING)  # fmt: skip


@pytest.fixture
def team(pages: WebWorld) -> Browser:
    """A browser of the whole partnership's training team."""
    person = pages.world.person("team")
    pages.give(person, [Role.TRAINING_TEAM])
    return pages.browser(person)


def with_another_rule() -> SiteSources:
    """The files after somebody added a rule for NEW-1."""
    rules = (*MAPPING, rule("new", "NEW-1", 4))
    return SiteSources((EDITION,), (mapping_file(rules),), (BADGE,))


def test_check_names_every_fault_by_file_line_and_column(pages: WebWorld, team: Browser) -> None:
    assert "in order" in team.post("/training/mappings/check").text
    pages.problems = (WRONG, DOUBTFUL)
    page = team.post("/training/mappings/check").text
    assert "1 error to mend" in page
    assert "mappings/a.yaml:7:12" in page
    assert "mappings/a.yaml:3:1" in page
    assert "Write moodle." in page


def test_files_with_errors_are_not_published(pages: WebWorld, team: Browser) -> None:
    def broken() -> SiteSources:
        raise BadFile([WRONG])

    pages.files = broken
    before = pages.world.dump()
    for path, values in (("impact", {}), ("publish", {"comment": "try"})):
        answer = team.post(f"/training/mappings/{path}", values)
        assert answer.status_code == 422
        assert "mappings/a.yaml:7:12" in answer.text
    after = pages.world.dump()
    assert after["mapping_versions"] == before["mapping_versions"]


def test_the_impact_is_shown_in_numbers_and_examples_and_changes_nothing(
    pages: WebWorld, team: Browser
) -> None:
    world = pages.world
    person = world.person("u1")
    world.pull(Completion("u1", "NEW-1", title="Fire safety"))
    assert "what is in force already" in team.post("/training/mappings/impact").text
    pages.files = with_another_rule
    page = team.post("/training/mappings/impact").text
    assert "<strong>1</strong> suggestions added" in page
    assert "<strong>1</strong> people concerned" in page
    assert "Fire safety (moodle)" in page
    assert world.items_of(person) == []


def test_publishing_takes_a_comment_and_is_kept_in_the_history(
    pages: WebWorld, team: Browser
) -> None:
    world = pages.world
    person = world.person("u1")
    world.pull(Completion("u1", "NEW-1", title="Fire safety"))
    pages.files = with_another_rule
    without = team.post("/training/mappings/publish", {"comment": " "})
    assert without.status_code == 422
    assert "what changes, and why" in without.text
    assert world.items_of(person) == []
    done = team.post("/training/mappings/publish", {"comment": "Fire <added>"})
    assert done.status_code == 302
    page = team.get("/training/mappings").text
    assert "1 suggestions added" in page
    assert "Fire &lt;added&gt;" in page
    assert len(world.items_of(person)) == 1
    shown = re.search(r'href="(/training/mappings/versions/\d+)"', page)
    assert shown is not None
    assert team.get(shown[1]).status_code == 200
    assert team.get("/training/mappings/versions/98765").status_code == 404
    again = team.post("/training/mappings/publish", {"comment": "Again"})
    assert again.status_code == 302
    assert "Nothing was published" in team.get("/training/mappings").text
