"""What earns a badge, until when, and what a definition asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.badges import (
    AwardDecision,
    BadgeDefinition,
    BadgeTarget,
    Criteria,
    Lacking,
    Missing,
    VerifiedClaim,
    decide_award,
    period_of,
    required_refs,
)
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Competency, Edition, Level, SourceText, TargetGroup
from bridge.domain.mapping import CompetencyRef

TODAY = date(2026, 6, 1)
ONE, TWO, THREE = (CompetencyRef("llr-2020", code) for code in "123")


def claim(ref: CompetencyRef, number: int = 1, **given: Any) -> VerifiedClaim:
    usual = {"verified_on": TODAY, "current_until": date(2027, 6, 1), **given}
    return VerifiedClaim(number, ref, number + 100, **usual)


def reasons(decision: AwardDecision) -> dict[str, str]:
    return {missing.ref.code: missing.reason.value for missing in decision.missing}


def test_a_badge_is_earned_by_a_verified_claim_for_every_competency() -> None:
    early = claim(TWO, 2, current_until=date(2026, 12, 31))
    decision = decide_award([ONE, TWO], [claim(ONE), early], (), TODAY)
    assert decision == AwardDecision(True, (claim(ONE), early), (), date(2026, 12, 31))


def test_what_is_missing_is_listed_with_its_reason() -> None:
    old = claim(TWO, verified_on=date(2025, 1, 1), current_until=date(2026, 5, 31))
    doubted = claim(THREE, contested=True)
    decision = decide_award([THREE, ONE, TWO], [old, doubted], (), TODAY)
    assert not decision.held
    assert list(reasons(decision).items()) == [
        ("3", "contested"),
        ("1", "not verified"),
        ("2", "lapsed"),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"current_until": TODAY}, None),
        ({"current_until": TODAY - timedelta(1)}, Lacking.LAPSED),
        ({"contested": True}, Lacking.CONTESTED),
        ({"contested": True, "current_until": TODAY - timedelta(1)}, Lacking.LAPSED),
        ({"revoked": True}, Lacking.NOT_VERIFIED),
        ({"learner_is_verifier": True}, Lacking.NOT_VERIFIED),
        ({"verified_on": TODAY + timedelta(1)}, Lacking.NOT_VERIFIED),
    ],
)
def test_one_claim_alone(changes: dict[str, Any], reason: Lacking | None) -> None:
    decision = decide_award([ONE], [claim(ONE, **changes)], (), TODAY)
    assert decision.held is (reason is None)
    assert decision.missing == (() if reason is None else (Missing(ONE, reason),))


def test_a_contested_claim_does_not_spoil_another_that_is_sound() -> None:
    sound = claim(ONE, 2, current_until=date(2026, 7, 1))
    decision = decide_award([ONE], [claim(ONE, contested=True), sound], (), TODAY)
    assert decision.basis == (sound,)


def test_a_mark_of_not_applicable_stands_in_for_a_claim_but_never_for_all() -> None:
    decision = decide_award([ONE, TWO], [claim(ONE)], {TWO}, TODAY)
    assert (decision.held, decision.not_applicable) == (True, (TWO,))
    everything = decide_award([ONE, TWO], [claim(ONE)], {ONE, TWO}, TODAY)
    assert not everything.held
    assert reasons(everything) == {"1": "not applicable", "2": "not applicable"}


def test_a_badge_that_asks_for_nothing_is_never_earned() -> None:
    assert not decide_award([], [claim(ONE)], (), TODAY).held


DAYS = st.integers(-3, 3).map(lambda days: TODAY + timedelta(days))
CLAIMS = st.lists(
    st.builds(
        VerifiedClaim,
        claim_id=st.integers(1, 99),
        ref=st.sampled_from([ONE, TWO, THREE]),
        verification_id=st.integers(1, 99),
        verified_on=DAYS,
        current_until=DAYS,
        contested=st.booleans(),
        revoked=st.booleans(),
        learner_is_verifier=st.booleans(),
    ),
    max_size=10,
    unique_by=lambda c: c.claim_id,
)
REFS = st.lists(st.sampled_from([ONE, TWO, THREE]), max_size=3)


@settings(max_examples=500)
@given(REFS, CLAIMS, st.sets(st.sampled_from([ONE, TWO, THREE]), max_size=2), st.randoms())
def test_no_award_without_another_persons_word_for_each_competency(
    required: list[CompetencyRef],
    claims: list[VerifiedClaim],
    not_applicable: set[CompetencyRef],
    random: Random,
) -> None:
    decision = decide_award(required, claims, not_applicable, TODAY)
    earning = [
        c
        for c in claims
        if c.verified_on <= TODAY <= c.current_until
        and not (c.contested or c.revoked or c.learner_is_verifier)
    ]
    if decision.held:
        assert decision.basis
        assert set(decision.basis) <= set(earning)
        assert {c.ref for c in decision.basis} == set(required) - not_applicable
        assert decision.expires_on == min(c.current_until for c in decision.basis)
        for used in decision.basis:
            assert used.current_until == max(c.current_until for c in earning if c.ref == used.ref)
        assert decision.missing == ()
    else:
        needed = set(required) - not_applicable
        assert not needed or needed - {c.ref for c in earning}
        assert {m.ref for m in decision.missing} == (
            needed - {c.ref for c in earning} if needed else set(required)
        )
        assert (decision.basis, decision.expires_on) == ((), None)
    shuffled = list(claims)
    random.shuffle(shuffled)
    assert decide_award(required, shuffled, not_applicable, TODAY) == decision


# --- definitions ----------------------------------------------------------------------------------
EDITION = Edition(
    "llr-2020",
    "llr",
    "2020",
    "LLR",
    "en-GB",
    SourceText("LLR", "LLR", "March 2020"),
    tuple(Competency(str(code), f"Competency {code}") for code in range(1, 8)),
    groups=(
        TargetGroup("core", "Core", "", ("1", "2"), everyone=True),
        TargetGroup("frontline", "Frontline", "", ("3", "4")),
    ),
    levels=(Level("1", "Level 1", "", (), (), ("5", "6")),),
)


@pytest.mark.parametrize(
    ("criteria", "codes"),
    [
        (Criteria(competencies=(CompetencyRef("llr-2020", "4"), TWO)), "24"),
        (Criteria(groups=(("llr-2020", "core"),)), "12"),
        (Criteria(groups=(("llr-2020", "frontline"),)), "1234"),
        (Criteria(levels=(("llr-2020", "1"),)), "56"),
        (Criteria((ONE,), (("llr-2020", "core"),), (("llr-2020", "1"),)), "1256"),
    ],
)
def test_criteria_become_competencies_in_the_order_of_the_edition(
    criteria: Criteria, codes: str
) -> None:
    assert [ref.code for ref in required_refs(criteria, [EDITION])] == list(codes)


@pytest.mark.parametrize(
    "criteria",
    [
        Criteria((CompetencyRef("llr-2020", "99"),)),
        Criteria((CompetencyRef("llr-2031", "1"),)),
        Criteria(groups=(("llr-2020", "cooks"),)),
        Criteria(levels=(("llr-2020", "9"),)),
    ],
)
def test_criteria_that_name_nothing_are_refused(criteria: Criteria) -> None:
    with pytest.raises(NotFound):
        required_refs(criteria, [EDITION])


def test_the_year_of_the_award_fills_the_settings() -> None:
    target = BadgeTarget("moodle", {"cohort": "LLR-CORE-{year}", "via": "cohort"})
    period = period_of(date(2026, 12, 31))
    assert target.settings_for(period) == {"cohort": "LLR-CORE-2026", "via": "cohort"}


def test_the_hash_tells_every_change() -> None:
    badge = BadgeDefinition("core", "Core", "", Criteria((ONE,)))
    changes = [
        replace(badge, title="Other"),
        replace(badge, description="Other"),
        replace(badge, criteria=Criteria((ONE, TWO))),
        replace(badge, criteria=Criteria(groups=(("llr-2020", "core"),))),
        replace(badge, image="core.png"),
        replace(badge, targets=(BadgeTarget("moodle", {}),)),
        replace(badge, targets=(BadgeTarget("moodle", {"via": "cohort"}),)),
    ]
    assert len({each.content_hash for each in [badge, *changes]}) == len(changes) + 1
