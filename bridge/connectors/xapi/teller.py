"""Tells an LRS what was verified: in batches, again and again the same statements."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from bridge.connectors.moodle.pace import Deadline
from bridge.connectors.xapi.client import LrsClient
from bridge.connectors.xapi.sending import Lrs, NotTaken, Web
from bridge.connectors.xapi.settings import LrsSettings
from bridge.connectors.xapi.slow import within
from bridge.connectors.xapi.teller_doctor import findings
from bridge.connectors.xapi.told import statement_of
from bridge.domain.errors import NeedsAdministrator, PeerError
from bridge.domain.ports import Finding
from bridge.domain.telling import NewStatement, Told
from bridge.domain.xapi import BadStatement, Version, validate

#: In seconds: below the lease of what is in hand, so that nobody else takes it up meanwhile.
ALTOGETHER = 90.0
CONFLICT = 409


class LrsTeller:
    """Implements `bridge.domain.telling.Teller` for one LRS. `sleep` waits so many seconds."""

    def __init__(
        self,
        settings: LrsSettings,
        sleep: Callable[[float], None] = time.sleep,
        altogether: float = ALTOGETHER,
    ) -> None:
        self.settings = settings
        self._sleep = sleep
        self._altogether = altogether
        self._lrs: Lrs | None = None

    @property
    def key(self) -> str:
        """The configured name."""
        return self.settings.key

    def tell(self, statements: Sequence[NewStatement]) -> Told:
        """Send these; what the LRS has already counts as told."""
        told = Told()
        try:
            with within(self._altogether, self.key) as deadline:
                # Which version it speaks is asked once; what changes there makes a new start.
                lrs = self._lrs or self.connect()
                lrs.deadline = deadline
                _Batch(lrs, told).send([n for n in statements if self._is_valid(n, lrs, told)])
            self._lrs = lrs
        except PeerError as error:
            self._lrs = None
            told.error = error
        return told

    def connect(self) -> Lrs:
        """The LRS, in the newest version that both speak. Raises PeerError."""
        client = LrsClient(self.settings, self._sleep)
        client.web = Web(self.settings, client.version)
        return Lrs(self.settings, client.negotiate(), self._sleep)

    def doctor(self) -> list[Finding]:
        """Whether statements can go, told as harmlessly as can be."""
        with Deadline(self._altogether):
            return findings(self.settings, self.connect)

    @staticmethod
    def _is_valid(new: NewStatement, lrs: Lrs, told: Told) -> bool:
        """By the same rules as what comes in: an LRS must not be the first to find a fault."""
        try:
            validate(statement_of(new).to_json().encode(), Version.of(lrs.web.version))
        except BadStatement as error:
            told.refused[new.key] = f"The bridge made no valid statement of it: {error}"
            return False
        return True


class _Batch:
    """Sends statements to an LRS that may refuse all for the sake of one."""

    def __init__(self, lrs: Lrs, told: Told) -> None:
        self._lrs, self._told = lrs, told
        self._may_ask = True

    def send(self, batch: Sequence[NewStatement]) -> None:
        """Send these, in their order. Raises PeerError; what was told by then is noted."""
        if not batch:
            return
        try:
            self._lrs.take([statement_of(new) for new in batch])
        except NotTaken as error:
            if error.status == CONFLICT:
                self._conflict(batch, error)
            elif len(batch) > 1:
                # One of them, or all together: halves find out which.
                self._apart(batch)
            else:
                self._told.refused[batch[0].key] = self._words(error)
        else:
            self._told.told.update(new.key for new in batch)

    def _conflict(self, batch: Sequence[NewStatement], error: NotTaken) -> None:
        """Some are there already, and all were sent back for it: the others go again."""
        there = {new.key for new in batch if self._is_there(new.id)}
        self._told.told |= there
        others = [new for new in batch if new.key not in there]
        if len(others) < len(batch):
            self.send(others)
        elif len(batch) > 1:
            self._apart(batch)
        elif not self._may_ask:
            # Nobody else can have made this id: the one that is there is this one.
            self._told.told.add(batch[0].key)
        else:
            self._told.refused[batch[0].key] = (
                "The LRS says that it has a statement of this id, and then that it has none."
            )

    def _apart(self, batch: Sequence[NewStatement]) -> None:
        half = len(batch) // 2
        self.send(batch[:half])
        self.send(batch[half:])

    def _is_there(self, statement: UUID) -> bool:
        if not self._may_ask:
            return False
        try:
            return self._lrs.holds(statement)
        except NeedsAdministrator as error:
            if error.detail not in ("401", "403"):
                raise
            # These credentials may write alone, which is how it should be.
            self._may_ask = False
            return False

    def _words(self, error: NotTaken) -> str:
        return f"The LRS does not take this statement (HTTP {error.status})" + (
            f": {error.words}" if error.words else ""
        )
