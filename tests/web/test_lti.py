"""Launches through the pages: who is signed in, where it leads, and what cannot be made of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from bridge.connectors.moodle import MoodleSettings, MoodleSource
from bridge.demo.moodle import StandInMoodle, seed
from bridge.demo.moodle.lti import CLAIM, Begun
from bridge.demo.moodle.tables import User
from bridge.domain.errors import NotAllowed
from bridge.domain.identity import normal_staff_number
from bridge.domain.permissions import Permission, Role
from bridge.domain.scope import Actor
from bridge.services import launch as launches
from bridge.services import people, platforms, signin
from bridge.services.pull import Trusted, pull
from bridge.web.access import scope_of
from bridge.web.site import WebSettings
from tests.connectors.lti.conftest import LtiWorld, make_tool, someone_with_a_draft
from tests.support import RULES, FrozenClock, World, rule
from tests.web.site import csrf_of

Sent = Mapping[str, str] | None
SECRET = re.compile(r'name="secret" value="([^"]+)"')


@pytest.fixture(scope="module")
def moodle() -> Iterator[StandInMoodle]:
    """The demo's Moodle, running."""
    now = datetime.now(UTC)
    with StandInMoodle(seed.demo_site(now, lambda: datetime.now(UTC))) as running:
        yield running


@dataclass
class Gate:
    """A bridge and the platform that launches it. `user` has a completion that suggests 1 and 2."""

    world: World
    moodle: StandInMoodle
    folder: Path
    base_url: str = "http://localhost"
    pages: LtiWorld = field(init=False)

    def __post_init__(self) -> None:
        self.lti = self.moodle.lti
        self.user, self.course = someone_with_a_draft(self.moodle.site)
        self.tool = make_tool(self.moodle.base_url, self.folder)
        self.pages = LtiWorld(self.world, WebSettings(base_url=self.base_url), tool=self.tool)
        self.added = self.lti.add_tool(
            "Bridge", f"{self.base_url}/lti/launch", f"{self.base_url}/lti/login",
            [f"{self.base_url}/lti/launch"], f"{self.base_url}/lti/jwks",
        )  # fmt: skip
        new = self.tool.by_hand("moodle", self.added.clientid, [str(self.added.id)])
        self.platform = platforms.register_by_hand(self.world.ctx, new)

    def client(self) -> FlaskClient:
        """A new browser."""
        return self.pages.app.test_client()

    def pull(self) -> None:
        """Take in Moodle's completions."""
        settings = MoodleSettings(
            "moodle", self.moodle.base_url, self.moodle.site.token_of(seed.SERVICE_USER), 1
        )
        source = MoodleSource(settings, self.world.clock)
        pull(self.world.ctx, Trusted(source, "moodle", identity=RULES), full=True)

    def known(self, user: User | None = None, name: str = "learner") -> int:
        """The learner, as the staff list knows them."""
        number = normal_staff_number((user or self.user).idnumber)
        return self.world.person(name, staff_number=number)

    def begun(self, custom: dict[str, str] | None = None, *, deep: bool = False,
              user: int | None = None) -> Begun:  # fmt: skip
        """A launch of a new link in the course."""
        link = None if deep else self.lti.add_link(self.course, self.added.id, "Bridge", custom).id
        return Begun(user or self.user.id, self.course, self.added.id, link)

    def ask(self, client: FlaskClient, begun: Begun, headers: Sent = None) -> dict[str, str]:
        """Begin it; what the platform is asked."""
        _, asked = self.lti.begin(begun)
        answer = client.post("/lti/login", data=asked, base_url=self.base_url, headers=headers)
        assert answer.status_code == 302, answer.text
        where = answer.headers["Location"]
        assert where.startswith(f"{self.moodle.base_url}/mod/lti/auth.php?")
        return {name: value for name, (value,) in parse_qs(urlsplit(where).query).items()}

    def answer(
        self,
        client: FlaskClient,
        begun: Begun,
        asked: dict[str, str],
        claims: dict[str, Any] | None = None,
        headers: Sent = None,
    ) -> TestResponse:
        """Send the platform's signed answer."""
        token = self.lti.sign({**self.lti.claims(begun, asked["nonce"]), **(claims or {})})
        form = {"state": asked["state"], "id_token": token}
        return client.post("/lti/launch", data=form, base_url=self.base_url, headers=headers)

    def launch(self, client: FlaskClient, custom: dict[str, str] | None = None,
               claims: dict[str, Any] | None = None, *, deep: bool = False,
               user: int | None = None, headers: Sent = None) -> TestResponse:  # fmt: skip
        """The whole way."""
        begun = self.begun(custom, deep=deep, user=user)
        return self.answer(client, begun, self.ask(client, begun, headers), claims, headers)

    def who(self, client: FlaskClient) -> str:
        """The name that the pages greet."""
        page = client.get("/account/", base_url=self.base_url).text
        found = re.search(r'href="/account/"[^>]*>([^<]+)</a>', page)
        return found[1] if found else ""

    def post(self, client: FlaskClient, path: str) -> TestResponse:
        """Send a form of ours."""
        cookie = client.get_cookie("bridge") or client.get_cookie("bridge", "127.0.0.1")
        assert cookie is not None
        return client.post(path, data={"csrf_token": csrf_of(cookie.value)})

    def links(self) -> list[tuple[Any, ...]]:
        """Whose accounts, by which rule."""
        return self.world.rows(
            "SELECT person_id, rule, proof FROM account_links WHERE valid_to IS NULL ORDER BY id"
        )


@pytest.fixture
def gate(engine: Engine, moodle: StandInMoodle, tmp_path: Path) -> Gate:
    """A bridge without https, as in development."""
    return Gate(_world(engine), moodle, tmp_path)


@pytest.fixture
def secure(engine: Engine, moodle: StandInMoodle, tmp_path: Path) -> Gate:
    """A bridge behind https."""
    return Gate(_world(engine), moodle, tmp_path, "https://bridge.example.org")


def _world(engine: Engine) -> World:
    world = World(engine, FrozenClock(datetime.now(UTC)))
    world.publish([rule("s47", "LSCP-S47", 1, 2)])
    return world


# Who it is


def test_a_linked_account_signs_its_person_in_and_leads_to_the_draft(gate: Gate) -> None:
    learner = gate.known()
    gate.pull()
    (item,) = gate.world.items_of(learner)
    client = gate.client()
    answer = gate.launch(client, {"open": "course"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/evidence/{item.evidence.id}"
    assert gate.who(client) == "learner"
    assert gate.world.rows("SELECT act FROM audit WHERE act = 'sign-in'") == [("sign-in",)]


def test_an_unknown_account_is_joined_by_its_staff_number_and_drafts_appear(gate: Gate) -> None:
    gate.pull()
    learner = gate.known()
    assert not gate.world.items_of(learner)
    client = gate.client()
    answer = gate.launch(client)
    (item,) = gate.world.items_of(learner)
    assert answer.headers["Location"] == f"/evidence/{item.evidence.id}"
    assert gate.links() == [(learner, "lti-launch", normal_staff_number(gate.user.idnumber))]
    (detail,) = gate.world.rows("SELECT detail FROM audit WHERE act = 'link-account'")
    assert "lti-launch" in str(detail)


def test_an_email_counts_only_where_the_source_is_trusted_with_it(gate: Gate) -> None:
    person = gate.world.person("mail", email="mail@example.org")
    claims = {"email": "mail@example.org", f"{CLAIM}lis": {}}
    site = gate.pages.site
    arrival = launches.arrive(
        site.ctx, gate.tool, gate.platform,
        _said(gate, claims), [RULES[0]], bound=True, framed=False,
    )  # fmt: skip
    assert arrival.person is None
    gate.launch(gate.client(), claims=claims)
    assert gate.links() == [(person, "lti-launch", "mail@example.org")]


def _said(gate: Gate, claims: dict[str, Any]) -> Any:
    token = gate.lti.sign({**gate.lti.claims(gate.begun(), "n"), **claims})
    now = datetime.now(UTC)
    return gate.tool.read(gate.platform, token, hashlib.sha256(b"n").digest(), now)


def test_a_name_joins_nobody(gate: Gate) -> None:
    gate.world.person(gate.user.fullname, email="another@example.org")
    answer = gate.launch(gate.client(), claims={f"{CLAIM}lis": {}})
    assert answer.headers["Location"] == "/join"
    assert gate.links() == []


def test_what_points_at_two_people_joins_neither(gate: Gate) -> None:
    gate.known()
    gate.world.person("other", email="other@example.org")
    answer = gate.launch(gate.client(), claims={"email": "other@example.org"})
    assert answer.headers["Location"] == "/join"
    assert gate.links() == []


def test_a_staff_number_of_two_people_joins_neither(gate: Gate) -> None:
    gate.known()
    gate.known(name="twin")
    assert gate.launch(gate.client()).headers["Location"] == "/join"
    assert gate.links() == []


def test_what_the_training_team_took_apart_no_launch_joins_again(gate: Gate) -> None:
    learner = gate.known()
    gate.launch(gate.client())
    (account,) = gate.world.rows("SELECT id FROM accounts")
    people.unlink(gate.world.ctx, account[0], "Not theirs.")
    client = gate.client()
    assert gate.launch(client).headers["Location"] == "/join"
    _sign_in(gate, client, learner)
    answer = gate.post(client, "/join")
    assert answer.status_code == 422
    assert "took that Moodle account out" in answer.text


def test_a_merged_person_is_signed_in_as_who_they_are_and_a_split_undoes_it(gate: Gate) -> None:
    learner = gate.known()
    gate.pull()
    into = gate.world.person("into")
    people.merge(gate.world.ctx, learner, into, "one human being")
    client = gate.client()
    answer = gate.launch(client)
    assert gate.who(client) == "into"
    assert answer.headers["Location"].startswith("/evidence/")
    people.unmerge(gate.world.ctx, learner, "They are two.")
    again = gate.client()
    gate.launch(again)
    assert gate.who(again) == "learner"


def test_a_link_made_after_a_merge_goes_with_whose_number_it_is(gate: Gate) -> None:
    learner = gate.known()
    into = gate.world.person("into")
    people.merge(gate.world.ctx, learner, into, "one human being")
    gate.launch(gate.client())
    assert [person for person, *_ in gate.links()] == [learner]


# Linked by hand: somebody's word says whose evidence it is, and signs nobody in


def _by_hand(gate: Gate, person: int) -> None:
    gate.pull()
    account = gate.world.scalar("SELECT id FROM accounts WHERE value = :u", u=str(gate.user.id))
    people.link(gate.world.ctx, account, person, "She told me.")


def test_what_was_linked_by_hand_opens_once_its_person_has_confirmed_it(gate: Gate) -> None:
    me, other = gate.world.person("me"), gate.world.person("other")
    _by_hand(gate, me)
    (item,) = gate.world.items_of(me)
    client = gate.client()
    assert gate.launch(client).headers["Location"] == "/join"
    assert gate.who(client) == ""
    assert "only you can confirm it" in client.get("/join").text
    _sign_in(gate, client, other)
    refused = gate.post(client, "/join")
    assert refused.status_code == 422
    assert "belongs to somebody else" in refused.text
    assert gate.launch(client).headers["Location"] == "/join"
    _sign_in(gate, client, me)
    assert "Is this your account?" in client.get("/join").text
    confirmed = gate.post(client, "/join")
    assert confirmed.headers["Location"] == f"/evidence/{item.evidence.id}"
    ((linked, by, proof),) = gate.links()
    assert (linked, by) == (me, "lti-launch")
    assert proof.endswith("signed in by password")
    assert gate.world.rows("SELECT act FROM audit WHERE act = 'confirm-account'")
    again = gate.client()
    gate.launch(again)
    assert gate.who(again) == "me"


def test_in_a_frame_what_was_linked_by_hand_goes_on_to_be_confirmed(gate: Gate) -> None:
    _by_hand(gate, gate.world.person("me"))
    answer = gate.launch(gate.client(), headers={"Sec-Fetch-Dest": "iframe"})
    assert "Only you can confirm" in answer.text
    (secret,) = SECRET.findall(answer.text)
    to_join = gate.client().post("/lti/continue", data={"secret": secret},
                                 headers={"Sec-Fetch-Site": "same-origin"})  # fmt: skip
    assert to_join.headers["Location"] == "/join"


def test_a_trusted_identifier_confirms_what_was_linked_by_hand(gate: Gate) -> None:
    me = gate.world.person("me")
    _by_hand(gate, me)
    other = gate.world.person("other", email="other@example.org")
    # It names another person: the two words disagree, so nobody comes in.
    claims = {"email": "other@example.org", f"{CLAIM}lis": {}}
    assert gate.launch(gate.client(), claims=claims).headers["Location"] == "/join"
    claims["email"] = "me@example.org"
    client = gate.client()
    assert gate.launch(client, claims=claims).headers["Location"].startswith("/evidence/")
    assert gate.who(client) == "me"
    assert gate.links() == [(me, "lti-launch", "me@example.org")]
    assert gate.world.items_of(me)
    assert not gate.world.items_of(other)


# Joining once


def _sign_in(gate: Gate, client: FlaskClient, person: int, method: str = "password") -> None:
    secret = signin.start_session(gate.world.ctx, person, method, gate.pages.settings.lasting)
    client.set_cookie("bridge", secret)


def unknown(gate: Gate) -> User:
    """Somebody in Moodle of whom no staff list speaks."""
    return next(u for u in gate.moodle.site.users.values() if u.id > 30 and u.id != gate.user.id)


def test_somebody_unknown_signs_in_once_in_another_way(gate: Gate) -> None:
    gate.pull()
    person = gate.world.person("me")
    client = gate.client()
    answer = gate.launch(client, user=gate.user.id)
    assert answer.headers["Location"] == "/join"
    page = client.get("/join").text
    assert gate.user.fullname in page.replace("&#39;", "'")
    assert "Sign in once" in page
    to = gate.post(client, "/join/sign-in")
    assert to.headers["Location"] == "/sign-in?next=/join"
    _sign_in(gate, client, person)
    assert "Is this your account?" in client.get("/join").text
    answer = gate.post(client, "/join")
    assert answer.headers["Location"].startswith("/evidence/")
    ((linked, by, proof),) = gate.links()
    assert (linked, by) == (person, "lti-launch")
    assert proof == f"{gate.moodle.base_url} user {gate.user.id}; signed in by password"
    assert gate.world.items_of(person)
    again = gate.client()
    gate.launch(again)
    assert gate.who(again) == "me"


def test_what_was_joined_while_two_were_taken_for_one_waits_once_they_are_two(gate: Gate) -> None:
    gate.pull()
    me, taken_for = gate.world.person("me"), gate.world.person("somebody")
    people.merge(gate.world.ctx, me, taken_for, "the same name")
    gate.world.clock.advance(seconds=1)
    client = gate.client()
    gate.launch(client)
    gate.world.clock.advance(seconds=1)
    _sign_in(gate, client, me)
    gate.post(client, "/join")
    assert [person for person, *_ in gate.links()] == [taken_for]
    parted = people.unmerge(gate.world.ctx, me, "Two birthdays.")
    assert (parted.into, parted.waiting) == (taken_for, 1)
    assert "wait to be matched: 1" in parted.words
    assert gate.links() == []
    assert not any(c.suggested for i in gate.world.items_of(taken_for) for c in i.claims)
    acts = gate.world.rows("SELECT act FROM audit WHERE subject LIKE 'account:%' ORDER BY id")
    assert acts == [("link-account",), ("unlink-account",)]
    # Nobody said that it is not theirs: whose it is joins it again in the same way.
    gate.launch(client)
    _sign_in(gate, client, me)
    assert gate.post(client, "/join").headers["Location"].startswith("/evidence/")
    assert [person for person, *_ in gate.links()] == [me]


def test_a_link_in_a_mail_comes_back_to_the_launch(gate: Gate) -> None:
    person = gate.world.person("me")
    client = gate.client()
    gate.launch(client)
    _sign_in(gate, client, person, "link")
    assert client.get("/").headers["Location"] == "/join"


def test_a_session_that_stood_open_joins_nothing(gate: Gate) -> None:
    """A shared computer: somebody else is still signed in when the link is opened."""
    other = gate.world.person("other")
    client = gate.client()
    _sign_in(gate, client, other)
    gate.world.clock.advance(seconds=1)
    gate.launch(client)
    assert "Sign in once" in client.get("/join").text
    assert gate.post(client, "/join").status_code == 403
    assert gate.links() == []
    gate.post(client, "/join/sign-in")
    assert gate.who(client) == ""


@pytest.mark.parametrize("method", ["lti", "verifier-link"])
def test_a_launch_or_a_verifiers_link_is_no_other_way(gate: Gate, method: str) -> None:
    other = gate.world.person("other")
    client = gate.client()
    gate.launch(client)
    _sign_in(gate, client, other, method)
    assert gate.post(client, "/join").status_code in (403, 422)
    assert gate.links() == []


def test_nobody_joins_what_another_browser_launched(gate: Gate) -> None:
    """The attacker's launch, the victim's session: the secret never leaves the attacker's browser,
    and without it there is nothing to join."""
    victim = gate.world.person("victim")
    gate.launch(gate.client())
    browser = gate.client()
    _sign_in(gate, browser, victim)
    assert browser.get("/join").headers["Location"] == "/"
    assert gate.post(browser, "/join").status_code == 403
    assert gate.links() == []


def test_no_other_site_can_send_the_confirmation(gate: Gate) -> None:
    person = gate.world.person("me")
    client = gate.client()
    gate.launch(client)
    _sign_in(gate, client, person)
    assert client.post("/join").status_code == 400
    assert gate.links() == []


def test_a_launch_waits_an_hour_and_is_joined_once(gate: Gate) -> None:
    person = gate.world.person("me")
    client = gate.client()
    gate.launch(client)
    gate.world.clock.advance(minutes=61)
    _sign_in(gate, client, person)
    assert gate.post(client, "/join").status_code == 403
    gate.world.clock.moment = datetime.now(UTC)
    gate.launch(client)
    kept = client.get_cookie("bridge-join")
    assert kept is not None
    _sign_in(gate, client, person)
    assert gate.post(client, "/join").status_code == 303
    client.set_cookie("bridge-join", kept.value)
    assert gate.post(client, "/join").status_code == 403


def test_saying_no_joins_nothing(gate: Gate) -> None:
    person = gate.world.person("me")
    client = gate.client()
    gate.launch(client)
    _sign_in(gate, client, person)
    gate.post(client, "/join/leave")
    assert client.get_cookie("bridge-join") is None
    assert gate.links() == []


# Used once, in time, by whom it was meant for


def test_an_answer_counts_once(gate: Gate) -> None:
    gate.known()
    client = gate.client()
    begun = gate.begun()
    asked = gate.ask(client, begun)
    assert gate.answer(client, begun, asked).status_code == 303
    again = gate.answer(gate.client(), begun, asked)
    assert again.status_code == 403
    assert "used already" in again.text


def test_a_state_that_we_did_not_give_and_one_that_ran_out(gate: Gate) -> None:
    client = gate.client()
    begun = gate.begun()
    asked = gate.ask(client, begun)
    assert gate.answer(client, begun, {**asked, "state": "made-up"}).status_code == 403
    gate.world.clock.advance(minutes=11)
    assert gate.answer(client, begun, asked).status_code == 403


def test_a_bad_answer_uses_the_state_up(gate: Gate) -> None:
    client = gate.client()
    begun = gate.begun()
    asked = gate.ask(client, begun)
    assert gate.answer(client, begun, {**asked, "nonce": "another"}).status_code == 403
    assert gate.answer(client, begun, asked).status_code == 403


def test_a_platform_that_nobody_registered_cannot_begin(gate: Gate) -> None:
    for asked in ({"iss": "https://evil.example"}, {}, {"iss": gate.moodle.base_url,
                                                        "client_id": "other"}):  # fmt: skip
        assert gate.client().post("/lti/login", data=asked).status_code == 403


def test_keys_that_the_platform_changed_are_fetched(gate: Gate) -> None:
    gate.known()
    assert gate.launch(gate.client()).status_code == 303
    gate.lti.rotate()
    gate.world.clock.advance(seconds=15)
    assert gate.launch(gate.client()).status_code == 303


def test_what_the_platform_says_of_an_error_is_not_shown(gate: Gate) -> None:
    form = {"error": "<b>login_required</b>", "error_description": "<script>alert(1)</script>"}
    answer = gate.client().post("/lti/launch", data=form)
    assert answer.status_code == 403
    assert "alert" not in answer.text
    assert "login_required" not in answer.text


def test_a_launch_leads_to_our_own_pages_alone(gate: Gate) -> None:
    gate.known()
    targets = {
        "http://localhost/log": "/log",
        "http://localhost/lti/launch": "/",
        "http://localhost": "/",
        "https://evil.example/log": "/",
        "http://localhost.evil.example/log": "/",
        "http://localhost@evil.example/log": "/",
        "http://localhost//evil.example": "/",
        "http://localhost/\\evil.example": "/",
        "http://localhost/log\r\nSet-Cookie: a=b": "/",
        "//evil.example/": "/",
        "javascript:alert(1)": "/",
        "/log": "/",
    }
    for target, expected in targets.items():
        claims = {f"{CLAIM}target_link_uri": target}
        answer = gate.launch(gate.client(), claims=claims)
        assert answer.headers["Location"] == expected, target


def test_somebody_elses_draft_is_not_shown(gate: Gate) -> None:
    learner = gate.known()
    gate.pull()
    (item,) = gate.world.items_of(learner)
    other = unknown(gate)
    gate.known(other, "other")
    client = gate.client()
    target = {f"{CLAIM}target_link_uri": f"http://localhost/evidence/{item.evidence.id}"}
    answer = gate.launch(client, claims=target, user=other.id)
    assert client.get(answer.headers["Location"]).status_code == 404


def test_a_new_sign_in_takes_the_place_of_the_old_one(gate: Gate) -> None:
    gate.known()
    client = gate.client()
    _sign_in(gate, client, gate.world.person("before"))
    before = client.get_cookie("bridge")
    gate.launch(client)
    after = client.get_cookie("bridge")
    assert before is not None
    assert after is not None
    assert after.value != before.value
    assert gate.who(client) == "learner"


# Over https: the browser is bound, frames are counted with


def cookies(answer: TestResponse) -> str:
    """The cookies that an answer sets."""
    return " ".join(answer.headers.getlist("Set-Cookie"))


def test_over_https_the_browser_is_bound_by_a_cookie(secure: Gate) -> None:
    secure.known()
    client = secure.client()
    begun = secure.begun()
    _, asked = secure.lti.begin(begun)
    answer = client.post("/lti/login", data=asked, base_url=secure.base_url)
    for part in ("__Host-bridge-lti=", "Secure", "HttpOnly", "SameSite=None"):
        assert part in cookies(answer)
    assert "Partitioned" not in cookies(answer)
    assert secure.launch(client).headers["Location"] == "/"


def test_an_answer_in_another_browser_signs_nobody_in(secure: Gate) -> None:
    """Login CSRF: the attacker's answer, posted by the victim's browser."""
    secure.known()
    mine, victims = secure.client(), secure.client()
    begun = secure.begun()
    asked = secure.ask(mine, begun)
    answer = secure.answer(victims, begun, asked)
    assert answer.status_code == 200
    assert "__Host-bridge=" not in cookies(answer)
    # What is on that page works from that page alone.
    (secret,) = SECRET.findall(answer.text)
    for site in ("cross-site", "same-site", "none", None):
        headers = {"Sec-Fetch-Site": site} if site else {}
        refused = victims.post(
            "/lti/continue", data={"secret": secret}, base_url=secure.base_url, headers=headers
        )
        assert refused.status_code == 403
        assert "__Host-bridge=" not in cookies(refused)


def test_a_browser_with_another_cookie_is_refused(secure: Gate) -> None:
    secure.known()
    mine, victims = secure.client(), secure.client()
    secure.ask(victims, secure.begun())
    begun = secure.begun()
    asked = secure.ask(mine, begun)
    assert secure.answer(victims, begun, asked).status_code == 403


def test_a_browser_that_keeps_cookies_back_in_a_frame_goes_on_in_a_window(secure: Gate) -> None:
    learner = secure.known()
    secure.pull()
    begun = secure.begun({"open": "course"})
    frame = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
    asked = secure.ask(secure.client(), begun, headers=frame)
    answer = secure.answer(secure.client(), begun, asked, headers=frame)
    assert answer.status_code == 200
    assert 'target="_blank"' in answer.text
    assert f"frame-ancestors {secure.moodle.base_url}" in answer.headers["Content-Security-Policy"]
    (secret,) = SECRET.findall(answer.text)
    window = secure.client()
    own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}
    entered = window.post("/lti/continue", data={"secret": secret}, base_url=secure.base_url,
                          headers=own)  # fmt: skip
    (item,) = secure.world.items_of(learner)
    assert entered.headers["Location"] == f"/evidence/{item.evidence.id}"
    assert "SameSite=Lax" in cookies(entered)
    assert secure.who(window) == "learner"
    once_more = window.post("/lti/continue", data={"secret": secret}, base_url=secure.base_url,
                            headers=own)  # fmt: skip
    assert once_more.status_code == 403


def test_where_the_browser_allows_it_the_frame_itself_is_signed_in(secure: Gate) -> None:
    secure.known()
    client = secure.client()
    frame = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
    answer = secure.launch(client, {"open": "home"}, headers=frame)
    assert answer.status_code == 303
    for part in ("__Host-bridge=", "Secure", "HttpOnly", "SameSite=None", "Partitioned"):
        assert part in cookies(answer)
    page = client.get("/log", base_url=secure.base_url)
    assert page.headers["Content-Security-Policy"].endswith(
        f"frame-ancestors {secure.moodle.base_url}"
    )


def test_pages_that_were_not_launched_in_a_frame_stand_in_none(gate: Gate) -> None:
    gate.known()
    client = gate.client()
    gate.launch(client, {"open": "home"})
    for path in ("/log", "/sign-in", "/lti/register/x"):
        policy = client.get(path).headers["Content-Security-Policy"]
        if path != "/lti/register/x":
            assert policy.endswith("frame-ancestors 'none'"), path


def test_a_platform_that_was_ended_frames_nothing_more(gate: Gate) -> None:
    gate.known()
    client = gate.client()
    gate.launch(client, {"open": "home"}, headers={"Sec-Fetch-Dest": "iframe"})
    assert gate.moodle.base_url in client.get("/log").headers["Content-Security-Policy"]
    platforms.end(gate.world.ctx, gate.platform.id)
    assert "frame-ancestors 'none'" in client.get("/log").headers["Content-Security-Policy"]


def test_somebody_unknown_in_a_frame_goes_on_in_a_window(gate: Gate) -> None:
    answer = gate.launch(gate.client(), headers={"Sec-Fetch-Dest": "iframe"})
    assert answer.status_code == 200
    (secret,) = SECRET.findall(answer.text)
    window = gate.client()
    to_join = window.post("/lti/continue", data={"secret": secret},
                          headers={"Sec-Fetch-Site": "same-origin"})  # fmt: skip
    assert to_join.headers["Location"] == "/join"


def test_without_https_a_frame_in_another_site_goes_on_in_a_window(gate: Gate) -> None:
    gate.known()
    frame = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
    answer = gate.launch(gate.client(), headers=frame)
    assert answer.status_code == 200
    assert SECRET.findall(answer.text)


# Deep linking and registration


def test_a_teachers_choice_goes_back_to_the_platform_alone(gate: Gate) -> None:
    client = gate.client()
    page = gate.launch(client, deep=True)
    assert page.status_code == 200
    (secret,) = SECRET.findall(page.text)
    answer = client.post("/lti/link", data={"secret": secret, "opens": "home"})
    policy = answer.headers["Content-Security-Policy"]
    assert f"form-action 'self' {gate.moodle.base_url};" in policy
    (token,) = re.findall(r'name="JWT" value="([^"]+)"', answer.text)
    (link,) = gate.lti.take_answer(
        gate.added.id, gate.course, token, gate.client().get("/lti/jwks").get_json()
    )
    assert link.custom == {"open": "home"}
    assert gate.world.rows("SELECT act FROM audit WHERE act = 'offer-link'")
    again = client.post("/lti/link", data={"secret": secret, "opens": "home"})
    assert again.status_code == 403


def test_choosing_nothing_says_so(gate: Gate) -> None:
    client = gate.client()
    (secret,) = SECRET.findall(gate.launch(client, deep=True).text)
    answer = client.post("/lti/link", data={"secret": secret, "opens": ""})
    (token,) = re.findall(r'name="JWT" value="([^"]+)"', answer.text)
    keys = gate.client().get("/lti/jwks").get_json()
    assert gate.lti.take_answer(gate.added.id, gate.course, token, keys) == []


def test_only_an_invited_platform_registers(gate: Gate) -> None:
    question = {"openid_configuration": f"{gate.moodle.base_url}/mod/lti/openid-configuration.php",
                "registration_token": gate.lti.registration_token()}  # fmt: skip
    assert gate.client().get("/lti/register/made-up", query_string=question).status_code == 403
    form = {"configuration": question["openid_configuration"],
            "token": question["registration_token"]}  # fmt: skip
    assert gate.client().post("/lti/register/made-up", data=form).status_code == 403
    secret = platforms.invite(gate.world.ctx, "moodle", gate.tool)
    gate.world.clock.advance(hours=25)
    assert gate.client().post(f"/lti/register/{secret}", data=form).status_code == 403
    assert len(platforms.platforms(gate.world.ctx)) == 1


def test_a_registration_that_failed_leaves_the_invitation_good(gate: Gate) -> None:
    secret = platforms.invite(gate.world.ctx, "moodle", gate.tool)
    form = {"configuration": f"{gate.moodle.base_url}/mod/lti/openid-configuration.php",
            "token": "not a token"}  # fmt: skip
    client = gate.client()
    assert client.post(f"/lti/register/{secret}", data=form).status_code in (403, 502)
    form["token"] = gate.lti.registration_token()
    assert client.post(f"/lti/register/{secret}", data=form).status_code == 200
    assert len(platforms.platforms(gate.world.ctx)) == 2


def test_only_an_administrator_of_the_whole_partnership_invites(gate: Gate) -> None:
    admin, narrow, learner = (gate.world.person(n) for n in ("admin", "narrow", "someone"))
    with gate.world.store.begin() as uow:
        uow.people.organisation("agency", "Agency", "", None)
    gate.pages.give(admin, [Role.LMS_ADMIN])
    gate.pages.give(narrow, [Role.LMS_ADMIN], "agency")

    def acting(person: int) -> Any:
        secret = signin.start_session(gate.world.ctx, person, "password",
                                      gate.pages.settings.lasting)  # fmt: skip
        who = signin.who_is(gate.world.ctx, secret, gate.pages.settings.lasting)
        with gate.pages.app.app_context():
            return gate.world.ctx.acting_as(Actor(scope_of(who, Permission.BADGES), "web"))

    assert platforms.invite(acting(admin), "moodle", gate.tool)
    for person in (narrow, learner):
        with pytest.raises(NotAllowed):
            platforms.invite(acting(person), "moodle", gate.tool)
        with pytest.raises(NotAllowed):
            platforms.end(acting(person), gate.platform.id)


def test_nothing_secret_is_logged(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    gate.known()
    client = gate.client()
    begun = gate.begun()
    asked = gate.ask(client, begun)
    gate.answer(client, begun, asked)
    secret = platforms.invite(gate.world.ctx, "moodle", gate.tool)
    client.get(f"/lti/register/{secret}?registration_token=abcdef")
    written = "".join(capsys.readouterr())
    for one in (asked["state"], asked["nonce"], secret, "abcdef"):
        assert one not in written
