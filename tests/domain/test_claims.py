"""The life of a claim: verified only by a verifier, moved by machine only while untouched."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge.domain.claims import (
    HUMAN_STATES,
    TRANSITIONS,
    Act,
    ClaimState,
    Party,
    evidence_summary,
    step,
)
from bridge.domain.errors import Refused


class ClaimLife(RuleBasedStateMachine):
    """Anybody tries anything, in any order; what must always hold is asked after every act."""

    def __init__(self) -> None:
        super().__init__()
        self.state = ClaimState.SUGGESTED
        self.acts: list[tuple[Act, Party]] = []
        self.submissions = 0

    @property
    def touched(self) -> bool:
        return any(party is not Party.MACHINE for _, party in self.acts)

    @rule(act=st.sampled_from(Act), party=st.sampled_from(Party))
    def attempt(self, act: Act, party: Party) -> None:
        before, touched = self.state, self.touched
        try:
            after = step(before, act, party, touched=touched)
        except Refused:
            return
        self.acts.append((act, party))
        self.state = after
        self.submissions += act is Act.SUBMIT
        assert after is not before
        if party is Party.MACHINE:
            assert not touched
            assert {before, after} == {ClaimState.SUGGESTED, ClaimState.WITHDRAWN}
        if after is ClaimState.VERIFIED:
            assert (before, act, party) == (ClaimState.SUBMITTED, Act.VERIFY, Party.VERIFIER)
        if before is ClaimState.VERIFIED:
            assert (after, party) == (ClaimState.REVOKED, Party.VERIFIER)
        assert before is not ClaimState.REVOKED

    @invariant()
    def counts_only_by_two_peoples_acts(self) -> None:
        verified = (Act.VERIFY, Party.VERIFIER) in self.acts
        assert (self.state in (ClaimState.VERIFIED, ClaimState.REVOKED)) == verified
        if verified:
            assert self.acts.index((Act.SUBMIT, Party.LEARNER)) < self.acts.index(
                (Act.VERIFY, Party.VERIFIER)
            )

    @invariant()
    def peoples_states_come_from_people(self) -> None:
        if self.state in HUMAN_STATES:
            assert self.acts[-1][1] is not Party.MACHINE
        if self.state is ClaimState.WITHDRAWN:
            assert not self.touched


TestClaimLife = ClaimLife.TestCase


def test_every_state_can_be_reached_and_only_revoked_is_the_end() -> None:
    reached = {ClaimState.SUGGESTED} | {state for state, _ in TRANSITIONS.values()}
    assert reached == set(ClaimState)
    assert set(ClaimState) - {state for state, _ in TRANSITIONS} == {ClaimState.REVOKED}


@pytest.mark.parametrize(
    ("state", "act", "party", "words"),
    [
        (
            ClaimState.SUGGESTED,
            Act.VERIFY,
            Party.VERIFIER,
            "It can take: dismiss, submit, withdraw",
        ),
        (ClaimState.SUBMITTED, Act.VERIFY, Party.LEARNER, "Only the verifier can verify"),
        (ClaimState.SUBMITTED, Act.RECALL, Party.VERIFIER, "Only the learner can recall"),
        (ClaimState.REVOKED, Act.SUBMIT, Party.LEARNER, "Nothing can change it now"),
        (ClaimState.WITHDRAWN, Act.RESTORE, Party.LEARNER, "Only the machine can restore"),
    ],
)
def test_a_refusal_says_what_would_be_allowed(
    state: ClaimState, act: Act, party: Party, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        step(state, act, party)


def test_a_machine_keeps_its_hands_off_what_a_person_touched() -> None:
    assert step(ClaimState.SUGGESTED, Act.WITHDRAW, Party.MACHINE) is ClaimState.WITHDRAWN
    with pytest.raises(Refused, match="no machine changes it"):
        step(ClaimState.SUGGESTED, Act.WITHDRAW, Party.MACHINE, touched=True)


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ([], "nothing claimed"),
        (["dismissed", "withdrawn"], "nothing claimed"),
        (["suggested", "dismissed"], "draft"),
        (["verified", "submitted", "returned"], "1 of 3 verified"),
        (["submitted", "suggested"], "1 of 2 submitted"),
        (["returned", "dismissed"], "1 of 1 returned"),
        (["revoked", "withdrawn"], "revoked"),
        (["revoked", "suggested"], "draft"),
    ],
)
def test_evidence_is_told_in_one_phrase(states: list[str], words: str) -> None:
    assert evidence_summary([ClaimState(state) for state in states]) == words
