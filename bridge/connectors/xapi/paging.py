"""One answer of an LRS, taken apart into the bytes of its statements."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec


class BrokenPage(Exception):
    """It is no answer to a question for statements; the message says why."""


class _Answer(msgspec.Struct):
    statements: list[msgspec.Raw]
    more: str | None = None


_decode = msgspec.json.Decoder(_Answer).decode
_BLANK = " \t\r\n"


def taken_apart(body: bytes) -> tuple[list[bytes], str]:
    """The bytes of each statement as they came, and `more` ("" at the end). Raises BrokenPage.

    A statement in which something is no JSON (NaN, a letter cut in half) spoils none beside it.
    """
    try:
        answer = _decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        again = _patiently(body)
        if again is None:
            raise BrokenPage(str(error)) from None
        return again
    return [bytes(raw) for raw in answer.statements], answer.more or ""


def _patiently(body: bytes) -> tuple[list[bytes], str] | None:
    """The same for an answer that is nearly JSON; None where its parts cannot be told apart."""
    # Each byte is one character here, so that places in the text are places in the bytes.
    text = body.decode("latin-1")
    parts: list[bytes] | None = None
    more = ""
    try:
        at = _after(text, 0, "{")
        while text[at] != "}":
            name, at = json.JSONDecoder().raw_decode(text, at)
            at = _after(text, at, ":")
            if name == "statements":
                found = [(b, e) for b, e in _elements(text, at)]
                parts = [body[b:e] for b, e in found[:-1]]
                at = found[-1][1]
            else:
                value, at = json.JSONDecoder().raw_decode(text, at)
                if name == "more" and isinstance(value, str):
                    more = value
            at = _skip(text, at)
            if text[at] == ",":
                at = _skip(text, at + 1)
    except (ValueError, IndexError, RecursionError):
        return None
    return None if parts is None else (parts, more)


def _elements(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Where each element of an array begins and ends, and last, twice, where the array ends."""
    at = _after(text, at, "[")
    decoder = json.JSONDecoder()
    while text[at] != "]":
        _, end = decoder.raw_decode(text, at)
        yield at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    yield at + 1, at + 1


def _skip(text: str, at: int) -> int:
    while text[at] in _BLANK:
        at += 1
    return at


def _after(text: str, at: int, sign: str) -> int:
    at = _skip(text, at)
    if text[at] != sign:
        raise ValueError(f"no {sign}")
    return _skip(text, at + 1)
