"""What some targets can do beside holding badges: optional abilities, as Protocols.

A service asks `isinstance(target, ...)` and does without where a target has not the ability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from bridge.domain.ports import Delivered, Placement


@runtime_checkable
class ChoosesRoads(Protocol):
    """A target that badges reach by several roads. Both methods may raise `PeerError`."""

    def road(self, settings: Mapping[str, str], present: str) -> str:
        """By which road a badge with these settings goes; `present` is the one so far, or ""."""
        ...

    def place(self, placement: Placement) -> str:
        """Which badge there it is: awards of one account with one place share what is held."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """A badge of ours as it was seen on an account. `place` as `ChoosesRoads.place` says it.

    `by_hand`: somebody there awarded it, not the bridge; None where that cannot be seen. `badge` is
    the badge's key where the target knows it. `settings` are what taking it away needs.
    """

    place: str
    account: str
    badge: str
    title: str
    ref: str
    url: str
    issued_at: datetime | None
    expires_at: datetime | None
    by_hand: bool | None
    settings: Mapping[str, str]


@runtime_checkable
class SeesEverything(Protocol):
    """A target whose badges can be seen in bulk, whoever holds them. May raise `PeerError`."""

    def everything(self, known: Sequence[Placement]) -> Sequence[Seen] | None:
        """Every badge of ours on every account; `known` are all that were ever wanted there, one
        for each place. None where the target cannot show that."""
        ...

    def shows(self, place: str) -> bool:
        """Whether `everything` shows that place now. Where not, nothing there is gone unseen."""
        ...

    def take_away(self, seen: Seen) -> Delivered:
        """Take one away, or say which page an administrator needs for it."""
        ...


@dataclass(frozen=True, slots=True)
class ByHand:
    """One thing that is left to an administrator: what to do, and the page where."""

    words: str
    page: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """How far a badge of a period is ready, by `Placement.key`.

    `seen`: whether the badge itself is there; None where that cannot be seen before the first
    award. `made` says what was made just now; `left` what remains by hand.
    """

    key: int
    seen: bool | None
    made: tuple[str, ...] = ()
    left: tuple[ByHand, ...] = ()


@runtime_checkable
class Prepares(Protocol):
    """A target on which a period's badges need making before the first award. May raise
    `PeerError`."""

    def prepare(self, wanted: Sequence[Placement]) -> list[Prepared]:
        """Make what can be made, and say what is left. A badge that needs nothing is left out."""
        ...


@dataclass(frozen=True, slots=True)
class StatusLine:
    """A line of a person's status. `state` is "current", "due", "gap" or "none"."""

    title: str
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class ShownStatus:
    """What an account's profile is to show; without lines nothing. `url` leads into the bridge."""

    account: str
    url: str
    updated: datetime
    lines: tuple[StatusLine, ...]


@runtime_checkable
class ShowsStatus(Protocol):
    """A target whose profiles can show how a person stands. Both calls may raise `PeerError`."""

    @property
    def status_wanted(self) -> bool:
        """Whether the site wants it shown there."""
        ...

    def can_show_status(self) -> bool:
        """Whether the target is able to, and lets the bridge."""
        ...

    def show_status(self, wanted: Sequence[ShownStatus]) -> dict[str, bool]:
        """Show these; by account whether it could (False: there is no such account)."""
        ...
