"""Documents of the endpoint: states and profiles, where each lies, and how two are merged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import orjson

from bridge.domain.errors import BridgeError


class Kind(StrEnum):
    """The three resources that keep documents."""

    STATE = "state"
    AGENT_PROFILE = "agent profile"
    ACTIVITY_PROFILE = "activity profile"


@dataclass(frozen=True, slots=True)
class Place:
    """Where documents lie: of which source, kind, activity, agent (by what it is known) and
    registration. Parts that a kind does not have are ""."""

    source_id: int
    kind: Kind
    activity: str = ""
    agent: str = ""
    registration: str = ""

    def digest(self, *more: str) -> bytes:
        """A key of this place, or of what is named `more` in it; 32 bytes."""
        parts = [str(self.source_id), self.kind.value, self.activity, self.agent, *more]
        return hashlib.sha256(orjson.dumps(parts)).digest()

    @property
    def key(self) -> bytes:
        """Of the place, whatever the registration."""
        return self.digest()

    def key_of(self, name: str) -> bytes:
        """Of one document in it."""
        return self.digest(self.registration, name)

    def within(self, registration: str) -> Place:
        """The same for one registration."""
        return replace(self, registration=registration)


class Document(NamedTuple):
    """A document. `etag` is the SHA-1 of its bytes in hexadecimal; `updated` in microseconds."""

    name: str
    media_type: str
    etag: str
    body: bytes
    updated: int


class NotMergeable(BridgeError):
    """The two documents are not both JSON objects."""


class Conflict(BridgeError):
    """There is a document already, and whoever sends a new one did not say that they know it."""


class Unconditional(BridgeError):
    """Whoever sends a document did not say whether they know of another."""


class Precondition(BridgeError):
    """The document is not (any more) the one that was expected."""


def etag_of(body: bytes) -> str:
    """What says whether two documents are the same."""
    return hashlib.sha1(body, usedforsecurity=False).hexdigest()


def is_json(media_type: str) -> bool:
    """Whether a document is JSON by its type."""
    return media_type.partition(";")[0].strip().casefold() == "application/json"


def merged(old: Any, new: Any) -> bytes:
    """Two JSON objects as one, top-level members of the new one winning.

    Raises NotMergeable for what lies too deep to be written again.
    """
    try:
        return orjson.dumps({**old, **new})
    except TypeError:
        raise NotMergeable("The document is nested too deep.") from None


def matches(etags: str, current: str | None) -> bool:
    """Whether an If-Match or If-None-Match header names the current document (None: there is
    none)."""
    listed = etags.strip()
    if listed == "*":
        return current is not None
    found = [each.strip().removeprefix("W/").strip('"') for each in listed.split(",")]
    return current is not None and current in found


class DocumentRepository(Protocol):
    """Documents of the endpoint."""

    def get(self, place: Place, name: str, *, lock: bool = False) -> Document | None: ...

    def put(self, place: Place, document: Document, now: datetime) -> None: ...

    def delete(self, place: Place, name: str) -> bool: ...

    def names(
        self, place: Place, since: int | None, *, any_registration: bool
    ) -> list[tuple[str, int]]:
        """Names and instants of change, of those that changed later than `since`."""
        ...

    def clear(self, place: Place, *, any_registration: bool) -> int: ...

    def forget(self, before: datetime, sources: Sequence[int] | None = None) -> int:
        """Remove documents that nobody has changed since then; how many."""
        ...
