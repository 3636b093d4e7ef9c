"""Who may speak to the xAPI endpoint: credentials, what each may do, and their authority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Scope(StrEnum):
    """What a credential may do.

    `READ_MINE`: statements of its own source; `READ_ALL`: of every source. `DOCUMENTS`: read and
    write state and profiles, of its own source alone.
    """

    WRITE = "write"
    READ_MINE = "read-mine"
    READ_ALL = "read-all"
    DOCUMENTS = "documents"


class Trust(StrEnum):
    """Whether what a source says may be believed without a rule that says so.

    An untrusted credential may be held by a browser, where a learner can take it and forge.
    """

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


@dataclass(frozen=True, slots=True)
class Sender:
    """One credential. `name` is its user name; of its secret only the SHA-256 is kept.

    Several credentials may name one source, and are one authority then. `origins` are the web
    origins whose pages may use it ("https://content.example.org").
    """

    id: int
    name: str
    title: str
    source_id: int
    source_key: str
    trust: Trust
    scopes: frozenset[Scope]
    origins: tuple[str, ...]
    sha256: bytes
    issued_at: datetime
    issued_by: str
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def may(self, *scopes: Scope) -> bool:
        """Whether it has at least one of these scopes."""
        return not self.scopes.isdisjoint(scopes)


def authority_of(home_page: str, source_key: str) -> dict[str, Any]:
    """The authority that statements of a source carry. `home_page` is the bridge's own address."""
    return {
        "objectType": "Agent",
        "name": source_key,
        "account": {"homePage": home_page, "name": source_key},
    }


class SenderRepository(Protocol):
    """Credentials."""

    def add(
        self, name: str, title: str, source_id: int, scopes: frozenset[Scope],
        origins: Sequence[str], sha256: bytes, now: datetime, by: str,
    ) -> Sender: ...  # fmt: skip

    def find(self, name: str) -> Sender | None:
        """The credential of that user name, revoked or not."""
        ...

    def all(self) -> list[Sender]:
        """Every credential, the oldest first."""
        ...

    def any_open(self) -> bool:
        """Whether there is one that is not revoked."""
        ...

    def use(self, sender_id: int, now: datetime) -> None: ...

    def revoke(self, sender_id: int, now: datetime) -> bool:
        """End it; whether it was open."""
        ...
