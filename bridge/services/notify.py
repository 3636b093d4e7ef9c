"""Who is told of what by mail: queued with the act it tells of, and chosen by whoever gets it."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bridge.domain import currency
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Edition
from bridge.domain.mail import (
    LINKS,
    REVIEW_AHEAD,
    TITLES,
    MailKind,
    NewMail,
    digest_on,
    due_at,
    reminder_at,
)
from bridge.domain.model import Claim, NewEvidence
from bridge.domain.permissions import Role
from bridge.domain.policy import Policy
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import SYSTEM, Actor, of_person
from bridge.domain.times import london_date
from bridge.services import escalation
from bridge.services.assessors import assessors_of
from bridge.services.context import Context, acting_person, audit


def _live(policy: Policy, day: date) -> bool:
    """R1: no mail about anything before the go-live date; without one, about nothing."""
    return policy.mail_from is not None and day >= policy.mail_from


def _tell(
    uow: UnitOfWork,
    policy: Policy,
    now: datetime,
    kind: MailKind,
    key: str,
    person: int,
    **payload: int,
) -> None:
    """Queue one mail about something that happened now."""
    if kind in LINKS or _live(policy, london_date(now)):
        mail = NewMail(kind, f"{kind.stored}:{key}", person, payload,
                       due_at(kind, now, policy.mail_hour))  # fmt: skip
        uow.outbox.put([mail], now)


# --- called from the acts, in their transaction ---------------------------------------------------
def tell_drafted(
    uow: UnitOfWork, policy: Policy, now: datetime, drafts: Sequence[NewEvidence]
) -> None:
    """New drafts: in tomorrow's digest, and a reminder later, while they are fresh."""
    mails = []
    for draft in drafts:
        if not _live(policy, draft.occurred_on):
            continue
        payload = {"evidence": draft.id}
        for kind, at in (
            (MailKind.DRAFTS, due_at(MailKind.DRAFTS, now, policy.mail_hour)),
            (MailKind.REMINDER, reminder_at(draft.occurred_on, now, policy.mail_hour)),
        ):
            if at is not None:
                key = f"{kind.stored}:{draft.id}"
                mails.append(NewMail(kind, key, draft.person_id, payload, at))
    uow.outbox.put(mails, now)


def tell_submitted(
    uow: UnitOfWork, policy: Policy, now: datetime, submission: int, evidence: int, verifier: int
) -> None:
    """Something waits for a verifier.

    One whom the training team approved and who has no account here gets a link to that one thing;
    the link is made when the mail is, so that the queue holds no secret.
    """
    kind = MailKind.VERIFIER_LINK if _has_no_account(uow, verifier, evidence) else MailKind.WAITING
    _tell(uow, policy, now, kind, str(submission), verifier,
          submission=submission, evidence=evidence)  # fmt: skip


def _has_no_account(uow: UnitOfWork, verifier: int, evidence: int) -> bool:
    """Whether a verifier is from outside: approved, or the trainer who assessed it, without a
    post and without a password."""
    person = uow.people.get(verifier).canonical
    return (
        bool(uow.people.approvals_of(person) or person in assessors_of(uow, [evidence])[evidence])
        and not uow.people.posts_of([person]).get(person)
        and uow.access.password_of(person) is None
    )


def tell_returned(
    uow: UnitOfWork,
    policy: Policy,
    now: datetime,
    learner: int,
    evidence: int,
    decisions: Sequence[int],
) -> None:
    """Something came back with a question. `decisions` are those of one act."""
    _tell(uow, policy, now, MailKind.RETURNED, str(decisions[0]), learner,
          evidence=evidence, decision=decisions[0])  # fmt: skip


def tell_verified(
    uow: UnitOfWork,
    policy: Policy,
    now: datetime,
    learner: int,
    decisions: Iterable[tuple[int, Claim]],
) -> None:
    """Nothing yet, but a year from now that a review is due. `decisions`: (verification, claim)."""
    today = london_date(now)
    if not _live(policy, today):
        return
    told = list(decisions)
    editions = {e: uow.catalog.edition_of(e) for e in {claim.ref.edition for _, claim in told}}
    groups = groups_of(uow, learner, today)
    uow.outbox.put(
        [
            review(editions[claim.ref.edition], groups, today, now, policy, learner,
                   claim.id, verification, "soon")
            for verification, claim in told
        ],
        now,
    )  # fmt: skip


def groups_of(uow: UnitOfWork, person: int, day: date) -> list[str]:
    """The target groups of a (canonical) person on that day."""
    posts = uow.people.posts_of([person]).get(person, ())
    return [group for post in posts if post.holds_on(day) for group in post.target_groups]


def review(
    edition: Edition,
    groups: Sequence[str],
    verified_on: date,
    now: datetime,
    policy: Policy,
    learner: int,
    claim: int,
    verification: int,
    when: str,
) -> NewMail:
    """That a yearly review is due "soon" (in 30 days) or "now": once each for a claim and day."""
    until = currency.current_until(verified_on, edition.intervals_for(groups))
    day = until - REVIEW_AHEAD if when == "soon" else until
    return NewMail(
        MailKind.REVIEW,
        f"{MailKind.REVIEW.stored}:{when}:{verification}:{until}",
        learner,
        {"claim": claim, "verification": verification, "when": when, "until": until.isoformat()},
        digest_on(day, policy.mail_hour, after=now),
    )


def tell_award(
    uow: UnitOfWork, policy: Policy, now: datetime, person: int, award: int, *, held: bool
) -> None:
    """A badge was earned, or withdrawn because a verification it rests on no longer stands."""
    kind = MailKind.AWARDED if held else MailKind.WITHDRAWN
    key = f"{award}" if held else f"{award}:{london_date(now)}"
    _tell(uow, policy, now, kind, key, person, award=award)


def ask_for_link(ctx: Context, person: int) -> None:
    """Have a sign-in link sent to a person; asked again within a minute, it is one mail."""
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        key = f"{canonical}:{int(now.timestamp() // 60)}"
        _tell(uow, ctx.policy, now, MailKind.SIGN_IN, key, canonical)


# --- what nobody does, and time brings ------------------------------------------------------------
def look_for_overdue(ctx: Context) -> None:
    """Queue what has waited 28 days for its verifier, or for a decision because it is in doubt.

    It goes to the verifier's deputies, and where there are none to the training team; of evidence
    in doubt (R6), first to who verified it and the present manager. Once for each of them.
    """
    now = ctx.clock.now()
    if not _live(ctx.policy, london_date(now)):
        return
    with ctx.store.begin() as uow:
        uow.outbox.put([*_overdue(ctx, uow, now), *_in_doubt(ctx, uow, now)], now)


def _overdue(ctx: Context, uow: UnitOfWork, now: datetime) -> list[NewMail]:
    at = due_at(MailKind.OVERDUE, now, ctx.policy.mail_hour)
    late = escalation.overdue_within(uow, SYSTEM, now, None, escalation.ALL)
    today = london_date(now)
    deputies: dict[int, set[int]] = defaultdict(set)
    for each in uow.teams.deputies_of({o.verifier for o in late}) if late else ():
        if each.holds_on(today):
            deputies[each.manager].add(each.deputy)
    mails = []
    for o in late:
        told = deputies.get(o.verifier) or set(_training_team(uow, o.evidence_id))
        for person in sorted(told - {o.learner}):
            key = f"{MailKind.OVERDUE.stored}:{o.submission_id}:{person}"
            payload = {"submission": o.submission_id, "evidence": o.evidence_id}
            mails.append(NewMail(MailKind.OVERDUE, key, person, payload, at))
    return mails


def _in_doubt(ctx: Context, uow: UnitOfWork, now: datetime) -> list[NewMail]:
    at = due_at(MailKind.CONTESTED, now, ctx.policy.mail_hour)
    doubts = escalation.in_doubt_within(uow, SYSTEM, now, None, escalation.ALL)
    doubts = [d for d in doubts if _live(ctx.policy, london_date(d.since))]
    posts = uow.people.posts_of({d.learner for d in doubts}) if doubts else {}
    today = london_date(now)
    mails = []
    for d in doubts:
        held = [p for p in posts.get(d.learner, ()) if p.holds_on(today)]
        told = {d.verifier} | {p.manager for p in held if p.manager is not None}
        if escalation.too_long(d.since, now):
            told |= set(_training_team(uow, d.evidence_id))
        for person in told - {d.learner}:
            key = f"{MailKind.CONTESTED.stored}:{d.claim_id}:{london_date(d.since)}:{person}"
            payload = {"claim": d.claim_id, "evidence": d.evidence_id}
            mails.append(NewMail(MailKind.CONTESTED, key, person, payload, at))
    return mails


def _training_team(uow: UnitOfWork, evidence_id: int) -> list[int]:
    """The training team of the partnership, and of the organisation that it was made in."""
    organisation = uow.outbox.organisation_of(evidence_id)
    return [
        grant.person
        for grant in uow.access.grants()
        if grant.role is Role.TRAINING_TEAM and grant.organisation_id in (None, organisation)
    ]


# --- choosing ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of mail that people may switch off, and whether it is on."""

    kind: MailKind
    title: str
    on: bool


def choices(ctx: Context) -> list[Choice]:
    """What mail the actor gets, of the kinds they may switch off."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        off = uow.outbox.off_kinds(person)
    return [Choice(kind, TITLES[kind], kind not in off) for kind in MailKind if kind.switchable]


def choose(ctx: Context, wanted: Collection[MailKind]) -> None:
    """From now on the actor gets these kinds; links they ask for come whatever they choose."""
    person = acting_person(ctx)
    off = {kind for kind in MailKind if kind.switchable} - set(wanted)
    with ctx.store.begin() as uow:
        uow.outbox.set_off(person, off, ctx.clock.now())
        audit(ctx, uow, "choose-mail", f"person:{person}", {"off": sorted(off)})


def unsubscribe_token(key: bytes, person: int, kind: MailKind) -> str:
    """What an unsubscribe link ends with: whose, of what, and our signature. It never runs out."""
    told = f"{person}.{kind.value}"
    signed = hmac.new(key, told.encode(), hashlib.sha256).hexdigest()[:32]
    return f"{told}.{signed}"


def read_unsubscribe(key: bytes, token: str) -> tuple[int, MailKind]:
    """Whose link it is, and for which kind. Raises NotFound for one that we did not sign."""
    person, _, rest = token.partition(".")
    value, _, _ = rest.rpartition(".")
    kind = next((k for k in MailKind if k.switchable and k.value == value), None)
    if kind is not None and person.isascii() and person.isdecimal() and len(person) < 19:
        signed = unsubscribe_token(key, int(person), kind)
        if hmac.compare_digest(signed.encode(), token.encode()):
            return int(person), kind
    raise NotFound(
        "This link is not complete. Copy all of it from the mail, or sign in and choose your mail "
        "on your account page."
    )


def unsubscribe(ctx: Context, key: bytes, token: str, *, on: bool = False) -> MailKind:
    """Switch one kind of mail off (or on again) by the link in a mail, without signing in.

    Raises NotFound for a link that we did not sign.
    """
    person, kind = read_unsubscribe(key, token)
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        off = uow.outbox.off_kinds(canonical)
        if (kind in off) is not on:
            return kind
        off ^= {kind}
        uow.outbox.set_off(canonical, off, ctx.clock.now())
        as_them = ctx.acting_as(Actor(of_person(canonical), "link"))
        audit(as_them, uow, "choose-mail", f"person:{canonical}", {"off": sorted(off)})
    return kind
