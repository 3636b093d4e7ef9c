"""A running stand-in Moodle for each test, and a client that asks it as a PHP form would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from bridge.demo.moodle import StandInMoodle, seed

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Client:
    """Calls web services of a stand-in as one of its users."""

    def __init__(self, moodle: StandInMoodle, token: str) -> None:
        self.moodle = moodle
        self.token = token

    def post(self, function: str, params: Mapping[str, Any] | None = None) -> requests.Response:
        """The raw response to a call; nested parameters become PHP form fields."""
        fields = {
            "wstoken": self.token,
            "wsfunction": function,
            "moodlewsrestformat": "json",
            **_fields("", params or {}),
        }
        return requests.post(
            f"{self.moodle.base_url}/webservice/rest/server.php", data=fields, timeout=10
        )

    def __call__(self, function: str, **params: Any) -> Any:
        """The JSON answer to a call, which is HTTP 200 even for errors."""
        response = self.post(function, params)
        assert response.status_code == 200
        return response.json()

    def error(self, function: str, **params: Any) -> str:
        """The error code of a call that must fail."""
        answer = self(function, **params)
        assert set(answer) == {"exception", "errorcode", "message"}
        return str(answer["errorcode"])

    def rows(self, reportid: int = 1, **params: Any) -> list[dict[str, str]]:
        """The rows of a report, by heading."""
        data = self("core_reportbuilder_retrieve_report", reportid=reportid, perpage=0, **params)[
            "data"
        ]
        return [dict(zip(data["headers"], row["columns"], strict=True)) for row in data["rows"]]


def _fields(prefix: str, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list | tuple):
        pairs = list(enumerate(value))
    else:
        return {prefix: str(value)}
    fields: dict[str, str] = {}
    for name, one in pairs:
        fields |= _fields(f"{prefix}[{name}]" if prefix else str(name), one)
    return fields


@pytest.fixture
def moodle() -> Iterator[StandInMoodle]:
    """The demo's Moodle, running, as it stands at NOW."""
    with StandInMoodle(seed.demo_site(NOW)) as running:
        yield running


@pytest.fixture
def ask(moodle: StandInMoodle) -> Client:
    """Asks as the bridge's service user."""
    return Client(moodle, moodle.site.token_of(seed.SERVICE_USER))


@pytest.fixture
def ask_nocap(moodle: StandInMoodle) -> Client:
    """Asks as a service user whose role was forgotten."""
    return Client(moodle, moodle.site.token_of("svc-nocap"))
