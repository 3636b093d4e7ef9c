"""The shipped frameworks: complete, word for word, and unchanged once published.

The digests were taken when each text was compared with its source; a changed letter changes them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bridge.catalog.frameworks import LoadedFrameworks, load_editions
from bridge.catalog.yamlfile import load_schema, read_yaml
from bridge.domain.frameworks import (
    AssessedBy,
    Delivery,
    Edition,
    Intervals,
    Relation,
    edition_hash,
)
from bridge.domain.mapping import CompetencyRef

SHIPPED = Path(__file__).parents[2] / "frameworks"


@pytest.fixture(scope="module")
def shipped() -> LoadedFrameworks:
    return load_editions(SHIPPED)


@pytest.fixture(scope="module")
def llr(shipped: LoadedFrameworks) -> Edition:
    return shipped.edition("llr-2020")


@pytest.fixture(scope="module")
def london(shipped: LoadedFrameworks) -> Edition:
    return shipped.edition("london-2024")


def digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def test_the_shipped_files_have_no_problems(shipped: LoadedFrameworks) -> None:
    assert shipped.problems == ()
    assert [edition.id for edition in shipped.editions] == ["llr-2020", "london-2024"]


def test_llr_has_the_texts_of_the_source(llr: Edition) -> None:
    assert [c.code for c in llr.competencies] == [str(n) for n in range(1, 35)]
    assert digest([c.text for c in llr.competencies]) == "beedbdb5e2766d1e"
    assert digest([s for c in llr.competencies for s in c.suggested_evidence]) == "c3f6b6383b798bce"
    assert llr.competency("8").text == "Understand what to do if your referral is not accepted."
    assert llr.competency("4").suggested_evidence == (
        "Demonstrated through daily documents in the work place, such as case files, logs, "
        "handover diaries.",
        "Written evidence if a referral has been made to a safeguarding lead, manager or another "
        "agency.",
    )
    assert sum(len(c.suggested_evidence) for c in llr.competencies) == 62


def test_llr_says_where_its_appendix_differs_and_the_tables_prevail(llr: Edition) -> None:
    flagged = {c.code: c.flags[0].kind for c in llr.competencies if c.flags}
    assert flagged == {
        "1": "number-missing",
        "10": "wording-differs",
        "21": "punctuation-differs",
        "22": "punctuation-differs",
        "27": "punctuation-differs",
    }
    ten = llr.competency("10")
    assert ten.text.endswith("(such as the LSCP(B))")
    assert ten.flags[0].text == ten.text.replace("LSCP(B)", "LSCB")


def test_llr_target_groups_overlap_as_in_the_source(llr: Edition) -> None:
    def numbers(*spans: tuple[int, int]) -> tuple[str, ...]:
        return tuple(str(n) for first, last in spans for n in range(first, last + 1))

    assert {group.key: group.codes for group in llr.groups} == {
        "core": numbers((1, 10)),
        "frontline": numbers((11, 12)),
        "dsl-advisers": numbers((11, 18)),
        "managers": numbers((17, 23)),
        "specialist-frontline": numbers((11, 11), (24, 29)),
        "strategic-leads": numbers((30, 34)),
    }
    assert [group.key for group in llr.groups if group.everyone] == ["core"]
    assert (
        "Childminders and other standalone practitioners" in llr.group("dsl-advisers").description
    )
    assert digest([group.description for group in llr.groups]) == "1c24ea75f6fc4ec6"


def test_llr_lists_and_intervals(llr: Edition) -> None:
    assert len(llr.core_values) == 2
    assert digest(list(llr.core_values)) == "80dfc77d121b775a"
    assert len(llr.learning_activities) == 11
    assert digest([activity.text for activity in llr.learning_activities]) == "5575e98f89c5c95b"
    assert [a.key for a in llr.learning_activities if a.asks_use] == ["e-learning"]
    assert [a.key for a in llr.learning_activities if a.background_only] == [
        "previous-qualification"
    ]
    by = [method.by for method in llr.assessment_methods]
    assert [by.count(who) for who in AssessedBy] == [9, 2, 1]
    assert digest([method.text for method in llr.assessment_methods]) == "1c23de6c61ef2884"
    assert [m.key for m in llr.assessment_methods if not m.sufficient_alone] == [
        "e-learning-assessment"
    ]
    assert llr.intervals == Intervals(12, 12, 36, 36)
    assert [exemption.key for exemption in llr.exemptions] == ["kcsie", "intercollegiate"]


def test_llr_quotes_the_sentences_that_rules_rest_on(llr: Edition) -> None:
    quoted = {statement.key: statement.text for statement in llr.statements}
    assert "does not automatically mean" in quoted["attending-is-not-competence"]
    assert digest([statement.text for statement in llr.statements]) == "d3f06c825da63f31"
    intervals = read_yaml(SHIPPED / "llr-2020.yaml").data["intervals"]
    assert digest([s for each in intervals.values() for s in each["says"]]) == "104b8a92e4236070"


def test_london_has_every_statement_of_the_source(london: Edition) -> None:
    assert [len(level.codes) for level in london.levels] == [6, 6, 7, 3, 5]
    assert london.level("3").codes == tuple(f"L3.{n}" for n in range(1, 8))
    assert digest([c.text for c in london.competencies]) == "6d0b6adf8b1872a6"
    audiences = [text for level in london.levels for text in (level.heading, *level.audience)]
    assert digest(audiences) == "d9a01758be555f1e"
    assert london.competency("L3.4").text == "Taking emergency action;"
    assert london.competency("L3.4").display == "Taking emergency action"


def test_london_keeps_broken_source_text_and_says_so(london: Edition) -> None:
    broken = [c for c in london.competencies if any(f.kind == "broken-source" for f in c.flags)]
    assert [c.code for c in broken] == ["L2.2"]
    assert "(: Own safeguarding roles" in broken[0].text


def test_london_says_how_each_level_may_be_trained(london: Edition) -> None:
    e_learning, single, multi = Delivery
    assert [set(level.delivery) for level in london.levels] == [
        {e_learning, single, multi},
        {single, multi},
        {multi},
        {single, multi},
        {single, multi},
    ]


def test_london_borrows_what_its_source_does_not_say(llr: Edition, london: Edition) -> None:
    assert london.learning_activities == llr.learning_activities
    assert london.assessment_methods == llr.assessment_methods
    assert london.intervals == llr.intervals


def test_the_reflective_questions_are_those_of_the_source(shipped: LoadedFrameworks) -> None:
    (qif,) = shipped.questions
    assert len(qif.questions) == 7
    assert digest([*qif.guidance, *(q.text for q in qif.questions)]) == "5683666f1a9c9ab9"
    assert qif.questions[4].text == (
        "Is the evidence collated; varied, meaningful and personal to the individual?"
    )
    assert qif.dating_note == (
        "Remember to date your evidence to allow you to revisit and review relevance."
    )
    assert len(qif.resources) == 5


def test_the_crosswalk_is_a_proposal_that_forgets_nothing(
    shipped: LoadedFrameworks, llr: Edition, london: Edition
) -> None:
    (crosswalk,) = shipped.crosswalks
    assert not crosswalk.adopted
    named = {ref for line in crosswalk.lines for ref in (line.first, line.second)}
    everything = {
        CompetencyRef(edition.id, competency.code)
        for edition in (llr, london)
        for competency in edition.competencies
    }
    assert named | set(crosswalk.without_counterpart) == everything
    assert all(line.because.endswith(".") for line in crosswalk.lines)
    assert [
        (line.first.code, line.second.code)
        for line in crosswalk.lines
        if line.relation is Relation.EXACT
    ] == [("14", "L3.2")]


def test_published_editions_stay_what_they_are(llr: Edition, london: Edition) -> None:
    """A changed hash means a changed meaning: that takes a new edition, not a new file."""
    assert edition_hash(llr) == "3b7a1b6f200bbf19354202daab9ba6771c9328b802b1dfb6edc10f886a1dcd0d"
    assert (
        edition_hash(london) == "122e869e8347810117f086d99d214a9c7a08a9728182ac115ae69b25a88111d0"
    )


@pytest.mark.parametrize("name", ["framework", "crosswalk", "questions"])
def test_the_schemas_are_published_and_explain_every_key(name: str) -> None:
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://competency-bridge.example/schemas/{name}.schema.json"
    assert schema["title"]
    assert schema["description"].endswith(".")
    for key, about in schema["properties"].items():
        target = about.get("$ref", "").rpartition("/")[2]
        described = {**schema["$defs"].get(target, {}), **about}
        assert described["description"].endswith("."), key
