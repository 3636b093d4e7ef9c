"""What the services need from the outside world, as Protocols that adapters implement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bridge.domain.records import Page, Pulled
from bridge.domain.vanishing import Gone


class Clock(Protocol):
    """Tells the time; injected so that tests and the rules agree on what "now" is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `bridge doctor`: what was tried, how it went, and what to do about it."""

    check: str
    ok: bool
    message: str
    remedy: str = ""
    warning: bool = False


class Source(Protocol):
    """A configured system that records come from.

    Pulling reads only. Both methods may raise the errors of `bridge.domain.errors.PeerError`.
    """

    @property
    def key(self) -> str:
        """The configured name of the source."""
        ...

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """Pages of everything, or of what changed at or after `since`; the last one is marked.

        The caller applies the overlap; the connector does not widen `since`. An iterator that
        ends without a page marked `last` was cut short and proves nothing.
        """
        ...

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """Read stored bytes again, as `quarantine replay` does after a repair."""
        ...

    def doctor(self) -> list[Finding]:
        """Real, harmless calls that show whether pulling will work, and what is missing."""
        ...


@runtime_checkable
class ReadsSeveral(Protocol):
    """A source of whose items one may tell of several people, each under a key of its own."""

    def others(self, natural_key: str, body: bytes, envelope: bytes) -> Sequence[Pulled]:
        """What stored bytes tell besides what `read` gives of them."""
        ...


@runtime_checkable
class PullsOn(Protocol):
    """A source that overlaps by itself, and leaves a mark beside its bookmark for the next run."""

    def pull_on(self, since: datetime | None, mark: str) -> Iterator[Page]:
        """As `Source.pull`, told the `mark` of the last complete run ("" where there is none).

        `since` is the bookmark less the overlap, for roads that need one. Raises PeerError.
        """
        ...


@runtime_checkable
class LooksAgain(Protocol):
    """A source that can read one thing again when it is told that something happened to it."""

    def look_again(self, notes: Sequence[str]) -> Iterator[Page]:
        """What the notes name, as it is now. The pages are not marked: they prove nothing else.

        A note is in the source's own words, as `bridge.domain.inbox` writes them. Raises
        PeerError.
        """
        ...


@runtime_checkable
class TellsWhyGone(Protocol):
    """A source that can find out why it no longer shows something."""

    def why_gone(self, keys: Sequence[str], shown: Sequence[str]) -> Mapping[str, Gone] | None:
        """Why each of these natural keys is not shown any more, as far as it can be found out, in
        few calls; None where this source cannot tell at all, so that what is missing is reversed.

        `shown` are keys that it was seen to show a moment ago, to tell silence from absence.
        Raises TryLater.
        """
        ...


@runtime_checkable
class GoesOn(Protocol):
    """A source whose full runs can go on where one was interrupted."""

    def pull_from(self, resume: str) -> Iterator[Page] | None:
        """The pages after the one that said so; None where it must begin anew."""
        ...


@runtime_checkable
class NamesRows(Protocol):
    """A source whose natural keys are made as a profile says that people may edit."""

    def key_now(self, natural_key: str, body: bytes, envelope: bytes) -> str:
        """Under which key a stored item would come today.

        Raises NeedsAdministrator where what is kept of it does not tell, Damaged for what is not
        ours.
        """
        ...


class Holding(StrEnum):
    """What a target holds of one award. `OUTDATED`: it holds it, with another end than it should.

    A target that cannot hold an end is never outdated.
    """

    HELD = "held"
    OUTDATED = "outdated"
    ABSENT = "absent"


class DeliveryStatus(StrEnum):
    """How one attempt to bring a target into step ended."""

    DONE = "done"
    LATER = "later"
    NEEDS_YOU = "needs you"


@dataclass(frozen=True, slots=True)
class BadgeFace:
    """What a badge shows of itself. `image` is the name of a picture beside the badges file."""

    key: str
    title: str
    description: str
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """One award as a target must hold it: whose account, and by which configured road.

    `settings` are those of the badge's entry for this target (`via`, `cohort`, `badge`, ...), with
    the road that was decided on as `via`. `expires_on` is the last London day of the award; a
    target that can hold an end shows the badge until that day is over.
    """

    key: int
    account: str
    settings: Mapping[str, str]
    badge: BadgeFace | None = None
    period: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The outcome for one placement, with the reason in words a person can act on."""

    key: int
    status: DeliveryStatus
    message: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the target was seen to hold for one placement; `ref` identifies it there.

    `url` is a page where a person can look at it.
    """

    key: int
    holding: Holding
    ref: str | None = None
    url: str | None = None
    issued_at: datetime | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


class Target(Protocol):
    """A configured system that holds badges. Every method may raise `PeerError`."""

    @property
    def key(self) -> str:
        """The configured name of the target."""
        ...

    def award(self, wanted: Sequence[Placement]) -> list[Delivered]:
        """Ask the target to hold these; asking again must change nothing."""
        ...

    def withdraw(self, unwanted: Sequence[Placement]) -> list[Delivered]:
        """Ask the target to stop holding these, or say plainly that it cannot."""
        ...

    def observe(self, placements: Sequence[Placement]) -> list[Observed]:
        """What the target holds now. A placement it cannot tell about is left out."""
        ...

    def profile_url(self, account: str) -> str:
        """The page where this account's badges are seen."""
        ...

    def doctor(self) -> list[Finding]:
        """Real, harmless calls that show whether publishing will work."""
        ...
