"""The life of a claim: the states, the acts that move it, and who may do each (DESIGN 3)."""

from __future__ import annotations

from enum import StrEnum

from bridge.domain.errors import Refused


class ClaimState(StrEnum):
    """Where a claim stands. Only `verified` ever counts."""

    SUGGESTED = "suggested"
    SUBMITTED = "submitted"
    VERIFIED = "verified"
    RETURNED = "returned"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


class Act(StrEnum):
    """What can happen to a claim."""

    SUBMIT = "submit"
    RECALL = "recall"
    VERIFY = "verify"
    RETURN = "return"
    DISMISS = "dismiss"
    REOPEN = "reopen"
    REVOKE = "revoke"
    WITHDRAW = "withdraw"
    RESTORE = "restore"


class Party(StrEnum):
    """Who acts: the person whose evidence it is, the second person, or the machine."""

    LEARNER = "learner"
    VERIFIER = "verifier"
    MACHINE = "machine"


#: The whole machine: (state, act) -> (new state, the only party that may do it).
TRANSITIONS: dict[tuple[ClaimState, Act], tuple[ClaimState, Party]] = {
    (ClaimState.SUGGESTED, Act.SUBMIT): (ClaimState.SUBMITTED, Party.LEARNER),
    (ClaimState.RETURNED, Act.SUBMIT): (ClaimState.SUBMITTED, Party.LEARNER),
    (ClaimState.SUBMITTED, Act.RECALL): (ClaimState.SUGGESTED, Party.LEARNER),
    (ClaimState.SUGGESTED, Act.DISMISS): (ClaimState.DISMISSED, Party.LEARNER),
    (ClaimState.RETURNED, Act.DISMISS): (ClaimState.DISMISSED, Party.LEARNER),
    (ClaimState.DISMISSED, Act.REOPEN): (ClaimState.SUGGESTED, Party.LEARNER),
    (ClaimState.SUBMITTED, Act.VERIFY): (ClaimState.VERIFIED, Party.VERIFIER),
    (ClaimState.SUBMITTED, Act.RETURN): (ClaimState.RETURNED, Party.VERIFIER),
    (ClaimState.VERIFIED, Act.REVOKE): (ClaimState.REVOKED, Party.VERIFIER),
    (ClaimState.SUGGESTED, Act.WITHDRAW): (ClaimState.WITHDRAWN, Party.MACHINE),
    (ClaimState.WITHDRAWN, Act.RESTORE): (ClaimState.SUGGESTED, Party.MACHINE),
}

#: The states that a person's act has led to; a machine never leaves or enters them.
HUMAN_STATES = frozenset(
    {
        ClaimState.SUBMITTED,
        ClaimState.VERIFIED,
        ClaimState.RETURNED,
        ClaimState.DISMISSED,
        ClaimState.REVOKED,
    }
)


def step(state: ClaimState, act: Act, party: Party, *, touched: bool = False) -> ClaimState:
    """The state after `act` by `party`.

    `touched` says that a person has ever acted on this claim: the machine then keeps its hands
    off (DESIGN 5.8). Raises Refused, in words for the person, when the act is not allowed.
    """
    found = TRANSITIONS.get((state, act))
    if found is None:
        allowed = sorted(a.value for (s, a) in TRANSITIONS if s is state)
        raise Refused(
            f"This claim is {state.value}, so it cannot be given the act '{act.value}'. "
            + (f"It can take: {', '.join(allowed)}." if allowed else "Nothing can change it now.")
        )
    new_state, only = found
    if only is not party:
        raise Refused(f"Only the {only.value} can {act.value} a claim; this was the {party.value}.")
    if party is Party.MACHINE and touched:
        raise Refused("A person has worked on this claim, so no machine changes it.")
    return new_state


def evidence_summary(states: list[ClaimState]) -> str:
    """The state of a piece of evidence, derived from its claims ("2 of 3 verified")."""
    live = [s for s in states if s not in (ClaimState.DISMISSED, ClaimState.WITHDRAWN)]
    if not live:
        return "nothing claimed"
    for state, words in (
        (ClaimState.VERIFIED, "verified"),
        (ClaimState.SUBMITTED, "submitted"),
        (ClaimState.RETURNED, "returned"),
    ):
        count = sum(s is state for s in live)
        if count:
            return f"{count} of {len(live)} {words}"
    if all(s is ClaimState.REVOKED for s in live):
        return "revoked"
    return "draft"
