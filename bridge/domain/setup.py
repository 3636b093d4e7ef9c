"""The steps of setting up an LMS for the bridge: what is open, where to go, and what to enter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StepState(StrEnum):
    """How a step stands. `MADE`: this run did it. `UNSEEN`: no token at hand can tell."""

    DONE = "done"
    MADE = "made"
    OPEN = "open"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `page` is the full address to open, `values` what to enter there, in order.

    `file` is the name of a file that was written for uploading there. `optional` steps are a
    convenience: set-up is complete without them.
    """

    key: str
    title: str
    state: StepState
    says: str = ""
    page: str = ""
    values: tuple[tuple[str, str], ...] = ()
    file: str = ""
    optional: bool = False

    @property
    def is_open(self) -> bool:
        """Whether somebody has to do something."""
        return self.state in (StepState.OPEN, StepState.UNSEEN)


#: As the plugin names it in Moodle.
PLUGIN_SERVICE = "Competency Bridge (plugin)"


class WayIn(StrEnum):
    """How completions come out of a Moodle, in the order of preference."""

    PLUGIN = "plugin"
    REPORT = "report"
    PER_USER = "per-user"


@dataclass(frozen=True, slots=True)
class BadgeNeed:
    """A badge that an LMS has to have for one year, and what its criterion is there.

    `via` is "cohort", "competency" or "plugin"; of the others' settings only what `via` needs.
    """

    badge: str
    via: str
    cohort: str = ""
    framework: str = ""
    competency: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class SetupWishes:
    """What set-up is for: the way in, the badges of this year and the next, the names used."""

    way_in: WayIn = WayIn.REPORT
    badges: tuple[BadgeNeed, ...] = ()
    links: bool = False
    username: str = "svc-bridge"
    role: str = "competencybridge"
    own_service: str = "Competency Bridge"
    token_variable: str = ""
    role_id: int | None = None

    @property
    def service(self) -> str:
        """The web service that the token is for: the plugin brings one of its own."""
        return PLUGIN_SERVICE if self.way_in is WayIn.PLUGIN else self.own_service

    @property
    def ways_out(self) -> frozenset[str]:
        """The roads that the badges take."""
        return frozenset(need.via for need in self.badges)
