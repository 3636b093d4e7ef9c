"""What was made of a table that nobody has described yet, and what must be asked about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that may be given: its short word, and what it means."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a table leaves open. `id` is stable ("dates", "word:A").

    Without `choices`, any text answers it. `because` shows what in the table leaves it open.
    """

    id: str
    asks: str
    because: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Understood:
    """One row as it was understood: `cells` by what they are, in words; or why it was not."""

    row: int
    cells: Mapping[str, str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A profile as proposed (`profile`, as its file would have it) with ten rows by it.

    `ignored` are the headings that nothing was made of: they are not kept. While there are
    `questions`, the profile is not to be used.
    """

    profile: Mapping[str, Any]
    rows: Sequence[Understood]
    questions: Sequence[Question]
    ignored: Sequence[str] = ()
    headings_row: int = 1
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def settled(self) -> bool:
        """Whether nothing is left to ask."""
        return not self.questions


class Learner(Protocol):
    """What looks at something that nobody has described yet, and keeps profiles of it."""

    def propose(self, path: Path, shown: str, profile: str, answers: Mapping[str, str]) -> Proposal:
        """What a file looks like, given these answers. Raises BadFile."""
        ...

    def save(self, proposal: Proposal, *, replace: bool = False) -> Path:
        """Keep a settled proposal as a profile. Raises BridgeError where one stands already."""
        ...

    def keeps(self, profile: str) -> bool:
        """Whether there is a profile of that name."""
        ...


class TableReader(Learner, Protocol):
    """What knows the tables of a site; it also holds uploads."""

    def hold(self, content: BinaryIO, name: str, person: int) -> str:
        """Keep an upload of that person for a while; the word by which it is found again."""
        ...

    def held(self, word: str, person: int) -> tuple[Path, str]:
        """An upload of that person, and its name. Raises NotFound."""
        ...

    def drop(self, word: str, person: int) -> None:
        """Forget an upload."""
        ...
