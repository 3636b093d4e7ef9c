"""The partnership's counts: how many people of a group stand where with a competency; no names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from bridge.domain.mapping import CompetencyRef

#: The group that everybody is in: what it is asked for is the core.
EVERYONE = "everyone"
#: Before the key of a London level, where it stands for a group.
LEVEL = "level:"


class Standings(NamedTuple):
    """How people fall into parts. `people` is the sum of the rest; None where a number is hidden.

    `due` are a review, a refresh or a look at contested evidence; `draft` waits for the person
    themselves, `waiting` for a verifier; `missing` have nothing yet.
    """

    people: int | None
    current: int | None
    due: int | None
    waiting: int | None
    draft: int | None
    missing: int | None


class Counted(NamedTuple):
    """One count as it is stored. `organisation` None: those of a kind together, or, where `kind`
    is None too, all of them.

    Bit n of `hidden` says that number n of `Standings` is not to be published.
    """

    organisation: int | None
    group: str
    competency_id: int
    people: int
    current: int
    due: int
    waiting: int
    draft: int
    hidden: int
    kind: str | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of `Standings`, none of them hidden."""
        missing = self.people - self.current - self.due - self.waiting - self.draft
        return (self.people, self.current, self.due, self.waiting, self.draft, missing)

    @property
    def published(self) -> Standings:
        """What may be published of it."""
        return Standings(*(None if self.hidden >> n & 1 else v for n, v in enumerate(self.numbers)))


@dataclass(frozen=True, slots=True)
class Agency:
    """An organisation. `other_framework` names what an exempt one follows instead (R11); `kind` is
    what it is counted together with ("school"), empty where nobody has said."""

    id: int
    key: str
    name: str
    other_framework: str | None
    kind: str = ""


class Summary(NamedTuple):
    """The groups and the kinds of organisations that anybody counts in, and when that was made."""

    groups: Sequence[str]
    kinds: Sequence[str]
    counted_at: datetime | None


class CountsRepository(Protocol):
    """The roll-up behind the counts, and whose people have changed since it was made."""

    def note_changes(self, everybody: bool) -> None: ...
    def due(self) -> list[int]: ...
    def people_at(self, organisation: int, day: date) -> list[int]: ...
    def rolled_up(self) -> list[Counted]: ...
    def store(
        self,
        organisations: Collection[int],
        rows: Sequence[Counted],
        hidden: Sequence[Counted],
        now: datetime,
    ) -> None: ...
    def agencies(self) -> list[Agency]: ...
    def read(
        self,
        *,
        organisation: int | None = None,
        each: bool = False,
        kind: str | None = None,
        each_kind: bool = False,
        group: str | None = None,
        competency: int | None = None,
    ) -> list[Counted]: ...
    def summary(self) -> Summary: ...


@dataclass(frozen=True, slots=True)
class Count:
    """A line of the published counts: what it is of, and its numbers.

    `standings` None: the organisation follows `other_framework`, and has no gaps (R11).
    """

    key: str
    title: str
    standings: Standings | None
    other_framework: str | None = None
    ref: CompetencyRef | None = None
