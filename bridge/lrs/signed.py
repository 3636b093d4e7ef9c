"""Signed statements: a signature must be one, sign the statement it came with, and be that of the
certificate it names (xAPI 1.0.3, part 2, section 2.6; IEEE 9274.1.1, clause 4.2.6).

Nothing is fetched: whatever address a header names (`x5u`, `jku`) is not looked at, and whose
certificate it is, is not asked.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_der_x509_certificate

from bridge.domain.lrs.sameness import same
from bridge.domain.xapi import BadStatement, Valid, Version
from bridge.domain.xapi.validating import validate

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
#: A signature carries the whole statement, and its certificates: so large may it be, in bytes.
LARGEST = 2_000_000
#: Of the certificates that it brings, in bytes; and of their keys, in bits. RFC 7518 (section 3.3)
#: asks for the smallest; a larger one than the largest costs more than it is worth.
LARGEST_CERTIFICATE, KEYS = 20_000, range(2048, 8193)
_ALGORITHMS = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}
_PIECE = re.compile(rb"[A-Za-z0-9_-]+")


class Unsound(Exception):
    """Why a signature is none, as a rule."""


class Signatures:
    """The signatures of one request, each looked at once, however many statements declare it."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._seen: dict[str, dict[str, Any]] = {}

    def check(self, valid: Valid, one: dict[str, Any], body: bytes) -> None:
        """Of a statement, an attachment that is a signature, and its bytes. Raises Unsound."""
        if one.get("contentType") != "application/octet-stream":
            raise Unsound("the contentType of a signature must be application/octet-stream")
        sha2 = str(one["sha2"]).lower()
        if sha2 not in self._seen:
            self._seen[sha2] = self._signed_by(body)
        if not same(_unsigned(self._seen[sha2]), _unsigned(valid.value)):
            raise Unsound("the signature signs another statement than the one it came with")

    def _signed_by(self, body: bytes) -> dict[str, Any]:
        """The statement that a sound signature signs."""
        if len(body) > LARGEST:
            raise Unsound(f"a signature may be no larger than {LARGEST:,} bytes")
        pieces = body.split(b".")
        if len(pieces) != 3 or not all(map(_PIECE.fullmatch, pieces)):
            raise Unsound("it is no JSON Web Signature in its compact form")
        try:
            head, payload, signature = map(_decoded, pieces)
            header = orjson.loads(head)
        except (ValueError, binascii.Error):
            raise Unsound("it is no JSON Web Signature in its compact form") from None
        algorithm = _ALGORITHMS.get(str(header.get("alg"))) if isinstance(header, dict) else None
        if algorithm is None:
            raise Unsound("a signature must be made with RS256, RS384 or RS512")
        if "crit" in header:
            raise Unsound("the signature asks for extensions ('crit') that are not known here")
        if "x5c" in header:
            signed = body[: len(pieces[0]) + 1 + len(pieces[1])]
            _check_against(header["x5c"], algorithm, signed, signature)
        try:
            return validate(payload, self._version)
        except BadStatement:
            raise Unsound("what the signature signs is no valid statement") from None


def _decoded(piece: bytes) -> bytes:
    return base64.b64decode(piece + b"=" * (-len(piece) % 4), altchars=b"-_", validate=True)


def _unsigned(statement: dict[str, Any]) -> dict[str, Any]:
    plain = {k: v for k, v in statement.items() if k != "attachments"}
    others = [a for a in statement.get("attachments", ()) if a.get("usageType") != SIGNATURE]
    return {**plain, "attachments": others} if others else plain


def _check_against(
    chain: Any, algorithm: hashes.HashAlgorithm, signed: bytes, signature: bytes
) -> None:
    """It must be made with the key of the first certificate (RFC 7515, section 4.1.6)."""
    try:
        told = chain[0] if isinstance(chain, list) else ""
        if not isinstance(told, str) or len(told) > LARGEST_CERTIFICATE * 4 / 3:
            raise ValueError
        key = load_der_x509_certificate(base64.b64decode(told, validate=True)).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError
    except (ValueError, LookupError, UnsupportedAlgorithm, binascii.Error):
        raise Unsound("the first of 'x5c' is no certificate with an RSA key") from None
    if key.key_size not in KEYS:
        raise Unsound(
            f"the key of its certificate has {key.key_size} bits, and must have from "
            f"{KEYS.start} to {KEYS.stop - 1}"
        )
    try:
        key.verify(signature, signed, padding.PKCS1v15(), algorithm)
    except (InvalidSignature, ValueError):
        raise Unsound("the signature is not that of the certificate which it names") from None
