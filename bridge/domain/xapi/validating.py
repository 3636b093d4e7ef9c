"""The judgement on what was sent as a statement, or as an array of them: valid, or why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from bridge.domain.xapi.decoding import decode_at_once, decode_exactly, split
from bridge.domain.xapi.exact_statement import check_exactly
from bridge.domain.xapi.fast import accepts
from bridge.domain.xapi.logstore import forgiven
from bridge.domain.xapi.problems import BadStatement, Problem, Section, Version

Json = dict[str, Any]


class Valid(NamedTuple):
    """A valid statement: its bytes as they came, and what they say."""

    body: bytes
    value: Json


def validate(body: bytes, version: Version = Version.V1) -> Json:
    """What a statement says. Raises BadStatement, with everything that is wrong in it.

    Nothing else is ever raised, whatever the bytes are; time and memory grow with their number.
    """
    value = decode_at_once(body)
    if value is not None and accepts(value, second=version is Version.V2):
        return cast(Json, value)
    return validate_exactly(body, version)


def validate_exactly(body: bytes, version: Version = Version.V1) -> Json:
    """The same by the exact road alone.

    What Moodle's logstore is known to get wrong in small things is let through, as it came.
    """
    value = decode_exactly(body, version)
    try:
        check_exactly(value, version)
    except BadStatement as error:
        if error.more or not forgiven(value, error.problems):
            raise
    return value  # type: ignore[no-any-return]


def validate_all(
    body: bytes, version: Version = Version.V1, most: int | None = None
) -> Iterator[Valid]:
    """Each statement of a request's body: one statement, or an array of up to `most`.

    Raises BadStatement at the first that is not valid, or whose id came before in the same array;
    its pointers are into the whole body.
    """
    array = body.lstrip(b" \t\r\n")[:1] == b"["
    ids: set[str] = set()
    for number, part in enumerate(split(body, version, most)):
        try:
            value = validate(part, version)
        except BadStatement as error:
            raise error.below(f"/{number}" if array else "") from None
        given = value.get("id")
        if given is not None:
            if given.lower() in ids:
                raise BadStatement(
                    [
                        Problem(
                            f"/{number}/id",
                            "another statement of the same request has this id",
                            Section.ID.words(version),
                        )
                    ]
                )
            ids.add(given.lower())
        yield Valid(part, value)
