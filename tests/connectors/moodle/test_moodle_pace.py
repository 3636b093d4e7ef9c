"""Politeness of the client: its rate, its deadline, Retry-After, and closed Moodles told apart."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import Response

from bridge.connectors.moodle import MoodleClient, MoodleSettings
from bridge.connectors.moodle.pace import Bucket, bucket_of
from bridge.demo.moodle import Fault, StandInMoodle
from bridge.domain.errors import InMaintenance, TryLater
from tests.connectors.moodle.conftest import Peer, Script

SITE_INFO = "core_webservice_get_site_info"


@dataclass
class Watch:
    """A clock that only sleeping moves on."""

    at: float = 100.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@given(st.floats(0.5, 50), st.floats(1, 20), st.lists(st.floats(0, 3), max_size=60))
def test_no_stretch_of_time_ever_holds_more_calls_than_the_rate_allows(
    rate: float, burst: float, pauses: list[float]
) -> None:
    watch = Watch()
    bucket = Bucket(rate, burst, watch.now, watch.sleep)
    calls = []
    for pause in pauses:
        watch.at += pause
        bucket.wait()
        calls.append(watch.at)
    for first, start in enumerate(calls):
        for last in range(first, len(calls)):
            allowed = burst + (calls[last] - start) * rate
            assert last - first + 1 <= allowed + 1e-6


def test_a_rate_of_nothing_is_no_limit() -> None:
    watch = Watch()
    bucket = Bucket(0, 1, watch.now, watch.sleep)
    for _ in range(1000):
        bucket.wait()
    assert watch.slept == []


def test_threads_share_one_bucket_and_none_is_let_past() -> None:
    watch, lock = Watch(), threading.Lock()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        with lock:
            slept.append(seconds)

    bucket = Bucket(2, 1, watch.now, sleep)
    threads = [threading.Thread(target=bucket.wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One goes at once; the clock stands still, so the others have half a second between them.
    assert sorted(round(s, 6) for s in slept) == [0.5 * n for n in range(1, 8)]


def test_every_client_of_a_moodle_has_the_same_bucket() -> None:
    def client(url: str, rate: float = 5.0) -> MoodleClient:
        return MoodleClient(MoodleSettings("m", url, "t", calls_per_second=rate))

    one, other = client("https://m.example"), client("https://M.example/")
    assert one._pace is other._pace is bucket_of("https://m.example", 5.0)
    assert client("https://n.example")._pace is not one._pace


@contextmanager
def dripping(head: bytes, drip: bytes) -> Iterator[int]:
    """A server that sends `head` and then `drip` for ever, ten bytes a second; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        listener.settimeout(0.1)
        while not stop.is_set():
            try:
                line, _ = listener.accept()
            except TimeoutError:
                continue
            with line:
                line.recv(1 << 16)
                try:
                    line.sendall(head)
                    while not stop.wait(0.1):
                        line.sendall(drip)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        thread.join()
        listener.close()


@pytest.mark.parametrize(
    ("head", "drip"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[", b" "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n[", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"", b"H"),
    ],
    ids=["to the end", "with a length", "in chunks", "in the headers", "from the first byte"],
)
def test_a_peer_that_sends_byte_by_byte_is_cut_off(head: bytes, drip: bytes) -> None:
    with dripping(head, drip) as port:
        settings = MoodleSettings(
            "moodle", f"http://127.0.0.1:{port}", "s3cret", timeout=5, deadline=0.5,
            calls_per_second=0,
        )  # fmt: skip
        with pytest.raises(TryLater, match=r"not complete after 0\.5 seconds") as caught:
            MoodleClient(settings).call(SITE_INFO)
    assert "s3cret" not in str(caught.value)


def test_the_stand_in_can_drip_too(stand_in: Peer, moodle: StandInMoodle) -> None:
    moodle.faults.add(Fault.DRIPPING, value=0.01)
    with pytest.raises(TryLater, match="so slowly"):
        stand_in.client(deadline=0.3).call(SITE_INFO)
    moodle.faults.clear()
    assert stand_in.client(deadline=30).call(SITE_INFO)["username"] == "svc-bridge"


@pytest.mark.parametrize(
    "fault",
    [Fault.MAINTENANCE, Fault.SITE_MAINTENANCE, Fault.UPGRADE_RUNNING, Fault.DATABASE_DOWN],
)
def test_every_form_of_being_closed_is_maintenance(
    stand_in: Peer, moodle: StandInMoodle, fault: Fault
) -> None:
    moodle.faults.add(fault)
    with pytest.raises(InMaintenance) as caught:
        stand_in.client().call(SITE_INFO)
    assert caught.value.retry_after == (300 if fault is Fault.MAINTENANCE else None)
    with pytest.raises(InMaintenance):
        stand_in.client().call_many([(SITE_INFO, {}), (SITE_INFO, {})])


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (lambda: "120", 120),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True), 120),
        (lambda: format_datetime(datetime.now(UTC) - timedelta(minutes=2), usegmt=True), 0),
        (lambda: "soon", None),
        (lambda: "-5", None),
        (lambda: "²", None),
    ],
    ids=["seconds", "date", "past date", "words", "negative", "no digit"],
)
def test_retry_after_is_read_in_both_forms(
    script: Script, status: int, said: Callable[[], str], seconds: float | None
) -> None:
    headers = {"Retry-After": said().encode("utf-8").decode("latin-1")}
    script.says(SITE_INFO, Response("later", status, headers))
    client = MoodleClient(script.settings())
    with pytest.raises(TryLater) as caught:
        client.call(SITE_INFO)
    if seconds is None:
        assert caught.value.retry_after is None
    else:
        assert caught.value.retry_after == pytest.approx(seconds, abs=5)
    assert client.calls == 1


def test_calls_wait_for_their_turn(stand_in: Peer, moodle: StandInMoodle) -> None:
    """What the clock says is not asserted; that a client asks its bucket each time is."""
    client = stand_in.client()
    turns: list[float] = []
    client._pace = Bucket(1, 1, lambda: 0.0, turns.append)
    for _ in range(3):
        client.call(SITE_INFO)
    assert turns == [1.0, 2.0]
