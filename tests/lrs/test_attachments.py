"""Files beside statements: hashes, parts that do not fit, signatures, and reading them again."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import text

from bridge.domain.xapi import Version
from bridge.domain.xapi.validating import validate
from bridge.lrs.multipart import boundary_of, parts_of
from tests.lrs.site import Client, Endpoint, new_id, statement

USAGE = "http://id.tincanapi.com/attachment/certificate-of-completion"
SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
Part = tuple[dict[str, str], bytes]


def declared(body: bytes, **parts: Any) -> dict[str, Any]:
    """An attachment as a statement declares it."""
    return {
        "usageType": USAGE,
        "display": {"en": "A file"},
        "contentType": "text/plain",
        "length": len(body),
        "sha2": hashlib.sha256(body).hexdigest(),
        **parts,
    }


def part(body: bytes, **headers: str | None) -> Part:
    """A part with a file; headers with None are left out."""
    told = {
        "Content-Type": "text/plain",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": hashlib.sha256(body).hexdigest(),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return {name: value for name, value in told.items() if value is not None}, body


def first(*statements: dict[str, Any], kind: str = "application/json") -> Part:
    """The part with the statements."""
    value: Any = statements[0] if len(statements) == 1 else list(statements)
    return {"Content-Type": kind}, json.dumps(value).encode()


def multipart(parts: Sequence[Part], boundary: str = "b-1") -> bytes:
    """A whole body."""
    whole = b""
    for headers, body in parts:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        whole += f"--{boundary}\r\n{lines}\r\n".encode() + body + b"\r\n"
    return whole + f"--{boundary}--\r\n".encode()


def send(client: Client, body: bytes, kind: str = "multipart/mixed; boundary=b-1") -> Any:
    """Post it."""
    return client.send("POST", "/statements", body, kind=kind)


def test_files_come_with_statements_and_are_read_with_them(client: Client) -> None:
    one, two = b"first\r\n--b file", bytes(range(256))
    sent = statement(attachments=[declared(one), declared(two, contentType="image/x")])
    plain = statement()
    answer = send(client, multipart([first(sent, plain), part(one), part(two)]))
    assert answer.json == [sent["id"], plain["id"]]
    for asked in ({"statementId": sent["id"]}, {}):
        read = client.get("/statements", attachments=True, **asked)
        assert read.mimetype == "multipart/mixed"
        statements, *files = parts_of(read.data, boundary_of(read.content_type))
        assert statements.headers["content-type"] == "application/json"
        assert sent["id"] in statements.body.decode()
        assert {f.headers["x-experience-api-hash"]: f.body for f in files} == {
            hashlib.sha256(body).hexdigest(): body for body in (one, two)
        }
        assert {f.headers["content-transfer-encoding"] for f in files} == {"binary"}
        assert "image/x" in {f.headers["content-type"] for f in files}
    assert client.get("/statements", statementId=sent["id"]).mimetype == "application/json"
    assert client.get("/statements", attachments=False).mimetype == "application/json"


def test_without_files_the_answer_is_multipart_still(client: Client) -> None:
    client.kept(statement())
    read = client.get("/statements", attachments=True)
    assert len(parts_of(read.data, boundary_of(read.content_type))) == 1


def test_a_file_is_kept_once_however_many_statements_have_it(fresh: Endpoint) -> None:
    client, body = fresh.client(), b"a certificate"
    for _ in range(3):
        sent = statement(attachments=[declared(body)])
        assert send(client, multipart([first(sent), part(body)])).status_code == 200
    with fresh.world.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM lrs_attachments")) == 1


def test_a_file_elsewhere_need_not_come(client: Client) -> None:
    sent = statement(attachments=[declared(b"x", fileUrl="https://x.example/f")])
    assert client.post(sent).status_code == 200
    again = statement(attachments=[declared(b"x", fileUrl="https://x.example/f")])
    assert send(client, multipart([first(again)])).status_code == 200


def test_a_file_of_a_substatement_comes_as_well(client: Client) -> None:
    sub = {
        "objectType": "SubStatement",
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://x.example/v"},
        "object": {"id": "http://x.example/o"},
        "attachments": [declared(b"sub")],
    }
    sent = statement(object=sub)
    assert client.post(sent).status_code == 400
    assert send(client, multipart([first(sent), part(b"sub")])).status_code == 200


FILE = b"a file"
WITH_FILE = statement(attachments=[declared(FILE)])
REFUSED: dict[str, bytes] = {
    "the file is missing": multipart([first(WITH_FILE)]),
    "a file that nobody declares": multipart([first(WITH_FILE), part(FILE), part(b"other")]),
    "no hash": multipart([first(WITH_FILE), part(FILE, X_Experience_API_Hash=None)]),
    "another hash": multipart([first(WITH_FILE), part(FILE, X_Experience_API_Hash="0" * 64)]),
    "no hash at all": multipart([first(WITH_FILE), part(FILE, X_Experience_API_Hash="xyz")]),
    "the hash of other bytes": multipart(
        [first(WITH_FILE), part(b"other", X_Experience_API_Hash=declared(FILE)["sha2"])]
    ),
    "no encoding": multipart([first(WITH_FILE), part(FILE, Content_Transfer_Encoding=None)]),
    "another encoding": multipart(
        [first(WITH_FILE), part(FILE, Content_Transfer_Encoding="base64")]
    ),
    "a length that is not": multipart([first(WITH_FILE), part(FILE, Content_Length="9999999999")]),
    "a shorter length": multipart([first(WITH_FILE), part(FILE, Content_Length="1")]),
    "statements in two parts": multipart([first(WITH_FILE), first(WITH_FILE), part(FILE)]),
    "a first part that is no JSON by its type": multipart(
        [first(WITH_FILE, kind="text/plain"), part(FILE)]
    ),
    "another boundary": multipart([first(WITH_FILE), part(FILE)], boundary="other"),
    "no end": multipart([first(WITH_FILE), part(FILE)])[:-20],
    "no parts": b"--b-1--\r\n",
    "nothing": b"",
    "a header without an end": b"--b-1\r\nContent-Type: " + b"x" * 9000 + b"\r\n--b-1--\r\n",
    "a header without a colon": b"--b-1\r\nnothing\r\n\r\n{}\r\n--b-1--\r\n",
    "a boundary inside a line": b"--b-1 x\r\n\r\n{}\r\n--b-1--\r\n",
    "part of a boundary": b"--b-1\r\n\r\n{}\r\n--b-",
    "many parts": multipart([first(WITH_FILE), *(part(FILE) for _ in range(250))]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_fit_together_is_400_and_nothing_is_kept(client: Client, what: str) -> None:
    answer = send(client, REFUSED[what])
    assert answer.status_code == 400
    assert answer.json["title"]
    assert client.found() == []


@pytest.mark.parametrize(
    "kind",
    ["multipart/mixed", "multipart/mixed; boundary=", "multipart/form-data; boundary=b-1"],
)
def test_the_type_names_the_boundary(client: Client, kind: str) -> None:
    body = multipart([first(WITH_FILE), part(FILE)])
    assert send(client, body, kind).status_code == 400


def test_a_file_of_its_own_that_comes_alone_is_400(client: Client) -> None:
    assert client.post(WITH_FILE).status_code == 400


def test_more_than_files_may_be_is_413(client: Client) -> None:
    large = b"x" * 200_000
    body = multipart([first(statement(attachments=[declared(large)])), part(large)])
    answer = send(client, body)
    assert answer.status_code == 413
    assert answer.json["limit"] == {"setting": "largest_files_megabytes", "bytes": 200_000}
    many = multipart([first(*(statement(object={"id": f"http://{'x' * 3000}.e/"})
                              for _ in range(30)))])  # fmt: skip
    assert send(client, many).status_code == 413


# --- signatures ---------------------------------------------------------------------------------
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _coded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signed(value: Any, algorithm: str = "RS256", **header: Any) -> bytes:
    """A JSON Web Signature of a statement."""
    head = _coded(json.dumps({"alg": algorithm, **header}).encode())
    whole = head + b"." + _coded(value if isinstance(value, bytes) else json.dumps(value).encode())
    used = {"RS384": hashes.SHA384(), "RS512": hashes.SHA512()}.get(algorithm, hashes.SHA256())
    return whole + b"." + _coded(_KEY.sign(whole, padding.PKCS1v15(), used))


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


def test_a_signature_that_is_none_is_400(client: Client) -> None:
    sent = statement()
    for signature, more in (
        (signed(sent, "HS256"), {}),
        (signed(sent, "none"), {}),
        (signed({**sent, "verb": {"id": "http://x.example/other"}}), {}),
        (signed(b"{no json"), {}),
        (b"not a signature", {}),
        (b"a.b.c", {}),
        (signed(sent), {"contentType": "text/plain"}),
        (signed(sent, x5c=["AAAA"]), {}),
        (signed(sent, x5c="AAAA"), {}),
    ):
        answer = send(client, with_signature(sent, signature, **more))
        assert answer.status_code == 400, signature
    assert client.found() == []


def test_a_signature_is_read_once_however_often_it_is_named(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small request could name a large file thousands of times."""
    read: list[bytes] = []

    def counted(body: bytes, version: Version) -> dict[str, Any]:
        read.append(body)
        return validate(body, version)

    monkeypatch.setattr("bridge.lrs.attached.validate", counted)
    sent = statement()
    signature = signed(sent)
    kind = {"contentType": "application/octet-stream", "usageType": SIGNATURE}
    many = [
        {**s, "attachments": [declared(signature, **kind)] * 5}
        for s in (sent, {**sent, "id": new_id()})
    ]
    body = multipart([first(*many), part(signature, Content_Type=kind["contentType"])])
    assert send(client, body).status_code == 200
    assert len(read) == 1
    other = {
        **statement(object={"id": "http://x.example/else"}),
        "attachments": many[0]["attachments"],
    }
    body = multipart([first(*many, other), part(signature, Content_Type=kind["contentType"])])
    assert send(client, body).status_code == 400


def test_more_files_than_an_answer_can_bring_are_asked_for_apart(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.services.lrs.asking.MOST_FILES", 60)
    for body in (b"1" * 40, b"2" * 40):
        sent = statement(attachments=[declared(body)])
        assert send(client, multipart([first(sent), part(body)])).status_code == 200
    assert client.get("/statements", attachments=True).status_code == 400
    assert client.get("/statements", attachments=True, limit=1).status_code == 200
