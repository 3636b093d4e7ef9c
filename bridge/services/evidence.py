"""The practitioner's word: reflect and submit, recall, dismiss, reopen, add one's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from bridge.domain import currency
from bridge.domain.authority import Authority, Standing, authority_of
from bridge.domain.claims import Act, ClaimState, Party, step
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.frameworks import Edition, LearningActivity
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Claim, Evidence, NewEvidence, Person, Post
from bridge.domain.notebook import Support
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import Eyes
from bridge.domain.sight import Sight, claims_seen
from bridge.domain.times import LONDON, london_date
from bridge.services.assessors import assessors_of
from bridge.services.context import Context, acting_person, audit
from bridge.services.notify import tell_submitted


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence with its claims, as its owner or verifier sees it.

    `gone` are the records behind it that their source no longer shows.
    """

    evidence: Evidence
    claims: tuple[Claim, ...]
    gone: tuple[Support, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnActivity:
    """A learning activity that no system recorded: what, when, and where a record is held."""

    title: str
    learning_activity: str
    occurred_on: date
    reference: str | None = None
    delivery: str | None = None


def items(ctx: Context, *, person: int | None = None, state: str | None = None) -> list[Item]:
    """The evidence that the actor may see, newest activity first; of one person if given."""
    with ctx.store.reading() as uow:
        found = uow.evidence.visible(ctx.actor.scope, person=person, state=state)
        by_evidence: dict[int, list[Claim]] = {e.id: [] for e in found}
        for claim in uow.evidence.claims([e.id for e in found]):
            by_evidence[claim.evidence_id].append(claim)
        seen = [(e, seen_of(ctx, uow, e, by_evidence[e.id])) for e in found]
        gone = _gone(uow, [e.id for e, s in seen if s.whole])
    return [Item(e, s.claims, gone.get(e.id, ())) for e, s in seen if s.claims or s.whole]


def item(ctx: Context, evidence_id: int) -> Item:
    """One piece of evidence. Raises NotFound where there is none that the actor may see."""
    with ctx.store.reading() as uow:
        return item_seen(ctx, uow, evidence_id)[0]


def item_seen(ctx: Context, uow: UnitOfWork, evidence_id: int) -> tuple[Item, bool]:
    """The same within a transaction, and whether the actor sees the whole of it."""
    evidence = uow.evidence.get(evidence_id, ctx.actor.scope)
    claims = uow.evidence.claims([evidence_id])
    seen = seen_of(ctx, uow, evidence, claims)
    if not seen.claims and not seen.whole:
        raise NotFound(f"There is no evidence {evidence_id} for you to see.")
    gone = _gone(uow, [evidence_id]).get(evidence_id, ()) if seen.whole else ()
    return Item(evidence, seen.claims, gone), seen.whole


def _gone(uow: UnitOfWork, evidence_ids: Sequence[int]) -> dict[int, tuple[Support, ...]]:
    return {
        evidence_id: tuple(each for each in support if each.gone)
        for evidence_id, support in uow.notebook.support(evidence_ids).items()
    }


def seen_of(ctx: Context, uow: UnitOfWork, evidence: Evidence, claims: Sequence[Claim]) -> Sight:
    """Those claims of a piece of evidence that the actor sees (`bridge.domain.sight`)."""
    reader = ctx.actor.person
    if ctx.actor.scope.eyes is not Eyes.PERSON or reader is None or evidence.person == reader:
        return Sight(tuple(claims), whole=True)
    today = london_date(ctx.clock.now())
    who = standing_of(uow, evidence.person, reader, today, evidence.id)
    return claims_seen(
        reader,
        claims,
        uow.evidence.submissions_of(evidence.id),
        uow.evidence.verifications([claim.id for claim in claims]),
        verifies=verifies(who),
        manages=who.is_manager,
    )


def own_item(ctx: Context, uow: UnitOfWork, evidence_id: int) -> Item:
    """The actor's own piece of evidence, locked for the rest of the transaction."""
    person = acting_person(ctx)
    evidence = uow.evidence.get(evidence_id, ctx.actor.scope, lock=True)
    if evidence.person != person:
        raise NotAllowed("Only the person whose evidence it is can do that.")
    return Item(evidence, tuple(uow.evidence.claims([evidence_id])))


def lists_of(uow: UnitOfWork, edition_id: str) -> Edition:
    """The edition whose lists of learning activities and assessment methods apply.

    The London levels come without such lists, and an organisation's additions rest on the edition
    they extend; the first published edition that has them serves for both.
    """
    edition = uow.catalog.edition_of(edition_id)
    if edition.assessment_methods and edition.learning_activities:
        return edition
    if edition.extends is not None:
        return lists_of(uow, edition.extends)
    return next((e for e in uow.catalog.editions() if e.assessment_methods), edition)


def activity_of(edition: Edition, key: str | None) -> LearningActivity | None:
    """The framework's recognised learning activity with this key."""
    return next((a for a in edition.learning_activities if a.key == key), None)


def chosen(claims: Sequence[Claim], refs: Sequence[CompetencyRef]) -> list[Claim]:
    """The claims for these competencies. Raises Refused naming those the evidence does not have."""
    by_ref = {claim.ref: claim for claim in claims}
    absent = [str(ref) for ref in refs if ref not in by_ref]
    if absent:
        raise Refused(f"This evidence makes no claim for {', '.join(absent)}. Add it first.")
    return [by_ref[ref] for ref in refs]


def submit(
    ctx: Context,
    evidence_id: int,
    refs: Sequence[CompetencyRef],
    reflection: str,
    verifier: int,
    *,
    used: str = "",
) -> int:
    """Put claims before a verifier with the practitioner's reflection; returns the submission.

    `refs` are those the person ticks (R3: never pre-ticked); one that is not claimed yet is added
    as theirs. E-learning asks in `used` how it was used in the role. Raises Refused when the
    activity is older than 12 months (R1), nothing is ticked, the reflection is empty, or the
    verifier is the person themselves; NotAllowed when the verifier may not verify.
    """
    now = ctx.clock.now()
    if not refs:
        raise Refused("Tick at least one competency that this evidences.")
    if not reflection.strip():
        raise Refused("Write what you learned and what it changed, in your own words.")
    with ctx.store.begin() as uow:
        mine = own_item(ctx, uow, evidence_id)
        evidence = mine.evidence
        edition = lists_of(uow, refs[0].edition)
        activity = activity_of(edition, evidence.learning_activity)
        if activity is not None and activity.asks_use and not used.strip():
            raise Refused("This was e-learning: say how you have used it in your role.")
        refs = tuple(dict.fromkeys(refs))
        _check_recordable(uow, mine, refs, london_date(now))
        authority_of(standing(uow, evidence.person, verifier, london_date(now), evidence_id))
        claims = chosen(_with_added(uow, mine, refs), refs)
        states = {c.id: step(c.state, Act.SUBMIT, Party.LEARNER) for c in claims}
        text = {"reflection": reflection.strip(), "used": used.strip()}
        reflection_id = uow.evidence.add_reflection(
            evidence_id, evidence.person, ctx.vault, text, now
        )
        submission = uow.evidence.add_submission(
            evidence_id, reflection_id, verifier, list(states), ctx.actor.channel, now
        )
        uow.evidence.set_states(states, now)
        uow.notebook.forget_typed(evidence_id)
        _file_in_log(uow, evidence, now)
        tell_submitted(uow, ctx.policy, now, submission, evidence_id, verifier)
        audit(ctx, uow, "submit", f"evidence:{evidence_id}",
              {"submission": submission, "claims": list(states), "verifier": verifier})  # fmt: skip
        return submission


def _check_recordable(
    uow: UnitOfWork, mine: Item, refs: Sequence[CompetencyRef], today: date
) -> None:
    """R1, counted to the first submission: a slow verifier never disqualifies what was in time."""
    evidence = mine.evidence
    groups = groups_of(uow, evidence.person, today)
    first = uow.evidence.first_submitted(evidence.id)
    put_before = {claim.ref for claim in mine.claims if claim.touched}
    for ref in refs:
        intervals = uow.catalog.edition_of(ref.edition).intervals_for(groups)
        submitted = london_date(first) if first and ref in put_before else today
        if not currency.recordable(evidence.occurred_on, submitted, intervals):
            raise Refused(
                f"The activity was on {evidence.occurred_on:%-d %B %Y}, more than "
                f"{intervals.recordable_months} months ago, so it is history now."
            )


def _with_added(uow: UnitOfWork, mine: Item, refs: Sequence[CompetencyRef]) -> Sequence[Claim]:
    there = {claim.ref for claim in mine.claims}
    new = [ref for ref in refs if ref not in there]
    if not new:
        return mine.claims
    ids = uow.catalog.competency_ids()
    unknown = [str(ref) for ref in new if ref not in ids]
    if unknown:
        raise Refused(f"There is no competency {', '.join(unknown)}.")
    uow.evidence.add_own_claims(mine.evidence.id, [ids[ref] for ref in new])
    return uow.evidence.claims([mine.evidence.id])


def standing(
    uow: UnitOfWork, learner: int, verifier: int, today: date, evidence_id: int | None = None
) -> Standing:
    """How a would-be verifier stands to a learner today, from posts, deputies and approvals; and,
    towards one piece of evidence, as the trainer who assessed it."""
    return standing_of(uow, learner, uow.people.get(verifier).canonical, today, evidence_id)


def standing_of(
    uow: UnitOfWork, learner: int, verifier: int, today: date, evidence_id: int | None = None
) -> Standing:
    """The same where the verifier's id is known to be canonical."""
    posts = uow.people.posts_of([learner, verifier])
    stands = _stands(learner, verifier, posts, (), today, ())
    if stands.is_manager:
        return stands
    stand_in = _deputies(uow, posts.get(learner, ()), today)
    # Nobody chooses their own judge: what the learner approved counts for everybody else.
    approvals = uow.people.approvals_of(verifier, learner)
    if evidence_id is not None and verifier in assessors_of(uow, [evidence_id])[evidence_id]:
        approvals = [*approvals, Authority.ASSESSOR.value]
    return _stands(learner, verifier, posts, approvals, today, stand_in)


def _deputies(uow: UnitOfWork, posts: Sequence[Post], today: date) -> set[int]:
    """Who stands in today for the managers of the posts that are held today."""
    managers = {p.manager for p in posts if p.holds_on(today) and p.manager is not None}
    found = uow.teams.deputies_of(managers) if managers else ()
    return {each.deputy for each in found if each.holds_on(today)}


def _stands(
    learner: int,
    verifier: int,
    posts: Mapping[int, Sequence[Post]],
    approvals: Iterable[str],
    today: date,
    deputies: Collection[int],
) -> Standing:
    own = posts.get(verifier, ())
    # Somebody whose every post has ended has left, whatever the learner's post still says.
    here = not own or any(p.holds_on(today) for p in own)
    return Standing(
        learner=learner,
        verifier=verifier,
        is_manager=here
        and any(p.manager == verifier for p in posts.get(learner, ()) if p.holds_on(today)),
        is_deputy=here and verifier in deputies,
        approved_as=frozenset(Authority(kind) for kind in approvals),
    )


def groups_held(posts: Sequence[Post], day: date) -> list[str]:
    """The target groups of the posts that are held on that day; groups overlap."""
    return list(dict.fromkeys(g for p in posts if p.holds_on(day) for g in p.target_groups))


def groups_of(uow: UnitOfWork, person: int, day: date) -> list[str]:
    """The target groups of a (canonical) person on that day."""
    return groups_held(uow.people.posts_of([person]).get(person, ()), day)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Somebody who may verify, by what authority, and their post; from outside, where they work."""

    person: int
    name: str
    authority: Authority
    post: str


def verifiers_of(ctx: Context, learner: int, evidence_id: int | None = None) -> list[Verifier]:
    """Those who may verify this person's evidence today: managers first, then by name.

    Of one piece of evidence, also whoever trained at its event and assessed it.
    """
    with ctx.store.reading() as uow:
        trained = set() if evidence_id is None else assessors_of(uow, [evidence_id])[evidence_id]
        return verifiers_in(uow, learner, london_date(ctx.clock.now()), trained)[0]


def verifiers_in(
    uow: UnitOfWork, learner: int, today: date, trained: Collection[int] = ()
) -> tuple[list[Verifier], Sequence[Post]]:
    """As `verifiers_of`, with the learner's own posts; `trained` are the trainers who assessed."""
    people = uow.people.possible_verifiers(learner)
    if trained:
        people = _with_trainers(uow, people, set(trained))
    posts = uow.people.posts_of([learner, *(person.canonical for person, *_ in people)])
    deputies = _deputies(uow, posts.get(learner, ()), today)
    found = []
    for person, kinds, elsewhere in people:
        try:
            stands = _stands(learner, person.canonical, posts, kinds, today, deputies)
            authority = authority_of(stands)
        except (Refused, NotAllowed):
            continue
        held = [p.title for p in posts.get(person.canonical, ()) if p.holds_on(today)]
        found.append(Verifier(person.id, person.name, authority, held[0] if held else elsewhere))
    found.sort(key=lambda v: (list(Authority).index(v.authority), v.name.casefold()))
    return found, posts.get(learner, ())


def _with_trainers(
    uow: UnitOfWork, people: Sequence[tuple[Person, list[str], str]], trained: set[int]
) -> list[tuple[Person, list[str], str]]:
    """These would-be verifiers and the trainers of an event, who are assessors of it."""
    known = {person.canonical for person, *_ in people}
    assessor = Authority.ASSESSOR.value
    found = [(p, [*k, assessor] if p.canonical in trained else k, at) for p, k, at in people]
    names = uow.standing.names(trained - known)
    return found + [(Person(p, name, p), [assessor], "") for p, name in sorted(names.items())]


def may_verify(
    ctx: Context, learner: int, evidence_id: int | None = None
) -> list[tuple[int, str, Authority]]:
    """Those who may verify this person's evidence today: id, name and authority."""
    return [(v.person, v.name, v.authority) for v in verifiers_of(ctx, learner, evidence_id)]


def _file_in_log(uow: UnitOfWork, evidence: Evidence, now: datetime) -> None:
    """R4: into the log of its date, or late into the open one, marked."""
    posts = uow.people.posts_of([evidence.person]).get(evidence.person, ())
    start = min((p.valid_from for p in posts), default=evidence.occurred_on)
    uow.evidence.file_in_log(evidence, start, london_date(now))


def recall(ctx: Context, evidence_id: int) -> int:
    """Take submitted claims back; they are suggestions again. Returns how many."""
    return _move(ctx, evidence_id, Act.RECALL, ClaimState.SUBMITTED, None)


def dismiss(ctx: Context, evidence_id: int, refs: Sequence[CompetencyRef]) -> int:
    """Say of suggested or returned claims that they do not apply; they can be reopened."""
    return _move(ctx, evidence_id, Act.DISMISS, None, refs)


def reopen(ctx: Context, evidence_id: int, refs: Sequence[CompetencyRef]) -> int:
    """Bring dismissed claims back as suggestions."""
    return _move(ctx, evidence_id, Act.REOPEN, None, refs)


def _move(
    ctx: Context,
    evidence_id: int,
    act: Act,
    only: ClaimState | None,
    refs: Sequence[CompetencyRef] | None,
) -> int:
    with ctx.store.begin() as uow:
        mine = own_item(ctx, uow, evidence_id)
        claims = chosen(mine.claims, refs) if refs is not None else mine.claims
        states = {
            c.id: step(c.state, act, Party.LEARNER)
            for c in claims
            if only is None or c.state is only
        }
        if not states:
            raise Refused(f"There is nothing here to {act.value}.")
        uow.evidence.set_states(states, ctx.clock.now())
        audit(ctx, uow, act.value, f"evidence:{evidence_id}", {"claims": list(states)})
        return len(states)


def add_own(ctx: Context, own: OwnActivity, refs: Sequence[CompetencyRef]) -> int:
    """Record evidence of one's own (supervision, reading, shadowing...); returns its id.

    A previous qualification is background: the dated activity is what applied it (DESIGN 6).
    Raises Refused for an unknown or background-only activity, or a date in the future.
    """
    now = ctx.clock.now()
    person = acting_person(ctx)
    if not refs:
        raise Refused("Name at least one competency that this evidences.")
    with ctx.store.begin() as uow:
        edition = lists_of(uow, refs[0].edition)
        activity = activity_of(edition, own.learning_activity)
        if activity is None:
            known = ", ".join(a.key for a in edition.learning_activities)
            raise Refused(f"'{own.learning_activity}' is not a recognised activity: {known}.")
        if activity.background_only:
            raise Refused(
                "A previous qualification is background. Record the discussion or practice that "
                "applies it, with its date, and mention the qualification in your reflection."
            )
        if own.occurred_on > london_date(now):
            raise Refused("The date lies in the future. Record it once it has happened.")
        ids = uow.catalog.competency_ids()
        unknown = [str(ref) for ref in refs if ref not in ids]
        if unknown:
            raise Refused(f"There is no competency {', '.join(unknown)}.")
        (evidence_id,) = uow.intake.new_ids("evidence", 1)
        posts = uow.people.posts_of([person]).get(person, ())
        organisation = next((p.organisation_id for p in posts if p.holds_on(own.occurred_on)), None)
        noon = datetime.combine(own.occurred_on, time(12), LONDON).astimezone(UTC)
        draft = NewEvidence(evidence_id, person, organisation, "own", None, own.title,
                            own.learning_activity, own.delivery, None, None, noon,
                            own.occurred_on, now, False)  # fmt: skip
        uow.evidence.add_drafts([draft])
        uow.evidence.set_reference(evidence_id, own.reference)
        uow.evidence.add_own_claims(evidence_id, [ids[ref] for ref in refs])
        audit(ctx, uow, "add-own", f"evidence:{evidence_id}", {})
        return evidence_id


def read_reflection(ctx: Context, evidence_id: int) -> dict[str, str]:
    """The latest reflection for its author; for a verifier, the one put before them last.

    Reading another person's is written into the trail (DESIGN 5.11). Raises NotFound when there
    is none that the actor may read.
    """
    return read_version(ctx, evidence_id)[1]


def read_version(ctx: Context, evidence_id: int) -> tuple[int | None, dict[str, str]]:
    """The same, with which reflection it is: a verifier decides on the one that they have read.

    None for the author. Who verified something once, and may verify for this person no longer,
    reads it no longer.
    """
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        evidence = uow.evidence.get(evidence_id, ctx.actor.scope)
        if evidence.person == person:
            return None, uow.evidence.reflection(evidence_id, ctx.vault)
        submissions = uow.evidence.submissions_of(evidence_id)
        put_before_me = [
            submissions[claim.id].reflection_id
            for claim in uow.evidence.claims([evidence_id])
            if claim.state not in _TAKEN_BACK
            and claim.id in submissions
            and submissions[claim.id].verifier == person
        ]
        if not put_before_me or not still_verifies(ctx, uow, evidence.person, evidence_id):
            raise NotFound(f"There is no reflection on evidence {evidence_id} for you to read.")
        newest = max(put_before_me)
        text = uow.evidence.reflection(evidence_id, ctx.vault, newest)
        audit(ctx, uow, "read-reflection", f"evidence:{evidence_id}", {})
        return newest, text


def still_verifies(ctx: Context, uow: UnitOfWork, learner: int, evidence_id: int) -> bool:
    """Whether the actor may verify this evidence of that (canonical) person today.

    Where not, what was put before them once is no longer theirs to read: they left, moved on, or
    their approval ended (DESIGN 5.11).
    """
    today = london_date(ctx.clock.now())
    return verifies(standing_of(uow, learner, acting_person(ctx), today, evidence_id))


def verifies(who: Standing) -> bool:
    """Whether somebody who stands so to a learner may verify for them."""
    try:
        authority_of(who)
    except (Refused, NotAllowed):
        return False
    return True


#: Where a claim is the practitioner's alone again, though it was submitted once.
_TAKEN_BACK = frozenset({ClaimState.SUGGESTED, ClaimState.DISMISSED})


@dataclass(frozen=True, slots=True)
class Note:
    """What a verifier wrote with a decision: the question of a return, the note of a talk."""

    claim_id: int
    decision: str
    by: str
    text: str


def notes(ctx: Context, evidence_id: int) -> list[Note]:
    """What was written with the decisions: for the learner, and for whoever wrote it."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        evidence = uow.evidence.get(evidence_id, ctx.actor.scope)
        if person != evidence.person and not still_verifies(ctx, uow, evidence.person, evidence_id):
            return []
        return [
            Note(claim_id, decision, uow.people.get(decider).name, text)
            for claim_id, decision, decider, text in uow.evidence.notes(evidence_id, ctx.vault)
            if person in (evidence.person, decider)
        ]


def version_if_any(ctx: Context, evidence_id: int) -> tuple[int | None, dict[str, str] | None]:
    """As `read_version`, or None where nothing was written yet or it is not theirs to read."""
    try:
        return read_version(ctx, evidence_id)
    except NotFound:
        return None, None
