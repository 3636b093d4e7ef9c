"""What corrections do to claims, in any order: nothing a person did is ever undone by machine."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.claims import HUMAN_STATES, ClaimState
from bridge.domain.drafting import SOURCE_CHANGED, SOURCE_GONE, UPHELD, Redraft, redraft
from bridge.domain.model import Claim
from tests.support import ref

COMPETENCIES = (1, 2, 3)


def claim(number: int, state: ClaimState, touched: bool, by_rule: bool, contested: str) -> Claim:
    """A claim for the competency with its number."""
    if state is ClaimState.WITHDRAWN:
        touched, by_rule = False, True  # what alone a machine withdraws
    kept = touched or state in HUMAN_STATES
    doubt = contested if state is ClaimState.VERIFIED else ""
    return Claim(
        number, 1, number, ref(number), "", state, "rule" if by_rule else "person",
        1 if by_rule else None, by_rule and state is not ClaimState.WITHDRAWN, kept,
        doubt in (SOURCE_GONE, SOURCE_CHANGED), doubt or None,
    )  # fmt: skip


def applied(claims: list[Claim], change: Redraft) -> list[Claim]:
    """The claims once the change is made, as the store makes it."""
    found = []
    for each in claims:
        now = each
        if each.id in change.restore:
            now = replace(now, state=ClaimState.SUGGESTED, suggested=True)
        if each.id in change.withdraw:
            now = replace(now, state=ClaimState.WITHDRAWN, suggested=False)
        if each.id in change.no_longer_suggested:
            now = replace(now, suggested=False)
        if each.id in change.suggested_again:
            now = replace(now, suggested=True)
        if each.id in change.contest:
            now = replace(now, contested=True, contested_reason=change.because)
        if each.id in change.settle:
            now = replace(now, contested=False, contested_reason=None)
        found.append(now)
    return found


CLAIMS = st.lists(
    st.tuples(
        st.sampled_from(COMPETENCIES), st.sampled_from(list(ClaimState)), st.booleans(),
        st.booleans(), st.sampled_from(["", SOURCE_GONE, SOURCE_CHANGED, UPHELD]),
    ),
    unique_by=lambda told: told[0],
).map(lambda told: [claim(*each) for each in told])  # fmt: skip
#: What each look finds: the competencies suggested, and whether the source takes its word back.
LOOKS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(COMPETENCIES)), st.sampled_from(["", SOURCE_GONE, SOURCE_CHANGED])
    ),
    min_size=1,
    max_size=5,
)


@given(CLAIMS, LOOKS)
def test_corrections_back_and_forth_end_where_the_last_word_says(
    claims: list[Claim], looks: list[tuple[set[int], str]]
) -> None:
    now = claims
    for wanted, gone in looks:
        suggested = {} if gone else dict.fromkeys(wanted, 1)
        lost = {c.id for c in now} if gone else set()
        change = redraft(now, suggested, groundless=lost, because=gone or SOURCE_GONE)
        now = applied(now, change)
        again = redraft(now, suggested, groundless=lost, because=gone or SOURCE_GONE)
        assert replace(again, add={}).nothing
        for before, after in zip(claims, now, strict=True):
            if before.state in HUMAN_STATES or before.touched:
                assert after.state is before.state
            elif before.origin == "rule":
                there = after.competency_id in suggested
                assert after.state is (ClaimState.SUGGESTED if there else ClaimState.WITHDRAWN)
            if after.state is ClaimState.VERIFIED:
                upheld = before.contested_reason == UPHELD and all(g for _, g in looks)
                if gone and not upheld:
                    assert after.contested or after.contested_reason == UPHELD
                assert gone or not after.contested
