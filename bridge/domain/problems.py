"""What is wrong in something a person wrote: what, where, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bridge.domain.errors import BridgeError


class Severity(StrEnum):
    """An error keeps a file out of force; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `line` and `column` count from 1; `pointer` is a JSON pointer ("/rules/0/match").

    `what`, `why` and `remedy` are sentences; a missing full stop is added when they are shown.
    """

    what: str
    why: str
    remedy: str
    file: str
    line: int | None = None
    column: int | None = None
    pointer: str | None = None
    severity: Severity = Severity.ERROR

    @property
    def where(self) -> str:
        """`file:line:column`, as far as known: the form that editors and terminals open."""
        known = (str(part) for part in (self.file, self.line, self.column) if part is not None)
        return ":".join(known)

    def __str__(self) -> str:
        warning = "warning: " if self.severity is Severity.WARNING else ""
        parts = (part.strip() for part in (self.what, self.why, self.remedy))
        sentences = " ".join(
            part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part
        )
        return f"{self.where}: {warning}{sentences}"


class BadFile(BridgeError):
    """A file that cannot be used. Carries every problem found in it, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """The problems by file and place, each once, as a person working down a file wants them."""
    return sorted(
        dict.fromkeys(problems),
        key=lambda problem: (problem.file, problem.line or 0, problem.column or 0),
    )


def errors_among(problems: Iterable[Problem]) -> list[Problem]:
    """Those that keep a file out of force."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]
