"""The judgement on what was sent as a statement, or as an array of them: valid, or why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from bridge.domain.xapi.content import content_key, key_of_content
from bridge.domain.xapi.decoding import decode_exactly, split
from bridge.domain.xapi.exact_statement import check_exactly
from bridge.domain.xapi.fast import Told, told_at_once
from bridge.domain.xapi.logstore import forgiven
from bridge.domain.xapi.problems import BadStatement, Problem, Section, Version

Json = dict[str, Any]


class Valid:
    """A valid statement: its bytes as they came, and what they say."""

    __slots__ = ("_told", "_value", "body")

    def __init__(self, body: bytes, told: Told | None, value: Json | None = None) -> None:
        self.body, self._told, self._value = body, told, value

    @property
    def value(self) -> Json:
        """The statement, decoded where somebody asks."""
        if self._value is None:
            self._value = orjson.loads(self.body)
        return self._value

    @property
    def common(self) -> bool:
        """Whether it certainly is about an activity, voids nothing and has no attachments."""
        return self._told is not None

    @property
    def id(self) -> str | None:
        """Its id as it was given."""
        return self.value.get("id") if self._told is None else self._told.id

    @property
    def moment(self) -> bool:
        """Whether it names when it happened."""
        return "timestamp" in self.value if self._told is None else self._told.moment

    @property
    def content_key(self) -> str:
        """As `bridge.domain.xapi.content.content_key` of its value."""
        return content_key(self.value) if self._told is None else key_of_content(self._told.content)


def validate(body: bytes, version: Version = Version.V1) -> Json:
    """What a statement says. Raises BadStatement, with everything that is wrong in it.

    Nothing else is ever raised, whatever the bytes are; time and memory grow with their number.
    """
    return _judged(body, version, forgiving=False).value


def _judged(body: bytes, version: Version, *, forgiving: bool) -> Valid:
    told = told_at_once(body, second=version is Version.V2)
    if told is not None:
        return Valid(body, told)
    return Valid(body, None, validate_exactly(body, version, forgiving=forgiving))


def validate_exactly(
    body: bytes, version: Version = Version.V1, *, forgiving: bool = False
) -> Json:
    """The same by the exact road alone.

    `forgiving`: what Moodle's logstore is known to get wrong in small things is let through.
    """
    value = decode_exactly(body, version)
    try:
        check_exactly(value, version)
    except BadStatement as error:
        if not forgiving or error.more or not forgiven(value, error.problems):
            raise
    return value  # type: ignore[no-any-return]


def is_array(body: bytes) -> bool:
    """Whether a request's body is an array of statements, rather than one alone."""
    return body.lstrip(b" \t\r\n")[:1] == b"["


def validate_all(
    body: bytes,
    version: Version = Version.V1,
    most: int | None = None,
    *,
    forgiving: bool = False,
) -> Iterator[Valid]:
    """Each statement of a request's body: one statement, or an array of up to `most`.

    `forgiving`: as for `validate_exactly`.

    Raises BadStatement at the first that is not valid, or whose id came before in the same array;
    its pointers are into the whole body.
    """
    array = is_array(body)
    ids: set[str] = set()
    for number, part in enumerate(split(body, version, most)):
        try:
            valid = _judged(part, version, forgiving=forgiving)
        except BadStatement as error:
            raise error.below(f"/{number}" if array else "") from None
        given = valid.id
        if given is not None:
            if given.lower() in ids:
                raise BadStatement(
                    [
                        Problem(
                            f"/{number}/id",
                            "another statement of the same request has this id",
                            Section.SAME_ID.words(version),
                        )
                    ]
                )
            ids.add(given.lower())
        yield valid
