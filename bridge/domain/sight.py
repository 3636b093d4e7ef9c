"""What of another person's evidence somebody sees: who decides on it now, and who once did."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bridge.domain.claims import ClaimState
from bridge.domain.model import Claim, Submission, Verification


@dataclass(frozen=True, slots=True)
class Sight:
    """The claims that a reader sees; `whole`: also what they rest on, and what others decided."""

    claims: tuple[Claim, ...]
    whole: bool


def claims_seen(
    reader: int,
    claims: Sequence[Claim],
    submissions: Mapping[int, Submission],
    decisions: Collection[Verification],
    *,
    verifies: bool,
    manages: bool,
) -> Sight:
    """The claims of a piece of evidence, once put before this (canonical) reader, that they see.

    All of them while something waits for the reader, who may verify today (`verifies`), and for the
    present manager (`manages`). Whoever decided once and has no more to do with it sees what they
    decided, and nobody else sees anything: an item that was taken back or handed to another is no
    longer theirs to look at (DESIGN 5.11).
    """
    waits = any(
        claim.state is ClaimState.SUBMITTED
        and claim.id in submissions
        and submissions[claim.id].verifier == reader
        for claim in claims
    )
    if manages or (waits and verifies):
        return Sight(tuple(claims), whole=True)
    decided = {each.claim_id for each in decisions if each.verifier == reader}
    return Sight(tuple(claim for claim in claims if claim.id in decided), whole=False)
