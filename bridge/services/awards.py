"""Who has earned which badge: from verified claims alone, person by person (rules R6 to R10)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bridge.domain import currency
from bridge.domain.badges import (
    AwardDecision,
    VerifiedClaim,
    award_settings,
    decide_award,
    period_of,
)
from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Award, BadgeInForce, Grounds
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.context import Context
from bridge.services.evidence import groups_held
from bridge.services.notify import tell_award

AT_ONCE = 200


@dataclass(slots=True)
class AwardReport:
    """What looking at people's awards led to."""

    people: int = 0
    made: int = 0
    renewed: int = 0
    withdrawn: int = 0


def update_awards(ctx: Context) -> AwardReport:
    """Look at everybody whose verified claims changed, some people a transaction."""
    report = AwardReport()
    with ctx.store.begin() as uow:
        uow.awards.mark_lapsing(london_date(ctx.clock.now()))
    ahead: set[int] = set()
    while True:
        with ctx.store.begin() as uow:
            # Two processes that look at one person must see each other's verifications.
            uow.ops.lock("awards")
            people = uow.awards.people_pending(AT_ONCE)
            # First, so that whoever marks them again meanwhile waits, and is not wiped out.
            uow.awards.clear_pending(people)
            ahead |= _look_at(ctx, uow, people, report)
            if not people:
                uow.people.mark_for_awards(ahead)
        if not people:
            return report
        report.people += len(people)


def _look_at(ctx: Context, uow: UnitOfWork, people: Sequence[int], report: AwardReport) -> set[int]:
    """Make, renew and withdraw; returns those to look at again when our clock has caught up.

    A verifier's clock that is ahead around midnight must not lose anybody an award.
    """
    ahead: set[int] = set()
    today = london_date(ctx.clock.now())
    refs = {row_id: ref for ref, row_id in uow.catalog.competency_ids().items()}
    badges = uow.catalog.badges_in_force()
    grounds = uow.awards.grounds(people)
    exempt = uow.awards.not_applicable(people)
    posts = uow.people.posts_of(people)
    editions = {e.id: e for e in uow.catalog.editions()}
    awards = uow.awards.awards_of(people)
    for person in people:
        groups = groups_held(posts.get(person, ()), today)
        claims = [
            _claim(refs[g.competency_id], g, editions, groups) for g in grounds.get(person, ())
        ]
        own = awards.get(person, [])
        for badge in badges:
            of_levels = {
                CompetencyRef(edition, code)
                for edition, level in badge.levels
                for code in editions[edition].level(level).codes
            }
            waived = {c: n for c, n in exempt.get(person, {}).items() if refs[c] in of_levels}
            decision = decide_award(
                tuple(refs[c] for c in badge.required),
                claims,
                frozenset(refs[c] for c in waived),
                today,
            )
            held = [a for a in own if a.badge_key == badge.key]
            if decision.held:
                _award(ctx, uow, badge, person, decision, waived, refs, held, today, report)
        earning = {
            g.competency_id
            for g, claim in zip(grounds.get(person, ()), claims, strict=True)
            if not claim.contested and today <= claim.current_until
        }
        _withdraw_groundless(ctx, uow, own, earning, report)
        if any(claim.verified_on > today for claim in claims):
            ahead.add(person)
    return ahead


def _claim(
    ref: CompetencyRef, ground: Grounds, editions: Mapping[str, Edition], groups: Sequence[str]
) -> VerifiedClaim:
    edition = editions[ref.edition]
    verified_on = london_date(ground.decided_at)
    return VerifiedClaim(
        claim_id=ground.claim_id,
        ref=ref,
        verification_id=ground.verification_id,
        verified_on=verified_on,
        current_until=currency.current_until(verified_on, edition.intervals_for(groups)),
        contested=ground.contested,
    )


def _award(
    ctx: Context,
    uow: UnitOfWork,
    badge: BadgeInForce,
    person: int,
    decision: AwardDecision,
    waived: Mapping[int, int],
    refs: Mapping[int, CompetencyRef],
    held: Sequence[Award],
    today: date,
    report: AwardReport,
) -> None:
    """Make the award of this period, or rest it on newer verifications (R10)."""
    current = next((a for a in held if a.status == "held" and today <= a.expires_on), None)
    if current is not None and not uow.awards.lost_basis(current.id):
        _want(ctx, uow, badge, current.id, current.period)
        return
    expires_on = decision.expires_on
    assert expires_on is not None  # noqa: S101  a decision to hold has an end
    ids = {ref: row_id for row_id, ref in refs.items()}
    basis = {ids[claim.ref]: claim.verification_id for claim in decision.basis}
    exempt = {ids[ref]: waived[ids[ref]] for ref in decision.not_applicable}
    period = period_of(today)
    same = current or next((a for a in held if a.period == period), None)
    if same is not None:
        uow.awards.renew(same, badge, expires_on, basis, exempt)
        # It stays the award of its year, and so the badge of that year.
        award_id, period = same.id, same.period
        report.renewed += 1
    else:
        award_id = uow.awards.make(badge, person, period, today, expires_on, basis, exempt)
        report.made += 1
        tell_award(uow, ctx.policy, ctx.clock.now(), person, award_id, held=True)
    _want(ctx, uow, badge, award_id, period)


def _want(ctx: Context, uow: UnitOfWork, badge: BadgeInForce, award_id: int, period: str) -> None:
    """Let every target of the badge hold the award; those that should already are left alone."""
    for target, settings in badge.targets:
        filled = award_settings(badge.key, settings, period)
        uow.awards.want(award_id, target, "moodle", filled, ctx.clock.now())


def _withdraw_groundless(
    ctx: Context,
    uow: UnitOfWork,
    own: Sequence[Award],
    earning: Collection[int],
    report: AwardReport,
) -> None:
    """Withdraw awards that rest on what no longer stands, unless another claim serves (R10).

    `earning` are the competencies with a claim that could earn an award today. Lapsing and
    contesting alone withdraw nothing: those awards stay as they were (R6).
    """
    for award in own:
        if award.status == "held" and uow.awards.lost_basis(award.id) - set(earning):
            uow.awards.withdraw(
                award.id, "a verification that it rests on no longer stands", ctx.clock.now()
            )
            report.withdrawn += 1
            tell_award(uow, ctx.policy, ctx.clock.now(), award.person, award.id, held=False)
