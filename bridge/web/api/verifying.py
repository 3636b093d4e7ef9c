"""A verifier's: what waits for them, deciding it, second thoughts, and their team."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.domain.mapping import CompetencyRef
from bridge.domain.permissions import Permission
from bridge.services import teams, verify
from bridge.web.access import ctx
from bridge.web.api.mine import evidence_url
from bridge.web.api.operations import Shape, operation
from bridge.web.api.paging import Paged, part
from bridge.web.api.shapes import (
    Changed,
    Competencies,
    Competency,
    EvidencePage,
    EvidenceTold,
    Id,
    Line,
    PersonTold,
    ProgressTold,
    Told,
    Words,
)


@operation("GET", "/waiting", Permission.VERIFY, EvidencePage, tag="verifying", query=Paged)
def waiting(query: Paged) -> EvidencePage:
    """What waits for one's decision, with just those claims."""
    everything = sorted(verify.waiting(ctx()), key=lambda i: i.evidence.id)
    shown, after = part(query, everything, lambda i: [i.evidence.id])
    told = [EvidenceTold.of(item, evidence_url(item.evidence.id)) for item in shown]
    return EvidencePage(items=told, next=after)


class Verified(Shape):
    """How claims were looked at; all that wait, where none are named.

    `reflection` is the id of the one that was read: another that came since is not decided on.
    """

    method: Line
    reflection: Id
    competencies: Competencies | None = None
    note: Words = ""


@operation("POST", "/evidence/<int:evidence_id>/verify", Permission.VERIFY, Changed,
           tag="verifying", body=Verified, may=(409,))  # fmt: skip
def verify_evidence(evidence_id: int, body: Verified) -> Changed:
    """Verify claims, by an assessment method of the framework."""
    made = verify.verify(
        ctx(), evidence_id, _refs(body.competencies), body.method, note=body.note,
        read=body.reflection,
    )  # fmt: skip
    return Changed(changed=len(made))


class SentBack(Shape):
    """What is asked of the practitioner; `reflection` as for verifying."""

    reflection: Id
    question: Annotated[Words, Field(min_length=1)]
    competencies: Competencies | None = None


@operation("POST", "/evidence/<int:evidence_id>/send-back", Permission.VERIFY, Changed,
           tag="verifying", body=SentBack, may=(409,))  # fmt: skip
def send_back(evidence_id: int, body: SentBack) -> Changed:
    """Return claims with a question."""
    made = verify.send_back(
        ctx(), evidence_id, _refs(body.competencies), body.question, read=body.reflection
    )
    return Changed(changed=len(made))


def _refs(named: list[Competency] | None) -> list[CompetencyRef] | None:
    return None if named is None else [one.ref for one in named]


class Reason(Shape):
    """Why; it is kept with the decision."""

    reason: Line


@operation("POST", "/claims/<int:claim_id>/revoke", Permission.VERIFY, Changed, tag="verifying",
           body=Reason, may=(409,))  # fmt: skip
def revoke(claim_id: int, body: Reason) -> Changed:
    """Take a verification back. What rested on it is looked at anew."""
    verify.revoke(ctx(), claim_id, body.reason)
    return Changed(changed=1)


@operation("POST", "/claims/<int:claim_id>/uphold", Permission.VERIFY, Changed, tag="verifying",
           body=Reason, may=(409,))  # fmt: skip
def uphold(claim_id: int, body: Reason) -> Changed:
    """Say of a contested claim that it stands."""
    verify.uphold(ctx(), claim_id, body.reason)
    return Changed(changed=1)


class Team(Told):
    """One's people and where each of them stands: states alone, nobody's text.

    `stands_in_for` are the managers whose deputy one is today.
    """

    members: list[ProgressTold]
    stands_in_for: list[PersonTold]
    next: str | None


@operation("GET", "/team", Permission.TEAM, Team, tag="verifying", query=Paged)
def team(query: Paged) -> Team:
    """One's team."""
    found = teams.team(ctx())
    everything = sorted(found.members, key=lambda m: m.person)
    shown, after = part(query, everything, lambda m: [m.person])
    return Team(
        members=[ProgressTold.of(member) for member in shown],
        stands_in_for=[PersonTold(id=p.id, name=p.name) for p in found.stands_in_for],
        next=after,
    )
