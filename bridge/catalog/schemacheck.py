"""Says in plain English how data breaks a JSON Schema (2020-12), and at which node.

A schema's `description` is shown to people as the reason, and `examples` as the remedy of a
`pattern`, so write the first as a full sentence.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError


@dataclass(frozen=True, slots=True)
class Complaint:
    """One fault of the data; `on_key` when the key itself is at fault and not its value."""

    pointer: tuple[str | int, ...]
    what: str
    why: str
    remedy: str
    on_key: bool = False


_TYPES = {
    "object": "a set of `key: value` lines",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def complaints(data: Any, schema: Mapping[str, Any]) -> Iterator[Complaint]:
    """Every fault, none twice. The schema itself is taken to be valid."""
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    errors = list(validator.iter_errors(data))
    # A number where text belongs breaks the text's pattern as well; once is enough to say so.
    of_wrong_type = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    found = (
        item
        for error in errors
        if error.validator == "type" or tuple(error.absolute_path) not in of_wrong_type
        for item in _explain(error)
    )
    yield from dict.fromkeys(found)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What jsonschema found: the keyword that failed, its value, and the data it failed on."""

    rule: str
    limit: Any
    value: Any
    schema: Mapping[str, Any]


def _explain(error: ValidationError) -> Iterator[Complaint]:
    pointer = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    fault = _Fault(str(error.validator), error.validator_value, error.instance, schema)
    if fault.rule in ("oneOf", "anyOf") and error.context:
        for nearest in _nearest_branch(error.context):
            yield from _explain(nearest)
    elif fault.rule in ("required", "dependentRequired"):
        for key in _missing(fault):
            about = schema.get("properties", {}).get(key, {})
            yield Complaint(
                pointer,
                f"The key `{key}` is missing",
                about.get("description", "It has to be given here"),
                f"Add `{key}:`",
            )
    elif fault.rule == "additionalProperties" and fault.limit is False:
        allowed = [*schema.get("properties", {})]
        for key in _extra(fault):
            yield Complaint(
                (*pointer, key),
                f"`{key}` is not a key known here",
                f"These are: {_listed(allowed)}" if allowed else "No keys are expected here",
                _did_you_mean(key, allowed) or "Remove it, or correct its spelling",
                on_key=True,
            )
    else:
        what, remedy = _value_fault(fault) or (error.message, "Compare it with the schema")
        yield Complaint(pointer, what, schema.get("description", ""), remedy)


def _value_fault(fault: _Fault) -> tuple[str, str] | None:
    """What is wrong with one value, and what to write instead; None for a rarer keyword."""
    limit = fault.limit
    shown = _shown(fault.value)
    if fault.rule == "type":
        return _type_fault(fault)
    if fault.rule in ("enum", "const"):
        choices = [str(item) for item in (limit if fault.rule == "enum" else [limit])]
        remedy = _did_you_mean(str(fault.value), choices) or f"Write {_listed(choices, 'or')}"
        return f"{shown} is not one of the values allowed here", remedy
    return {
        "pattern": (f"{shown} is not written as it must be", _example(fault)),
        "format": (f"{shown} is not a {limit}", _FORMATS.get(str(limit), f"Write a {limit}")),
        "minItems": ("The list is too short", f"Give at least {limit}"),
        "maxItems": ("The list is too long", f"Give at most {limit}"),
        "uniqueItems": ("The list holds the same item twice", "Keep one of them"),
        "minProperties": ("There are too few keys here", f"Give at least {limit}"),
        "maxProperties": ("There are too many keys here", f"Give at most {limit}"),
        "minLength": ("The text is too short", "Fill it in"),
        "maxLength": ("The text is too long", f"Use at most {limit} characters"),
        "minimum": (f"{shown} is too small", f"Give {limit} or more"),
        "maximum": (f"{shown} is too big", f"Give {limit} or less"),
        "exclusiveMinimum": (f"{shown} is too small", f"Give more than {limit}"),
        "exclusiveMaximum": (f"{shown} is too big", f"Give less than {limit}"),
    }.get(fault.rule)


def _example(fault: _Fault) -> str:
    examples = [str(example) for example in fault.schema.get("examples", ())]
    return (
        f"Write it like {_listed(examples, 'or')}" if examples else f"It must match {fault.limit}"
    )


def _type_fault(fault: _Fault) -> tuple[str, str]:
    types = [fault.limit] if isinstance(fault.limit, str) else fault.limit
    wanted = " or ".join(_TYPES[name] for name in types)
    what = f"There is {_kind(fault.value)} here where {wanted} is expected"
    if fault.value is None:
        return what, "Fill it in, or remove the key"
    if "string" in types and isinstance(fault.value, (int, float)):
        return what, "Put it in quotes"
    return what, f"Write {wanted}"


_FORMATS = {
    "date": "Write the date as 2026-04-30",
    "date-time": "Write it as 2026-04-30T09:15:00Z",
    "uri": "Write a full address that begins with https://",
    "email": "Write it as name@example.org",
}


def _nearest_branch(context: Sequence[ValidationError]) -> list[ValidationError]:
    """Of several alternatives, the one the author most likely meant: the errors of that alone.

    An alternative of another type than the data is the least likely; then fewest errors win.
    """
    branches: dict[Any, list[ValidationError]] = defaultdict(list)
    for error in context:
        branches[error.relative_schema_path[0]].append(error)

    def unlikeliness(errors: list[ValidationError]) -> tuple[bool, int]:
        wrong_kind = any(
            error.validator in ("type", "const", "enum") and not error.relative_path
            for error in errors
        )
        return wrong_kind, len(errors)

    return min(branches.values(), key=unlikeliness)


def _missing(fault: _Fault) -> list[str]:
    wanted = fault.limit
    if isinstance(wanted, Mapping):
        wanted = [key for given, keys in wanted.items() if given in fault.value for key in keys]
    return [key for key in wanted if key not in fault.value]


def _extra(fault: _Fault) -> list[str]:
    known = fault.schema.get("properties", {})
    patterns = fault.schema.get("patternProperties", {})
    return [
        key
        for key in fault.value
        if key not in known and not any(re.search(pattern, key) for pattern in patterns)
    ]


def _did_you_mean(word: str, choices: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?" if near else ""


def _listed(words: Sequence[str], last: str = "and") -> str:
    quoted = [f"`{word}`" for word in words]
    return f" {last} ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def _shown(value: Any) -> str:
    text = str(value)
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {_shown(value)}"
    return "a list" if isinstance(value, list) else "a set of `key: value` lines"
