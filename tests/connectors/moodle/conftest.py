"""The Moodles that the connector is tested against: the stand-in, a scripted one, a real one.

A real Moodle joins the contract suite when BRIDGE_TEST_MOODLE_URL and BRIDGE_TEST_MOODLE_TOKEN are
set; docs/verified-against.md names the other variables. Its badge tests issue badges for good.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from bridge.connectors.moodle import MoodleClient, MoodleSettings, MoodleSource, MoodleTarget
from bridge.demo.moodle import StandInMoodle, seed
from bridge.domain.ports import Placement

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ENV = {
    name.removeprefix("BRIDGE_TEST_MOODLE_").lower(): value
    for name, value in os.environ.items()
    if name.startswith("BRIDGE_TEST_MOODLE_") and value
}
REAL = {"url", "token"} <= set(ENV)
REAL_COHORT = REAL and {"cohort", "cohort_badge", "user"} <= set(ENV)
REAL_COMPETENCY = REAL and {"framework", "competency", "competency_badge", "user"} <= set(ENV)


@dataclass(frozen=True)
class FixedClock:
    """Says what it was told."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


class SystemClock:
    """For a real Moodle, which lives in the present."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Peer:
    """One Moodle to test against, and what is known to be in it."""

    settings: MoodleSettings
    clock: FixedClock | SystemClock
    user: int
    cohort: dict[str, str] = field(default_factory=dict)
    competency: dict[str, str] = field(default_factory=dict)

    def source(self, **changes: Any) -> MoodleSource:
        return MoodleSource(replace(self.settings, **changes), self.clock)

    def target(self, **changes: Any) -> MoodleTarget:
        return MoodleTarget(replace(self.settings, **changes), self.clock)

    def client(self, **changes: Any) -> MoodleClient:
        return MoodleClient(replace(self.settings, **changes))

    def placement(self, road: dict[str, str], user: int | str | None = None) -> Placement:
        return Placement(7, str(self.user if user is None else user), road)


def _report(value: str | None, default: str) -> int | str:
    return int(value) if value and value.isdecimal() else value or default


def real_peer() -> Peer:
    """The Moodle that the environment names."""
    return Peer(
        MoodleSettings(
            key="real",
            url=ENV["url"],
            token=ENV["token"],
            report=_report(ENV.get("report"), "Bridge completions"),
            badges_report=_report(ENV.get("badges_report"), "Bridge issued badges"),
        ),
        SystemClock(),
        int(ENV.get("user", "0")),
        {"via": "cohort", "cohort": ENV.get("cohort", ""), "badge": ENV.get("cohort_badge", "")},
        {
            "via": "competency",
            "framework": ENV.get("framework", ""),
            "competency": ENV.get("competency", ""),
            "badge": ENV.get("competency_badge", ""),
            "link": "https://bridge.example/evidence/7",
        },
    )


@pytest.fixture
def moodle() -> Iterator[StandInMoodle]:
    """The demo's Moodle, running, as it stands at NOW: 200 learners, 840 completions."""
    with StandInMoodle(seed.demo_site(NOW)) as running:
        yield running


@pytest.fixture
def stand_in(moodle: StandInMoodle) -> Peer:
    """The stand-in as a peer, by its report's id."""
    return Peer(
        MoodleSettings(
            key="moodle",
            url=moodle.base_url,
            token=moodle.site.token_of(seed.SERVICE_USER),
            report=1,
            badges_report=2,
            calls_per_second=0,
        ),
        FixedClock(),
        30,
        {"via": "cohort", "cohort": "LLR-CORE-2026", "badge": "LLR Core 2026"},
        {
            "via": "competency",
            "framework": "LONDON",
            "competency": "LONDON-L1-2026",
            "badge": "London Level 1 2026",
            "link": "https://bridge.example/evidence/7",
        },
    )


def _peers(real: bool) -> list[str]:
    return ["stand-in", "real"] if real else ["stand-in"]


def _peer(request: pytest.FixtureRequest) -> Peer:
    if request.param == "real":
        return real_peer()
    peer: Peer = request.getfixturevalue("stand_in")
    return peer


@pytest.fixture(params=_peers(REAL))
def peer(request: pytest.FixtureRequest) -> Peer:
    """Each Moodle that completions are pulled from."""
    return _peer(request)


@pytest.fixture(params=_peers(REAL_COHORT))
def cohort_peer(request: pytest.FixtureRequest) -> Peer:
    """Each Moodle with a badge for a cohort."""
    return _peer(request)


@pytest.fixture(params=_peers(REAL_COMPETENCY))
def competency_peer(request: pytest.FixtureRequest) -> Peer:
    """Each Moodle with a badge for a competency."""
    return _peer(request)


@dataclass
class Script:
    """A Moodle that says what a test tells it to, function by function."""

    server: HTTPServer
    answers: dict[str, Callable[[Request], Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def says(self, function: str, answer: Any) -> None:
        """Answer a function with this value, or with what this callable makes of the request."""
        told = isinstance(answer, Response) or not callable(answer)
        self.answers[function] = (lambda _: answer) if told else answer

    def count(self, function: str) -> int:
        return sum(name == function for name, _ in self.asked)

    def handle(self, request: Request) -> Response:
        name = request.form["wsfunction"]
        self.asked.append((name, dict(request.form.items())))
        refusal = {
            "exception": "webservice_access_exception",
            "errorcode": "accessexception",
            "message": "Access control exception",
        }
        answer = self.answers[name](request) if name in self.answers else refusal
        if isinstance(answer, Response):
            return answer
        return Response(json.dumps(answer), content_type="application/json")

    def settings(self, **changes: Any) -> MoodleSettings:
        url = f"http://127.0.0.1:{self.server.port}"
        base = MoodleSettings("moodle", url, "s3cret", report=1, calls_per_second=0)
        return replace(base, **changes)

    def source(self, **changes: Any) -> MoodleSource:
        return MoodleSource(self.settings(**changes), FixedClock())


@pytest.fixture
def script(httpserver: HTTPServer) -> Script:
    """A scripted Moodle on a local port. What it was not told is not in its service."""
    scripted = Script(httpserver)
    httpserver.expect_request("/webservice/rest/server.php", "POST").respond_with_handler(
        scripted.handle
    )
    scripted.says("core_reportbuilder_set_filters", True)
    scripted.says("core_reportbuilder_filters_reset", True)
    return scripted


HEADINGS = [
    "Full name with link",
    "Course full name with link",
    "Time completed",
    "Course ID number",
]


def report_row(
    user: int, course: int, date: str, idnumber: str = "LSCP-1", **more: str
) -> dict[str, list[str]]:
    """One row under HEADINGS, as Moodle gives it."""
    site = "https://moodle.example.org"
    return {
        "columns": [
            f'<a href="{site}/user/profile.php?id={user}">User {user}</a>',
            f'<a href="{site}/course/view.php?id={course}">C &amp; {course}</a>',
            date,
            idnumber,
            *more.values(),
        ]
    }


def report_page(
    rows: list[Any], total: int | None = None, headings: list[str] | None = None
) -> dict[str, Any]:
    """One answer of retrieve_report."""
    return {
        "details": {"name": "Completions", "conditiondata": '{"completion:completed_operator":1}'},
        "data": {
            "headers": HEADINGS if headings is None else headings,
            "rows": rows,
            "totalrowcount": len(rows) if total is None else total,
        },
        "warnings": [],
    }


@pytest.fixture
def row() -> Callable[..., dict[str, list[str]]]:
    """Makes rows of a report."""
    return report_row


@pytest.fixture
def page() -> Callable[..., dict[str, Any]]:
    """Makes answers of retrieve_report."""
    return report_page
