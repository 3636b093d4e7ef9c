"""Signed statements: what is no signature, signs something else, or is another's, is refused."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bridge.domain.xapi import Version
from bridge.lrs import signed as signing
from tests.lrs.site import Client, Endpoint, statement
from tests.lrs.test_attachments import declared, first, multipart, part, send

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
_CURVE = ec.generate_private_key(ec.SECP256R1())


def _coded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def certificate(key: Any) -> str:
    """A certificate of a key that it signs itself, as a header names it."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A signer")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


def signed(value: Any, algorithm: str = "RS256", key: Any = _KEY, **header: Any) -> bytes:
    """A JSON Web Signature of a statement."""
    head = _coded(json.dumps({"alg": algorithm, **header}).encode())
    whole = head + b"." + _coded(value if isinstance(value, bytes) else json.dumps(value).encode())
    used = {"RS384": hashes.SHA384(), "RS512": hashes.SHA512()}.get(algorithm, hashes.SHA256())
    return whole + b"." + _coded(key.sign(whole, padding.PKCS1v15(), used))


def with_signature(sent: dict[str, Any], signature: bytes, **parts: Any) -> bytes:
    """A body with a statement and its signature."""
    kind = {"contentType": "application/octet-stream", "usageType": SIGNATURE, **parts}
    whole = {**sent, "attachments": [declared(signature, **kind)]}
    return multipart([first(whole), part(signature, Content_Type=kind["contentType"])])


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_signed_statement_is_kept(client: Client, algorithm: str) -> None:
    sent = statement(result={"duration": "PT1.239S"})
    meant = {**sent, "result": {"duration": "PT1.23S"}}
    assert send(client, with_signature(sent, signed(meant, algorithm))).status_code == 200
    assert client.one(sent["id"])["attachments"][0]["usageType"] == SIGNATURE


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_signature_of_the_certificate_that_it_names_is_kept(
    client: Client, algorithm: str
) -> None:
    sent = statement()
    # Of a chain the first counts; addresses are not looked at.
    more = {"x5c": [certificate(_KEY), certificate(_OTHER)], "x5u": "http://127.0.0.1:1/never"}
    assert send(client, with_signature(sent, signed(sent, algorithm, **more))).status_code == 200


SENT = statement()
_FORGED = signed(SENT, x5c=[certificate(_KEY)])
REFUSED: dict[str, tuple[bytes, str]] = {
    "of another algorithm": (signed(SENT, "HS256"), "RS256"),
    "of none": (signed(SENT, "none"), "RS256"),
    "of another statement": (signed({**SENT, "verb": {"id": "http://x.example/o"}}), "another"),
    "of no JSON": (signed(b"{no json"), "no valid statement"),
    "of no statement": (signed({"actor": 1}), "no valid statement"),
    "no signature": (b"not a signature", "compact form"),
    "no base64": (b"a.b.c", "compact form"),
    "padded": (signed(SENT) + b"==", "compact form"),
    "in another alphabet": (b"+/+/.e30.AAAA", "compact form"),
    "empty": (b"..", "compact form"),
    "in four pieces": (signed(SENT) + b".AAAA", "compact form"),
    "in JSON": (json.dumps({"payload": "e30", "signatures": []}).encode(), "compact form"),
    "its header a list": (b"W10.e30.AAAA", "RS256"),
    "with unknown extensions": (signed(SENT, crit=["b64"], b64=False), "crit"),
    "a certificate that is none": (signed(SENT, x5c=["AAAA"]), "no certificate"),
    "no list of certificates": (signed(SENT, x5c="AAAA"), "no certificate"),
    "no certificates": (signed(SENT, x5c=[]), "no certificate"),
    "numbers for certificates": (signed(SENT, x5c=[7]), "no certificate"),
    "a certificate too large": (signed(SENT, x5c=["A" * 40_000]), "no certificate"),
    "a certificate of a curve": (signed(SENT, x5c=[certificate(_CURVE)]), "no certificate"),
    "somebody else's certificate": (signed(SENT, x5c=[certificate(_OTHER)]), "not that of"),
    "its second certificate's": (
        signed(SENT, x5c=[certificate(_OTHER), certificate(_KEY)]),
        "not that of",
    ),
    "another algorithm than it says": (
        signed(SENT, x5c=[certificate(_KEY)]).rpartition(b".")[0]
        + b"."
        + signed(SENT, "RS512").rpartition(b".")[2],
        "not that of",
    ),
    "a key too small": (signed(SENT, key=_SMALL, x5c=[certificate(_SMALL)]), "1024 bits"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_signature_that_is_none_is_400_with_its_place_and_rule(client: Client, what: str) -> None:
    signature, words = REFUSED[what]
    answer = send(client, with_signature(SENT, signature))
    assert answer.status_code == 400
    (told,) = answer.json["problems"]
    assert told["pointer"] == "/attachments/0"
    assert words in told["rule"]
    assert told["section"] == "xAPI 1.0.3, part 2, section 2.6"
    assert client.found() == []


def test_its_type_is_that_of_bytes(client: Client) -> None:
    answer = send(client, with_signature(SENT, signed(SENT), contentType="text/plain"))
    assert (answer.status_code, client.found()) == (400, [])
    assert "application/octet-stream" in answer.json["problems"][0]["rule"]


def test_the_second_edition_names_its_own_clause(shared: Endpoint) -> None:
    client = shared.client(version="2.0.0")
    (told,) = send(client, with_signature(SENT, b"none")).json["problems"]
    assert told["section"] == "IEEE 9274.1.1, clause 4.2.6 Statement Signing"


def test_a_signature_is_looked_at_once_however_many_declare_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bytes] = []

    def validate(body: bytes, version: Version) -> Any:
        looks.append(body)
        return json.loads(body)

    monkeypatch.setattr(signing, "validate", validate)
    sent = statement(id=None, timestamp="2026-06-10T09:00:00Z")
    signature = signed(sent, x5c=[certificate(_KEY)])
    kind = {"contentType": "application/octet-stream", "usageType": SIGNATURE}
    whole = {**sent, "attachments": [declared(signature, **kind)]}
    body = multipart([first(*[whole] * 30), part(signature, Content_Type=kind["contentType"])])
    assert send(client, body).status_code == 200
    assert len(looks) == 1


def test_one_too_large_is_not_looked_at(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "LARGEST", 300)
    answer = send(client, with_signature(SENT, signed(SENT)))
    assert answer.status_code == 400
    assert "no larger than 300 bytes" in answer.json["problems"][0]["rule"]
