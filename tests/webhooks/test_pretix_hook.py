"""pretix's unsigned webhook made safe: a secret in the address, a note, and a look at pretix."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge import log
from bridge.connectors.booking.pretix import PretixSettings, PretixSource
from bridge.demo.booking import Fault, Shop, StandInPretix
from bridge.demo.booking.state import Booker, Order
from bridge.domain.errors import LostLease, NotFound, TryLater
from bridge.jobs import work
from bridge.jobs.work import Works
from bridge.services import inbox
from bridge.services.pull import Trusted, pull
from tests.support import RULES, World
from tests.web.site import WebWorld

NAME, TOKEN = "events", "stand-in-token-0123456789"


@dataclass
class Hooked:
    """A bridge with a pretix whose webhook has an address."""

    pages: WebWorld
    pretix: StandInPretix
    order: Order
    secret: str

    @property
    def world(self) -> World:
        return self.pages.world

    @property
    def shop(self) -> Shop:
        return self.pretix.shop

    @property
    def trusted(self) -> Trusted:
        settings = PretixSettings(NAME, self.pretix.base_url, "northmere", TOKEN, no_show=True)
        return Trusted(PretixSource(settings, self.world.ctx.clock), "pretix", "trusted", RULES)

    def works(self) -> Works:
        return Works(self.world.ctx, {NAME: self.trusted})

    def notices(self) -> list[dict[str, object]]:
        """What has happened at the shop since this was asked."""
        told, self.shop.notices = self.shop.notices, []
        return told

    def post(self, body: Any, *, secret: str = "", source: str = NAME, **more: Any) -> TestResponse:
        client = self.pages.browser().client
        path = f"/hooks/pretix/{source}/{secret or self.secret}"
        told = {"data": body} if isinstance(body, bytes) else {"json": body}
        return client.post(path, **told, **more)

    def statuses(self) -> list[str]:
        """What the records of that pretix say, by place."""
        asked = "SELECT status FROM learning_records ORDER BY received_id"
        return [status for (status,) in self.world.rows(asked)]


@pytest.fixture
def hooked(pages: WebWorld) -> Iterator[Hooked]:
    clock = pages.world.ctx.clock
    shop = Shop("northmere", TOKEN, clock.now)
    with StandInPretix(shop) as running:
        start = clock.now() - timedelta(days=2)
        shop.add_event("s47", "Section 47", start, start + timedelta(hours=6))
        order = shop.book(
            "s47", Booker("Ana Reid", "ana@n.example"), Booker("Ben", "ben@n.example")
        )
        made = Hooked(pages, running, order, inbox.issue_hook(pages.world.ctx, NAME))
        shop.notices.clear()
        yield made


def test_a_check_in_is_noted_at_once_and_then_looked_up(hooked: Hooked) -> None:
    pull(hooked.world.ctx, hooked.trusted)
    hooked.shop.scan(hooked.order, 1, hooked.shop.events["s47"].date_from)
    (notice,) = hooked.notices()
    hooked.pretix.requests.clear()
    # However often it comes, and whatever else it claims.
    for body in (notice, notice, {**notice, "status": "attended", "attendee": "somebody else"}):
        assert hooked.post(body).status_code == 202
    assert hooked.world.scalar("SELECT count(*) FROM inbox") == 1
    assert hooked.pretix.requests == []
    assert hooked.statuses() == ["unknown", "unknown"]
    work.look_again(hooked.works(), NAME)
    assert hooked.statuses() == ["attended", "missed"]
    asked = len(hooked.pretix.requests)
    work.look_again(hooked.works(), NAME)
    assert len(hooked.pretix.requests) == asked


def test_a_lying_notice_changes_nothing(hooked: Hooked) -> None:
    pull(hooked.world.ctx, hooked.trusted)
    before = hooked.statuses()
    lies = [
        {"notification_id": 1, "event": "s47", "code": "ZZZZZ", "action": "pretix.event.checkin"},
        {"notification_id": 2, "event": "s47", "code": hooked.order.code,
         "action": "pretix.event.order.canceled"},
        {"notification_id": 3, "event": "../../x", "code": "ABC", "action": "pretix.event.changed"},
        {"notification_id": 4, "event": "s47", "action": "pretix.giftcards.created"},
    ]  # fmt: skip
    assert {hooked.post(lie).status_code for lie in lies} == {202}
    notes = {note for (note,) in hooked.world.rows("SELECT note FROM inbox")}
    assert notes == {"order:s47:ZZZZZ", f"order:s47:{hooked.order.code}"}
    report = inbox.fetch_noted(hooked.world.ctx, hooked.trusted)
    assert (report.done, report.error) == (2, "")
    assert hooked.statuses() == before


def test_whoever_does_not_know_the_secret_finds_no_page(hooked: Hooked) -> None:
    notice = {"notification_id": 1, "event": "s47", "code": "ABC", "action": "pretix.event.checkin"}
    unknown = hooked.post(notice, secret="wh_" + "x" * 43)
    assert unknown.status_code == 404
    assert hooked.post(notice, source="moodle").status_code == 404
    assert hooked.post(b"x" * 200_000, secret="wh_guess").status_code == 404
    assert hooked.world.scalar("SELECT count(*) FROM inbox") == 0


def test_what_is_no_notice_is_refused_but_never_as_gone(hooked: Hooked) -> None:
    """On a 410 pretix would switch the webhook off for good."""
    wrong = {b"{": 400, b"[]": 400, b'{"event": "s47"}': 400, b" " * 50_000: 413}
    assert [hooked.post(body).status_code for body in wrong] == [*wrong.values()]


def test_a_new_address_can_overlap_with_the_old_one(hooked: Hooked) -> None:
    ctx, clock = hooked.world.ctx, hooked.world.clock
    notice = {"notification_id": 1, "event": "s47", "code": "ABC", "action": "pretix.event.checkin"}
    fresh = inbox.issue_hook(ctx, NAME, timedelta(hours=24))
    assert hooked.post(notice).status_code == 202
    assert hooked.post(notice, secret=fresh).status_code == 202
    clock.advance(hours=25)
    assert hooked.post(notice).status_code == 404
    assert hooked.post(notice, secret=fresh).status_code == 202
    at_once = inbox.issue_hook(ctx, NAME)
    assert hooked.post(notice, secret=fresh).status_code == 404
    assert [hook.used_at for hook in inbox.hooks(ctx)] == [None]
    assert inbox.end_hooks(ctx, NAME) == 1
    assert hooked.post(notice, secret=at_once).status_code == 404
    with pytest.raises(NotFound):
        inbox.end_hooks(ctx, NAME)


def test_the_secret_is_in_no_table_and_in_no_log(hooked: Hooked) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    kept = root.handlers, root.level
    log.set_up(stream)
    try:
        for body in ({"notification_id": 1}, b"{"):
            hooked.post(body)
        logging.getLogger("anything").warning("POST /hooks/pretix/events/%s", hooked.secret)
    finally:
        root.handlers, level = kept
        root.setLevel(level)
    assert "/hooks/pretix/<source>/<secret>" in stream.getvalue()
    assert hooked.secret not in stream.getvalue()
    assert hooked.secret not in str(hooked.world.dump())


def test_a_busy_pretix_is_asked_again_when_it_said(hooked: Hooked) -> None:
    hooked.shop.cancel(hooked.order)
    for notice in hooked.notices():
        hooked.post(notice)
    hooked.pretix.faults.add(Fault.TOO_MANY_REQUESTS, times=1)
    ctx = hooked.world.ctx
    report = inbox.fetch_noted(ctx, hooked.trusted)
    assert (report.done, report.later) == (0, 1)
    assert "too many requests" in report.error
    assert inbox.fetch_noted(ctx, hooked.trusted).done == 0
    hooked.world.clock.advance(minutes=2)
    assert inbox.fetch_noted(ctx, hooked.trusted).done == 1
    assert hooked.statuses() == ["cancelled", "cancelled"]


def test_what_cannot_be_seen_is_left_to_the_nightly_pull_and_stops_nothing(
    hooked: Hooked,
) -> None:
    ctx, clock = hooked.world.ctx, hooked.world.clock
    inbox.leave_note(ctx, NAME, "1", "order:hidden:ABC")
    inbox.leave_note(ctx, NAME, "2", f"order:s47:{hooked.order.code}")
    report = inbox.fetch_noted(ctx, hooked.trusted)
    assert (report.done, report.later) == (1, 1)
    for _ in range(inbox.MOST_ATTEMPTS):
        clock.advance(hours=7)
        report = inbox.fetch_noted(ctx, hooked.trusted)
        if report.given_up:
            break
    assert report.given_up == 1
    (stands,) = inbox.backlog(ctx)
    assert (stands.source_key, stands.waiting, stands.given_up) == (NAME, 0, 1)
    assert "403" in stands.error
    clock.advance(days=40)
    assert inbox.forget_old(ctx) == 2


def test_notes_wait_while_the_source_is_being_pulled(hooked: Hooked) -> None:
    ctx = hooked.world.ctx
    inbox.leave_note(ctx, NAME, "1", f"order:s47:{hooked.order.code}")
    with ctx.store.begin() as uow:
        lease = uow.ops.take_lease(f"pull:{NAME}", "another", ctx.clock.now(), 60)
    assert lease is not None
    with pytest.raises(LostLease):
        inbox.fetch_noted(ctx, hooked.trusted)
    assert hooked.world.scalar("SELECT count(*) FROM inbox WHERE done_at IS NULL") == 1


def test_too_much_at_once_asks_pretix_to_come_again(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_WAITING", 1)
    first, second = (
        {"notification_id": n, "event": "s47", "code": "ABC", "action": "pretix.event.checkin"}
        for n in (1, 2)
    )
    assert hooked.post(first).status_code == 202
    answer = hooked.post(second)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "600"


def test_without_orders_showing_nothing_is_concluded(hooked: Hooked) -> None:
    """A pull whose list of orders was emptied by a lost permission withdraws nothing."""
    pull(hooked.world.ctx, hooked.trusted)
    hooked.pretix.faults.add(Fault.SHRINKING)
    small = Trusted(
        PretixSource(
            replace(hooked.trusted.connector.settings, page_size=1),  # type: ignore[attr-defined]
            hooked.world.ctx.clock,
        ),
        "pretix", "trusted", RULES,
    )  # fmt: skip
    hooked.shop.book("s47", Booker("Cara", "cara@n.example"))
    with pytest.raises(TryLater):
        pull(hooked.world.ctx, small, full=True)
    assert hooked.statuses() == ["unknown", "unknown"]
