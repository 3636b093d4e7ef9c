"""Web service parameters: PHP-style form fields to nested values, and what each must look like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.demo.moodle.errors import invalid_parameter

_REQUIRED = object()
_FIELD = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")
_PATTERNS = {
    "int": re.compile(r"\s*-?\d+\s*"),
    "bool": re.compile(r"[01]?"),
    "alpha": re.compile(r"[A-Za-z]*"),
    "alphanumext": re.compile(r"[A-Za-z0-9_-]*"),
    "raw": re.compile(r".*", re.DOTALL),
}


@dataclass(frozen=True, slots=True)
class Value:
    """One scalar parameter: its PARAM_ type, and its default unless it is required."""

    kind: str
    default: Any = _REQUIRED


@dataclass(frozen=True, slots=True)
class Many:
    """A list of structures or scalars; `default` None means that it is required."""

    of: Value | dict[str, Any]
    default: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Omittable:
    """A structure that may be left out as a whole; its own defaults apply then."""

    of: dict[str, Any]


Schema = dict[str, Any]

INT, RAW, BOOL = Value("int"), Value("raw"), Value("bool")


def default(kind: str, value: Any) -> Value:
    """A parameter that may be left out."""
    return Value(kind, value)


def parse_form(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nest fields as PHP does: `members[0][userid]=3` becomes {"members": {"0": {"userid": "3"}}}.

    `[]` takes the next free number. A field whose name PHP could not nest stays flat.
    """
    nested: dict[str, Any] = {}
    for name, value in fields:
        match = _FIELD.match(name)
        if match is None:
            nested[name] = value
            continue
        path = [match[1], *_PART.findall(match[2])]
        here = nested
        for part in path[:-1]:
            below = here.setdefault(part or str(len(here)), {})
            if not isinstance(below, dict):
                here[part] = below = {}
            here = below
        here[path[-1] or str(len(here))] = value
    return nested


def validate(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as a function expects them, defaults filled in.

    Raises Moodle's one error for a missing, a bad and an unexpected parameter.
    """
    if set(given) - set(schema):
        raise invalid_parameter()
    checked = {}
    for name, shape in schema.items():
        if name in given:
            checked[name] = _check(shape, given[name])
        elif isinstance(shape, Value) and shape.default is not _REQUIRED:
            checked[name] = shape.default
        elif isinstance(shape, Many) and shape.default is not None:
            checked[name] = list(shape.default)
        elif isinstance(shape, Omittable):
            checked[name] = validate(shape.of, {})
        else:
            raise invalid_parameter()
    return checked


def _check(shape: Any, given: Any) -> Any:
    if isinstance(shape, Many):
        if isinstance(given, Mapping):
            given = list(given.values())
        if not isinstance(given, list):
            raise invalid_parameter()
        return [_check(shape.of, one) for one in given]
    if isinstance(shape, Omittable):
        shape = shape.of
    if isinstance(shape, dict):
        if not isinstance(given, Mapping):
            raise invalid_parameter()
        return validate(shape, given)
    return _scalar(shape.kind, given)


def _scalar(kind: str, given: Any) -> Any:
    if isinstance(given, bool):
        given = str(int(given))
    if given is None or not isinstance(given, str | int | float):
        raise invalid_parameter()
    text = str(given)
    if not _PATTERNS[kind].fullmatch(text):
        raise invalid_parameter()
    if kind == "int":
        return int(text)
    return text == "1" if kind == "bool" else text
