"""Long lists, a page at a time: a page, and the port that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from bridge.domain.model import Account, Alias, Person, TargetState
from bridge.domain.scope import Scope

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """Some of a list. `after` is what to ask for the next page with; None at the end."""

    items: tuple[T, ...]
    after: str | None


class Only(StrEnum):
    """Which badges on targets to list."""

    OUT_OF_STEP = "out of step"
    FAILING = "failing"
    NEEDS_YOU = "needs you"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class ListsRepository(Protocol):
    """Each reads at most `limit` rows from `after` on. Raises Refused for a broken `after`."""

    def people(
        self, scope: Scope, text: str, after: str | None, limit: int
    ) -> ListPage[Person]: ...
    def target_states(
        self,
        scope: Scope,
        *,
        target: str | None,
        text: str,
        only: Only | None,
        person: int | None,
        today: date,
        after: str | None,
        limit: int,
    ) -> ListPage[TargetState]: ...
    def unmapped(
        self, source: str | None, after: str | None, limit: int
    ) -> ListPage[tuple[Alias, int, int]]: ...
    def unmatched(
        self, source: str | None, after: str | None, limit: int
    ) -> ListPage[tuple[Account, str, int]]: ...
