"""What is sent to harm: never a 500, never more memory than its share, and nothing in the log."""

from __future__ import annotations

import json
import logging
import sys
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from gunicorn.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge import log
from bridge.jobs.gunicornlog import RedactingLogger
from bridge.lrs.multipart import boundary_of, parts_of
from bridge.lrs.wrong import Wrong
from tests.lrs.site import Endpoint, agent, new_id, statement

_START = b'{"actor":{"mbox":"mailto:a@b.example"},"verb":{"id":"http://x.example/v"},"object":'
DEEP = 25_000
HOSTILE: dict[str, bytes] = {
    "deep arrays": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    "deep extension": _START + b'{"id":"http://x.example/o"},"result":{"extensions":{"http://x.e/":'
    + b"[" * 20_000 + b"]" * 20_000 + b"}}}",
    "deep sub-statements": (_START[:-1] + b':{"objectType":"SubStatement",' + _START[1:]) * 300,
    "many keys": _START + b'{"id":"http://x.example/o"},"context":{"extensions":{'
    + b",".join(b'"http://x.e/%d":0' % n for n in range(2500)) + b"}}}",
    "huge number": _START + b'{"id":"http://x.example/o"},"result":{"score":{"raw":'
    + b"9" * 40_000 + b"}}}",
    "huge exponent": _START + b'{"id":"http://x.example/o"},"result":{"score":{"raw":1e999999999}}}',
    "invalid UTF-8": _START + b'{"id":"http://x.example/\xff\xfe"}}',
    "half a surrogate": _START + b'{"id":"http://x.example/\\ud800"}}',
    "NUL": _START + b'{"id":"http://x.example/o","definition":{"name":{"en":"\\u0000"}}}}',
    "a NUL byte": _START + b'{"id":"\x00"}}',
    "one key often": b'{"id":1,' * 1 + b'"actor":1,' * 5000 + b'"verb":1}',
    "long string": _START + b'{"id":"http://x.example/' + b"a" * 50_000 + b'"}}',
    "a long mailbox": b'{"actor":{"mbox":"mailto:' + b"a." * 20_000 + b'"}}',
    "a long language": _START + b'{"id":"http://x.e/","definition":{"name":{"'
    + b"a-" * 20_000 + b'":""}}}}',
    "a long duration": _START + b'{"id":"http://x.e/"},"result":{"duration":"P'
    + b"1" * 40_000 + b'Y"}}',
    "a far year": _START + b'{"id":"http://x.e/"},"timestamp":"9999-12-31T23:59:59-23:59"}',
    "year 0": _START + b'{"id":"http://x.e/"},"timestamp":"0000-01-01T00:00:00Z"}',
    "not a number": _START + b'{"id":"http://x.e/"},"result":{"score":{"raw":NaN}}}',
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_what_is_sent_to_harm_is_refused_or_kept(shared: Endpoint, version: str, what: str) -> None:
    client = shared.client(version=version)
    answer = client.send("POST", "/statements", HOSTILE[what])
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        # What is kept is read, and becomes a record, without an error.
        for form in ("exact", "ids", "canonical"):
            assert client.get("/statements", format=form).status_code == 200
        shared.drained()


@pytest.mark.parametrize("what", HOSTILE)
def test_the_same_as_a_parameter_or_a_document(shared: Endpoint, what: str) -> None:
    client = shared.client()
    written = HOSTILE[what].decode("utf-8", "replace")[:30_000]
    assert client.get("/statements", agent=written).status_code == 400
    where: dict[str, Any] = {"agent": agent(new_id()), "profileId": "p"}
    sent = HOSTILE[what][:20_000]
    for _ in range(2):
        assert client.send("POST", "/agents/profile", sent, **where).status_code in (204, 400)


def test_a_large_request_costs_a_small_multiple_of_its_bytes(shared: Endpoint) -> None:
    """Of what is refused nothing stays, and reading it takes no more than objects of that size."""
    client = shared.client()
    keys = b",".join(b'"http://x.e/%d":0' % n for n in range(3000))
    body = _START + b'{"id":"http://x.example/o"},"context":{"extensions":{' + keys + b"}}}"
    client.send("POST", "/statements", body)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(5):
            client.send("POST", "/statements", body)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 60 * len(body)
    assert after - before < 10 * len(body)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400))
def test_any_bytes_are_parts_or_refused(body: bytes) -> None:
    for whole in (body, b"--b\r\n" + body, b"--b\r\n\r\n" + body + b"\r\n--b--"):
        with suppress(Wrong):
            parts_of(whole, b"b")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=100))
def test_any_type_names_a_boundary_or_is_refused(kind: str) -> None:
    with suppress(Wrong):
        assert boundary_of(kind)


_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.sampled_from(["actor", "verb", "object", "result", "context", "timestamp", "id"]), _JSON)
def test_anything_anywhere_in_a_statement_is_refused_or_kept(
    shared: Endpoint, name: str, value: Any
) -> None:
    if not hasattr(shared, "anything"):
        shared.anything = shared.client()  # type: ignore[attr-defined]
    sent = json.dumps({**statement(), name: value}).encode()
    answer = shared.anything.send("POST", "/statements", sent)  # type: ignore[attr-defined]
    assert answer.status_code in (200, 400)


# --- the log ------------------------------------------------------------------------------------
def test_no_query_and_nobody_gets_into_the_log(
    shared: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        log.set_up(sys.stderr, level="DEBUG")
        client = shared.client()
        secret = "jane.doe"
        client.kept(statement(actor=agent(secret)))
        client.get("/statements", agent=agent(secret))
        client.get("/statements", agent=secret)
        client.get("/agents/profile", agent=agent(secret), profileId=secret)
        client.post({**statement(actor={"mbox": secret}), secret: 1})
        client.get(f"/nothing?agent={secret}")
        client.send("POST", "/statements", b"{", agent=secret)
    finally:
        root.handlers, root.level = handlers, level
    said = capsys.readouterr()
    assert "/xapi/statements" in said.err
    assert secret not in said.err + said.out


def test_gunicorn_says_nothing_of_queries(capsys: pytest.CaptureFixture[str]) -> None:
    logger = RedactingLogger(Config())
    for query in (
        '?agent={"account":{"homePage":"https://x.example","name":"jane doe"}}',
        "?agent=%7B%22mbox%22%3A%22mailto%3Ajane%40example.org%22%7D",
    ):
        try:
            raise ValueError(f"/xapi/statements{query}")
        except ValueError:
            logger.exception("Error handling request %s", f"/xapi/statements{query}")
    said = capsys.readouterr().err
    assert "/xapi/statements?[redacted]" in said
    assert "jane" not in said
    assert "ValueError" in said


def test_gunicorn_says_nothing_of_what_it_cannot_read(capsys: pytest.CaptureFixture[str]) -> None:
    logger = RedactingLogger(Config())
    for what in (
        "Invalid HTTP Version: 'doe\"}} HTTP/1.1'",
        "Invalid HTTP request line: 'GET jane doe'",
        "Invalid HTTP Header: 'Authorization s3cret doe'",
        "Invalid HTTP Header: 'doe\nmore of doe'",
    ):
        logger.warning("Invalid request from ip=%s: %s", "192.0.2.7", what)
    said = capsys.readouterr().err
    assert said.count("Invalid request from ip=192.0.2.7: Invalid HTTP ") == 4
    assert "doe" not in said
    assert "s3cret" not in said


def test_an_error_of_ours_is_told_without_what_was_sent(
    shared: Endpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("mailto:jane.doe@example.org")

    monkeypatch.setattr("bridge.services.lrs.asking.up_to_date", fails)
    answer = shared.client().get("/statements")
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert "jane" not in answer.text + capsys.readouterr().out
