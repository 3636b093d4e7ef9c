"""What other systems tell us has happened: notes to read something again, and who may leave them.

A webhook's body is believed in nothing. All that is kept of it is a note of what to look at again
("order:s47-nov:KA3BU"); the source is then asked for that as it always is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Hook:
    """An address at which a source may leave notes. Of its secret only the SHA-256 is kept."""

    id: int
    source_key: str
    sha256: bytes
    issued_at: datetime
    ends_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """A note to act on, and the newest id under which it was left. `attempts` were in vain."""

    note: str
    newest: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a source's notes have come to: `waiting` to be acted on, `given_up` in the last days,
    and what went wrong last."""

    source_key: str
    waiting: int
    given_up: int
    error: str


class InboxRepository(Protocol):
    """Hooks and the notes left at them."""

    def add_hook(self, source_key: str, sha256: bytes, by: str, now: datetime) -> int: ...

    def end_hooks(self, source_key: str, at: datetime, but: int | None = None) -> int:
        """Let a source's hooks end then (those that end sooner stay so); how many it ends."""
        ...

    def hooks(self, source_key: str | None, now: datetime) -> list[Hook]:
        """The hooks that are open, of one source or of all, oldest first."""
        ...

    def use_hook(self, hook_id: int, now: datetime) -> None: ...

    def add_note(self, source_key: str, dedupe: str, note: str, now: datetime) -> bool:
        """Keep a note, due at once; whether it is new by its dedupe key."""
        ...

    def waiting(self, source_key: str) -> int:
        """How many notes wait to be acted on."""
        ...

    def backlog(self, since: datetime) -> list[Backlog]:
        """How the notes of each source stand that were left since then, or still wait."""
        ...

    def sources_due(self, now: datetime) -> list[str]:
        """The sources of which something is to be looked at now."""
        ...

    def due(self, source_key: str, now: datetime, limit: int) -> list[Due]:
        """What is to be looked at now, each thing once, in the order in which it was noted."""
        ...

    def done(self, source_key: str, due: Due, now: datetime, error: str = "") -> None:
        """It was looked at, or (with an error) given up: every note of it up to the newest."""
        ...

    def postpone(self, source_key: str, due: Due, until: datetime, error: str) -> None: ...

    def forget(self, source_keys: Sequence[str] | None, before: datetime) -> int:
        """Remove notes that were done before then, of these sources or of all; how many."""
        ...
