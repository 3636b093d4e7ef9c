"""Whose eyes: what a reader may see. Every repository read takes one (DESIGN 5.11)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Eyes(StrEnum):
    """The kinds of reader."""

    SYSTEM = "system"
    TRAINING_TEAM = "training team"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Scope:
    """A reader. For `PERSON`, `person` is the canonical person who looks.

    A person sees their own evidence; as a manager, that their team's drafts exist and the text
    of what was submitted to them. The training team sees records, matches and states, and no
    reflection. The system sees what its jobs need.
    """

    eyes: Eyes
    person: int | None = None

    @property
    def unrestricted(self) -> bool:
        """Whether rows of every person may be listed."""
        return self.eyes is not Eyes.PERSON


SYSTEM = Scope(Eyes.SYSTEM)
TRAINING_TEAM = Scope(Eyes.TRAINING_TEAM)


def of_person(person: int) -> Scope:
    """The scope of one signed-in person."""
    return Scope(Eyes.PERSON, person)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and how they came: for authority checks and the audit trail.

    `person` is None for the machine and for an administrator at the command line; `channel` is
    where the act came from ("cli", "demo", "job"); `os_user` the account on the server.
    """

    scope: Scope
    channel: str
    os_user: str = ""
    on_behalf_of: int | None = None

    @property
    def person(self) -> int | None:
        """The person acting, if it is one."""
        return self.scope.person

    @property
    def label(self) -> str:
        """How the audit trail names the actor."""
        return f"person:{self.person}" if self.person is not None else self.scope.eyes.value
