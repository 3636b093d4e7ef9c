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


_OBJECT = "4.2.2.3 Object"
_TYPES = "4.2.7 Additional Requirements for Data Types"
_WHOLE = "4.2.2 Statement"


class Section(Enum):
    """Where a rule stands: in xAPI 1.0.3 (part 2, unless it says so), and in IEEE 9274.1.1."""

    FORMAT = "2.2", "4.2.1 Table Guidelines"
    VOIDING = "2.3.2", "4.2.5 Statement Voiding"
    PROPERTIES = "2.4", _WHOLE
    SAME_ID = "part 3, section 2.1.2", "4.1.6.1 Statement Resource"
    AGENT = "2.4.2.1", "4.2.2.1 Actor"
    GROUP = "2.4.2.2", "4.2.2.1 Actor"
    IFI = "2.4.2.3", "4.2.2.1 Actor"
    ACCOUNT = "2.4.2.4", "4.2.2.1 Actor"
    VERB = "2.4.3", "4.2.2.2 Verb"
    OBJECT = "2.4.4", _OBJECT
    ACTIVITY = "2.4.4.1", _OBJECT
    AGENT_OBJECT = "2.4.4.2", _OBJECT
    STATEMENT_OBJECT = "2.4.4.3", _OBJECT
    NESTED = "2.4.4.3", "4.2.4.2 Specific Statement Data Requirements for an LRS"
    RESULT = "2.4.5", "4.2.2.4 Result"
    SCORE = "2.4.5.1", "4.2.2.4 Result"
    CONTEXT = "2.4.6", "4.2.2.5 Context"
    CONTEXT_ACTIVITIES = "2.4.6.2", "4.2.2.5 Context"
    #: Only the second edition knows them: by the first, they are properties that there are not.
    CONTEXT_AGENTS = "2.2", "4.2.2.5 Context"
    TIMESTAMP = "2.4.7", _WHOLE
    STORED = "2.4.8", _WHOLE
    #: Of a group as an authority, the second edition says no more than that it may be one.
    AUTHORITY = "2.4.9", _WHOLE
    VERSION = "2.4.10", _WHOLE
    ATTACHMENTS = "2.4.11", "4.2.2.6 Attachments"
    FILES = "part 3, section 1.5.2", "4.1.3 Content Types"
    SIGNATURES = "2.6", "4.2.6 Statement Signing"
    EXTENSIONS = "4.1", _TYPES
    LANGUAGE = "4.2", _TYPES
    IRI = "4.3", _TYPES
    UUID = "4.4", _TYPES
    TIMES = "4.5", _TYPES
    DURATION = "4.6", _TYPES

    def words(self, version: Version) -> str:
        """The section as a person would look it up."""
        first, second = self.value
        if version is Version.V2:
            return f"IEEE 9274.1.1, clause {second}"
        return f"xAPI 1.0.3, {first if first.startswith('part') else f'part 2, section {first}'}"


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
