"""The yearly sign-off of a log: Core Values, variety, and next steps for every gap (R4).

A log may be signed once its 12 months are over, so that nothing filed in it comes afterwards; the
next one has opened that day, signed or not. What is written is sealed and never changed: later
words are addenda.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from bridge.domain.claims import ClaimState
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Claim, Evidence, Person, Post
from bridge.domain.repositories import UnitOfWork
from bridge.domain.teams import Log, Sealed
from bridge.domain.times import add_months, london_date
from bridge.services.context import Context, acting_person, audit
from bridge.services.progress import Asked, Line, Stand, lines_of

#: Where a competency is no gap: met, or not asked.
_CLOSED = frozenset({Stand.CURRENT, Stand.NOT_APPLICABLE})
#: Learning that is attended: evidence that rests on it alone is not varied (QIF).
COURSES = frozenset({"taught-course", "e-learning", "practice-workshop"})


@dataclass(frozen=True, slots=True)
class Period:
    """12 months of a person: the log of them, if anything was filed or signed in it yet."""

    starts_on: date
    ends_on: date
    log: Log | None

    @property
    def last_day(self) -> date:
        """The last day that belongs to it; the next log opens the day after."""
        return self.ends_on - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Looked:
    """A Core Value as it was looked at across the log."""

    text: str
    seen: bool
    note: str


@dataclass(frozen=True, slots=True)
class Step:
    """What was agreed for a gap: the competency, where it stood, and the next step."""

    ref: CompetencyRef
    text: str
    stand: str
    step: str


@dataclass(frozen=True, slots=True)
class Words:
    """What is written at a sign-off. `variety` is about how varied and personal the log is."""

    values: tuple[Looked, ...]
    variety: str
    steps: tuple[Step, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Addendum:
    """What was added to a signed log."""

    author: str
    written_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """A log as the person and their manager see it. `words` once it is signed.

    `evidence` is what was submitted and filed in it, with the claims that were put before
    somebody; `courses_only` are the competencies that rest on attended courses alone; `gaps` those
    that are not current today, until it is signed. `manages`: the actor is the present manager.
    """

    person: int
    person_name: str
    period: Period
    evidence: tuple[tuple[Evidence, tuple[Claim, ...]], ...]
    kinds: Mapping[str, int]
    courses_only: tuple[CompetencyRef, ...]
    gaps: tuple[Line, ...]
    core_values: tuple[str, ...]
    words: Words | None
    addenda: tuple[Addendum, ...]
    manages: bool
    why_not: str

    @property
    def may_sign(self) -> bool:
        """Whether the actor may sign it off now; where not, `why_not` says why."""
        return not self.why_not


def periods_of(ctx: Context, person: int) -> tuple[str, list[Period]]:
    """A person's name and logs, the present one first, with the one before though it is empty yet.

    For the person and their present manager. Raises NotFound.
    """
    with ctx.store.reading() as uow:
        who = uow.people.get(person)
        posts = _posts(uow, who.canonical)
        _check_sight(ctx, posts, who.canonical)
        return who.name, _periods(uow, who.canonical, posts, london_date(ctx.clock.now()))


def _posts(uow: UnitOfWork, person: int) -> list[Post]:
    return uow.people.posts_of([person]).get(person, [])


def _periods(uow: UnitOfWork, person: int, posts: Sequence[Post], today: date) -> list[Period]:
    there: dict[date, Log | None] = {log.starts_on: log for log in uow.logs.of(person)}
    start = min((p.valid_from for p in posts), default=None)
    for each in _present_and_last(start, today) if start else ():
        there.setdefault(each, None)
    return [
        Period(starts, log.ends_on if log else add_months(starts, 12), log)
        for starts, log in sorted(there.items(), reverse=True)
    ]


def _present_and_last(start: date, today: date) -> list[date]:
    years = today.year - start.year - ((today.month, today.day) < (start.month, start.day))
    return [add_months(start, 12 * n) for n in (years, years - 1) if n >= 0]


def _check_sight(
    ctx: Context, posts: Sequence[Post], person: int, signed_by: int | None = None
) -> bool:
    """Raise NotFound unless it is the person, their present manager, or who signed; whether it is
    the present manager."""
    me = acting_person(ctx)
    today = london_date(ctx.clock.now())
    manages = any(p.manager == me for p in posts if p.holds_on(today)) and me != person
    if not manages and me not in (person, signed_by):
        raise NotFound(f"There is no person {person} for you to see.")
    return manages


def look(ctx: Context, person: int, starts_on: date) -> LogPage:
    """The log of a person that starts then. Raises NotFound where it is not for the actor."""
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        who = uow.people.get(person)
        posts = _posts(uow, who.canonical)
        periods = _periods(uow, who.canonical, posts, today)
        period = next((p for p in periods if p.starts_on == starts_on), None)
        log = period.log if period else None
        manages = _check_sight(ctx, posts, who.canonical, log.signed_by if log else None)
        if period is None:
            raise NotFound("There is no such log for you to see.")
        return _page(ctx, uow, who, posts, period, manages, today)


def _page(
    ctx: Context,
    uow: UnitOfWork,
    who: Person,
    posts: Sequence[Post],
    period: Period,
    manages: bool,
    today: date,
) -> LogPage:
    log = period.log
    filed = uow.logs.evidence(log.id) if log else []
    claims: dict[int, list[Claim]] = {e.id: [] for e in filed}
    for claim in uow.evidence.claims(list(claims)) if filed else ():
        if claim.state in _PUT:
            claims[claim.evidence_id].append(claim)
    editions = uow.catalog.editions()
    signed = log if log is not None and log.signed_at is not None else None
    return LogPage(
        person=who.canonical,
        person_name=who.name,
        period=period,
        evidence=tuple((e, tuple(claims[e.id])) for e in filed),
        kinds=_kinds(editions, filed),
        courses_only=_courses_only(filed, claims),
        gaps=() if signed else _gaps(uow, who.canonical, posts, editions, today),
        core_values=tuple(dict.fromkeys(v for e in editions for v in e.core_values)),
        words=_read(ctx, uow, signed) if signed else None,
        addenda=_addenda(ctx, uow, signed) if signed else (),
        manages=manages,
        why_not=_why_not(period, manages, today),
    )


def _gaps(
    uow: UnitOfWork, person: int, posts: Sequence[Post], editions: Sequence[Edition], today: date
) -> tuple[Line, ...]:
    held = [post for post in posts if post.holds_on(today)]
    asked = Asked(editions, uow.catalog.competency_ids())
    lines = lines_of(uow, asked, {person: held}, today)[person]
    return tuple(line for line in lines if line.stand not in _CLOSED)


#: What has been put before a second person.
_PUT = frozenset(
    {ClaimState.SUBMITTED, ClaimState.VERIFIED, ClaimState.RETURNED, ClaimState.REVOKED}
)


def _why_not(period: Period, manages: bool, today: date) -> str:
    if period.log is not None and period.log.signed_at is not None:
        return "It is signed off."
    if not manages:
        return "The present manager signs it off."
    if today < period.ends_on:
        return (
            f"It runs until {period.last_day:%-d %B %Y} and can be signed off from the day after, "
            "when the next one opens."
        )
    return ""


def _kinds(editions: Sequence[Edition], filed: Sequence[Evidence]) -> dict[str, int]:
    """How many pieces there are of each recognised activity, the most frequent first."""
    names = {a.key: a.text for e in reversed(editions) for a in e.learning_activities}
    counted = Counter(names.get(each.learning_activity or "", "Other") for each in filed)
    return dict(counted.most_common())


def _courses_only(
    filed: Sequence[Evidence], claims: Mapping[int, Sequence[Claim]]
) -> tuple[CompetencyRef, ...]:
    """Competencies verified in this log by attended courses and nothing of the person's own."""
    by: dict[CompetencyRef, set[bool]] = {}
    for each in filed:
        for claim in claims[each.id]:
            if claim.state is ClaimState.VERIFIED:
                by.setdefault(claim.ref, set()).add(each.learning_activity in COURSES)
    return tuple(ref for ref, courses in by.items() if courses == {True})


def sign(ctx: Context, person: int, starts_on: date, words: Words) -> int:
    """Sign a person's log off, for good; returns the log.

    Every Core Value has been looked at: seen, or with a note on what is to come; every gap has a
    next step. Raises Refused naming what is missing, NotAllowed, NotFound.
    """
    now = ctx.clock.now()
    today = london_date(now)
    signer = acting_person(ctx)
    with ctx.store.begin() as uow:
        who = uow.people.get(person)
        posts = _posts(uow, who.canonical)
        manages = _check_sight(ctx, posts, who.canonical)
        periods = {p.starts_on: p for p in _periods(uow, who.canonical, posts, today)}
        if starts_on not in periods:
            raise NotFound("There is no such log for you to see.")
        page = _page(ctx, uow, who, posts, periods[starts_on], manages, today)
        if not page.may_sign:
            raise NotAllowed(page.why_not) if not manages else Refused(page.why_not)
        _check_complete(page, words)
        log_id = uow.logs.open(who.canonical, starts_on, page.period.ends_on)
        sealed = Sealed(*ctx.vault.seal(json.dumps(_told(words)), f"log:{log_id}"))
        if not uow.logs.sign(log_id, signer, sealed, now):
            raise Refused("Somebody has just signed it off.")
        audit(ctx, uow, "sign-log", f"log:{log_id}",
              {"person": who.canonical, "gaps": len(words.steps)})  # fmt: skip
        return log_id


def _check_complete(page: LogPage, words: Words) -> None:
    looked = {each.text: each for each in words.values}
    for value in page.core_values:
        if value not in looked or not (looked[value].seen or looked[value].note.strip()):
            raise Refused(
                "Look at each Core Value: tick that you have seen it in the log, or write what is "
                f"to come. Still open: “{value[:60]}…”"
            )
    steps = {step.ref: step.step.strip() for step in words.steps}
    open_gaps = [line.ref.code for line in page.gaps if not steps.get(line.ref)]
    if open_gaps:
        raise Refused(f"Write a next step for each gap. Still open: {', '.join(open_gaps)}.")
    if not words.variety.strip():
        raise Refused("Say in a line how varied and personal the evidence is.")


def _told(words: Words) -> dict[str, Any]:
    return {
        "values": [[v.text, v.seen, v.note.strip()] for v in words.values],
        "variety": words.variety.strip(),
        "steps": [
            [s.ref.edition, s.ref.code, s.text, s.stand, s.step.strip()] for s in words.steps
        ],
        "note": words.note.strip(),
    }


def _read(ctx: Context, uow: UnitOfWork, log: Log) -> Words | None:
    sealed = uow.logs.words(log.id)
    if sealed is None:
        return None
    told = json.loads(ctx.vault.open(sealed.ciphertext, sealed.key_id, f"log:{log.id}"))
    return Words(
        tuple(Looked(text, seen, note) for text, seen, note in told["values"]),
        told["variety"],
        tuple(
            Step(CompetencyRef(edition, code), text, stand, step)
            for edition, code, text, stand, step in told["steps"]
        ),
        told["note"],
    )


def _addenda(ctx: Context, uow: UnitOfWork, log: Log) -> tuple[Addendum, ...]:
    return tuple(
        Addendum(
            each.author,
            each.written_at,
            ctx.vault.open(
                each.sealed.ciphertext, each.sealed.key_id, f"log:{log.id}:{each.ordinal}"
            ),
        )
        for each in uow.logs.addenda(log.id)
    )


def add(ctx: Context, person: int, starts_on: date, text: str) -> None:
    """Add to a signed log, which itself never changes: the person, who signed it, or the present
    manager. Raises Refused, NotFound."""
    now = ctx.clock.now()
    if not text.strip():
        raise Refused("Write what you would like to add.")
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        log = next((x for x in uow.logs.of(canonical) if x.starts_on == starts_on), None)
        _check_sight(ctx, _posts(uow, canonical), canonical, log.signed_by if log else None)
        if log is None or log.signed_at is None:
            raise Refused("This log is not signed off yet: there is nothing to add to.")
        # What is added is sealed to its place: two at once must not take the same.
        uow.ops.lock(f"log:{log.id}")
        ordinal = len(uow.logs.addenda(log.id))
        sealed = Sealed(*ctx.vault.seal(text.strip(), f"log:{log.id}:{ordinal}"))
        uow.logs.add(log.id, acting_person(ctx), sealed, now)
        audit(ctx, uow, "add-to-log", f"log:{log.id}", {})


def today(ctx: Context) -> date:
    """The London date that sign-offs go by."""
    return london_date(ctx.clock.now())
