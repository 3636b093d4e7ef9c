"""Tells a test's LRS, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from bridge import log
from bridge.connectors.xapi import LrsSettings, LrsTeller
from bridge.domain.policy import Policy
from bridge.domain.scope import SYSTEM, Actor
from bridge.services.context import Context
from bridge.services.telling import tell_due
from bridge.storage.engine import open_engine
from bridge.storage.unit import SqlStore
from bridge.storage.vault import KeyVault
from tests.mail.run_sender import RealClock
from tests.processes import Ready
from tests.telling.told import TELLING


def main(told: Mapping[str, Any], ready: Ready) -> None:
    """Tell what is due, again and again, until killed; says when it has begun."""
    log.set_up()
    policy = Policy(lease_seconds=1, retry_seconds=1, tells=(TELLING,))
    store = SqlStore(open_engine(told["database"]))
    vault = KeyVault({"k1": b"k" * 32})
    ctx = Context(store, RealClock(), vault, Actor(SYSTEM, "job", "tester"), policy)
    teller = LrsTeller(LrsSettings("lrs", told["url"], told["user"], told["secret"]))
    ready("begun")
    while True:
        tell_due(ctx, teller)
        time.sleep(0.02)
