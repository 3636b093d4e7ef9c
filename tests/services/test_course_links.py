"""A source's links of courses: read, kept, shown as suggestions, and never in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from ruamel.yaml import YAML

from bridge.domain.errors import NeedsAdministrator
from bridge.domain.lms_frameworks import CourseLink
from bridge.domain.mapping import CompetencyRef
from bridge.services import desk
from bridge.services.course_links import linked_courses, read_links
from bridge.services.ledger import ledger
from tests.support import Completion, World, ref


class Reader:
    """A source that links courses; a course it does not name refuses."""

    def __init__(self, links: Mapping[str, Sequence[CourseLink]]) -> None:
        self.links = links
        self.asked: list[str] = []

    def course_links(self, courses: Sequence[str]) -> Mapping[str, Sequence[CourseLink]]:
        self.asked = list(courses)
        return {course: self.links[course] for course in courses if course in self.links}


def kind_of(world: World) -> tuple[str, dict[str, str]]:
    """The kind of this world's courses, and their own numbers by ID number."""
    with world.ctx.store.reading() as uow:
        aliases = uow.intake.all_aliases()
    return aliases[0].facts.kind, {a.facts.idnumber or "": a.facts.value for a in aliases}


def a_link(course: str, number: int, idnumber: str, outcome: int = 1, of: str = "") -> CourseLink:
    return CourseLink(course, number, 100 + number, of, idnumber, f"Named {idnumber}", outcome)


def test_links_come_as_a_rule_to_copy_and_change_nothing_by_themselves(world: World) -> None:
    world.pull(Completion("u1", "C1"), Completion("u1", "NEW"))
    kind, numbers = kind_of(world)
    new = numbers["NEW"]
    reader = Reader(
        {
            new: [a_link(new, 1, "care-2026:2"), a_link(new, 2, "NHS-3", 3, "NHS"),
                  a_link(new, 3, "unknown")],
            numbers["C1"]: [a_link(numbers["C1"], 4, "care-2026:5")],
        }
    )  # fmt: skip
    before = ledger(world.ctx)
    table = {("NHS", "NHS-3"): CompetencyRef("care-2026", "4")}
    read = read_links(world.ctx, "moodle", reader, table, course_kind=kind)
    assert (read.asked, read.read, read.links) == (2, 2, 4)
    assert reader.asked[0] == new, "courses that no rule names come first"
    assert ledger(world.ctx) == before

    (item,) = desk.unmapped_page(world.ctx).items
    assert item.linked is not None
    assert item.linked.refs == (ref(2), ref(4))
    assert [one.idnumber for one in item.linked.strange] == ["unknown"]
    assert [one.idnumber for one in item.linked.loud] == ["NHS-3"]
    (rule,) = YAML(typ="safe").load("rules:\n" + item.linked.snippet)["rules"]
    assert rule["suggests"] == {"care-2026": [2, 4]}

    (first, second) = linked_courses(world.ctx, "moodle")
    assert first.missing == (ref(2), ref(4))
    assert second.mapped == (ref(1), ref(2))
    assert second.missing == (ref(5),)
    assert second.snippet == ""


def test_reading_again_replaces_and_silence_keeps(world: World) -> None:
    world.pull(Completion("u1", "A"), Completion("u1", "B"))
    kind, numbers = kind_of(world)
    a, b = numbers["A"], numbers["B"]
    read_links(
        world.ctx,
        "moodle",
        Reader({a: [a_link(a, 1, "care-2026:1")], b: [a_link(b, 2, "care-2026:2")]}),
        course_kind=kind,
    )
    read_links(world.ctx, "moodle", Reader({a: []}), course_kind=kind)
    assert [one.refs for one in linked_courses(world.ctx, "moodle")] == [(ref(2),)]


def test_a_source_that_refuses_altogether_changes_nothing(world: World) -> None:
    world.pull(Completion("u1", "A"))
    kind, numbers = kind_of(world)
    a = numbers["A"]
    read_links(world.ctx, "moodle", Reader({a: [a_link(a, 1, "care-2026:1")]}), course_kind=kind)

    class Refuses(Reader):
        def course_links(self, courses: Sequence[str]) -> Mapping[str, Sequence[CourseLink]]:
            raise NeedsAdministrator("no", peer="moodle")

    with pytest.raises(NeedsAdministrator):
        read_links(world.ctx, "moodle", Refuses({}), course_kind=kind)
    assert [one.refs for one in linked_courses(world.ctx, "moodle")] == [(ref(1),)]


def test_no_more_courses_are_asked_about_than_the_limit(world: World) -> None:
    world.pull(*(Completion("u1", f"N{n}") for n in range(5)))
    kind, _ = kind_of(world)
    reader = Reader({})
    read_links(world.ctx, "moodle", reader, course_kind=kind, limit=3)
    assert len(reader.asked) == 3
