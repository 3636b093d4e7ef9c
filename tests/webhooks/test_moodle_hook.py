"""The Moodle plugin's signed webhook: believed in nothing but that it is worth a look."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from bridge.demo.moodle import Fault, StandInMoodle
from bridge.demo.moodle.plugin.outbox import signed
from bridge.jobs import work
from bridge.jobs.work import Works
from bridge.services import inbox
from bridge.services.pull import Trusted, pull
from tests.connectors.moodle.smallsite import COURSES, PEOPLE, small_site, source_of
from tests.support import RULES, World
from tests.web.site import WebWorld

PATH = "/hooks/moodle/moodle"
COMPLETED = {"site": "5e", "kind": "changes", "first": 7, "last": 9, "count": 3, "sent": 1}
PING = {"site": "5e", "kind": "ping", "sent": 1}


def secret_of(size: int = 32) -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(size)).decode()


@dataclass
class Hooked:
    """A bridge whose Moodle has the plugin, and the secret that both know."""

    pages: WebWorld
    moodle: StandInMoodle
    secret: str

    @property
    def world(self) -> World:
        return self.pages.world

    @property
    def trusted(self) -> Trusted:
        return Trusted(source_of(self.moodle, self.world.clock), "moodle", identity=RULES)

    def post(self, body: Any, secret: str = "", number: str = "msg_1", path: str = PATH,
             age: float = 0, more: dict[str, str] | None = None) -> TestResponse:  # fmt: skip
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        moment = int(self.world.clock.now().timestamp() - age)
        told = signed(secret or self.secret, number, moment, data) | (more or {})
        return self.pages.browser().client.post(path, data=data, headers=told)

    def notes(self) -> list[str]:
        return [note for (note,) in self.world.rows("SELECT note FROM inbox ORDER BY id")]


@pytest.fixture
def hooked(pages: WebWorld) -> Iterator[Hooked]:
    secret = secret_of()
    pages.hook_secrets[:] = [secret]
    with StandInMoodle(small_site(pages.world.clock.now)) as running:
        yield Hooked(pages, running, secret)


def test_a_completion_is_noted_at_once_and_is_a_draft_once_it_was_looked_up(
    hooked: Hooked,
) -> None:
    world = hooked.world
    learner = world.person("u11", email="u11@example.org")
    pull(world.ctx, hooked.trusted)
    world.clock.advance(minutes=20)
    hooked.moodle.site.complete(11, 21, world.clock.now())
    last = hooked.moodle.site.plugin.last_id  # type: ignore[union-attr]
    body = {**COMPLETED, "first": last, "last": last, "userid": 12, "courseid": 22}
    for _ in range(3):
        assert hooked.post(body, number="msg_7").status_code == 202
    assert hooked.notes() == [f"changes:{last}-{last}"]
    assert hooked.pages.woken == ["moodle"] * 3
    assert world.items_of(learner) == []
    assert work.look_again(Works(world.ctx, {"moodle": hooked.trusted}), "moodle")
    (item,) = world.items_of(learner)
    assert item.evidence.title == "Course 1"
    assert world.scalar("SELECT count(*) FROM received") == 1


def test_a_ping_is_answered_and_leaves_nothing(hooked: Hooked) -> None:
    answer = hooked.post(PING)
    assert answer.status_code == 200
    assert answer.get_json() == {"ok": True, "source": "moodle", "site": ""}
    assert hooked.notes() == []


def test_a_ping_is_told_which_moodle_the_bridge_knows_there(hooked: Hooked) -> None:
    pull(hooked.world.ctx, hooked.trusted)
    plugin = hooked.moodle.site.plugin
    assert plugin is not None
    # A copy of that Moodle, at an address of its own, says another name of itself.
    assert hooked.post(PING).get_json()["site"] == plugin.site != PING["site"]


def test_what_another_library_signs_by_the_specification_is_let_in(hooked: Hooked) -> None:
    now = hooked.world.clock.now()
    data = json.dumps(COMPLETED)
    headers = {
        "webhook-id": "msg_other",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(hooked.secret).sign("msg_other", now, data),
    }
    answer = hooked.pages.browser().client.post(PATH, data=data, headers=headers)
    assert answer.status_code == 202


def test_two_secrets_hold_while_one_is_replaced(hooked: Hooked) -> None:
    fresh = secret_of()
    hooked.pages.hook_secrets[:] = [fresh, hooked.secret]
    assert hooked.post(PING).status_code == 200
    assert hooked.post(PING, fresh).status_code == 200
    # Moodle signs by both, too, while its own secret is replaced.
    right = signed(fresh, "msg_1", int(hooked.world.clock.now().timestamp()),
                   json.dumps(PING).encode())["webhook-signature"]  # fmt: skip
    both = {"webhook-signature": f"v1a,xxx v1,AAAA {right}"}
    hooked.pages.hook_secrets[:] = [fresh]
    assert hooked.post(PING, more=both).status_code == 200
    assert hooked.post(PING).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-id": ""},
        {"webhook-id": "another"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": "²"},
    ],
)
def test_what_is_not_signed_right_is_turned_away(hooked: Hooked, headers: dict[str, str]) -> None:
    quoted = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    assert hooked.post(COMPLETED, more=quoted).status_code == 401
    assert hooked.notes() == []


def test_a_guessed_secret_an_altered_body_and_an_old_notice_are_turned_away(
    hooked: Hooked,
) -> None:
    assert hooked.post(COMPLETED, secret_of()).status_code == 401
    data = json.dumps(COMPLETED).encode()
    moment = int(hooked.world.clock.now().timestamp())
    headers = signed(hooked.secret, "msg_1", moment, data)
    client = hooked.pages.browser().client
    altered = data.replace(b"7", b"1")
    assert client.post(PATH, data=altered, headers=headers).status_code == 401
    for age, status in ((299, 202), (-299, 202), (301, 401), (-301, 401)):
        assert hooked.post(COMPLETED, age=age).status_code == status, age


def test_without_a_secret_nobody_is_let_in(hooked: Hooked) -> None:
    hooked.pages.hook_secrets.clear()
    assert hooked.post(PING).status_code == 401


def test_what_is_wrong_with_the_secret_here_is_told_to_the_log_alone(hooked: Hooked) -> None:
    signer = hooked.secret
    hooked.pages.hook_secrets[:] = ["whsec_dG9vc2hvcnQ="]
    answer = hooked.post(PING, secret=signer)
    assert answer.status_code == 503
    assert "whsec" not in answer.text
    assert "webhook" not in answer.text


def test_an_unknown_source_and_other_ways_of_asking_are_no_pages(hooked: Hooked) -> None:
    assert hooked.post(PING, path="/hooks/moodle/elsewhere").status_code == 404
    assert hooked.pages.browser().client.get(PATH).status_code == 405


def test_what_is_no_notice_is_refused(hooked: Hooked) -> None:
    wrong: list[Any] = [
        b"{", b"[]", b"", {"kind": "other"}, {**COMPLETED, "first": "7"},
        {**COMPLETED, "first": True}, {**COMPLETED, "first": 0}, {**COMPLETED, "last": 6},
        {**COMPLETED, "last": 2**60}, {"kind": "changes"},
    ]  # fmt: skip
    assert {hooked.post(body).status_code for body in wrong} == {400}
    assert hooked.post(b" " * 9_000).status_code == 413
    assert hooked.notes() == []


def test_too_much_at_once_asks_moodle_to_come_again(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_WAITING", 1)
    assert hooked.post(COMPLETED, number="a").status_code == 202
    answer = hooked.post(COMPLETED, number="b")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_lying_notice_changes_nothing(hooked: Hooked) -> None:
    """Whoever had the secret could still make the bridge look, and nothing else."""
    hooked.world.clock.advance(hours=1)
    pull(hooked.world.ctx, hooked.trusted)
    before = hooked.world.dump(("inbox", "leases"))
    assert hooked.post({**COMPLETED, "first": 10**9, "last": 10**9 + 5}).status_code == 202
    report = inbox.fetch_noted(hooked.world.ctx, hooked.trusted)
    assert (report.done, report.error) == (1, "")
    assert hooked.world.dump(("inbox", "leases")) == before


def test_notes_wait_while_moodle_rests_and_the_next_pull_sees_all_the_same(
    hooked: Hooked,
) -> None:
    world = hooked.world
    pull(world.ctx, hooked.trusted)
    world.clock.advance(minutes=20)
    for person in PEOPLE:
        hooked.moodle.site.complete(person, COURSES[1], world.clock.now())
    hooked.post({**COMPLETED, "first": 1, "last": 4})
    hooked.moodle.faults.add(Fault.MAINTENANCE, times=1)
    works = Works(world.ctx, {"moodle": hooked.trusted})
    assert not work.look_again(works, "moodle")
    pull(world.ctx, hooked.trusted)
    assert world.scalar("SELECT count(*) FROM received") == 4
    world.clock.advance(minutes=10)
    assert inbox.sources_due(world.ctx) == ["moodle"]
    assert work.look_again(works, "moodle")
    assert world.scalar("SELECT count(*) FROM received") == 4


def test_a_webhook_of_the_stand_in_is_signed_and_sent_until_it_arrives(hooked: Hooked) -> None:
    plugin = hooked.moodle.site.plugin
    assert plugin is not None
    sent: list[int] = []

    def deliver(body: dict[str, Any], now: int, number: str) -> int:
        answer = hooked.post(body, number=number)
        sent.append(answer.status_code)
        return answer.status_code

    plugin.hook_url, plugin.send = "somewhere", deliver  # type: ignore[method-assign]
    assert hooked.moodle.cron() is None
    hooked.moodle.site.complete(11, 21, hooked.world.clock.now() - timedelta(days=1))
    hooked.pages.hook_secrets.clear()
    assert hooked.moodle.cron() == 401
    hooked.pages.hook_secrets[:] = [hooked.secret]
    assert hooked.moodle.cron() == 202
    assert hooked.moodle.cron() is None
    assert hooked.notes() == ["changes:1-1"]


def test_a_completion_that_suggests_by_score_takes_a_better_grade_at_once(hooked: Hooked) -> None:
    world = hooked.world
    learner = world.person("u11", email="u11@example.org")
    pull(world.ctx, hooked.trusted)
    site = hooked.moodle.site
    site.complete(11, 22, world.clock.now(), grade=40)
    works = Works(world.ctx, {"moodle": hooked.trusted})
    hooked.post({**COMPLETED, "first": 1, "last": 1}, number="one")
    work.look_again(works, "moodle")
    assert world.items_of(learner) == []
    site.grade_course(11, 22, 85)
    hooked.post({**COMPLETED, "first": 2, "last": 2}, number="two")
    work.look_again(works, "moodle")
    (item,) = world.items_of(learner)
    assert item.evidence.title == "Course 2"
