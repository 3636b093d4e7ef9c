"""The LMSs that launches are tried from, and a bridge that runs beside them.

A real Moodle joins the contract when BRIDGE_TEST_LTI_URL and the variables beside it are set;
docs/verified-against.md names them. It keeps the tools and activities that the tests make.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from werkzeug.serving import make_server

from bridge.connectors.lti import OwnKey, PeerWeb, Tool
from bridge.connectors.moodle import MoodleSettings, MoodleSource
from bridge.connectors.moodle.rows import COURSE_KIND, USER_KIND
from bridge.demo.moodle import Site, StandInMoodle, seed
from bridge.demo.moodle.server import _QuietHandler
from bridge.demo.moodle.tables import User
from bridge.domain.lti import LmsSource
from bridge.services.pull import Trusted, pull
from bridge.web.site import WebSettings, WebSite
from tests.connectors.lti.lms import Lms, RealLms, StandInLms
from tests.support import RULES, FrozenClock, World, rule
from tests.web.site import WebWorld

ENV = {
    name.removeprefix("BRIDGE_TEST_LTI_").lower(): value
    for name, value in os.environ.items()
    if name.startswith("BRIDGE_TEST_LTI_") and value
}
_NEEDED = {"url", "token", "admin", "learner", "staff_number", "course", "course_idnumber"}
STAND_INS = ["stand-in", "real"] if set(ENV) >= _NEEDED else ["stand-in"]


@dataclass
class LtiWorld(WebWorld):
    """The pages of a test's world, with a tool that LMSs may launch."""

    tool: Tool | None = None

    @property
    def site(self) -> WebSite:
        """What the pages are handed."""
        return replace(super().site, lti=self.tool)


def make_tool(base_url: str, folder: Path, *, shares_email: bool = False) -> Tool:
    """The bridge as a tool of one LMS, the source "moodle", on this computer."""
    source = LmsSource(
        "moodle", "moodle", "trusted", base_url, USER_KIND, COURSE_KIND, shares_email
    )
    web = PeerWeb(plain_loopback=True)
    return Tool({"moodle": source}, {"moodle": web}, OwnKey(folder / "lti-key.pem"))


@pytest.fixture
def moodle() -> Iterator[StandInMoodle]:
    """The demo's Moodle, running, as it stands now."""
    now = datetime.now(UTC)
    with StandInMoodle(seed.demo_site(now, lambda: datetime.now(UTC))) as running:
        yield running


def someone_with_a_draft(site: Site) -> tuple[User, int]:
    """A learner who completed the Section 47 course lately, and the course."""
    course = next(c for c in site.courses.values() if c.idnumber == "LSCP-S47")
    recent = site.now - 300 * 86400
    user = next(
        site.users[userid]
        for (userid, courseid), done in site.completions.items()
        if courseid == course.id and (done.timecompleted or 0) > recent
        and site.users[userid].idnumber and not site.users[userid].suspended
    )  # fmt: skip
    return user, course.id


@pytest.fixture(params=STAND_INS)
def lms(request: pytest.FixtureRequest) -> Lms:
    """Each LMS that launches are tried from."""
    if request.param == "real":
        settings = MoodleSettings("moodle", ENV["url"], ENV["token"], "Bridge completions")
        (admin, _, secret), (learner, _, other) = (
            ENV["admin"].partition(":"), ENV["learner"].partition(":")
        )  # fmt: skip
        return RealLms(settings, (admin, secret), (learner, other), ENV["staff_number"],
                       int(ENV["course"]), ENV["course_idnumber"])  # fmt: skip
    moodle: StandInMoodle = request.getfixturevalue("moodle")
    user, course = someone_with_a_draft(moodle.site)
    settings = MoodleSettings("moodle", moodle.base_url, moodle.site.token_of(seed.SERVICE_USER), 1)
    return StandInLms(moodle, settings, user.id, user.idnumber, course, "LSCP-S47")


@dataclass
class Beside:
    """A bridge that runs on loopback beside an LMS."""

    world: World
    pages: LtiWorld
    tool: Tool
    base_url: str

    def pull(self, lms: Lms) -> None:
        """Take in the LMS's completions."""
        source = MoodleSource(lms.settings, self.world.clock)
        pull(self.world.ctx, Trusted(source, "moodle", identity=RULES), full=True)


@pytest.fixture
def beside(engine: Engine, lms: Lms, tmp_path: Path) -> Iterator[Beside]:
    """A bridge with a mapping for the LMS's course, served by a server of its own."""
    world = World(engine, FrozenClock(datetime.now(UTC)))
    world.publish([rule("s47", lms.course_idnumber, 1, 2)])
    tool = make_tool(lms.base_url, tmp_path)
    server = make_server(
        "127.0.0.1", 0, lambda e, s: pages.app(e, s), threaded=True,
        request_handler=_QuietHandler,
    )  # fmt: skip
    base_url = f"http://127.0.0.1:{server.server_port}"
    pages = LtiWorld(world, WebSettings(base_url=base_url), tool=tool)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Beside(world, pages, tool, base_url)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
