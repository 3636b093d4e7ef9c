"""Killed at any moment, the sender loses no mail, and what goes twice is the same message."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from bridge.services import notify
from tests import processes
from tests.connectors.mail.server import Inbox, mail_server
from tests.mail import run_sender
from tests.mail.post import go_live
from tests.mail.run_sender import RealClock
from tests.support import FrozenClock, World

PEOPLE = 25


@pytest.fixture
def asked(engine: Engine) -> World:
    """Many people who have asked for a link, now."""
    world = World(engine, FrozenClock(RealClock().now()), publish_all=False)
    go_live(world)
    for number in range(PEOPLE):
        notify.ask_for_link(world.ctx, world.person(f"p{number}"))
    return world


@contextmanager
def sender(told: dict[str, object]) -> Iterator[Callable[[], None]]:
    """A sender in a process of its own, running; call it to have it killed."""
    process, _ = processes.start(run_sender.main, told)
    try:
        yield process.kill
    finally:
        process.kill()
        process.join()


def open_mails(world: World) -> int:
    """How many are not sent."""
    with world.engine.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM outbox WHERE done_at IS NULL")) or 0


def kill_often_then_finish(world: World, told: dict[str, object], times: int) -> None:
    """Kill senders at random moments, then let one work until everything is sent."""
    for _ in range(times):
        with sender(told) as kill:
            time.sleep(random.uniform(0, 0.25))  # noqa: S311  no secret
            kill()
    with sender(told):
        deadline = time.monotonic() + 60
        while open_mails(world):
            assert time.monotonic() < deadline, "never finished"
            time.sleep(0.05)


def test_every_mail_arrives_and_doubles_are_the_same_message(
    asked: World, database_url: str, tmp_path: Path
) -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        told = {"database": database_url, "port": port, "folder": str(tmp_path)}
        kill_often_then_finish(asked, told, 4)
    by_message = {m["Message-ID"]: m["To"] for m in inbox.messages}
    assert sorted(by_message.values()) == sorted(f"p{n}@example.org" for n in range(PEOPLE))
    sent = Counter(inbox.recipients)
    assert set(sent) == set(by_message.values())
    assert sum(sent.values()) - PEOPLE <= 4, "at most the one in hand at each kill"


def test_in_a_folder_there_is_one_whole_file_each(
    asked: World, database_url: str, tmp_path: Path
) -> None:
    told = {"database": database_url, "port": 0, "folder": str(tmp_path)}
    kill_often_then_finish(asked, told, 4)
    files = list(tmp_path.glob("*.eml"))
    assert len(files) == PEOPLE
    assert all(b"</html>" in file.read_bytes() for file in files)
