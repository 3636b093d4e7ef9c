"""The badges file: what it becomes, and every slip with its line, its column and its cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.catalog.badges import LoadedBadges, load_badges
from bridge.catalog.frameworks import load_editions
from bridge.catalog.mappings import KnownNames
from bridge.domain.badges import BadgeTarget, required_refs
from bridge.domain.problems import Severity

REPOSITORY = Path(__file__).resolve().parents[2]
EDITIONS = load_editions(REPOSITORY / "frameworks").editions
KNOWN = KnownNames((), ("moodle",), EDITIONS)

COHORT = [
    "targets:",
    "  - target: moodle",
    "    via: cohort",
    "    cohort: FIRST-{year}",
    "    badge: First {year}",
]


def load(folder: Path, text: str) -> LoadedBadges:
    path = folder / "badges.yaml"
    path.write_text(text, encoding="utf-8")
    return load_badges(path, KNOWN)


def a_badge(*lines: str, key: str = "first") -> str:
    """A badge with these lines; the first of them is line 5 of a file with this badge alone."""
    body = [f"  - badge: {key}", "    title: First", "    description: The first.", *(
        f"    {line}" for line in lines)]  # fmt: skip
    return "\n".join([*body, ""])


def test_the_shipped_badges_are_in_order_and_ask_for_something() -> None:
    loaded = load_badges(REPOSITORY / "mappings" / "badges.yaml", KNOWN)
    assert loaded.problems == ()
    required = {b.key: required_refs(b.criteria, EDITIONS) for b in loaded.badges}
    assert [ref.code for ref in required["llr-core"]] == [str(n) for n in range(1, 11)]
    assert [ref.code for ref in required["london-level-1"]] == [f"L1.{n}" for n in range(1, 7)]
    assert [ref.code for ref in required["recognise-and-respond"]] == ["2", "4"]


def test_a_badge_becomes_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "first.png").write_bytes(b"png")
    text = "badges:\n" + a_badge(
        "image: first.png",
        "criteria:",
        "  competencies: {llr: [12], london: [L2.1]}",
        "  group: llr-2020:core",
        "  level: london:1",
        *COHORT,
    )
    loaded = load(tmp_path, text)
    assert loaded.problems == ()
    (badge,) = loaded.badges
    assert (badge.key, badge.title, badge.period, badge.image) == (
        "first",
        "First",
        "year",
        "first.png",
    )
    settings = {"via": "cohort", "cohort": "FIRST-{year}", "badge": "First {year}"}
    assert badge.targets == (BadgeTarget("moodle", settings),)
    codes = [ref.code for ref in required_refs(badge.criteria, EDITIONS)]
    assert codes == [
        *(str(n) for n in range(1, 11)),
        "12",
        *(f"L1.{n}" for n in range(1, 7)),
        "L2.1",
    ]


def test_a_site_without_the_file_has_no_badges(tmp_path: Path) -> None:
    assert load_badges(tmp_path / "badges.yaml", KNOWN) == LoadedBadges()


@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        (["criteria: {group: llr-2020:cor}"], (5, 23), ["no target group `cor`", "`core`?"]),
        (["criteria: {level: london:9}"], (5, 23), ["no level `9`"]),
        (["criteria: {group: core}"], (5, 23), ["framework and key", "`llr-2020:core`"]),
        (["criteria: {competencies: {llr: [99]}}"], (5, 37), ["no competency `99`"]),
        (["criteria: {}"], (5, 15), ["too few keys"]),
        (["criteria: {groups: core}"], (5, 16), ["Did you mean `group`?"]),
        (["criteria: {level: london:1}", "period: month"], (6, 13), ["`year`"]),
        (["criteria: {level: london:1}", "image: a.png"], (6, 12), ["no picture `a.png`"]),
        (
            ["criteria: {level: london:1}", *COHORT[:1], "  - target: moodel", *COHORT[2:]],
            (7, 17),
            ["`moodel`", "Did you mean `moodle`?"],
        ),
        (["criteria: {level: london:1}", *COHORT, *COHORT[1:]], (11, 17), ["appears twice"]),
        (
            ["criteria: {level: london:1}", *COHORT[:3], COHORT[4]],
            (7, 9),
            ["`cohort` is missing", "ID number of the Moodle cohort"],
        ),
        (
            ["criteria: {level: london:1}", *COHORT[:4], "    badge: First {month}"],
            (10, 16),
            ["`{month}` stands for nothing"],
        ),
    ],
)
def test_a_slip_is_placed(
    tmp_path: Path, lines: list[str], place: tuple[int, int], words: list[str]
) -> None:
    loaded = load(tmp_path, "badges:\n" + a_badge(*lines))
    assert loaded.badges == ()
    (problem, *others) = [p for p in loaded.problems if p.severity is Severity.ERROR]
    assert others == []
    assert (problem.line, problem.column) == place
    assert problem.why
    assert problem.remedy
    for part in words:
        assert part in str(problem)


def test_all_slips_are_told_at_once(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        "badges:\n"
        + a_badge("criteria: {level: london:9}")
        + a_badge("criteria: {group: llr:cooks}")
        + a_badge("citeria: {group: llr:core}", key="third"),
    )
    assert [(problem.line, problem.column) for problem in loaded.problems] == [
        (5, 23),
        (6, 12),
        (9, 23),
        (10, 5),
        (13, 5),
    ]


def test_a_moodle_badge_that_is_the_same_every_year_is_warned_of(tmp_path: Path) -> None:
    lines = [line.replace("-{year}", "") for line in COHORT]
    loaded = load(tmp_path, "badges:\n" + a_badge("criteria: {level: london:1}", *lines))
    (problem,) = loaded.problems
    assert len(loaded.badges) == 1
    assert (problem.line, problem.column, problem.severity) == (9, 17, Severity.WARNING)
    assert "never issues a badge again" in str(problem)


PLAIN = ["criteria:", "  level: london:1", "targets:", "  - target: moodle"]


def test_by_the_plugin_a_badge_needs_no_more(tmp_path: Path) -> None:
    loaded = load(tmp_path, "badges:\n" + a_badge(*PLAIN, "    via: plugin"))
    assert loaded.problems == ()
    assert loaded.badges[0].targets == (BadgeTarget("moodle", {"via": "plugin"}),)


def test_auto_needs_what_the_other_road_that_it_names_needs(tmp_path: Path) -> None:
    alone = load(tmp_path, "badges:\n" + a_badge(*PLAIN, "    via: auto"))
    assert alone.problems == ()
    half = load(tmp_path, "badges:\n" + a_badge(*PLAIN, "    via: auto", "    cohort: A-{year}"))
    (problem,) = half.errors
    assert "badge" in problem.what
    both = ["    via: auto", "    cohort: A-{year}", "    badge: A"]
    yearless = load(tmp_path, "badges:\n" + a_badge(*PLAIN, *both))
    (warning,) = yearless.problems
    assert (warning.severity, "same every year" in warning.what) == (Severity.WARNING, True)


def test_a_picture_that_the_plugin_cannot_take_is_told(tmp_path: Path) -> None:
    (tmp_path / "first.svg").write_text("<svg/>", encoding="utf-8")
    loaded = load(tmp_path, "badges:\n" + a_badge("image: first.svg", *PLAIN, "    via: plugin"))
    (warning,) = loaded.problems
    assert "no PNG" in warning.what
    assert loaded.badges
