"""A sitting: one person's submitted evidence gone through together, and decided in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.authority import Authority, authority_of, methods_for
from bridge.domain.claims import Act
from bridge.domain.errors import BridgeError, NotAllowed, NotFound, Refused
from bridge.domain.frameworks import AssessmentMethod
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Claim, Evidence
from bridge.domain.notebook import FileFacts, Support
from bridge.domain.repositories import UnitOfWork
from bridge.domain.teams import Submitted
from bridge.domain.times import london_date
from bridge.services.assessors import assessors_of
from bridge.services.context import PERSONS, Context, acting_person
from bridge.services.escalation import ESCALATED_AFTER
from bridge.services.evidence import activity_of, lists_of, standing_of
from bridge.services.verify import check_read, decide


@dataclass(frozen=True, slots=True)
class Waiting:
    """A piece of evidence that waits for the actor, with the claims that do.

    `days` since it was submitted; `late` after 28; `reciprocal` where the learner has verified
    something of the actor's.
    """

    evidence: Evidence
    claims: tuple[Claim, ...]
    submitted_at: datetime
    days: int
    late: bool
    reciprocal: bool


def waiting(ctx: Context) -> list[Waiting]:
    """What waits for the actor's decision, the oldest submission first; nobody's text is read."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        return _waiting(ctx, uow, uow.teams.submitted_to(person))


def _waiting(ctx: Context, uow: UnitOfWork, submitted: Sequence[Submitted]) -> list[Waiting]:
    """These claims by the pieces of evidence that they belong to, in that order."""
    if not submitted:
        return []
    now = ctx.clock.now()
    pieces: dict[int, list[Submitted]] = defaultdict(list)
    for each in submitted:
        pieces[each.evidence.id].append(each)
    wait = {each.claim_id for each in submitted}
    claims: dict[int, list[Claim]] = defaultdict(list)
    for claim in uow.evidence.claims(list(pieces)):
        if claim.id in wait:
            claims[claim.evidence_id].append(claim)
    return [
        Waiting(
            evidence=found[0].evidence,
            claims=tuple(claims[evidence_id]),
            submitted_at=found[0].submitted_at,
            days=(london_date(now) - london_date(found[0].submitted_at)).days,
            late=now - found[0].submitted_at > ESCALATED_AFTER,
            reciprocal=found[0].reciprocal,
        )
        for evidence_id, found in pieces.items()
    ]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence on the table: what was written, and what stands behind it.

    `activity` is the framework's name of the kind of learning. `e_learning`: an assessment module
    alone cannot verify it. `suggested` is the framework's own, by competency.
    """

    waiting: Waiting
    reflection_id: int
    reflection: Mapping[str, str]
    support: tuple[Support, ...]
    files: tuple[FileFacts, ...]
    activity: str
    e_learning: bool
    suggested: Mapping[CompetencyRef, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Sitting:
    """Everything of one person that waits for the actor, up to `AT_ONCE` pieces.

    `methods` are those that the framework lets the actor use. Where `authority` is None the actor
    may no longer decide, for the reason in `why_not`.
    """

    learner: int
    learner_name: str
    pieces: tuple[Piece, ...]
    left: int
    authority: Authority | None
    why_not: str
    methods: tuple[AssessmentMethod, ...]


#: More than that nobody goes through in one sitting.
AT_ONCE = 20


def sit_down(ctx: Context, learner: int) -> Sitting:
    """A (canonical) person's submitted evidence, with what they wrote.

    Reading another's reflection is written into the trail, piece by piece (DESIGN 5.11); whoever
    may no longer decide gets none. Raises NotFound where nothing of theirs waits for the actor.
    """
    return _sit_down(ctx, lambda evidence: evidence.person == learner)


def item(ctx: Context, evidence_id: int) -> Sitting:
    """The same of one piece of evidence. Raises NotFound where it does not wait for the actor."""
    return _sit_down(ctx, lambda evidence: evidence.id == evidence_id)


def _sit_down(ctx: Context, wanted: Callable[[Evidence], bool]) -> Sitting:
    person = acting_person(ctx)
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        mine = [each for each in uow.teams.submitted_to(person) if wanted(each.evidence)]
        if not mine:
            raise NotFound(
                "Nothing of it waits for you: it was decided, taken back, or handed to another."
            )
        learner = mine[0].evidence.person
        authority, why_not = None, ""
        try:
            authority = authority_of(standing_of(uow, learner, person, london_date(now)))
        except (Refused, NotAllowed) as error:
            why_not = str(error)
            # A trainer decides on what they assessed, and on nothing else of the person's.
            trained = assessors_of(uow, {each.evidence.id for each in mine})
            assessed = [each for each in mine if person in trained[each.evidence.id]]
            if assessed and person != learner:
                mine, authority, why_not = assessed, Authority.ASSESSOR, ""
        table = _waiting(ctx, uow, mine)
        pieces = _pieces(ctx, uow, table[:AT_ONCE], mine)
        if authority is None:
            # They left or moved on: what waits may be handed over, and is not theirs to read.
            pieces = tuple(replace(piece, reflection={}, files=()) for piece in pieces)
        else:
            uow.trail.add_each(
                ctx.actor,
                "read-reflection",
                [f"evidence:{piece.waiting.evidence.id}" for piece in pieces],
                now,
            )
        editions = {c.ref.edition for piece in pieces for c in piece.waiting.claims}
        methods = {
            method.key: method
            for edition in sorted(editions)
            for method in (methods_for(lists_of(uow, edition), authority) if authority else ())
        }
    return Sitting(
        learner,
        pieces[0].waiting.evidence.person_name,
        pieces,
        len(table) - len(pieces),
        authority,
        why_not,
        tuple(methods.values()),
    )


def _pieces(
    ctx: Context, uow: UnitOfWork, table: Sequence[Waiting], mine: Sequence[Submitted]
) -> tuple[Piece, ...]:
    newest: dict[int, int] = {}
    for put in mine:
        newest[put.evidence.id] = max(put.reflection_id, newest.get(put.evidence.id, 0))
    ids = [each.evidence.id for each in table]
    texts = uow.evidence.reflections([newest[i] for i in ids], ctx.vault)
    support = uow.notebook.support(ids)
    files = uow.files.of_each(ids)
    editions = {edition.id: edition for edition in uow.catalog.editions()}
    pieces = []
    for each in table:
        lists = lists_of(uow, each.claims[0].ref.edition)
        activity = activity_of(lists, each.evidence.learning_activity)
        pieces.append(
            Piece(
                each,
                newest[each.evidence.id],
                texts[newest[each.evidence.id]],
                tuple(support.get(each.evidence.id, ())),
                tuple(files.get(each.evidence.id, ())),
                activity.text if activity else "",
                activity is not None and activity.asks_use,
                {
                    c.ref: editions[c.ref.edition].competency(c.ref.code).suggested_evidence
                    for c in each.claims
                },
            )
        )
    return tuple(pieces)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the verifier decided about claims of one piece of evidence; the rest is left.

    `method` and `note` (of the discussion) go with what is verified, `question` with what is
    returned. `read` is the reflection that they had before them (`Piece.reflection_id`).
    """

    evidence_id: int
    read: int
    verify: tuple[CompetencyRef, ...] = ()
    send_back: tuple[CompetencyRef, ...] = ()
    method: str = ""
    note: str = ""
    question: str = ""


class NotDecided(Refused):
    """Nothing was recorded: `errors` say of which pieces of evidence it could not be, and why."""

    def __init__(self, errors: Mapping[int, str]) -> None:
        self.errors = dict(errors)
        super().__init__("Nothing was recorded. " + " ".join(dict.fromkeys(errors.values())))


def decide_together(ctx: Context, decisions: Sequence[Decision]) -> int:
    """Record the decisions of one sitting, all of them or none; how many claims were decided.

    Raises NotDecided naming every piece that stands in the way, Refused where nothing is decided.
    """
    decided = [each for each in decisions if each.verify or each.send_back]
    if not decided:
        raise Refused("Decide on at least one competency, or leave the page: nothing changes.")
    errors: dict[int, str] = {}
    made = 0
    with ctx.store.begin() as uow:
        uow.ops.lock(PERSONS)
        for each in decided:
            try:
                made += _decide(ctx, uow, each)
            except BridgeError as error:
                errors[each.evidence_id] = str(error)
        if errors:
            raise NotDecided(errors)
    return made


def _decide(ctx: Context, uow: UnitOfWork, each: Decision) -> int:
    made = 0
    check_read(ctx, uow, each.evidence_id, each.read)
    if each.verify:
        if not each.method:
            raise Refused("Choose how you assessed it.")
        made += len(
            decide(ctx, uow, each.evidence_id, each.verify, Act.VERIFY, each.method, each.note)
        )
    if each.send_back:
        if not each.question.strip():
            raise Refused("Write your question, so that they can answer it.")
        made += len(
            decide(ctx, uow, each.evidence_id, each.send_back, Act.RETURN, None, each.question)
        )
    return made
