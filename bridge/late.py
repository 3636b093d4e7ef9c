"""Peers that are made when they are asked: what is wrong in their settings stops them alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.errors import BridgeError, NeedsAdministrator
from bridge.domain.ports import Finding, GoesOn, LooksAgain, PullsOn, Source, TellsWhyGone
from bridge.domain.records import Page, Pulled
from bridge.domain.telling import NewStatement, Teller, Told
from bridge.domain.vanishing import Gone


@dataclass(frozen=True, slots=True)
class LateSource:
    """Implements `bridge.domain.ports.Source` by the source that `make` makes at that moment.

    `make` may raise BridgeError (a token that is missing, a profile that is broken); asking then
    raises NeedsAdministrator with its words, and every other source goes on. What was corrected
    meanwhile is used without a restart.
    """

    key: str
    make: Callable[[], Source]

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """As the source made now. Raises NeedsAdministrator where none can be made."""
        yield from self._made().pull(since)

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """As the source made now. Raises NeedsAdministrator where none can be made."""
        return self._made().read(natural_key, body, envelope)

    def doctor(self) -> list[Finding]:
        """As the source made now, or why none can be made."""
        try:
            return self._made().doctor()
        except NeedsAdministrator as error:
            return [Finding("settings", False, str(error))]

    @property
    def conversation(self) -> str:
        """As the source made now. Raises NeedsAdministrator where none can be made."""
        return str(getattr(self._made(), "conversation", ""))

    def why_gone(self, keys: Sequence[str], shown: Sequence[str]) -> Mapping[str, Gone] | None:
        """As the source made now, if it can tell."""
        made = self._made()
        return made.why_gone(keys, shown) if isinstance(made, TellsWhyGone) else None

    def pull_from(self, resume: str) -> Iterator[Page] | None:
        """As the source made now, if it can go on."""
        made = self._made()
        return made.pull_from(resume) if isinstance(made, GoesOn) else None

    def _made(self) -> Source:
        try:
            return self.make()
        except BridgeError as error:
            raise NeedsAdministrator(
                f"It cannot be asked as it is set up: {error}", peer=self.key
            ) from None


class LateLooker(LateSource):
    """The same of a source that can be told to look again at something."""

    __slots__ = ()

    def look_again(self, notes: Sequence[str]) -> Iterator[Page]:
        """As the source made now. Raises NeedsAdministrator where none can be made."""
        made = self._made()
        assert isinstance(made, LooksAgain)  # noqa: S101  that is what this class is for
        yield from made.look_again(notes)


class LateFeed(LateLooker):
    """The same of a source that also goes on from a mark of its own."""

    __slots__ = ()

    def pull_on(self, since: datetime | None, mark: str) -> Iterator[Page]:
        """As the source made now. Raises NeedsAdministrator where none can be made."""
        made = self._made()
        assert isinstance(made, PullsOn)  # noqa: S101  that is what this class is for
        yield from made.pull_on(since, mark)


@dataclass(slots=True)
class LateTeller:
    """Implements `bridge.domain.telling.Teller` by the one that `make` makes, once it can.

    `make` may raise BridgeError (a secret that is missing): then nothing is told, and it says why.
    After something went wrong it is made anew, with what was corrected meanwhile.
    """

    key: str
    make: Callable[[], Teller]
    _made: Teller | None = None

    def tell(self, statements: Sequence[NewStatement]) -> Told:
        """As the one made, or with why none can be made as its error."""
        try:
            teller = self._made or self.make()
        except BridgeError as error:
            words = f"It cannot be told as it is set up: {error}"
            return Told(error=NeedsAdministrator(words, peer=self.key))
        told = teller.tell(statements)
        self._made = teller if told.error is None else None
        return told

    def doctor(self) -> list[Finding]:
        """As one made now, or why none can be made."""
        try:
            return self.make().doctor()
        except BridgeError as error:
            return [Finding("tell", False, str(error))]
