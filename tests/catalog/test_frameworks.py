"""What people may add to a folder of framework files, and how each fault in it is told."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from bridge.catalog.frameworks import LoadedFrameworks, load_editions
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Intervals

SHIPPED = Path(__file__).parents[2] / "frameworks"

BASE = """\
framework: demo
id: demo-1
edition: "1"
title: Demo
language: en-GB
source: {title: Demo, publisher: Us, date: May 2026}
competencies:
  - {code: 1, text: One}
  - {code: 2, text: Two}
groups:
  - {key: core, title: Core, description: All, everyone: true, adds: [1]}
  - {key: managers, title: Managers, description: Those who manage, adds: [2]}
learning_activities:
  - {key: taught-course, text: Courses}
assessment_methods:
  - {key: discussion, by: manager, text: Discussion}
intervals:
  recordable: {months: 6}
  current: {months: 12}
  refresh: {months: 24}
  training: {months: 36}
"""

ADDED = """\
framework: demo
id: demo-acme
edition: "2026"
title: Acme's additions
language: en-GB
source: {title: Acme policy, publisher: Acme, date: May 2026}
extends: demo-1
organisation: acme
code_prefix: ACME
competencies:
  - {code: ACME-1, text: Ours for all}
  - {code: ACME-2, text: Ours for managers}
groups:
  - {key: core, adds: [ACME-1]}
  - {key: managers, adds: [ACME-2]}
"""


def load(folder: Path, **files: str) -> LoadedFrameworks:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(dedent(text), encoding="utf-8")
    return load_editions(folder)


def told(loaded: LoadedFrameworks, folder: Path) -> list[str]:
    """The problems as printed, without the folder."""
    return [str(problem).removeprefix(f"{folder}/") for problem in loaded.problems]


def test_an_edition_goes_by_its_id_or_by_its_framework() -> None:
    shipped = load_editions(SHIPPED)
    assert shipped.edition("london").id == "london-2024"
    with pytest.raises(NotFound, match="'llr-2020', 'london-2024'"):
        shipped.edition("leeds")


def test_two_editions_of_one_framework_must_be_told_apart(tmp_path: Path) -> None:
    loaded = load(tmp_path, one=BASE, two=BASE.replace("id: demo-1", "id: demo-2"))
    with pytest.raises(NotFound, match="'demo-1', 'demo-2'"):
        loaded.edition("demo")


def test_an_organisation_adds_competencies_of_its_own(tmp_path: Path) -> None:
    loaded = load(tmp_path, a_added=ADDED, base=BASE)
    assert loaded.problems == ()
    base, added = loaded.for_organisation("demo", "acme")
    assert base == loaded.edition("demo-1")
    assert [c.owner for c in added.competencies] == ["acme", "acme"]
    assert added.required_codes([]) == ("ACME-1",)
    assert added.required_codes(["managers"]) == ("ACME-1", "ACME-2")
    assert added.group("managers").title == "Managers"
    assert added.learning_activities == base.learning_activities
    assert added.intervals == Intervals(6, 12, 24, 36)


def test_the_examples_of_the_documentation_work(tmp_path: Path) -> None:
    text = (SHIPPED.parent / "docs" / "frameworks.md").read_text(encoding="utf-8")
    framework, additions = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    llr = (SHIPPED / "llr-2020.yaml").read_text(encoding="utf-8")
    loaded = load(tmp_path, llr=llr, framework=framework, additions=additions)
    assert loaded.problems == ()
    _, own = loaded.for_organisation("llr-2020", "riverside-nursery")
    assert own.required_codes(["frontline"]) == ("RIV-1", "RIV-2")
    assert loaded.edition("river").required_codes([]) == ("R1",)


def test_what_one_organisation_adds_is_not_asked_of_another(tmp_path: Path) -> None:
    loaded = load(tmp_path, added=ADDED, base=BASE)
    assert loaded.for_organisation("demo-1", "other") == (loaded.edition("demo-1"),)
    assert loaded.for_organisation("demo-1", None) == (loaded.edition("demo-1"),)


def test_a_level_of_the_base_may_hold_added_competencies(tmp_path: Path) -> None:
    levelled = BASE.replace("{code: 1, ", "{code: 1, level: 3, ") + (
        "levels:\n  - {level: 3, title: Level 3, heading: Level 3 Training, "
        "delivery: [multi-agency], audience: [Those who]}\n"
    )
    added = ADDED.replace("{code: ACME-1, ", "{code: ACME-1, level: 3, ")
    loaded = load(tmp_path, base=levelled, added=added)
    assert loaded.problems == ()
    assert loaded.edition("demo-acme").level("3").codes == ("ACME-1",)


def test_a_group_may_have_intervals_of_its_own(tmp_path: Path) -> None:
    stricter = BASE.replace("adds: [2]}", "adds: [2], intervals: {refresh: {months: 12}}}")
    edition = load(tmp_path, base=stricter).edition("demo")
    assert edition.intervals_for(["core"]) == Intervals(6, 12, 24, 36)
    assert edition.intervals_for(["core", "managers"]) == Intervals(6, 12, 12, 36)


def test_a_broken_file_does_not_stop_the_others(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        base=BASE,
        cut_off='framework: x\nid: "x',
        odd="hello: 1\n",
        text="only text\n",
    )
    assert [edition.id for edition in loaded.editions] == ["demo-1"]
    assert {Path(problem.file).name for problem in loaded.errors} == {
        "cut_off.yaml",
        "odd.yaml",
        "text.yaml",
    }


def test_every_fault_of_every_file_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    faulty = BASE.replace("by: manager", "by: manger")
    senseless = (
        BASE.replace("id: demo-1", "id: demo-2")
        .replace("{code: 2, text: Two}", "{code: 1, level: 9, text: Two}")
        .replace("adds: [2]", "adds: [1, 7]")
        .replace("  refresh: {months: 24}\n", "")
    )
    loaded = load(tmp_path, faulty=faulty, senseless=senseless)
    assert loaded.editions == ()
    assert told(loaded, tmp_path) == [
        "faulty.yaml:16:27: `manger` is not one of the values allowed here. Who may use the "
        "method. Did you mean `manager`?",
        "senseless.yaml:9:12: `1` appears twice among the competencies. It is already given on "
        "line 8. Remove one of them, or correct it.",
        "senseless.yaml:9:22: The level `9` is unknown. These are known: none. "
        "Correct it, or add the level.",
        "senseless.yaml:12:79: The target group `managers` names the code `7`, which is unknown. "
        "A group adds competencies of its own file. Correct the code, or add the competency.",
        "senseless.yaml:18:3: `intervals: refresh` is missing. Evidence cannot be recorded or "
        "assessed without it. Add `intervals: refresh`, or name with `borrows:` an edition to "
        "take it from.",
    ]


def test_a_level_without_competencies_is_refused(tmp_path: Path) -> None:
    empty = (
        "levels:\n  - {level: 1, title: L, heading: L, delivery: [e-learning], audience: [All]}\n"
    )
    (problem,) = load(tmp_path, base=BASE + empty).errors
    assert (problem.line, problem.column) == (23, 13)
    assert "would always be met" in problem.why


def test_gaps_and_competencies_that_nobody_is_asked_for_are_warnings(tmp_path: Path) -> None:
    gappy = BASE.replace("{code: 2, text: Two}", "{code: 4, text: Four}").replace(
        "adds: [2]", "adds: [1]"
    )
    loaded = load(tmp_path, base=gappy)
    assert [edition.id for edition in loaded.editions] == ["demo-1"]
    assert told(loaded, tmp_path) == [
        "base.yaml:9:5: warning: `4` belongs to no target group and no level. Nobody is asked for "
        "it unless a manager adds it by hand. Add it to a group or give it a level, if that is "
        "not what you want.",
        "base.yaml:9:12: warning: There is a gap before `4`. The code before it is `1`. "
        "Check that no competency was lost.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("code: ACME-2", "code: 2", "does not begin with `ACME-`"),
        ("key: managers", "key: night-staff", "`night-staff` has no title"),
        ("extends: demo-1", "extends: demo-9", "The edition `demo-9` is not there"),
        ("extends: demo-1", "extends: demo-1\nborrows: demo-1", "are both given"),
        ("organisation: acme\n", "", "`organisation` is missing"),
        ("id: demo-acme", "id: demo-1", "`demo-1` is defined twice"),
    ],
)
def test_wrong_additions_are_refused_and_the_base_stays(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    loaded = load(tmp_path, base=BASE, z_added=ADDED.replace(old, new))
    assert [edition.id for edition in loaded.editions] == ["demo-1"]
    assert any(words in problem.what for problem in loaded.errors)


def test_additions_to_additions_are_refused(tmp_path: Path) -> None:
    more = (
        ADDED.replace("id: demo-acme", "id: demo-more")
        .replace("extends: demo-1", "extends: demo-acme")
        .replace("ACME", "MORE")
    )
    loaded = load(tmp_path, base=BASE, added=ADDED, more=more)
    assert "demo-more" not in [edition.id for edition in loaded.editions]
    assert "own edition" in loaded.errors[0].what


def test_a_code_that_the_base_has_already_is_refused(tmp_path: Path) -> None:
    base = BASE.replace("{code: 2,", "{code: ACME-2,").replace("adds: [2]", "adds: [ACME-2]")
    loaded = load(tmp_path, base=base, added=ADDED)
    assert [(p.line, p.what) for p in loaded.errors] == [(12, "The code `ACME-2` is taken")]


def test_editions_that_borrow_from_each_other_are_told(tmp_path: Path) -> None:
    one = BASE + "borrows: demo-2\n"
    two = BASE.replace("id: demo-1", "id: demo-2") + "borrows: demo-1\n"
    loaded = load(tmp_path, one=one, two=two)
    assert [(p.line, p.column) for p in loaded.errors] == [(22, 10), (22, 10)]


def test_faults_of_a_crosswalk_are_told_at_their_lines(tmp_path: Path) -> None:
    crosswalk = """\
        crosswalk: demo
        title: Demo
        adopted: true
        from: demo-1
        to: demo-2
        relations:
          - {from: 1, relation: exact, to: 1, because: The same.}
          - {from: 1, relation: close, to: 1, because: Again.}
          - {from: 9, relation: close, to: 1, because: None such.}
        without_counterpart:
          - {edition: demo-2, code: 1, because: It has one.}
          - {edition: demo-1, code: 8, because: None such.}
        """
    loaded = load(tmp_path, one=BASE, two=BASE.replace("id: demo-1", "id: demo-2"), x=crosswalk)
    assert loaded.crosswalks == ()
    assert [(p.line, p.column, p.severity) for p in loaded.problems] == [
        (6, 1, "warning"),
        (6, 1, "warning"),
        (8, 5, "error"),
        (9, 12, "error"),
        (11, 29, "error"),
        (12, 29, "error"),
    ]


def test_a_crosswalk_to_an_edition_that_is_not_there_is_told(tmp_path: Path) -> None:
    text = (SHIPPED / "crosswalk-llr-london.yaml").read_text(encoding="utf-8")
    loaded = load(tmp_path, x=text)
    assert [problem.what for problem in loaded.errors] == [
        "The edition `llr-2020` is not there",
        "The edition `london-2024` is not there",
    ]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    loaded = load_editions(tmp_path / "gone")
    assert "bridge init" in loaded.errors[0].remedy
