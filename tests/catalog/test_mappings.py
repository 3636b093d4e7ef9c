"""Mapping files: what they become, and every slip with its line, its column and its cure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest
from jsonschema import Draft202012Validator

from bridge.catalog.frameworks import load_editions
from bridge.catalog.mappings import KnownNames, LoadedMappings, load_mappings
from bridge.catalog.yamlfile import load_schema
from bridge.domain.mapping import (
    CompetencyRef,
    CountsWhen,
    Matcher,
    rule_content,
    rule_from_content,
)
from bridge.domain.problems import Problem, Severity
from bridge.domain.records import Status

REPOSITORY = Path(__file__).resolve().parents[2]
EDITIONS = load_editions(REPOSITORY / "frameworks").editions
KNOWN = KnownNames(("moodle", "events"), ("moodle",), EDITIONS, ("moodle", "xapi"))

HEAD = "mapping: training\ntitle: Training\nrules:\n"
GOOD = """\
  - rule: neglect
    title: Neglect
    match: [{source: moodle, idnumber: LSCP-NEGLECT}]
    suggests: {llr-2020: [1, 2]}
"""


def load(folder: Path, known: KnownNames = KNOWN, **files: str) -> LoadedMappings:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(dedent(text), encoding="utf-8")
    return load_mappings(folder, known)


def places(loaded: LoadedMappings) -> list[tuple[int | None, int | None]]:
    return [(problem.line, problem.column) for problem in loaded.problems]


def only(loaded: LoadedMappings) -> Problem:
    (problem,) = loaded.problems
    return problem


def a_rule(*lines: str) -> str:
    """A file with one rule that holds these lines; the first of them is line 6."""
    return "\n".join([HEAD + "  - rule: one\n    title: One", *(f"    {x}" for x in lines), ""])


MATCH = "match: [{source: moodle, idnumber: S47}]"


def test_a_full_rule_becomes_what_it_says(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        training="""\
            mapping: training
            title: Training programme
            effective_from: 2026-04-01
            rules:
              - rule: s47-enquiries
                title: Section 47 Enquiries and Core Groups
                match:
                  - {source: moodle, course_id: 47}
                  - {source: events, title: "Section 47*"}
                  - {kind: xapi, activity: "https://lms.example/course/47"}
                counts_when: {status: [passed, attended], min_score: 0.7, min_attendance: 1}
                learning_activity: taught-course
                delivery: multi-agency
                level: london:3
                suggests:
                  llr-2020: [13, "14"]
                  london: [L3.1]
                verification: assessor
                assessed: true
                effective_until: 2027-03-31
            """,
    )
    assert loaded.problems == ()
    (file,) = loaded.files
    (rule,) = file.rules
    assert (file.name, file.title, file.effective_from) == (
        "training",
        "Training programme",
        date(2026, 4, 1),
    )
    assert file.source_bytes == (tmp_path / "training.yaml").read_bytes()
    assert rule.name == "training/s47-enquiries"
    assert rule.matchers == (
        Matcher(source="moodle", course_id="47"),
        Matcher(source="events", title="Section 47*"),
        Matcher(kind="xapi", activity="https://lms.example/course/47"),
    )
    assert rule.counts_when == CountsWhen(frozenset({Status.PASSED, Status.ATTENDED}), 0.7, 1)
    assert rule.suggests == (
        CompetencyRef("llr-2020", "13"),
        CompetencyRef("llr-2020", "14"),
        CompetencyRef("london-2024", "L3.1"),
    )
    assert (rule.learning_activity, rule.delivery, rule.level) == (
        "taught-course",
        "multi-agency",
        "london-2024:3",
    )
    assert (rule.verification, rule.assessed) == ("assessor", True)
    assert (rule.effective_from, rule.effective_until) == (date(2026, 4, 1), date(2027, 3, 31))


def test_a_short_rule_has_the_usual_values(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, training=HEAD + GOOD).rules
    assert rule.counts_when.statuses == {Status.COMPLETED, Status.PASSED}
    assert (rule.effective_from, rule.also, rule.assessed, rule.ignore) == (
        None,
        False,
        False,
        None,
    )


def test_a_rules_own_start_wins_over_that_of_the_file(tmp_path: Path) -> None:
    text = "effective_from: 2026-04-01\n" + HEAD + GOOD + "    effective_from: 2025-01-01\n"
    assert load(tmp_path, training=text).rules[0].effective_from == date(2025, 1, 1)


def test_the_shipped_mappings_are_in_order() -> None:
    loaded = load_mappings(REPOSITORY / "mappings", KNOWN)
    assert loaded.problems == ()
    assert any(rule.ignore for rule in loaded.rules)


def test_words_that_older_yaml_misreads_are_read_as_written(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        training=a_rule("match: [{shortname: no}, {title: on}]", "suggests: {llr-2020: [010]}"),
    )
    assert loaded.problems == ()
    assert loaded.rules[0].matchers == (Matcher(shortname="no"), Matcher(title="on"))
    assert loaded.rules[0].suggests == (CompetencyRef("llr-2020", "10"),)


# --- one slip at a time ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        ([MATCH, "suggests: {llr-2020: [13, 35]}"], (7, 31), ["no competency `35`", "`1` to `34`"]),
        (
            [MATCH, "suggests: {london: [L3.1, l3.2]}"],
            (7, 31),
            ["no competency `l3.2`", "Did you mean `L3.2`?"],
        ),
        ([MATCH, "suggests: {london: [3.1]}"], (7, 25), ["the number 3.1", "in quotes"]),
        ([MATCH, "suggests: {llr: [2, 2]}"], (7, 25), ["`2` appears twice"]),
        (
            [MATCH, "suggests: {llr-2002: [2]}"],
            (7, 16),
            ["no framework or edition `llr-2002`", "Did you mean `llr-2020`?"],
        ),
        (
            ["match: [{source: moodel, idnumber: A}]", "ignore: No"],
            (6, 22),
            ["`moodel`", "`moodle`?"],
        ),
        (["match: [{kind: modle, idnumber: A}]", "ignore: No"], (6, 20), ["`modle`", "`moodle`?"]),
        (["match: [{source: moodle}]", "ignore: No"], (6, 13), ["Nothing here names the activity"]),
        (["match: [{course_id: 47}]", "ignore: No"], (6, 14), ["course id needs its source"]),
        (["match: [{title: ' ** '}]", "ignore: No"], (6, 21), ["every activity of every source"]),
        (["match: [{source: moodle, title: ''}]", "ignore: No"], (6, 30), ["Section 47*"]),
        (["match: [{idnumber: 123}]", "ignore: No"], (6, 24), ["the number 123", "in quotes"]),
        (["match: [{idnumber: 'A '}]", "ignore: No"], (6, 24), ["compared to the letter"]),
        (["match: []", "ignore: No"], (6, 12), ["too short"]),
        (
            ["match: [{idnumbr: A}]", "ignore: No"],
            (6, 14),
            ["`idnumbr`", "Did you mean `idnumber`?"],
        ),
        ([MATCH], (4, 5), ["neither what it suggests nor that it is ignored"]),
        ([MATCH, "suggests: {llr: [2]}", "ignore: No"], (8, 5), ["both suggests and ignores"]),
        ([MATCH, "ignore: No", "also: true"], (8, 5), ["nothing to add"]),
        (
            [MATCH, "ignore: No", "learning_activity: taught-corse"],
            (8, 24),
            ["`taught-corse`", "Did you mean `taught-course`?"],
        ),
        (
            [MATCH, "ignore: No", "learning_activity: previous-qualification"],
            (8, 24),
            ["cannot be the dated activity"],
        ),
        ([MATCH, "ignore: No", "delivery: online"], (8, 15), ["`online`", "`e-learning`"]),
        ([MATCH, "ignore: No", "verification: manger"], (8, 19), ["Did you mean `manager`?"]),
        ([MATCH, "ignore: No", "level: london:6"], (8, 12), ["no level `6`", "`1`, `2`"]),
        ([MATCH, "ignore: No", "level: lundon:1"], (8, 12), ["`lundon`", "`london`?"]),
        ([MATCH, "ignore: No", "level: 3"], (8, 12), ["the number 3"]),
        (
            [MATCH, "ignore: No", "counts_when: {min_score: 70}"],
            (8, 30),
            ["70", "0.7 is 70 per cent"],
        ),
        ([MATCH, "ignore: No", "counts_when: {min_attendance: -1}"], (8, 35), ["0 or more"]),
        ([MATCH, "ignore: No", "counts_when: {status: [done]}"], (8, 28), ["`done`"]),
        ([MATCH, "ignore: No", "effective_from: 01/04/2026"], (8, 21), ["2026-04-30"]),
        ([MATCH, "ignore: No", "effective_until: 2026-02-30"], (8, 22), ["is not a date"]),
        (
            [MATCH, "ignore: No", "effective_from: 2026-04-01", "effective_until: 2026-03-31"],
            (9, 22),
            ["ends on 2026-03-31, before it starts on 2026-04-01"],
        ),
    ],
)
def test_a_slip_keeps_the_file_out_and_is_placed(
    tmp_path: Path, lines: list[str], place: tuple[int, int], words: list[str]
) -> None:
    loaded = load(tmp_path, training=a_rule(*lines))
    problem = only(loaded)
    assert loaded.files == ()
    assert (problem.line, problem.column) == place
    assert problem.severity is Severity.ERROR
    assert problem.why
    assert problem.remedy
    for part in words:
        assert part in str(problem)


@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        (
            [MATCH, "suggests: {london: [L3.1]}", "level: london:3", "delivery: e-learning"],
            (9, 15),
            ["Level 3 does not ask for e-learning", "multi-agency"],
        ),
        (
            ["match: [{idnumber: LSCP-*}]", "ignore: No"],
            (6, 24),
            ["`LSCP-*` is compared to the letter"],
        ),
    ],
)
def test_what_is_only_odd_is_a_warning_and_the_file_is_used(
    tmp_path: Path, lines: list[str], place: tuple[int, int], words: list[str]
) -> None:
    loaded = load(tmp_path, training=a_rule(*lines))
    problem = only(loaded)
    assert len(loaded.files) == 1
    assert (problem.line, problem.column, problem.severity) == (*place, Severity.WARNING)
    for part in words:
        assert part in str(problem)


# --- many slips, many files -----------------------------------------------------------------------
def test_all_slips_of_all_files_are_told_at_once_and_good_files_are_used(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        a_broken="""\
            mapping: broken
            title: Broken
            effective_from: tomorrow
            rules:
              - rule: one
                titel: One
                match: [{source: moodle, idnumber: A}]
                suggests: {llr-2020: [99]}
              - rule: two
                title: Two
                match: [{source: moodel, idnumber: B}]
                suggests: {llr-2020: [77], london: [X]}
              - rule: two
                title: Three
                match: [{title: "*"}]
                suggests: {lrl-2020: [1]}
            """,
        b_no_yaml="mapping: [\n",
        c_good=HEAD.replace("training", "good") + GOOD,
        d_empty="# nothing\n",
    )
    assert [file.name for file in loaded.files] == ["good"]
    assert [(Path(p.file).stem, p.line, p.column) for p in loaded.problems] == [
        ("a_broken", 3, 17),
        ("a_broken", 5, 5),
        ("a_broken", 6, 5),
        ("a_broken", 11, 22),
        ("a_broken", 12, 27),
        ("a_broken", 12, 41),
        ("a_broken", 13, 11),
        ("a_broken", 15, 21),
        ("a_broken", 16, 16),
        ("b_no_yaml", 2, 1),
        ("d_empty", 1, 1),
    ]


def test_a_name_in_two_files_is_told_at_the_second_and_the_first_is_used(tmp_path: Path) -> None:
    loaded = load(tmp_path, one=HEAD + GOOD, two="# a copy\n" + HEAD + GOOD)
    problem = only(loaded)
    assert [file.path.stem for file in loaded.files] == ["one"]
    assert (Path(problem.file).stem, problem.line, problem.column) == ("two", 2, 10)
    assert "one.yaml" in str(problem)


def test_a_broken_file_keeps_its_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, one=HEAD + GOOD + "    oops: 1\n", two=HEAD + GOOD)
    assert loaded.files == ()
    assert [Path(problem.file).stem for problem in loaded.problems] == ["one", "two"]


def test_two_rules_that_claim_one_activity_are_pointed_at(tmp_path: Path) -> None:
    other = GOOD.replace("neglect", "other").replace("[{", "[{title: Other}, {")
    loaded = load(
        tmp_path,
        b_first="mapping: a-first\ntitle: First\nrules:\n" + GOOD,
        a_second="mapping: b-second\ntitle: Second\nrules:\n" + other,
    )
    problem = only(loaded)
    assert len(loaded.files) == 2
    assert problem.severity is Severity.WARNING
    # The mapping's name decides, not the file's.
    assert (Path(problem.file).stem, problem.line, problem.column) == ("a_second", 6, 29)
    assert "b_first.yaml, line 6" in str(problem)
    assert "`a-first/neglect` wins" in str(problem)


@pytest.mark.parametrize(
    "text", ["just words", "- a list", "mapping: training\ntitle: T\nrules: no"]
)
def test_a_file_of_another_shape_is_told_so(tmp_path: Path, text: str) -> None:
    loaded = load(tmp_path, training=text)
    assert loaded.files == ()
    assert loaded.problems


def test_the_badges_file_is_no_mapping_and_a_missing_folder_is_told(tmp_path: Path) -> None:
    assert load(tmp_path, badges="badges: []") == LoadedMappings()
    assert "bridge init" in str(only(load_mappings(tmp_path / "nowhere", KNOWN)))


# --- hashes and editions --------------------------------------------------------------------------
def test_the_hash_follows_the_meaning_not_the_comments(tmp_path: Path) -> None:
    def content_hash(text: str) -> str:
        (file,) = load(tmp_path, training=text).files
        return file.content_hash

    more = GOOD.replace("neglect", "more").replace("LSCP-NEGLECT", "MORE")
    base = content_hash(HEAD + GOOD + more)
    assert content_hash("# kindly\n" + HEAD + GOOD.replace("[1, 2]", "[ 1,  '2' ]") + more) == base
    for changed in (
        HEAD + more + GOOD,
        HEAD + GOOD,
        HEAD.replace("Training", "Courses") + GOOD + more,
        HEAD + GOOD.replace("1, 2", "1") + more,
    ):
        assert content_hash(changed) != base


def test_a_framework_means_its_newest_edition_and_an_id_that_very_one(tmp_path: Path) -> None:
    llr = next(edition for edition in EDITIONS if edition.id == "llr-2020")
    newer = replace(llr, id="llr-2027", edition="2027")
    additions = replace(llr, id="llr-zeta", edition="9999", organisation="zeta", extends="llr-2020")
    known = KnownNames(("moodle",), (), (newer, additions, llr))
    loaded = load(tmp_path, known, training=a_rule(MATCH, "suggests: {llr: [1], llr-2020: [1]}"))
    assert loaded.problems == ()
    assert [ref.edition for ref in loaded.rules[0].suggests] == ["llr-2027", "llr-2020"]


@pytest.mark.parametrize("name", ["mapping", "badges"])
def test_the_schemas_are_sound_and_explain_every_key(name: str) -> None:
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    parts = [schema, *schema["$defs"].values()]
    unexplained = [
        key
        for part in parts
        for key, about in part.get("properties", {}).items()
        if not {"description", "$ref"} & set(about)
    ]
    assert unexplained == []


def test_what_bookings_are_asked_for(tmp_path: Path) -> None:
    more = "status: [attended, partly attended], min_minutes: 90, evaluation: required"
    loaded = load(
        tmp_path,
        training=a_rule(
            MATCH, f"counts_when: {{{more}, sessions: all}}", "one_activity: true",
            "suggests: {llr-2020: [1]}",
        ),
    )  # fmt: skip
    (rule,) = loaded.rules
    assert loaded.problems == ()
    statuses = frozenset({Status.ATTENDED, Status.PARTLY_ATTENDED})
    assert rule.counts_when == CountsWhen(statuses, None, None, 90, True, "all")
    assert rule.one_activity


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("counts_when: {status: [booked]}", 28),
        ("counts_when: {status: [unknown]}", 28),
        ("counts_when: {sessions: some}", 29),
        ("counts_when: {sessions: 0}", 29),
        ("counts_when: {evaluation: yes}", 31),
        ("counts_when: {min_minutes: 0}", 32),
    ],
)
def test_what_cannot_count_is_refused_in_its_place(tmp_path: Path, line: str, column: int) -> None:
    loaded = load(tmp_path, training=a_rule(MATCH, line, "suggests: {llr-2020: [1]}"))
    assert loaded.rules == ()
    assert places(loaded) == [(7, column)]


def test_what_joins_too_much_is_refused_or_warned_of(tmp_path: Path) -> None:
    one = 'match: [{source: moodle, category: "A"}]'
    refused = load(
        tmp_path, training=a_rule(one, "one_activity: true", "suggests: {llr-2020: [1]}")
    )
    assert places(refused) == [(7, 5)]
    also = load(tmp_path, training=a_rule(MATCH, "one_activity: true", "also: true",
                                          "suggests: {llr-2020: [1]}"))  # fmt: skip
    assert places(also) == [(7, 5)]
    open_ = 'match: [{title: "Section 47*"}]'
    warned = load(
        tmp_path, training=a_rule(open_, "one_activity: true", "suggests: {llr-2020: [1]}")
    )
    assert only(warned).severity is Severity.WARNING
    assert [r.one_activity for r in warned.rules] == [True]


def test_a_rule_says_itself_that_it_trusts_what_learners_can_write(tmp_path: Path) -> None:
    suggests = "suggests: {llr-2020: [1]}"
    (usual,) = load(tmp_path, training=a_rule(MATCH, suggests)).rules
    (open_,) = load(tmp_path, training=a_rule(MATCH, "untrusted: true", suggests)).rules
    assert (usual.untrusted, open_.untrusted) == (False, True)
    assert rule_from_content(rule_content(open_)) == open_
    assert "untrusted" not in rule_content(usual)
    assert open_.content_hash != usual.content_hash


@pytest.mark.parametrize(
    "iri", ["courses/online-safety", "www.example.org/a", "https://x.example/a*", "https://x/a b"]
)
def test_what_no_statement_can_name_is_warned_of(tmp_path: Path, iri: str) -> None:
    match = f'match: [{{kind: xapi, activity: "{iri}"}}]'
    problem = only(load(tmp_path, training=a_rule(match, "ignore: No")))
    assert problem.severity == "warning"
    assert "no whole identifier" in str(problem)
    assert problem.line == 6


@pytest.mark.parametrize(
    "iri", ["urn:uuid:0190f3a2", "https://m.example/course/view.php?id=5", "tag:x.example,2026:1"]
)
def test_every_kind_of_iri_is_one(tmp_path: Path, iri: str) -> None:
    match = f'match: [{{kind: xapi, activity: "{iri}"}}]'
    assert load(tmp_path, training=a_rule(match, "ignore: No")).problems == ()
