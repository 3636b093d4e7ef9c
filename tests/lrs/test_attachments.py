"""Files beside statements: hashes, parts that do not fit, whose they are, and reading them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from bridge.domain.lrs.senders import Scope
from bridge.lrs.multipart import boundary_of, parts_of
from tests.lrs.site import Client, Endpoint, statement

USAGE = "http://id.tincanapi.com/attachment/certificate-of-completion"
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


def test_only_whoever_may_read_what_brought_a_file_is_given_it(fresh: Endpoint) -> None:
    body, reading = b"somebody's certificate", (Scope.WRITE, Scope.READ_MINE)
    owner, other = fresh.client(scopes=reading), fresh.client(scopes=reading)
    sent = statement(attachments=[declared(body)])
    assert send(owner, multipart([first(sent), part(body)])).status_code == 200
    # To know the hash is enough to name it.
    heard = statement(attachments=[declared(body, fileUrl="https://x.example/f")])
    assert send(other, multipart([first(heard)])).status_code == 200
    assert body not in other.get("/statements", attachments=True).data
    assert body not in other.get("/statements", statementId=heard["id"], attachments=True).data
    assert body in owner.get("/statements", attachments=True).data
    everything = fresh.client(scopes=(Scope.READ_ALL,))
    assert body in everything.get("/statements", statementId=heard["id"], attachments=True).data
    # Whoever sends the file has it.
    brought = statement(attachments=[declared(body, fileUrl="https://x.example/f")])
    assert send(other, multipart([first(brought), part(body)])).status_code == 200
    assert body in other.get("/statements", statementId=brought["id"], attachments=True).data


def test_a_file_whose_statement_is_known_already_is_not_kept_without_it(fresh: Endpoint) -> None:
    client, body = fresh.client(), b"a file that came late"
    sent = statement(attachments=[declared(body, fileUrl="https://x.example/f")])
    assert send(client, multipart([first(sent)])).status_code == 200
    assert send(client, multipart([first(sent), part(body)])).status_code == 200
    with fresh.world.engine.connect() as connection:
        kept = connection.scalar(text("SELECT count(*) FROM lrs_attachments"))
        assert kept == connection.scalar(text("SELECT count(*) FROM lrs_attached")) == 0


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
    answer = client.post(statement(), WITH_FILE)
    assert answer.status_code == 400
    (told,) = answer.json["problems"]
    assert told["pointer"] == "/1/attachments/0"
    assert told["section"] == "xAPI 1.0.3, part 3, section 1.5.2"
    sub = {**statement(id=None), "objectType": "SubStatement", "attachments": [declared(b"x")]}
    (told,) = send(client, multipart([first(statement(object=sub))])).json["problems"]
    assert told["pointer"] == "/object/attachments/0"


def test_more_than_files_may_be_is_413(client: Client) -> None:
    large = b"x" * 200_000
    body = multipart([first(statement(attachments=[declared(large)])), part(large)])
    answer = send(client, body)
    assert answer.status_code == 413
    assert answer.json["limit"] == {"setting": "largest_files_megabytes", "bytes": 200_000}
    many = multipart([first(*(statement(object={"id": f"http://{'x' * 3000}.e/"})
                              for _ in range(30)))])  # fmt: skip
    assert send(client, many).status_code == 413


def test_more_files_than_an_answer_can_bring_are_asked_for_apart(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.services.lrs.asking.MOST_FILES", 60)
    for body in (b"1" * 40, b"2" * 40):
        sent = statement(attachments=[declared(body)])
        assert send(client, multipart([first(sent), part(body)])).status_code == 200
    assert client.get("/statements", attachments=True).status_code == 400
    assert client.get("/statements", attachments=True, limit=1).status_code == 200
