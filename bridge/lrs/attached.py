"""Files beside statements: which parts belong to which statement, and their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bridge.domain.lrs.files import placed
from bridge.domain.lrs.statements import Attachment
from bridge.domain.xapi import BadStatement, Problem, Section, Valid, Version
from bridge.lrs.multipart import Part
from bridge.lrs.signed import SIGNATURE, Signatures, Unsound
from bridge.lrs.wrong import Wrong, bad_statement

_HASHES = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}


def sorted_out(
    statements: Sequence[Valid], parts: Sequence[Part], version: Version, *, array: bool
) -> list[Attachment]:
    """The files of statements, each once. Raises Wrong where hashes, parts and what the statements
    declare do not fit together, or a signature is not one.

    Of the parts, the first (the statements) is left out; `array`: in it they stood in one.
    """
    files: dict[str, Attachment] = {}
    for number, part in enumerate(parts, 1):
        sha2 = _checked(part, number)
        media_type = part.headers.get("content-type", "application/octet-stream")
        if not media_type.isprintable():
            raise Wrong(400, f"The Content-Type of the part {number} cannot be kept.")
        files[sha2] = Attachment(sha2, media_type, part.body)
    told = [
        (f"/{number}{at}" if array else at, each, one)
        for number, each in enumerate(statements)
        for at, one in placed(each.value)
    ]
    names = {str(one.get("sha2", "")).lower() for _, _, one in told}
    if unknown := next((sha2 for sha2 in files if sha2 not in names), None):
        raise Wrong(400, f"No statement declares the attachment with the hash {unknown}.")
    signatures = Signatures(version)
    for at, valid, one in told:
        sha2 = str(one.get("sha2", "")).lower()
        if sha2 not in files:
            if "fileUrl" not in one:
                rule = "it has no fileUrl, and no part of the request has its hash"
                raise _wrong(at, rule, Section.FILES, version)
            continue
        # The hash says which bytes are meant; `length` beside it is the statement's own word, which
        # senders are seen to get wrong, and which nothing here relies on.
        if one.get("usageType") == SIGNATURE:
            try:
                signatures.check(valid, one, files[sha2].body)
            except Unsound as why:
                raise _wrong(at, str(why), Section.SIGNATURES, version) from None
    return list(files.values())


def without_parts(statements: Sequence[Valid], version: Version, *, array: bool) -> None:
    """Raise Wrong where statements that came alone declare a file that should be beside them."""
    for number, valid in enumerate(statements):
        if valid.common:
            continue
        for at, one in placed(valid.value):
            if "fileUrl" not in one:
                rule = "without a fileUrl it must be sent beside the statement (multipart/mixed)"
                where = f"/{number}{at}" if array else at
                raise _wrong(where, rule, Section.FILES, version)


def _wrong(at: str, rule: str, section: Section, version: Version) -> Wrong:
    return bad_statement(BadStatement([Problem(at, rule, section.words(version))]))


def _checked(part: Part, number: int) -> str:
    """The hash of a part, by which it is known. Raises Wrong where the part does not have it."""
    given = part.headers.get("x-experience-api-hash")
    if given is None:
        raise Wrong(400, f"The part {number} has no header X-Experience-API-Hash.")
    if part.headers.get("content-transfer-encoding", "").casefold() != "binary":
        raise Wrong(
            400, f"The part {number} must have the header Content-Transfer-Encoding: binary."
        )
    hasher = _HASHES.get(len(given))
    if hasher is None or hasher(part.body).hexdigest() != given.lower():
        raise Wrong(400, f"The part {number} does not have the hash that its header says.")
    return given.lower()
