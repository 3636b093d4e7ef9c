"""Sends a test's mail, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bridge import log
from bridge.connectors.mail import FolderMailer, LetterHead, SmtpMailer, SmtpSettings
from bridge.domain.mail import Mailer
from bridge.domain.policy import Policy
from bridge.domain.scope import SYSTEM, Actor
from bridge.services.context import Context
from bridge.services.mailing import MailRoom, send_due
from bridge.storage.engine import open_engine
from bridge.storage.unit import SqlStore
from bridge.storage.vault import KeyVault
from tests.mail.post import GO_LIVE, KEY
from tests.processes import Ready


class RealClock:
    """The computer's."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)


def main(told: Mapping[str, Any], ready: Ready) -> None:
    """Send what is due, again and again, until killed; says when it has begun."""
    log.set_up()
    head = LetterHead("bridge@bridge.example")
    mailer: Mailer = FolderMailer(Path(told["folder"]), head)
    if told["port"]:
        mailer = SmtpMailer(SmtpSettings("127.0.0.1", told["port"], "none"), head)
    policy = Policy(lease_seconds=1, retry_seconds=1, mail_from=GO_LIVE)
    store = SqlStore(open_engine(told["database"]))
    ctx = Context(
        store, RealClock(), KeyVault({"k1": b"k" * 32}), Actor(SYSTEM, "job", "tester"), policy
    )
    room = MailRoom(mailer, "https://bridge.example", KEY)
    ready("begun")
    while True:
        send_due(ctx, room)
        time.sleep(0.02)
