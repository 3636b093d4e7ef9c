"""Awards: what they mean, when they run out, how they are renewed and withdrawn (R6 to R10)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.domain.badges import BadgeDefinition, Criteria
from bridge.domain.errors import NotAllowed, Refused
from bridge.services import evidence, mappings, people, publish, verify
from bridge.services.evidence import OwnActivity
from tests.support import BADGE, EDITION, NOW, Cast, Completion, World, badge, cast, ref


@pytest.fixture
def folk(world: World) -> Cast:
    """A learner with both claims of the badge verified."""
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    return folk


def awards(world: World) -> list[tuple[str, str, date, date]]:
    rows = world.rows("SELECT period, status, awarded_on, expires_on FROM awards ORDER BY id")
    as_date = date.fromisoformat
    return [(p, s, as_date(str(a)), as_date(str(e))) for p, s, a, e in rows]


def again(world: World, folk: Cast, *codes: int) -> int:
    """New evidence of the learner's own, verified."""
    today = world.clock.now().date()
    own = OwnActivity("Supervision", "supervision", today)
    made = evidence.add_own(world.as_(folk.learner), own, [ref(c) for c in codes])
    world.submit(folk.learner, made, folk.manager, *codes)
    world.verify(folk.manager, made)
    return made


def test_an_award_needs_every_competency_it_names(world: World) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence, 1)
    assert world.awarded() == (0, 0, 0)
    world.clock.advance(days=30)
    world.verify(folk.manager, folk.evidence, 2)
    assert world.awarded() == (1, 0, 0)
    # R9: it runs out with the earliest of its claims.
    assert awards(world) == [("2026", "held", date(2026, 7, 15), date(2027, 6, 15))]
    assert world.awarded() == (0, 0, 0)


def test_an_award_carries_neither_reflection_nor_verifier(world: World, folk: Cast) -> None:
    world.awarded()
    told = str(world.dump()["awards"]) + str(world.dump()["target_states"])
    assert "manager" not in told
    assert "What I learned" not in told


def test_renewal_takes_new_verification(world: World, folk: Cast) -> None:
    world.awarded()
    world.clock.moment = datetime(2027, 6, 15, 9, 0, tzinfo=UTC)
    assert world.awarded() == (0, 0, 0)
    world.clock.advance(days=1)
    assert world.awarded() == (0, 0, 0)
    again(world, folk, 1)
    assert world.awarded() == (0, 0, 0)
    again(world, folk, 2)
    assert world.awarded() == (1, 0, 0)
    assert awards(world) == [
        ("2026", "held", date(2026, 6, 15), date(2027, 6, 15)),
        ("2027", "held", date(2027, 6, 16), date(2028, 6, 16)),
    ]
    world.deliver()
    assert world.target.held == {("u1", "safe-2026"), ("u1", "safe-2027")}
    assert [s.period for s in publish.lapsed(world.ctx)] == ["2026"]


def test_what_was_verified_before_the_old_award_ran_out_renews_it_then(
    world: World, folk: Cast
) -> None:
    world.awarded()
    world.clock.moment = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
    again(world, folk, 1, 2)
    assert world.awarded() == (0, 0, 0)
    world.clock.moment = datetime(2027, 6, 16, 9, 0, tzinfo=UTC)
    assert world.awarded() == (1, 0, 0)
    assert awards(world)[-1] == ("2027", "held", date(2027, 6, 16), date(2028, 3, 1))


def test_lapsed_awards_of_people_who_left_cost_nothing(world: World, folk: Cast) -> None:
    world.awarded()
    world.clock.advance(days=800)
    world.awarded()
    assert to_look_at(world) == []


def to_look_at(world: World) -> list[int]:
    with world.store.begin() as uow:
        uow.awards.mark_lapsing(world.clock.now().date())
        return uow.awards.people_pending(10)


def test_lapsed_awards_that_were_renewed_cost_nothing(world: World, folk: Cast) -> None:
    world.awarded()
    world.clock.advance(days=400)
    again(world, folk, 1, 2)
    assert to_look_at(world) == [folk.learner]
    assert world.awarded() == (1, 0, 0)
    assert to_look_at(world) == []


def test_a_revocation_withdraws_the_award_and_the_badge(world: World, folk: Cast) -> None:
    world.awarded()
    world.deliver()
    verify.revoke(world.as_(folk.manager), world.claim_id(folk.evidence, 1), "A mistake.")
    assert world.awarded() == (0, 0, 1)
    assert [s for _, s, _, _ in awards(world)] == ["withdrawn"]
    assert world.rows("SELECT desired, observed FROM target_states") == [("absent", "held")]
    assert world.deliver().withdrawn == 1
    assert world.target.held == set()


def test_a_withdrawn_award_is_earned_again_in_the_same_period(world: World, folk: Cast) -> None:
    world.awarded()
    world.deliver()
    verify.revoke(world.as_(folk.manager), world.claim_id(folk.evidence, 1), "A mistake.")
    world.awarded()
    world.deliver()
    again(world, folk, 1)
    assert world.awarded() == (0, 1, 0)
    assert [s for _, s, _, _ in awards(world)] == ["held"]
    world.deliver()
    assert world.target.held == {("u1", "safe-2026")}


def test_another_verified_claim_takes_the_place_of_a_revoked_one(world: World, folk: Cast) -> None:
    world.awarded()
    again(world, folk, 1)
    verify.revoke(world.as_(folk.manager), world.claim_id(folk.evidence, 1), "A mistake.")
    assert world.awarded() == (0, 1, 0)
    assert [s for _, s, _, _ in awards(world)] == ["held"]
    with world.store.reading() as uow:
        assert uow.awards.lost_basis(1) == set()
    assert world.awarded() == (0, 0, 0)


def test_contested_claims_keep_awards_and_earn_no_new_ones(world: World, folk: Cast) -> None:
    world.awarded()
    world.source.holds = []
    world.pull(full=True, believe=True)
    mappings.publish_badges(world.ctx, [BADGE, badge(1, key="one")])
    assert world.awarded() == (0, 0, 0)
    assert [s for _, s, _, _ in awards(world)] == ["held"]
    verify.uphold(world.as_(folk.manager), world.claim_id(folk.evidence, 1), "I saw it.")
    assert world.awarded() == (1, 0, 0)


def test_a_change_of_role_or_of_the_badge_revokes_nothing(world: World, folk: Cast) -> None:
    world.awarded()
    world.post(folk.learner, folk.manager, date(2020, 1, 1), date(2026, 6, 14))
    mappings.publish_badges(world.ctx, [badge(1, 2, 3)])
    assert world.awarded() == (0, 0, 0)
    mappings.publish_badges(world.ctx, [])
    assert world.awarded() == (0, 0, 0)
    assert [s for _, s, _, _ in awards(world)] == ["held"]


def test_a_manager_decides_what_does_not_apply(world: World) -> None:
    folk = cast(world)
    level = BadgeDefinition("one", "One", "Level one.", Criteria(levels=((EDITION.id, "one"),)))
    mappings.publish_badges(world.ctx, [level])
    world.submit(folk.learner, folk.evidence, folk.manager, 1)
    world.verify(folk.manager, folk.evidence)
    for nobody in (folk.learner, folk.other):
        with pytest.raises((NotAllowed, Refused)):
            people.waive(world.as_(nobody), folk.learner, ref(6), "not for me")
    with pytest.raises(Refused, match="why"):
        people.waive(world.as_(folk.manager), folk.learner, ref(6), " ")
    assert world.awarded() == (0, 0, 0)
    people.waive(world.as_(folk.manager), folk.learner, ref(6), "No such clients.")
    assert world.awarded() == (1, 0, 0)


def test_nothing_but_exemptions_earns_nothing(world: World) -> None:
    folk = cast(world)
    mappings.publish_badges(world.ctx, [badge(6)])
    people.waive(world.as_(folk.manager), folk.learner, ref(6), "No such clients.")
    assert world.awarded() == (0, 0, 0)


def test_a_badge_published_later_is_earned_by_those_who_have_all_it_names(
    world: World, folk: Cast
) -> None:
    world.awarded()
    world.clock.advance(days=200)
    mappings.publish_badges(world.ctx, [BADGE, badge(2, key="two")])
    assert world.awarded() == (1, 0, 0)
    assert awards(world)[-1] == ("2027", "held", date(2027, 1, 1), date(2027, 6, 15))


def test_looking_again_writes_nothing(world: World, folk: Cast) -> None:
    world.awarded()
    world.deliver()
    before = world.dump()
    assert world.awarded() == (0, 0, 0)
    assert world.deliver().nothing
    assert world.dump() == before


def test_one_persons_merged_entries_earn_one_award(world: World) -> None:
    manager = world.person("manager")
    one, two = world.person("u1", manager=manager), world.person("u2", manager=manager)
    world.pull(Completion("u1"), Completion("u2", when=NOW - timedelta(days=100)))
    people.merge(world.ctx, two, one, "One person.")
    for item in world.items_of(one):
        world.submit(one, item.evidence.id, manager)
        world.verify(manager, item.evidence.id)
    assert world.awarded() == (1, 0, 0)
