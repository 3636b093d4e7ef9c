"""Who may verify whose evidence, by what authority, and by which method (DESIGN 6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bridge.domain.errors import NotAllowed, Refused
from bridge.domain.frameworks import AssessmentMethod, Edition


class Authority(StrEnum):
    """Why somebody may verify. A typed-in address is never one."""

    MANAGER = "manager"
    DEPUTY = "deputy"
    ASSESSOR = "assessor"
    PEER = "peer"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a would-be verifier stands to a learner on the day; both ids are canonical.

    A deputy whom a manager (or whoever may name one for them) has named for that day decides as
    the manager would: naming one says that the manager is away or shares the work. Nobody is a
    deputy by waiting long enough; after 28 days those named, and the manager's own manager, are
    told (`bridge.services.escalation`).
    """

    learner: int
    verifier: int
    is_manager: bool
    is_deputy: bool = False
    approved_as: frozenset[Authority] = frozenset()


def authority_of(standing: Standing) -> Authority:
    """The authority by which this person may verify.

    Raises Refused for one's own evidence, NotAllowed when no post and no approval gives it.
    """
    if standing.learner == standing.verifier:
        raise Refused("Nobody verifies their own evidence. Choose your manager or an assessor.")
    if standing.is_manager:
        return Authority.MANAGER
    if standing.is_deputy:
        return Authority.DEPUTY
    for kind in (Authority.ASSESSOR, Authority.PEER):
        if kind in standing.approved_as:
            return kind
    raise NotAllowed(
        "This person is not the manager in a present post, does not stand in for the manager, and "
        "has not been approved as an assessor or peer. The training team can approve them first."
    )


_METHODS_OF = {
    Authority.MANAGER: "manager",
    Authority.DEPUTY: "manager",
    Authority.ASSESSOR: "assessor",
    Authority.PEER: "practitioner",
}


def methods_for(edition: Edition, authority: Authority) -> tuple[AssessmentMethod, ...]:
    """The framework's methods that somebody with this authority may assess by."""
    return tuple(m for m in edition.assessment_methods if m.by == _METHODS_OF[authority])


def check_method(
    edition: Edition, method: str, authority: Authority, learning_activity: str | None
) -> None:
    """Raise Refused unless the framework lets this authority assess by this method.

    Completing an assessment module alone cannot verify an e-learning draft (framework,
    section 4: attending does not automatically mean that the competencies have been met).
    """
    allowed = methods_for(edition, authority)
    found = next((m for m in allowed if m.key == method), None)
    if found is None:
        names = ", ".join(m.key for m in allowed)
        raise Refused(f"'{method}' is not a method for a {authority}. Choose one of: {names}.")
    activity = next((a for a in edition.learning_activities if a.key == learning_activity), None)
    if activity is not None and activity.asks_use and not found.sufficient_alone:
        raise Refused(
            "Completing an assessment module alone cannot verify e-learning. "
            "Discuss it, or choose another method."
        )
