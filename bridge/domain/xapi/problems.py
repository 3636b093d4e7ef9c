"""What is wrong with a statement: where (a JSON pointer), which rule, and where the rule stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from bridge.domain.errors import BridgeError

#: So many problems are told of one statement; a hostile one could have a million.
MOST_TOLD = 20


class Version(StrEnum):
    """By which edition of xAPI a statement is judged: 1.0.x, or 2.0 (IEEE 9274.1.1)."""

    V1 = "1.0.3"
    V2 = "2.0.0"

    @staticmethod
    def of(header: str | None) -> Version:
        """The edition that an `X-Experience-API-Version` header or a statement's version names."""
        return Version.V2 if (header or "").startswith("2.") else Version.V1


class Section(Enum):
    """Where a rule stands: in xAPI 1.0.3 part 2, and in IEEE 9274.1.1."""

    FORMAT = "2.2", "4.2.1"
    VOIDING = "2.3.2", "4.2.5 Statement Voiding"
    PROPERTIES = "2.4", "4.2.2"
    ID = "2.4.1", "4.2.4.2 ID"
    AGENT = "2.4.2.1", "4.2.2.1 Actor"
    GROUP = "2.4.2.2", "4.2.2.1 Actor"
    IFI = "2.4.2.3", "4.2.2.1 Actor"
    ACCOUNT = "2.4.2.4", "4.2.2.1 Actor"
    VERB = "2.4.3", "4.2.2.2 Verb"
    OBJECT = "2.4.4", "4.2.2.3 Object"
    ACTIVITY = "2.4.4.1", "4.2.2.3 Object"
    AGENT_OBJECT = "2.4.4.2", "4.2.2.3 Object"
    STATEMENT_OBJECT = "2.4.4.3", "4.2.2.3 Object"
    RESULT = "2.4.5", "4.2.2.4 Result"
    SCORE = "2.4.5.1", "4.2.2.4 Result"
    CONTEXT = "2.4.6", "4.2.2.5 Context"
    CONTEXT_ACTIVITIES = "2.4.6.2", "4.2.2.5 Context"
    CONTEXT_AGENTS = "2.2", "4.2.2.5 Context"
    TIMESTAMP = "2.4.7", "4.2.4.2 Timestamp"
    STORED = "2.4.8", "4.2.4.2 Stored"
    AUTHORITY = "2.4.9", "4.2.4.2 Authority"
    VERSION = "2.4.10", "4.2.4.3 Version"
    ATTACHMENTS = "2.4.11", "4.2.2.6 Attachments"
    EXTENSIONS = "4.1", "4.2.7"
    LANGUAGE = "4.2", "4.2.7"
    IRI = "4.3", "4.2.7"
    UUID = "4.4", "4.2.7"
    TIMES = "4.5", "4.2.7"
    DURATION = "4.6", "4.2.7"

    def words(self, version: Version) -> str:
        """The section as a person would look it up."""
        first, second = self.value
        if version is Version.V2:
            return f"IEEE 9274.1.1, clause {second}"
        return f"xAPI 1.0.3, part 2, section {first}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error. `pointer` is a JSON pointer (RFC 6901) into what was sent; "" is all of it."""

    pointer: str
    rule: str
    section: str

    def __str__(self) -> str:
        return f"{self.pointer or 'the statement'}: {self.rule} ({self.section})"


class BadStatement(BridgeError):
    """What was sent is no valid statement (or no array of them). `problems` has at least one.

    Where there were more than `MOST_TOLD`, only so many are listed and `more` is true.
    """

    def __init__(self, problems: Sequence[Problem], *, more: bool = False) -> None:
        self.problems = tuple(problems)
        self.more = more
        told = "; ".join(map(str, self.problems))
        super().__init__(f"{told}{'; and more' if more else ''}.")

    def below(self, pointer: str) -> BadStatement:
        """The same, of a statement that lies at `pointer` in a greater whole."""
        moved = [replace(p, pointer=pointer + p.pointer) for p in self.problems]
        return BadStatement(moved, more=self.more)


def step(pointer: str, name: str | int) -> str:
    """The pointer to a member or an element of what lies at `pointer`."""
    if isinstance(name, int):
        return f"{pointer}/{name}"
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
