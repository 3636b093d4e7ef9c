"""Whose eyes: what a reader may see. Every repository read takes one (DESIGN 5.11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Eyes(StrEnum):
    """The kinds of reader."""

    SYSTEM = "system"
    TRAINING_TEAM = "training team"
    LMS_ADMIN = "LMS administrator"
    PARTNERSHIP = "partnership"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Scope:
    """A reader: with which eyes, and which (canonical) person that is, if one is known.

    With `PERSON` eyes somebody sees their own evidence; as a manager, that their team's drafts
    exist and the text of what was submitted to them. The training team sees records, matches and
    states, and no reflection; an LMS administrator badges; the partnership counts. The system
    sees what its jobs need. `organisations` narrows a training team or an administrator to people
    who hold a post there on `day`; None means all.
    """

    eyes: Eyes
    person: int | None = None
    organisations: frozenset[int] | None = None
    day: date | None = None

    def __post_init__(self) -> None:
        if self.organisations is not None and self.day is None:
            raise ValueError("posts are dated: a scope of organisations needs its day")

    @property
    def unrestricted(self) -> bool:
        """Whether records and evidence of every person may be listed, and the whole changed."""
        return self.eyes in (Eyes.SYSTEM, Eyes.TRAINING_TEAM) and self.organisations is None

    @property
    def sees_badges(self) -> bool:
        """Whether badges of other people may be listed (of those organisations, if narrowed)."""
        return self.eyes in (Eyes.SYSTEM, Eyes.TRAINING_TEAM, Eyes.LMS_ADMIN)

    @property
    def narrowed(self) -> bool:
        """Whether it is a training team's look at some organisations' people only."""
        return self.eyes is Eyes.TRAINING_TEAM and self.organisations is not None


SYSTEM = Scope(Eyes.SYSTEM)
TRAINING_TEAM = Scope(Eyes.TRAINING_TEAM)


def of_person(person: int) -> Scope:
    """The scope of one signed-in person."""
    return Scope(Eyes.PERSON, person)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and how they came: for authority checks and the audit trail.

    `person` is None for the machine and for an administrator at the command line; `channel` is
    where the act came from ("cli", "web", "api", "link", "demo", "job"); `os_user` the account on
    the server.
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
