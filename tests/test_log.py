"""Logs: events as JSON lines, and no secret in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bridge import log


@pytest.fixture
def lines() -> Iterator[Any]:
    """What was logged, as it is read back; the process's own set-up is restored."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    out = io.StringIO()
    log.set_up(out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers, root.level = before
    structlog.reset_defaults()


def test_each_line_is_one_event_with_its_time_level_and_logger(lines: Any) -> None:
    structlog.get_logger("bridge.jobs").info("pulled", source="moodle", new=3)
    logging.getLogger("bridge.connectors").warning("%s: slow", "moodle")
    first, second = lines()
    assert (first["event"], first["source"], first["new"]) == ("pulled", "moodle", 3)
    assert (first["level"], first["logger"]) == ("info", "bridge.jobs")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"]) == ("moodle: slow", "warning")


@pytest.mark.parametrize(
    "text",
    [
        "GET /xapi/statements?agent=SESAM&limit=1",
        "https://moodle.example/webservice/rest/server.php?wstoken=SESAM&x=1",
        "wstoken=SESAM",
        '{"password": "SESAM"}',
        "{'token': 'SESAM'}",
        "BRIDGE_MOODLE_TOKEN=SESAM",
        "postgresql://bridge:SESAM@database/bridge",
        "Authorization: Bearer SESAM.SESAM-x",
        "authorization: basic SESAM==",
        "a person's cb_SESAMxxxxxxxxxxxxxxxxxxxxxxxx here",
        "signed with whsec_SESAMxx+xxxxxx/xxxxxxxx= today",
        "written to sesam.SESAM@example.org",
    ],
)
def test_secrets_are_taken_out_wherever_they_stand(lines: Any, text: str) -> None:
    structlog.get_logger().info(text, detail={"list": [text]})
    logging.getLogger("any").warning("said %s", text)
    try:
        raise RuntimeError(text)
    except RuntimeError:
        structlog.get_logger().exception("failed", error=RuntimeError(text))
    assert len(lines()) == 3
    assert "SESAM" not in json.dumps(lines())


@pytest.mark.parametrize("name", ["token", "api_key", "Authorization", "client_secret", "cookie"])
def test_a_field_with_a_secrets_name_shows_nothing(lines: Any, name: str) -> None:
    structlog.get_logger().info("set up", **{name: "SESAM"}, inside={name: ["SESAM"]})
    assert "SESAM" not in json.dumps(lines())


@pytest.mark.parametrize(
    "text",
    [
        "Is it there? Yes.",
        "moodle: no answer within 60 seconds (ReadTimeout). It will be tried again.",
        "https://moodle.example/reportbuilder/index.php",
        "The token is missing; make a new one.",
    ],
)
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert log.redacted(text) == text


def test_a_person_at_a_terminal_reads_words(lines: Any) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    log.set_up(out)
    structlog.get_logger().info("pulled", token="SESAM")
    assert "pulled" in out.getvalue()
    assert not out.getvalue().startswith("{")
    assert "SESAM" not in out.getvalue()
