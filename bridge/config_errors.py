"""What is wrong in bridge.toml, in words: which setting, on which line, why, and what to write."""

from __future__ import annotations

import tomllib
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from rapidfuzz import fuzz, process

from bridge.domain.problems import Problem

_REMEDY = "docs/configuration.md lists the settings and what they take."
#: From this likeness on (of 100) a setting that does not exist is taken for a slip of another.
_ALIKE = 65
#: What stands for a secret elsewhere; here none may.
_SECRETS = frozenset({"password", "secret", "token", "key", "api_key", "apikey"})
#: What says where a secret is.
_PLACES = frozenset(
    f"{what}_{where}" for what in ("secret", "token", "password") for where in ("env", "file")
)
#: What a text must look like, by the name of its setting: patterns are no words for people.
_LOOKS = {
    "home_page": 'an address, as "https://bridge.example.org"; with a path it ends in a slash',
    "staff_home": 'an address, as "https://hr.example.org"; with a path it ends in a slash',
    "sweep_at": 'a time of day, as "02:30"',
    "sweep_until": 'a time of day, as "07:00"',
    "sender": 'an address, as "Safeguarding training <bridge@example.org>"',
    "reply_to": 'an address, as "training@example.org"',
    "issuer": 'an address, as "https://login.example.org"',
    "base_url": 'an address without a path, as "https://bridge.example.org"',
    "verbs": 'a whole address (IRI), as "https://example.org/verbs/finished"',
    "homes": 'a whole address, as "https://hr.example.org"',
}
#: The name of a section, which pydantic calls a key.
_KEY = "[key]"


def toml_problem(path: Path, error: tomllib.TOMLDecodeError) -> Problem:
    """What keeps the file from being read at all."""
    what, _, where = str(error).partition(" (at line ")
    line, _, column = where.rstrip(")").partition(", column ")
    return Problem(
        what=f"This is not TOML: {what}",
        why="",
        remedy="Correct the line; text values stand in double quotes.",
        file=str(path),
        line=int(line) if line.isdecimal() else None,
        column=int(column) if column.isdecimal() else None,
    )


def problems(path: Path, text: str, errors: Iterable[Any], model: type[BaseModel]) -> list[Problem]:
    """Every setting that is not as it must be."""
    found = []
    for error in errors:
        # The kinds that a setting may be of are no part of its name.
        keys = [str(part) for part in error["loc"] if part == _KEY or "[" not in str(part)]
        place = ".".join(key for key in keys if key != _KEY) or "the file"
        found.append(
            Problem(
                what=f"{place}: {_words(error, keys, model)}",
                why="",
                remedy=_REMEDY,
                file=str(path),
                line=_line_of(text, keys),
                pointer="/" + "/".join(keys),
            )
        )
    return found


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "it is missing",
    "less_than_equal": lambda c: f"it may be {c['le']:g} at most",
    "less_than": lambda c: f"it must be below {c['lt']:g}",
    "greater_than_equal": lambda c: f"it must be {c['ge']:g} at least",
    "greater_than": lambda c: f"it must be more than {c['gt']:g}",
    "literal_error": lambda c: f"it must be {c['expected']}",
    "enum": lambda c: f"it must be {c['expected']}",
    "too_short": lambda c: f"it needs {c['min_length']} at least",
    "string_too_long": lambda c: f"it may have {c['max_length']} letters at most",
}
#: By how the kind of error begins.
_KINDS = {
    "int_": "it must be a whole number",
    "float_": "it must be a number",
    "bool_": "it must be true or false, without quotes",
    "string_type": "it must be text, in double quotes",
    "date_": "it must be a day, as 2026-12-01, without quotes",
    "list_": 'it must be a list, as ["one", "two"]',
    "tuple_": 'it must be a list, as ["one", "two"]',
    "dict_": "it must be a section of its own, with a name: [{place}.NAME]",
    "model_": "it must be a section of its own, with a name: [{place}.NAME]",
}


def _words(error: Mapping[str, Any], keys: Sequence[str], model: type[BaseModel]) -> str:
    kind, context, given = error["type"], error.get("ctx") or {}, error.get("input")
    if kind == "extra_forbidden":
        return _no_such(keys, model)
    if kind == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        return _unlike(keys)
    # Short ones alone: nothing that could be a secret is repeated.
    shown = f", not {given!r}" if isinstance(given, str | int | float) and _short(given) else ""
    if kind in _WORDS:
        return _WORDS[kind](context) + shown
    for start, words in _KINDS.items():
        if kind.startswith(start):
            return words.format(place=".".join(keys[:1])) + shown
    return str(error["msg"])


def _short(given: object) -> bool:
    return len(str(given)) <= 20


def _unlike(keys: Sequence[str]) -> str:
    """What was written is not repeated: it may be an address with a password in it."""
    known = next((_LOOKS[key] for key in reversed(keys) if key in _LOOKS), None)
    if keys[-1:] == [_KEY] and known is None:
        known = "a name of small letters, digits and hyphens, as my-lms"
    return "it is not written as it must be" + (f": {known}" if known else "")


def _no_such(keys: Sequence[str], model: type[BaseModel]) -> str:
    name, known = keys[-1], _settings_beside(keys, model)
    if name in _SECRETS:
        near = [each for each in known if each in _PLACES]
        if near:
            where = " and ".join(sorted(near))
            return f"there is no such setting: no secret stands in this file; {where} say where"
    alike = process.extractOne(name, known, scorer=fuzz.ratio, score_cutoff=_ALIKE)
    return "there is no such setting" + (f"; {alike[0]} is one" if alike else "")


def _settings_beside(keys: Sequence[str], model: type[BaseModel]) -> list[str]:
    """The settings that there are where the last of `keys` stands."""
    at: Any = model
    for key in keys[:-1]:
        if isinstance(at, type) and issubclass(at, BaseModel):
            setting = at.model_fields.get(key)
            at = _bare(setting.annotation) if setting is not None else None
        elif get_origin(at) is dict:
            at = _bare(get_args(at)[1])
        else:
            return []
    return list(at.model_fields) if isinstance(at, type) and issubclass(at, BaseModel) else []


def _bare(annotation: Any) -> Any:
    """An annotation without "or None"."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(each for each in get_args(annotation) if each is not type(None))
    return annotation


def _line_of(text: str, keys: Sequence[str]) -> int | None:
    """The line of the setting, or else of what it stands in."""
    plain = [key for key in keys if key != _KEY]
    for length in range(len(plain), 0, -1):
        if line := _line_where(text, plain[:length]):
            return line
    return None


def _line_where(text: str, keys: Sequence[str]) -> int | None:
    table, whole = ".".join(keys[:-1]), ".".join(keys)
    inside = not table
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.partition("#")[0].strip()
        if stripped.startswith("[") and "=" not in stripped:
            name = stripped.strip("[]").replace('"', "").replace("'", "").strip()
            inside = name == table
            if name == whole or name.startswith(f"{whole}."):
                return number
        elif inside and stripped.partition("=")[0].strip().strip("\"'") == keys[-1]:
            return number
    return None
