"""Column profiles in YAML: read with every error at line and column, and written for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.catalog.kept import as_yaml, keep
from bridge.catalog.yamlfile import Document, Pointer, load_schema, parse_yaml, read_yaml
from bridge.domain.problems import BadFile, Problem, in_order

_HEAD = """\
# yaml-language-server: $schema=./profile.schema.json
# What the columns are in what this supplier exports; docs/booking.md explains every key.
"""
_PEOPLE = ("email", "staff_number", "username", "name", "last_name")
_EVENTS = ("event_title", "event_id", "event_code")
_DAYS = ("event_date", "session_date", "completed_on", "check_in")
_SAYING = ("status", "attended", "partly", "missed", "check_in", "minutes", "hours", "attendance",
           "completed_on")  # fmt: skip


def read_profile(path: Path) -> dict[str, Any]:
    """The data of a profile file. Raises BadFile with everything that is wrong in it."""
    return _checked(read_yaml(path), path.stem)


def parse_profile(text: str, name: str) -> dict[str, Any]:
    """The same of a text; `name` stands in the messages."""
    return _checked(parse_yaml(text.encode(), name), None)


def _checked(document: Document, stem: str | None) -> dict[str, Any]:
    problems = document.validate(load_schema("profile"))
    if not problems:
        problems = [*_contradictions(document, stem)]
    if problems:
        raise BadFile(in_order(problems))
    data: dict[str, Any] = document.data
    return data


def _contradictions(document: Document, stem: str | None) -> list[Problem]:
    data = document.data
    told = {*data["columns"], *data.get("above", {}), *data.get("fixed", {})}
    found: list[Problem] = []

    def wrong(pointer: Pointer, what: str, why: str, remedy: str) -> None:
        found.append(document.problem(pointer, what, why, remedy))

    if stem is not None and data["profile"] != stem:
        wrong(("profile",), f"The profile is called `{data['profile']}` and the file `{stem}`",
              "A folder's settings find it by one name", "Make them one")  # fmt: skip
    for choice, what in (
        (_EVENTS, "which event or course a row is about"),
        (_PEOPLE, "whose row it is"),
    ):
        if not told & {*choice}:
            wrong(("columns",), f"Nothing says {what}", "A row is of no use without it",
                  f"Name one of {', '.join(choice)}")  # fmt: skip
    if not told & {*_DAYS} and not any("day" in s for s in data.get("sessions", ())):
        wrong(("columns",), "Nothing says when it was", "Evidence needs its day",
              f"Name one of {', '.join(_DAYS)}")  # fmt: skip
    if not told & {*_SAYING} and not data.get("sessions") and "when_silent" not in data:
        wrong(("columns",), "Nothing says who came, or what was completed",
              "A booking alone is no attendance",
              f"Name one of {', '.join(_SAYING)}; or say when_silent")  # fmt: skip
    seen: dict[str, str] = {}
    for field, heading in data["columns"].items():
        if (other := seen.setdefault(heading.casefold(), field)) != field:
            wrong(("columns", field), f"The column `{heading}` is {other} already",
                  "A column is one thing", "Remove one of the two")  # fmt: skip
    for place, part in enumerate(data.get("key", ())):
        if part not in told and part not in ("event", "date", "person", "session"):
            wrong(("key", place), f"`{part}` is no column of this profile",
                  "What makes a row itself stands in it",
                  f"Name one of {', '.join(sorted(told))}")  # fmt: skip
    if "timezone" in data:
        try:
            ZoneInfo(data["timezone"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            wrong(("timezone",), f"There is no time zone `{data['timezone']}`", "",
                  "Write it as Europe/London")  # fmt: skip
    return found


def write_profile(path: Path, data: Mapping[str, Any], *, replace: bool = False) -> Path:
    """Write a profile for people to read and edit. Raises BridgeError where one stands already,
    BadFile where the data is none."""
    text = profile_text(data)
    parse_profile(text, path.name)
    return keep(path, text, "profile", replace=replace)


def profile_text(data: Mapping[str, Any]) -> str:
    """A profile as YAML, with a word on where it is explained."""
    return as_yaml(data, _HEAD)
