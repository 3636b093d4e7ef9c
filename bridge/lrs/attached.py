"""Files beside statements: which parts belong to which statement, hashes, and signatures."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_der_x509_certificate

from bridge.domain.lrs.sameness import same
from bridge.domain.lrs.statements import Attachment
from bridge.domain.xapi import BadStatement, Valid, Version
from bridge.domain.xapi.validating import validate
from bridge.lrs.multipart import Part
from bridge.lrs.wrong import Wrong

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
_HASHES = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}
_ALGORITHMS = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}


def declared(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """Every attachment that a statement declares, those of its sub-statement too."""
    found = list(statement.get("attachments", ()))
    about = statement["object"]
    if about.get("objectType") == "SubStatement":
        found += about.get("attachments", ())
    return found


def sorted_out(
    statements: Sequence[Valid], parts: Sequence[Part], version: Version
) -> list[Attachment]:
    """The files of statements, each once. Raises Wrong where hashes, parts and what the statements
    declare do not fit together, or a signature is not one.

    Of the parts, the first (the statements) is left out.
    """
    files: dict[str, Attachment] = {}
    for number, part in enumerate(parts, 1):
        sha2 = _checked(part, number)
        media_type = part.headers.get("content-type", "application/octet-stream")
        if not media_type.isprintable():
            raise Wrong(400, f"The Content-Type of the part {number} cannot be kept.")
        files[sha2] = Attachment(sha2, media_type, part.body)
    told = [(each, one) for each in statements for one in declared(each.value)]
    names = {str(one.get("sha2", "")).lower() for _, one in told}
    if unknown := next((sha2 for sha2 in files if sha2 not in names), None):
        raise Wrong(400, f"No statement declares the attachment with the hash {unknown}.")
    signed: dict[str, dict[str, Any]] = {}
    compared: set[tuple[int, str]] = set()
    for valid, one in told:
        sha2 = str(one.get("sha2", "")).lower()
        if sha2 not in files:
            if "fileUrl" not in one:
                raise Wrong(400, f"The attachment with the hash {sha2} was not sent with it.")
            continue
        # The hash says which bytes are meant; `length` beside it is the statement's own word, which
        # senders are seen to get wrong, and which nothing here relies on.
        if one.get("usageType") != SIGNATURE:
            continue
        if one.get("contentType") != "application/octet-stream":
            raise Wrong(400, "The contentType of a signature must be application/octet-stream.")
        # Each file is read once, and compared once with each statement, however often it is named.
        if sha2 not in signed:
            signed[sha2] = _signed_by(files[sha2].body, version)
        if (id(valid), sha2) not in compared:
            compared.add((id(valid), sha2))
            if not same(_unsigned(signed[sha2]), _unsigned(valid.value)):
                raise Wrong(400, "The signature signs another statement than the one it came with.")
    return list(files.values())


def without_parts(statements: Sequence[Valid]) -> None:
    """Raise Wrong where statements that came alone declare a file that should be beside them."""
    for valid in statements:
        if "attachments" not in valid.value and valid.value["object"].get("objectType") is None:
            continue
        for one in declared(valid.value):
            if "fileUrl" not in one:
                raise Wrong(
                    400,
                    "An attachment without a fileUrl must be sent with the statement, as a part of "
                    "multipart/mixed.",
                )


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


# --- signatures (1.0.3, part 2, section 2.6) ----------------------------------------------------
def _signed_by(body: bytes, version: Version) -> dict[str, Any]:
    """The statement that a signature signs. Raises Wrong where it is none."""
    pieces = body.split(b".", 3)
    try:
        head, payload, signature = (_unpadded(piece) for piece in pieces)
        header = orjson.loads(head)
    except (ValueError, binascii.Error):
        raise Wrong(400, "The signature is no JSON Web Signature in its compact form.") from None
    algorithm = _ALGORITHMS.get(str(header.get("alg"))) if isinstance(header, dict) else None
    if algorithm is None:
        raise Wrong(400, "A signature must be made with RS256, RS384 or RS512.")
    try:
        signed = validate(payload, version)
    except BadStatement:
        raise Wrong(400, "What the signature signs is no valid statement.") from None
    if "x5c" in header:
        _check_chain(header["x5c"], algorithm, b".".join(pieces[:2]), signature)
    return signed


def _unpadded(piece: bytes) -> bytes:
    return base64.b64decode(piece + b"=" * (-len(piece) % 4), altchars=b"-_", validate=True)


def _unsigned(statement: dict[str, Any]) -> dict[str, Any]:
    plain = {k: v for k, v in statement.items() if k != "attachments"}
    others = [a for a in statement.get("attachments", ()) if a.get("usageType") != SIGNATURE]
    return {**plain, "attachments": others} if others else plain


def _check_chain(
    chain: Any, algorithm: hashes.HashAlgorithm, signed: bytes, signature: bytes
) -> None:
    """The signature must be that of the certificate which it names; whose that is, is not asked."""
    try:
        key = load_der_x509_certificate(base64.b64decode(chain[0], validate=True)).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError
        key.verify(signature, signed, padding.PKCS1v15(), algorithm)
    except (ValueError, TypeError, LookupError, InvalidSignature, binascii.Error):
        raise Wrong(400, "The signature is not that of the certificate which it names.") from None
