"""Reads a YAML 1.2 file into plain data, remembering the line and column of every node.

Use:

    document = read_yaml(path)                      # raises BadFile when it cannot be read
    problems = document.validate(load_schema("framework"))
    problems.append(document.problem(("rules", 3, "match"), what, why, remedy))

Every loader of a file that people edit builds on this, so that errors look alike everywhere.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from bridge.catalog.schemacheck import complaints
from bridge.domain.problems import BadFile, Problem, Severity, in_order

MAX_BYTES = 2_000_000
MAX_NODES = 200_000
MAX_DEPTH = 40

Pointer = tuple[str | int, ...]
Position = tuple[int, int]

_TAG = "tag:yaml.org,2002:"
_READ_AS_WRITTEN = {f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}merge", f"{_TAG}value"}
_READ_AS_VALUE = {f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool", f"{_TAG}null"}
_KNOWN = _READ_AS_WRITTEN | _READ_AS_VALUE | {f"{_TAG}map", f"{_TAG}seq"}

# What ruamel.yaml says, in part, and what usually cures it.
_REMEDIES = (
    (
        "mapping values are not allowed",
        "Put text that contains ': ' in quotes, or check the "
        "indentation of this line and the one above.",
    ),
    ("expected <block end>", "Check that this line is indented like its neighbours."),
    (
        "could not find expected ':'",
        "Write `key: value`, with a space after the colon; put text "
        "of more than one line in quotes or after `|`.",
    ),
    ("character '\\t'", "Use spaces instead of the tab."),
    (
        "cannot start any token",
        "Put text that begins with a special character (@ ` % * & !) in quotes.",
    ),
    ("expected the node content", "Close the brackets opened here, or give the missing value."),
    ("maximum depth", "Make the file flatter; no file of ours needs so many levels."),
    ("undefined alias", "Put text that begins with * in quotes."),
    ("unexpected end of stream", "Close the quotes or brackets opened here."),
    ("found unexpected ':'", "Put the text in quotes."),
    ("expected ',' or", "Separate the items with commas and close the bracket."),
    ("but found another document", "Keep one document a file: remove the line `---`."),
    ("unknown escape character", "Use single quotes, in which a backslash is only a backslash."),
)


@dataclass(frozen=True)
class Document:
    """A file as read: `data` is plain Python (dict with text keys, list, str, int, float, bool,
    None) and every node in it can be placed. Dates stay text, as JSON Schema expects them.

    A pointer is the path to a node: `("rules", 0, "match")`; `()` is the whole document.
    """

    name: str
    data: Any
    _values: Mapping[Pointer, Position] = field(repr=False)
    _keys: Mapping[Pointer, Position] = field(repr=False)

    def position(self, pointer: Pointer = ()) -> Position:
        """Line and column (from 1) of the value there, or of the nearest node above it."""
        while pointer not in self._values:
            pointer = pointer[:-1]
        return self._values[pointer]

    def key_position(self, pointer: Pointer) -> Position:
        """Line and column of the key that leads there; of the value where there is no key."""
        return self._keys.get(pointer) or self.position(pointer)

    def problem(
        self,
        pointer: Pointer,
        what: str,
        why: str,
        remedy: str,
        *,
        severity: Severity = Severity.ERROR,
        on_key: bool = False,
    ) -> Problem:
        """A Problem at the node there, or at its key."""
        line, column = self.key_position(pointer) if on_key else self.position(pointer)
        return Problem(what, why, remedy, self.name, line, column, json_pointer(pointer), severity)

    def validate(self, schema: Mapping[str, Any]) -> list[Problem]:
        """Every way in which the data breaks the JSON Schema (2020-12), in file order."""
        return in_order(
            self.problem(item.pointer, item.what, item.why, item.remedy, on_key=item.on_key)
            for item in complaints(self.data, schema)
        )


def json_pointer(pointer: Pointer) -> str:
    """The pointer as RFC 6901 writes it."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in pointer)


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The published JSON Schema of that name ("framework", "mapping"), from the package's data."""
    source = files("bridge.catalog").joinpath("schemas", f"{name}.schema.json")
    schema: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return schema


def read_yaml(path: Path, name: str | None = None) -> Document:
    """Read a file; `name` is what problems call it. Raises BadFile with all that is wrong."""
    shown = name or str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        problem = Problem(
            "The file cannot be read",
            error.strerror or type(error).__name__,
            "Check that it exists and that the service may read it",
            shown,
        )
        raise BadFile([problem]) from error
    return parse_yaml(content, shown)


def parse_yaml(content: bytes, name: str) -> Document:
    """Read bytes as a file called `name`. Raises BadFile with all that is wrong."""
    text = _decoded(content, name)
    _refuse_tabs(text, name)
    _refuse_other_versions(text, name)
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False  # YAML 1.2 allows to use an anchor's name again
    try:
        root = yaml.compose(text)
    except ReaderError as error:
        raise BadFile([_control_character(error, text, name)]) from error
    except MarkedYAMLError as error:
        raise BadFile([_syntax_problem(error, name)]) from error
    except YAMLError as error:
        problem = Problem("This is not YAML", str(error), "Compare it with the example", name, 1, 1)
        raise BadFile([problem]) from error
    if root is None:
        problem = Problem(
            "The file is empty",
            "It holds no data, only blank lines or comments",
            "Fill it in, or remove the file",
            name,
            1,
            1,
            "",
        )
        raise BadFile([problem])
    builder = _Builder(name, yaml)
    data = builder.build(root, ())
    if builder.problems:
        raise BadFile(in_order(builder.problems))
    return Document(name, data, builder.values, builder.keys)


class _TooMuch(Exception):
    """The file unfolds to more than its size admits; reading stops here."""


class _Builder:
    """Turns ruamel's nodes into plain data, noting positions and collecting problems."""

    def __init__(self, name: str, yaml: YAML) -> None:
        self.name = name
        self.values: dict[Pointer, Position] = {}
        self.keys: dict[Pointer, Position] = {}
        self.problems: list[Problem] = []
        self._constructor = yaml.constructor

    def build(self, root: Node, pointer: Pointer) -> Any:
        try:
            return self._value(root, pointer)
        except _TooMuch:
            return None

    def _value(self, node: Node, pointer: Pointer) -> Any:
        self.values[pointer] = _position(node)
        # Aliases may unfold a small file into a huge one, or into itself; both end here.
        if len(self.values) > MAX_NODES or len(pointer) > MAX_DEPTH:
            self._refuse(
                node,
                pointer,
                "The file unfolds to too much",
                f"Anchors (&) and aliases (*) repeat its parts more than {MAX_NODES} times, "
                f"or more than {MAX_DEPTH} deep",
                "Write the repeated part out where it is needed",
            )
            raise _TooMuch
        tag = str(node.tag)
        if tag not in _KNOWN:
            self._refuse(
                node,
                pointer,
                f"The tag `{tag.removeprefix(_TAG)}` is not allowed",
                "Files hold plain data only",
                "Remove it, or put text that begins with ! in quotes",
            )
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, pointer)
        if isinstance(node, SequenceNode):
            return [self._value(item, (*pointer, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, pointer)

    def _mapping(self, node: MappingNode, pointer: Pointer) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._refuse(
                    key_node,
                    pointer,
                    "A key is a list or a mapping",
                    "Keys must be plain text",
                    "Put the key in quotes if it begins with [ or {",
                )
                continue
            key = str(key_node.value)
            here = (*pointer, key)
            if key in result:
                self._refuse(
                    key_node,
                    here,
                    f"The key `{key}` appears twice",
                    f"It is already given on line {self.keys[here][0]}, and only one can count",
                    "Keep one of them",
                )
                continue
            self.keys[here] = _position(key_node)
            result[key] = self._value(value_node, here)
            if value_node.value == "":
                # An empty value has no place of its own; the parser puts it on the next line.
                self.values[here] = self.keys[here]
        return result

    def _scalar(self, node: Node, pointer: Pointer) -> Any:
        if str(node.tag) in _READ_AS_WRITTEN:
            return str(node.value)
        try:
            value = self._constructor.construct_object(node)
        except (ValueError, KeyError):  # such as a number of a thousand digits, or `!!int x`
            value = math.nan
        if isinstance(value, float) and not math.isfinite(value):
            self._refuse(
                node,
                pointer,
                f"`{str(node.value)[:60]}` is not a number that can be used",
                "It is infinite, too long, or not a number at all",
                "Give an ordinary number, or put it in quotes if it is text",
            )
            return None
        return value

    def _refuse(self, node: Node, pointer: Pointer, what: str, why: str, remedy: str) -> None:
        line, column = _position(node)
        pointed = json_pointer(pointer)
        self.problems.append(Problem(what, why, remedy, self.name, line, column, pointed))


def _position(node: Node) -> Position:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _place(text: str, offset: int) -> Position:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _decoded(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        problem = Problem(
            "The file is too big",
            f"It has more than {MAX_BYTES:,} bytes",
            "Split it into several files",
            name,
            1,
            1,
        )
        raise BadFile([problem])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The bytes before the fault are good UTF-8, so columns count as an editor counts them.
        start = content[: error.start].decode("utf-8", errors="replace")
        line, column = _place(start.removeprefix("\ufeff"), len(start.removeprefix("\ufeff")))
        problem = Problem(
            "The file is not UTF-8 text",
            f"The byte 0x{content[error.start]:02X} here belongs to another encoding",
            "Save the file as UTF-8 (in Notepad: Save as, Encoding, UTF-8)",
            name,
            line,
            column,
        )
        raise BadFile([problem]) from error


def _refuse_tabs(text: str, name: str) -> None:
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if "\t" in indent and line.strip():
            problems.append(
                Problem(
                    "This line is indented with a tab",
                    "YAML counts spaces, and a tab has no fixed width",
                    "Use spaces (most editors can convert tabs to spaces)",
                    name,
                    number,
                    indent.index("\t") + 1,
                )
            )
    if problems:
        raise BadFile(problems)


def _refuse_other_versions(text: str, name: str) -> None:
    directive = re.search(r"^%YAML (?!1\.2\b)", text, re.MULTILINE)
    if directive:
        line, column = _place(text, directive.start())
        problem = Problem(
            "The file declares another version of YAML",
            "Files are read as YAML 1.2, where `yes` and `no` are text",
            "Remove this line",
            name,
            line,
            column,
        )
        raise BadFile([problem])


def _control_character(error: ReaderError, text: str, name: str) -> Problem:
    line, column = _place(text, int(error.position))
    code = error.character if isinstance(error.character, int) else ord(error.character)
    return Problem(
        f"There is a character here that YAML does not allow (U+{code:04X})",
        "It is invisible, and usually comes with text pasted from elsewhere",
        "Delete it",
        name,
        line,
        column,
    )


def _syntax_problem(error: MarkedYAMLError, name: str) -> Problem:
    said = str(error.problem or error.context or "it cannot be read")
    mark = error.problem_mark or error.context_mark
    where = ""
    if error.context and error.context_mark is not None:
        where = f", {error.context} that begins on line {error.context_mark.line + 1}"
    remedy = next(
        (cure for part, cure in _REMEDIES if part in said),
        "Compare this line and the one above with the examples in the documentation",
    )
    return Problem(
        "This is not valid YAML",
        f"The reader says: {said}{where}",
        remedy,
        name,
        mark.line + 1 if mark is not None else None,
        mark.column + 1 if mark is not None else None,
    )
