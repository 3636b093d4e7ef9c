"""Editions: who must meet what, how long things count, and when two editions mean the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import NotFound
from bridge.domain.frameworks import (
    AssessedBy,
    AssessmentMethod,
    Competency,
    Crosswalk,
    CrosswalkLine,
    Delivery,
    Edition,
    Exemption,
    Flag,
    Intervals,
    LearningActivity,
    Level,
    Relation,
    SourceText,
    Statement,
    TargetGroup,
    edition_content,
    edition_from_content,
    edition_hash,
)
from bridge.domain.mapping import CompetencyRef

CODES = tuple(str(number) for number in range(1, 13))

EDITION = Edition(
    id="demo-1",
    framework="demo",
    edition="1",
    title="Demo",
    language="en-GB",
    source=SourceText("Demo", "Us", "May 2026"),
    competencies=tuple(
        Competency(code, f"Text {code}", ("A talk.",), "3" if code == "12" else None)
        for code in CODES
    ),
    groups=(
        TargetGroup("core", "Core", "All", CODES[:4], everyone=True),
        TargetGroup("front", "Front", "Those in front", CODES[4:8], intervals=Intervals(9, 12, 24)),
        TargetGroup("leads", "Leads", "Those who lead", CODES[6:], intervals=Intervals(12, 6, 36)),
    ),
    levels=(
        Level("3", "Level 3", "Level 3 Training", (Delivery.MULTI_AGENCY,), ("All",), ("12",)),
    ),
    core_values=("The child first.",),
    learning_activities=(LearningActivity("e-learning", "E-learning", asks_use=True),),
    assessment_methods=(AssessmentMethod("talk", "Talk", AssessedBy.MANAGER),),
    exemptions=(Exemption("other", "Another framework"),),
    statements=(Statement("why", "Because.", "Page 1", "A rule"),),
)


def test_everyone_meets_the_core() -> None:
    assert EDITION.required_codes([]) == ("1", "2", "3", "4")


def test_overlapping_groups_and_extras_ask_for_each_competency_once_in_order() -> None:
    assert EDITION.required_codes(["leads", "front"], ["12", "2"]) == CODES
    assert EDITION.required_codes(["front"], ["11"]) == (*CODES[:8], "11")


@given(
    st.sets(st.sampled_from(["core", "front", "leads"])),
    st.lists(st.sampled_from(CODES)),
)
def test_more_groups_and_extras_never_ask_for_less(groups: set[str], extras: list[str]) -> None:
    required = EDITION.required_codes(groups, extras)
    assert set(EDITION.required_codes([])) | set(extras) <= set(required)
    assert list(required) == sorted(set(required), key=CODES.index)
    for group in groups:
        assert set(EDITION.group(group).codes) <= set(required)


def test_unknown_groups_codes_and_levels_are_named_with_what_is_known() -> None:
    with pytest.raises(NotFound, match=r"'boss'. Its groups: core, front, leads"):
        EDITION.required_codes(["boss"])
    with pytest.raises(NotFound, match="no competency '99'"):
        EDITION.required_codes([], ["99"])
    with pytest.raises(NotFound, match=r"no level '4'. Its levels: 3"):
        EDITION.level("4")


def test_the_strictest_interval_of_a_persons_groups_holds() -> None:
    assert EDITION.intervals_for(["core"]) == EDITION.intervals
    assert EDITION.intervals_for(["front"]) == Intervals(9, 12, 24, 36)
    assert EDITION.intervals_for(["leads", "front", "core"]) == Intervals(9, 6, 24, 36)


def test_an_edition_survives_being_stored() -> None:
    assert edition_from_content(edition_content(EDITION)) == EDITION


def test_comments_do_not_change_what_an_edition_means() -> None:
    flagged = replace(EDITION.competencies[0], flags=(Flag("broken-source", "Odd"),))
    commented = replace(
        EDITION,
        title="Another title",
        source=SourceText("Demo", "Us", "May 2026", where="page 3"),
        notes=("A note",),
        statements=(),
        competencies=(flagged, *EDITION.competencies[1:]),
    )
    assert edition_hash(commented) == edition_hash(EDITION)


@pytest.mark.parametrize(
    "changed",
    [
        replace(EDITION, competencies=EDITION.competencies[::-1]),
        replace(EDITION, competencies=EDITION.competencies[:-1]),
        replace(
            EDITION,
            competencies=(Competency("1", "Text 1!", ("A talk.",)), *EDITION.competencies[1:]),
        ),
        replace(EDITION, groups=EDITION.groups[:2]),
        replace(EDITION, levels=()),
        replace(EDITION, core_values=("The child last.",)),
        replace(EDITION, intervals=Intervals(12, 12, 36, 24)),
        replace(EDITION, learning_activities=(LearningActivity("e-learning", "E-learning"),)),
        replace(
            EDITION,
            assessment_methods=(
                AssessmentMethod("talk", "Talk", AssessedBy.MANAGER, sufficient_alone=False),
            ),
        ),
        replace(EDITION, organisation="acme"),
    ],
)
def test_a_change_of_meaning_changes_the_hash(changed: Edition) -> None:
    assert edition_hash(changed) != edition_hash(EDITION)


def test_a_crosswalk_has_no_effect_before_it_is_adopted() -> None:
    one, other = CompetencyRef("a", "1"), CompetencyRef("b", "2")
    line = CrosswalkLine(one, Relation.BROADER, other, "It is part of it.")
    proposed = Crosswalk("x", "X", False, ("a", "b"), (line,), {})
    assert proposed.counterparts(one) == ()
    adopted = replace(proposed, adopted=True)
    assert adopted.counterparts(one) == ((Relation.BROADER, other),)
    assert adopted.counterparts(other) == ((Relation.NARROWER, one),)
