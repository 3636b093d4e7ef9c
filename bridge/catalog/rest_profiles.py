"""REST profiles in YAML: read with every error at line and column, and written for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jmespath
from jmespath.exceptions import JMESPathError

from bridge.catalog.kept import as_yaml, keep
from bridge.catalog.yamlfile import Document, Pointer, load_schema, parse_yaml, read_yaml
from bridge.domain.problems import BadFile, Problem, in_order

_HEAD = """\
# yaml-language-server: $schema=./rest.schema.json
# Where this supplier's records are asked for, and what is what in one; docs/booking-apis.md
# explains every key. The secret does not belong here: bridge.toml says where it is.
"""
#: Of each of these, one has to be named.
_NEEDED = (
    (("email", "staff_number", "username", "name", "last_name"), "whose record it is"),
    (("event_title", "event_id", "event_code"), "which event or course a record is about"),
    (("event_date", "session_date", "completed_on", "check_in"), "when it was"),
)
_PATHS: tuple[Pointer, ...] = (
    ("request", "records"),
    ("request", "paging", "next"),
    ("request", "paging", "more"),
    ("request", "paging", "last"),
    ("order", "of"),
    ("order", "records"),
)
#: What each kind of paging cannot do without.
_PAGING = {"link": ("next",), "token": ("next", "param"), "page": ("param",), "offset": ("param",)}
_SECRETS = frozenset({"key", "auth", "authorization", "signature", "sig", "pwd"})
_IN_SECRETS = ("token", "secret", "password", "passwd", "apikey", "accesskey")


def looks_secret(name: str) -> bool:
    """Whether what is sent under this name would be a secret."""
    parts = name.casefold().replace("-", "_").split("_")
    return bool(_SECRETS & {*parts}) or any(word in "".join(parts) for word in _IN_SECRETS)


def read_rest_profile(path: Path) -> dict[str, Any]:
    """The data of a profile file. Raises BadFile with everything that is wrong in it."""
    return _checked(read_yaml(path), path.stem)


def parse_rest_profile(text: str, name: str) -> dict[str, Any]:
    """The same of a text; `name` stands in the messages."""
    return _checked(parse_yaml(text.encode(), name), None)


def rest_profile_text(data: Mapping[str, Any]) -> str:
    """A profile as YAML, with a word on where it is explained."""
    return as_yaml(data, _HEAD)


def write_rest_profile(path: Path, data: Mapping[str, Any], *, replace: bool = False) -> Path:
    """Write a profile for people to read and edit. Raises BridgeError where one stands already,
    BadFile where the data is none."""
    text = rest_profile_text(data)
    parse_rest_profile(text, path.name)
    return keep(path, text, "rest", replace=replace)


def _checked(document: Document, stem: str | None) -> dict[str, Any]:
    problems = document.validate(load_schema("rest"))
    if not problems:
        problems = [*_contradictions(document, stem)]
    if problems:
        raise BadFile(in_order(problems))
    data: dict[str, Any] = document.data
    return data


def _contradictions(document: Document, stem: str | None) -> Iterator[Problem]:
    data = document.data
    if stem is not None and data["profile"] != stem:
        yield document.problem(
            ("profile",), f"The profile is called `{data['profile']}` and the file `{stem}`",
            "The settings find it by one name", "Make them one",
        )  # fmt: skip
    told = {*data["columns"], *data.get("fixed", {})}
    for choice, what in _NEEDED:
        if not told & {*choice}:
            yield document.problem(
                ("columns",), f"Nothing says {what}", "A record is of no use without it",
                f"Name one of {', '.join(choice)}",
            )  # fmt: skip
    for place, part in enumerate(data.get("key", ())):
        if part not in told and part not in ("event", "date", "person", "session"):
            yield document.problem(
                ("key", place), f"`{part}` is no column of this profile",
                "What makes a record itself stands in it",
                f"Name one of {', '.join(sorted(told))}",
            )  # fmt: skip
    yield from _paths(document)
    yield from _request(document)
    if "timezone" in data:
        try:
            ZoneInfo(data["timezone"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield document.problem(
                ("timezone",), f"There is no time zone `{data['timezone']}`", "",
                "Write it as Europe/London",
            )  # fmt: skip


def _paths(document: Document) -> Iterator[Problem]:
    """Every JMESPath that cannot be read."""
    columns = [("columns", name) for name in document.data["columns"]]
    for pointer in (*_PATHS, *columns):
        value: Any = document.data
        for part in pointer:
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, str):
            continue
        try:
            jmespath.compile(value)
        except JMESPathError as error:
            yield document.problem(
                pointer, f"`{value}` is no JMESPath", str(error).splitlines()[0],
                "Write it as event.name.text; https://jmespath.org shows more",
            )  # fmt: skip


def _request(document: Document) -> Iterator[Problem]:
    request = document.data["request"]
    paging = request.get("paging", {"kind": "none"})
    for needed in _PAGING.get(paging["kind"], ()):
        if needed not in paging:
            yield document.problem(
                ("request", "paging"), f"Paging by {paging['kind']} needs `{needed}`",
                "The next page cannot be asked for without it", f"Say {needed}",
            )  # fmt: skip
    if ("size" in paging) != ("size_param" in paging):
        yield document.problem(
            ("request", "paging"), "`size` and `size_param` belong together",
            "The size has to be asked for", "Say both or neither",
        )  # fmt: skip
    auth = request.get("auth", {"kind": "none"})
    if auth["kind"] == "header" and "name" not in auth:
        yield document.problem(
            ("request", "auth"), "A header of its own needs a `name`", "", "Say name: X-Api-Key"
        )
    host = urlsplit(request["url"]).netloc
    if "{" in host:
        yield document.problem(
            ("request", "url"), "The host is left open",
            "The secret goes to this host and to no other", "Write the host out",
        )  # fmt: skip
    order = document.data.get("order", {})
    if "url" in order and "{order}" not in order["url"]:
        yield document.problem(
            ("order", "url"), "The address says for no order", "It asks for one order's records",
            "Put {order} where its id belongs",
        )  # fmt: skip
    if "changed_since" in request and order and "url" not in order:
        yield document.problem(
            ("order",), "Changes alone do not show who else is in an order",
            "A name that is on several records of an order is nobody's identity",
            "Say url, or leave out request.changed_since",
        )  # fmt: skip
    named: list[tuple[Pointer, str]] = [
        (("request", where, name), name)
        for where in ("query", "headers")
        for name in request.get(where, {})
    ]
    for part, url in (("request", request["url"]), ("order", order.get("url", ""))):
        named += [((part, "url"), name) for name, _ in parse_qsl(urlsplit(url).query)]
    for pointer, name in named:
        if looks_secret(name):
            yield document.problem(
                pointer, f"`{name}` looks like a secret",
                "A file that is shared is no place for one, nor is an address",
                "Use auth, and name its variable or file in bridge.toml",
            )  # fmt: skip
