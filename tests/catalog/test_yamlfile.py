"""Files people edit: what is read, and that each fault is placed, explained and all are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.catalog.yamlfile import MAX_BYTES, Document, parse_yaml, read_yaml
from bridge.domain.problems import BadFile, Problem, Severity

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name", "colour"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "description": "The name is shown to people."},
        "colour": {"type": "string", "enum": ["red", "green"]},
        "since": {"type": "string", "format": "date"},
        "code": {"type": "string", "pattern": "^[A-Z]-[0-9]$", "examples": ["A-1"]},
        "items": {
            "type": "array",
            "minItems": 1,
            "items": {
                "oneOf": [
                    {"type": "string"},
                    {
                        "type": "object",
                        "required": ["count"],
                        "properties": {"count": {"type": "integer", "minimum": 1}},
                        "additionalProperties": False,
                    },
                ]
            },
        },
    },
}


def refused(content: str | bytes) -> tuple[Problem, ...]:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(BadFile) as caught:
        parse_yaml(raw, "some.yaml")
    return caught.value.problems


def document(text: str) -> Document:
    return parse_yaml(text.encode(), "some.yaml")


def places(problems: tuple[Problem, ...] | list[Problem]) -> list[tuple[int | None, int | None]]:
    return [(problem.line, problem.column) for problem in problems]


def test_values_are_read_as_yaml_1_2_and_dates_stay_text() -> None:
    read = document("a: yes\nb: true\nc: 2026-04-01\nd: 0o17\ne: ~\nf: 1.5\n13: '13'\n<<: x\n")
    assert read.data == {
        "a": "yes",
        "b": True,
        "c": "2026-04-01",
        "d": 15,
        "e": None,
        "f": 1.5,
        "13": "13",
        "<<": "x",
    }


def test_every_node_can_be_placed() -> None:
    read = document("a:\n  - x\n  - {b: c, 'd e': 2}\n")
    assert read.position() == (1, 1)
    assert read.position(("a", 0)) == (2, 5)
    assert read.position(("a", 1, "d e")) == (3, 19)
    assert read.key_position(("a", 1, "d e")) == (3, 12)
    assert read.position(("a", 7, "nowhere")) == (2, 3)


def test_a_problem_is_one_line_that_an_editor_can_open() -> None:
    read = document("a:\n  b/c: 1\n")
    problem = read.problem(("a", "b/c"), "It is wrong", "Because.", "Mend it", on_key=True)
    assert str(problem) == "some.yaml:2:3: It is wrong. Because. Mend it."
    assert problem.pointer == "/a/b~1c"
    warning = read.problem((), "Odd", "", "Look", severity=Severity.WARNING)
    assert str(warning) == "some.yaml:1:1: warning: Odd. Look."


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    read = parse_yaml(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "some.yaml")
    assert read.data == {"a": 1, "b": 2}
    assert read.position(("b",)) == (2, 4)


def test_all_repeated_keys_are_told_at_once() -> None:
    problems = refused("a: 1\nb:\n  c: 1\n  'c': 2\na: 3\n")
    assert places(problems) == [(4, 3), (5, 1)]
    assert "`a` appears twice" in problems[1].what
    assert "line 1" in problems[1].why


def test_tabs_that_indent_are_told_at_once_and_tabs_in_text_are_fine() -> None:
    assert places(refused("a:\n\t- 1\nb:\n  \t- 2\n")) == [(2, 1), (4, 3)]
    assert document("a: 'x\ty'\n").data == {"a": "x\ty"}


@pytest.mark.parametrize(
    ("content", "place", "remedy"),
    [
        ("name: ‘x’".encode("cp1252"), (1, 7), "UTF-8"),
        ("é: 1\nname: ".encode() + b"\xff", (2, 7), "UTF-8"),
        ("a: 1".encode("utf-16"), (1, 1), "UTF-8"),
        ("a: x\x07y\n", (1, 5), "Delete it"),
        ("a: b: c\n", (1, 5), "quotes"),
        ("a: [1, 2\nb: 3\n", (2, 2), "close the bracket"),
        ("a: *x\n", (1, 4), "quotes"),
        ("a: @x\n", (1, 4), "quotes"),
        ("a: 'x\n", (2, 1), "Close the quotes"),
        ("a:\tx\n", (1, 3), "spaces"),
        ("# 1\n%YAML 1.1\n---\na: yes\n", (2, 1), "Remove this line"),
        ("- a\nb: c\n", (2, 1), "indented"),
        ("a: 1\n---\nb: 2\n", (2, 1), "one document"),
        ("? [a]\n: b\n", (1, 3), "quotes"),
        ("a: 1\nb: !!python/object:os.system x\n", (2, 4), "Remove it"),
        ("a: !mine [1]\n", (1, 4), "Remove it"),
        ("a: .inf\n", (1, 4), "ordinary number"),
        ("a: " + "9" * 5000, (1, 4), "ordinary number"),
        ("", (1, 1), "Fill it in"),
        ("# only a comment\n", (1, 1), "Fill it in"),
        ("a: " + "[" * 5000, (1, 43), "flatter"),
    ],
)
def test_what_cannot_be_read_is_placed_with_a_remedy(
    content: str | bytes, place: tuple[int, int], remedy: str
) -> None:
    (problem,) = refused(content)
    assert (problem.line, problem.column) == place
    assert remedy in problem.remedy
    assert problem.what
    assert problem.why


def test_aliases_are_followed_but_cannot_unfold_without_end() -> None:
    assert document("a: &x [1]\nb: *x\n").data == {"a": [1], "b": [1]}
    assert document("a: &x 1\nb: &x 2\nc: *x\n").data == {"a": 1, "b": 2, "c": 2}
    doubling = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    for bomb in (doubling, "a: &a [*a]\n", "a: &a {b: *a}\n"):
        assert "unfolds to too much" in refused(bomb)[0].what


def test_a_file_that_is_too_big_is_not_read() -> None:
    assert "too big" in refused(b"#" * (MAX_BYTES + 1))[0].what


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"gone\.yaml: The file cannot be read"):
        read_yaml(tmp_path / "gone.yaml")


def test_schema_errors_are_all_told_in_file_order_at_their_nodes() -> None:
    read = document("nam: 1\ncolour: gren\nitems:\n- 1\n- {count: x, cuont: 2}\n- {count: 0}\n")
    problems = read.validate(SCHEMA)
    assert [str(problem) for problem in problems] == [
        "some.yaml:1:1: The key `name` is missing. The name is shown to people. Add `name:`.",
        "some.yaml:1:1: `nam` is not a key known here. These are: `name`, `colour`, `since`, "
        "`code` and `items`. Did you mean `name`?",
        "some.yaml:2:9: `gren` is not one of the values allowed here. Did you mean `green`?",
        "some.yaml:4:3: There is the number 1 here where text is expected. Put it in quotes.",
        "some.yaml:5:11: There is the text `x` here where a whole number is expected. "
        "Write a whole number.",
        "some.yaml:5:14: `cuont` is not a key known here. These are: `count`. "
        "Did you mean `count`?",
        "some.yaml:6:11: `0` is too small. Give 1 or more.",
    ]


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        ("since: 2026-13-01", (3, 8), "Write the date as 2026-04-30"),
        ("code: a-1", (3, 7), "Write it like `A-1`"),
        ("code: 12", (3, 7), "Put it in quotes"),
        ("items: []", (3, 8), "Give at least 1"),
        ("items:", (3, 1), "Fill it in, or remove the key"),
        ("items: {a: 1}", (3, 8), "Write a list"),
    ],
)
def test_a_wrong_value_says_what_to_write(line: str, place: tuple[int, int], words: str) -> None:
    (problem,) = document(f"name: x\ncolour: red\n{line}\n").validate(SCHEMA)
    assert (problem.line, problem.column) == place
    assert words in problem.remedy


def outcome(content: bytes) -> Document | tuple[Problem, ...]:
    try:
        return parse_yaml(content, "some.yaml")
    except BadFile as error:
        return error.problems


@given(
    st.binary(max_size=200)
    | st.text(alphabet="abc:-[]{}&*!|>'\"#%@,? \n\t0.~=<", max_size=60).map(str.encode)
)
def test_whatever_is_in_a_file_it_is_read_or_refused_with_placed_problems(content: bytes) -> None:
    result = outcome(content)
    if not isinstance(result, Document):
        assert result
        assert all(p.what and p.why and p.remedy and p.line and p.column for p in result)
