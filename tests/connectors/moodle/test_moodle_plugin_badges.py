"""Badges and statuses by the bridge's plugin: the stand-in and, where there is one, a real Moodle.

A real one joins when BRIDGE_TEST_MOODLE_PLUGIN_TOKEN is set beside the others; the user named, and
the next three ids, are awarded badges of keys that begin with "contract-".
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.connectors.moodle import MoodleSettings, MoodleTarget
from bridge.connectors.moodle.pluginroad import AWARD, LISTED, REVOKE, SAVE
from bridge.demo.moodle import Fault, StandInMoodle, seed
from bridge.domain.errors import TryLater
from bridge.domain.ports import BadgeFace, DeliveryStatus, Holding, Placement
from bridge.domain.targets import ShownStatus, StatusLine
from bridge.domain.times import end_of_london_day
from tests.connectors.moodle.conftest import ENV, REAL, FixedClock, Peer, real_peer

DONE, LATER, NEEDS_YOU = DeliveryStatus.DONE, DeliveryStatus.LATER, DeliveryStatus.NEEDS_YOU
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RENEW = "local_competencybridge_renew_badges"
KEY = "contract-core"
FACE = BadgeFace("core", "Contract: core", "Two competencies, verified.", "core.png")
GONE_USER = 202


def _png() -> bytes:
    """A square of 64 pixels, as small as a PNG file can be made by hand."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    rows = b"".join(b"\x00" + b"\x0b\x4f\x5c" * 64 for _ in range(64))
    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )  # fmt: skip


PICTURE = _png()


@pytest.fixture
def plugin_moodle() -> Iterator[StandInMoodle]:
    """The demo's Moodle with the plugin installed."""
    with StandInMoodle(seed.demo_site(NOW, plugin=True)) as running:
        yield running


@pytest.fixture
def plugin_stand_in(plugin_moodle: StandInMoodle) -> Peer:
    """The stand-in with its plugin, as a peer."""
    plugin_moodle.site.delete_user(GONE_USER)
    token = plugin_moodle.site.token_of(seed.SERVICE_USER)
    settings = MoodleSettings("moodle", plugin_moodle.base_url, token, report=1, badges_report=2)
    return Peer(settings, FixedClock(), 30)


_REAL_PLUGIN = REAL and {"plugin_token", "user"} <= set(ENV)


@pytest.fixture(params=["stand-in", "real"] if _REAL_PLUGIN else ["stand-in"])
def plugin_peer(request: pytest.FixtureRequest) -> Peer:
    """Each Moodle with the plugin, in which nobody holds the contract's badges."""
    if request.param == "real":
        peer = real_peer()
        peer.settings = replace(peer.settings, token=ENV["plugin_token"])
    else:
        peer = request.getfixturevalue("plugin_stand_in")
    held = [one for one in target_of(peer)._plugin.held([KEY])]
    target_of(peer)._plugin.revoke(
        [place(peer, number, user=one.user) for number, one in enumerate(held)], "A test begins."
    )
    return peer


def target_of(peer: Peer) -> MoodleTarget:
    """A target of its own, as another process would have it."""
    return MoodleTarget(peer.settings, peer.clock, lambda name: PICTURE)


def place(
    peer: Peer, number: int = 0, *, until: date | None = None, user: int | None = None,
    key: str = KEY,
) -> Placement:  # fmt: skip
    """The placement of the peer's user and those after."""
    account = peer.user + number if user is None else user
    settings = {"via": "plugin", "key": key, "name": ""}
    return Placement(1000 + number, str(account), settings, FACE, "2026", until)


def until(peer: Peer, days: int) -> date:
    return (peer.clock.now() + timedelta(days=days)).date()


def test_the_plugin_says_what_the_bridge_may(plugin_peer: Peer) -> None:
    told = target_of(plugin_peer).plugin()
    assert told is not None
    assert (told.api, told.can_award, told.can_set_status) == (1, True, True)


def test_awarded_read_back_renewed_expired_and_revoked(plugin_peer: Peer) -> None:
    target = target_of(plugin_peer)
    wanted = [place(plugin_peer, n, until=until(plugin_peer, 100)) for n in range(3)]
    assert {one.holding for one in target.observe(wanted)} == {Holding.ABSENT}
    assert {one.status for one in target.award(wanted)} == {DONE}
    seen = target.observe(wanted)
    assert {one.holding for one in seen} == {Holding.HELD}
    assert len({one.ref for one in seen}) == 3
    # Again, and by another process that has not saved the badge: nothing changes.
    assert [d.message for d in target_of(plugin_peer).award(wanted)] == ["Unchanged."] * 3
    # Another end is outdated, until it is renewed; the public page stays the same.
    longer = [place(plugin_peer, n, until=until(plugin_peer, 400)) for n in range(3)]
    assert {one.holding for one in target.observe(longer)} == {Holding.OUTDATED}
    assert [d.message for d in target.award(longer)] == ["Renewed."] * 3
    again = target.observe(longer)
    assert {one.holding for one in again} == {Holding.HELD}
    assert [one.ref for one in again] == [one.ref for one in seen]
    # One that ran out is held as such, and renewed as well.
    past = [place(plugin_peer, until=until(plugin_peer, -3))]
    assert target.award(past)[0].status is DONE
    (expired,) = target.observe(past)
    assert (expired.holding, expired.extra["expired"]) == (Holding.HELD, "yes")
    assert target.award(longer[:1])[0].status is DONE
    assert target.observe(longer[:1])[0].extra["expired"] == "no"
    assert {one.status for one in target.withdraw(longer)} == {DONE}
    assert {one.holding for one in target.observe(longer)} == {Holding.ABSENT}
    assert {one.status for one in target.withdraw(longer)} == {DONE}


def test_the_end_that_moodle_holds_is_that_of_the_london_day(plugin_peer: Peer) -> None:
    """In summer too, when London is an hour ahead."""
    target = target_of(plugin_peer)
    day = date(2027, 7, 1)
    target.award([place(plugin_peer, until=day)])
    (badge,) = target._plugin.held([KEY], [plugin_peer.user])
    assert (
        badge.expires_at == end_of_london_day(day) == datetime(2027, 7, 1, 22, 59, 59, tzinfo=UTC)
    )


def test_a_deleted_account_and_one_that_never_was_need_a_person(plugin_peer: Peer) -> None:
    target = target_of(plugin_peer)
    wanted = [
        place(plugin_peer, 0, until=until(plugin_peer, 9)),
        place(plugin_peer, 1, user=GONE_USER),
        place(plugin_peer, 2, user=999_999),
    ]
    assert [one.status for one in target.award(wanted)] == [DONE, NEEDS_YOU, NEEDS_YOU]
    assert "deleted" in target.award(wanted)[1].message
    assert {one.status for one in target.withdraw(wanted)} == {DONE}


def test_renewing_refuses_who_does_not_hold_it(plugin_peer: Peer) -> None:
    target = target_of(plugin_peer)
    target.award([place(plugin_peer, until=until(plugin_peer, 9))])
    asked = [
        {"key": KEY, "userid": plugin_peer.user + n, "expires": 1_900_000_000} for n in range(2)
    ] + [{"key": "contract-unknown", "userid": plugin_peer.user, "expires": 0}]
    told = target.client.call(RENEW, {"awards": asked})["results"]
    assert [one["result"] for one in told] == ["renewed", "notheld", "nobadge"]


def test_everything_is_seen_with_who_awarded_it(plugin_peer: Peer) -> None:
    target = target_of(plugin_peer)
    wanted = [place(plugin_peer, n, until=until(plugin_peer, 30)) for n in range(2)]
    target.award(wanted)
    seen = target.everything([wanted[0]])
    assert seen is not None
    mine = {s.account: s for s in seen if s.place == f"plugin {KEY}"}
    assert mine.keys() == {str(plugin_peer.user), str(plugin_peer.user + 1)}
    assert {s.by_hand for s in mine.values()} == {False}
    assert {s.title for s in mine.values()} == {FACE.title}
    assert target.take_away(mine[str(plugin_peer.user)]).status is DONE
    assert target.observe(wanted)[0].holding is Holding.ABSENT


def test_a_status_is_set_changed_and_removed(plugin_peer: Peer) -> None:
    target = target_of(plugin_peer)
    line = StatusLine(
        "LLR & <b>2020</b>", "28 of 34 verified and current; 2 due for review.", "due"
    )
    now = plugin_peer.clock.now()
    accounts = [str(plugin_peer.user), str(GONE_USER)]
    shown = [ShownStatus(a, "https://bridge.example/", now, (line,)) for a in accounts]
    assert target.can_show_status()
    assert target.show_status(shown) == {accounts[0]: True, accounts[1]: False}
    assert target.show_status(shown[:1]) == {accounts[0]: True}
    none = [ShownStatus(accounts[0], "https://bridge.example/", now, ())]
    assert target.show_status(none) == {accounts[0]: True}


def test_many_statuses_go_in_calls_that_php_takes(plugin_peer: Peer) -> None:
    target = target_of(plugin_peer)
    lines = tuple(StatusLine(f"Framework {n}", "1 of 2.", "gap") for n in range(12))
    now = plugin_peer.clock.now()
    told = target.show_status(
        [ShownStatus(str(plugin_peer.user + n), "", now, lines) for n in range(60)]
    )
    assert len(told) == 60
    assert told[str(plugin_peer.user)]
    target.show_status([ShownStatus(account, "", now, ()) for account in told])


# --- what only the stand-in can be made to do --------------------------------------------------
def test_badges_go_in_bulk(plugin_stand_in: Peer, plugin_moodle: StandInMoodle) -> None:
    target = target_of(plugin_stand_in)
    wanted = [place(plugin_stand_in, n, until=date(2027, 11, 23)) for n in range(150)]
    assert {one.status for one in target.award(wanted)} == {DONE}
    assert (plugin_moodle.calls(SAVE), plugin_moodle.calls(AWARD)) == (1, 2)
    assert {one.holding for one in target.observe(wanted)} == {Holding.HELD}
    assert plugin_moodle.calls(LISTED) == 1


def test_the_badge_is_made_from_its_definition(
    plugin_stand_in: Peer, plugin_moodle: StandInMoodle
) -> None:
    target_of(plugin_stand_in).award([place(plugin_stand_in)])
    badge = plugin_moodle.site.badges[plugin_moodle.site.badge_keys[KEY]]
    assert (badge.name, badge.description, badge.image) == (
        FACE.title, FACE.description, PICTURE)  # fmt: skip
    # A picture of another kind is left out, and what was there stays.
    other = MoodleTarget(plugin_stand_in.settings, FixedClock(), lambda name: b"<svg>")
    other.award([place(plugin_stand_in)])
    assert badge.image == PICTURE
    first, second = (r.params["badges"]["0"] for r in plugin_moodle.requests if r.function == SAVE)
    assert second["image"] == ""
    assert base64.b64decode(first["image"]) == PICTURE


def test_a_badge_that_somebody_deleted_is_made_anew(
    plugin_stand_in: Peer, plugin_moodle: StandInMoodle
) -> None:
    target = target_of(plugin_stand_in)
    wanted = [place(plugin_stand_in, until=date(2027, 1, 1))]
    target.award(wanted)
    plugin_moodle.site.delete_badge(plugin_moodle.site.badge_keys[KEY])
    assert target.observe(wanted)[0].holding is Holding.ABSENT
    assert target.award(wanted)[0].status is DONE
    assert target.observe(wanted)[0].holding is Holding.HELD


@pytest.mark.parametrize("function", [SAVE, AWARD, REVOKE])
def test_a_lost_reply_doubles_nothing(
    plugin_stand_in: Peer, plugin_moodle: StandInMoodle, function: str
) -> None:
    plugin_moodle.faults.add(Fault.LOST_REPLY, function=function, times=3)
    target = target_of(plugin_stand_in)
    wanted = [place(plugin_stand_in, until=date(2027, 1, 1))]
    for _ in range(4):
        try:
            target.award(wanted)
        except TryLater:
            continue
    assert len(plugin_moodle.site.issued) == 1
    assert len(plugin_moodle.site.badge_keys) == 1
    for _ in range(4):
        try:
            target.withdraw(wanted)
        except TryLater:
            continue
    assert plugin_moodle.site.issued == []


def test_without_the_capability_the_administrator_is_told_which(
    plugin_stand_in: Peer, plugin_moodle: StandInMoodle
) -> None:
    user = plugin_moodle.site.user(seed.SERVICE_USER)
    user.capabilities -= {"local/competencybridge:managebadges"}
    (told,) = target_of(plugin_stand_in).award([place(plugin_stand_in)])
    assert told.status is DeliveryStatus.NEEDS_YOU
    assert "local/competencybridge:managebadges" in told.message
    settings = {"via": "auto", "cohort": "LLR-CORE-2026", "badge": "LLR Core 2026", "key": KEY}
    assert target_of(plugin_stand_in).road(settings, "") == "cohort"


def test_auto_takes_the_plugin_where_there_is_one(stand_in: Peer, plugin_stand_in: Peer) -> None:
    settings = {"via": "auto", "cohort": "LLR-CORE-2026", "badge": "LLR Core 2026", "key": KEY}
    with_it, without = target_of(plugin_stand_in), target_of(stand_in)
    assert with_it.road(settings, "") == with_it.road(settings, "cohort") == "plugin"
    assert without.road(settings, "") == "cohort"
    # What came by the plugin stays with it, though it is away: else it would be there twice.
    assert without.road(settings, "plugin") == "plugin"
    only = {"via": "auto", "framework": "LONDON", "competency": "L1", "badge": "L1", "key": KEY}
    assert without.road(only, "") == "competency"
    assert without.road({"via": "auto", "key": KEY}, "") == "plugin"


def test_without_the_plugin_its_road_says_so(stand_in: Peer) -> None:
    for told in (
        *target_of(stand_in).award([place(stand_in)]),
        *target_of(stand_in).withdraw([place(stand_in)]),
    ):
        assert told.status is DeliveryStatus.NEEDS_YOU
        assert "is installed" in told.message
    # Nothing is concluded of what it holds, and other roads are looked at all the same.
    assert target_of(stand_in).observe([place(stand_in)]) == []
    assert not target_of(stand_in).can_show_status()


def test_what_somebody_awarded_by_hand_is_told_apart(
    plugin_stand_in: Peer, plugin_moodle: StandInMoodle
) -> None:
    target = target_of(plugin_stand_in)
    told = place(plugin_stand_in)
    target.award([told])
    site = plugin_moodle.site
    site.issue(site.badge_keys[KEY], 77, None)
    seen = target.everything([told])
    assert seen is not None
    assert {s.account: s.by_hand for s in seen} == {"30": False, "77": True}


def findings(peer: Peer) -> dict[str, tuple[bool, str]]:
    return {one.check: (one.ok, one.message) for one in target_of(peer).doctor()}


def test_doctor_says_which_road_badges_take(
    plugin_stand_in: Peer, plugin_moodle: StandInMoodle, stand_in: Peer
) -> None:
    target_of(plugin_stand_in).award([place(plugin_stand_in)])
    told = findings(plugin_stand_in)
    assert told["plugin for badges"][0]
    assert "awarded by it" in told["plugin for badges"][1]
    assert told["plugin's badges readable"] == (True, "1 badges of the bridge, held 1 times.")
    assert told["status on profiles"][0]
    without = findings(stand_in)["plugin for badges"]
    assert without[0]
    assert "stock road" in without[1]
    plugin_moodle.site.user(seed.SERVICE_USER).capabilities -= seed.PLUGIN_ROLE
    told = findings(plugin_stand_in)
    assert not told["plugin for badges"][0]
    assert not told["status on profiles"][0]
    off = replace(plugin_stand_in.settings, profile_status=False)
    assert "status on profiles" not in {
        one.check for one in MoodleTarget(off, FixedClock()).doctor()
    }
