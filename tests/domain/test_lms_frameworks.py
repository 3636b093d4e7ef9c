"""What an LMS should hold of an edition, how that is compared, and which links are ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.catalog.frameworks import load_editions
from bridge.domain.frameworks import Edition, Level, TargetGroup
from bridge.domain.lms_frameworks import (
    NAME_LENGTH,
    CourseLink,
    LmsCompetency,
    LmsFramework,
    WantedFramework,
    competency_idnumber,
    match_link,
    plain_text,
    plan_framework,
    plan_links,
    wanted_framework,
)
from bridge.domain.mapping import CompetencyRef
from bridge.sitefolder import shipped
from tests.support import EDITION

SHIPPED = {edition.id: edition for edition in load_editions(Path(shipped("frameworks"))).editions}


def held(wanted: WantedFramework) -> tuple[LmsFramework, list[LmsCompetency]]:
    """An LMS that has all of it, exactly."""
    numbers = {item.idnumber: at for at, item in enumerate(wanted.items, 1)}
    return LmsFramework(7, wanted.idnumber, wanted.name, wanted.description, 2), [
        LmsCompetency(
            numbers[item.idnumber],
            item.idnumber,
            item.name,
            item.description,
            numbers.get(item.parent or "", 0),
        )
        for item in wanted.items
    ]


@pytest.mark.parametrize("edition", SHIPPED.values(), ids=SHIPPED.keys())
def test_every_competency_of_a_shipped_edition_has_a_place_whole_text_and_short_name(
    edition: Edition,
) -> None:
    wanted = wanted_framework(edition)
    by_idnumber = {item.idnumber: item for item in wanted.items}
    assert len(by_idnumber) == len(wanted.items)
    seen: set[str | None] = {None}
    for item in wanted.items:
        assert item.parent in seen, "a parent comes before what is below it"
        seen.add(item.idnumber)
        assert 0 < len(item.name) <= NAME_LENGTH
    for competency in edition.competencies:
        item = by_idnumber[competency_idnumber(CompetencyRef(edition.id, competency.code))]
        assert " ".join(competency.display.split()) in plain_text(item.description)


def test_levels_are_parents_and_overlapping_groups_are_said_in_words() -> None:
    london = {i.idnumber: i for i in wanted_framework(SHIPPED["london-2024"]).items}
    assert london["london-2024:L3.1"].parent == "london-2024:level:3"
    llr = {i.idnumber: i for i in wanted_framework(SHIPPED["llr-2020"]).items}
    assert llr["llr-2020:1"].parent == "llr-2020:group:core"
    assert llr["llr-2020:17"].parent is None
    assert "DSL or Professional Advisors, Managers and Supervisors" in plain_text(
        llr["llr-2020:17"].description
    )


def test_groups_that_stand_apart_are_all_parents() -> None:
    groups = (TargetGroup("a", "A", "", ("1", "2")), TargetGroup("b", "B", "", ("3",)))
    items = wanted_framework(replace(EDITION, levels=(), groups=groups)).items
    assert {i.idnumber: i.parent for i in items if i.parent} == {
        "care-2026:1": "care-2026:group:a",
        "care-2026:2": "care-2026:group:a",
        "care-2026:3": "care-2026:group:b",
    }


def test_what_is_there_is_in_step_and_markup_makes_no_difference() -> None:
    wanted = wanted_framework(SHIPPED["llr-2020"])
    framework, seen = held(wanted)
    seen = [replace(s, description=f'<div class="x">{s.description} </div>') for s in seen]
    assert plan_framework(wanted, framework, seen).in_step


def test_each_difference_is_told_as_what_it_is() -> None:
    wanted = wanted_framework(replace(EDITION, levels=(Level("1", "L", "", (), (), ("1", "2")),)))
    framework, seen = held(wanted)
    by_idnumber = {one.idnumber: one for one in seen}
    by_idnumber["care-2026:1"] = replace(by_idnumber["care-2026:1"], description="<p>Else</p>")
    by_idnumber["care-2026:2"] = replace(by_idnumber["care-2026:2"], parent=0)
    by_idnumber["care-2026:3"] = replace(by_idnumber["care-2026:3"], rule_outcome=2)
    del by_idnumber["care-2026:4"]
    stranger = LmsCompetency(99, "mine", "Mine", "")
    plan = plan_framework(
        wanted, replace(framework, name="Other"), [*by_idnumber.values(), stranger]
    )
    assert [has.idnumber for has, _ in plan.unlike] == ["care-2026:1"]
    assert [has.idnumber for has, _ in plan.moved] == ["care-2026:2"]
    assert [has.idnumber for has in plan.concluding] == ["care-2026:3"]
    assert [item.idnumber for item in plan.create] == ["care-2026:4"]
    assert plan.extra == (stranger,)
    assert plan.renamed
    assert not plan.in_step


def link(idnumber: str, framework: str = "", outcome: int = 1, course: str = "5") -> CourseLink:
    return CourseLink(course, 1, 2, framework, idnumber, "Its name", outcome)


def test_links_are_added_where_missing_and_complete_is_loud() -> None:
    ids = {f"care-2026:{n}": n for n in range(1, 5)}
    suggested = {
        "5": [CompetencyRef("care-2026", "1"), CompetencyRef("care-2026", "2")],
        "6": [CompetencyRef("care-2026", "6")],
        "7": [CompetencyRef("care-2026", "1")],
    }
    links = {
        "5": [link("care-2026:1", outcome=3), link("elsewhere", outcome=3), link("x", outcome=2)],
        "6": [],
    }
    plan = plan_links(suggested, links, ids)
    assert plan.add == (("5", CompetencyRef("care-2026", "2")),)
    assert [one.idnumber for one in plan.loud] == ["care-2026:1"]
    assert [one.idnumber for one in plan.others_loud] == ["elsewhere"]
    assert plan.waiting == (("6", CompetencyRef("care-2026", "6")),)


KNOWN = {"care-2026": {"1", "2", "L1.1"}}


@pytest.mark.parametrize(
    ("given_link", "expected"),
    [
        (link("care-2026:1"), "1"),
        (link("2", "care-2026"), "2"),
        (link("L1.1", "care-2026"), "L1.1"),
        (link("care-2026:9"), None),
        (link("care-2026:01"), None),
        (link("Care-2026:1"), None),
        (link("1", "care"), None),
        (link("1"), None),
        (link("", "care-2026"), None),
        (link("SG-2", "NHS"), "2"),
    ],
)
def test_a_link_is_ours_by_exact_numbers_or_by_the_table_alone(
    given_link: CourseLink, expected: str | None
) -> None:
    table = {("NHS", "SG-2"): CompetencyRef("care-2026", "2")}
    found = match_link(given_link, KNOWN, table)
    assert found == (CompetencyRef("care-2026", expected) if expected else None)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_makes_a_name_and_a_description_that_read_back(code: str, text: str) -> None:
    first = replace(EDITION.competencies[0], code=code or "x", text=text)
    edition = replace(EDITION, competencies=(first,), levels=(), groups=())
    wanted = wanted_framework(edition)
    (item,) = wanted.items
    assert len(item.name) <= NAME_LENGTH
    assert "<" not in item.name
    framework, seen = held(wanted)
    assert plan_framework(wanted, framework, seen).in_step
