"""What a letter tells of, looked up when it is written: what is no longer so is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bridge.domain import currency
from bridge.domain.claims import ClaimState
from bridge.domain.errors import NotFound
from bridge.domain.mail import LetterLine, MailKind, Queued
from bridge.domain.model import Claim, Evidence
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import SYSTEM
from bridge.domain.times import london_date
from bridge.services.context import Context
from bridge.services.corrections import Word, counts, said, verifiers_concerned
from bridge.services.notify import groups_of, review
from bridge.services.signin import LINK_LASTS, VERIFIER_LINK_LASTS, new_link

#: Where things are dealt with, under the public address.
HOME = "/"
DRAFT = "/evidence/{id}"
TO_VERIFY = "/verify/{id}"
QUEUE = "/verify/"
LOG = "/log"
LINK = "/link/{secret}"


class Nothing(Exception):
    """There is nothing to send any more, for this reason."""


@dataclass(frozen=True, slots=True)
class Content:
    """What one letter tells of. Addresses are paths under the public address.

    `minutes` is how long a link in it is good for.
    """

    lines: tuple[LetterLine, ...]
    url: str = HOME
    minutes: int = 0


Lines = Callable[[Context, UnitOfWork, Queued], "LetterLine | None"]


def content(ctx: Context, uow: UnitOfWork, mails: Sequence[Queued]) -> Content:
    """What these mails tell of together. Raises Nothing where all of it was dealt with."""
    kind = mails[0].kind
    if kind is MailKind.SIGN_IN:
        return _sign_in(ctx, uow, mails[0])
    if kind is MailKind.VERIFIER_LINK:
        return _verifier_link(ctx, uow, mails[0])
    line, url = _KINDS[kind]
    found = [each for mail in mails if (each := _line(line, ctx, uow, mail)) is not None]
    if not found:
        raise Nothing("It was dealt with before the mail went out.")
    only = found[0].url if len(found) == 1 else ""
    return Content(tuple(found), only or url)


def _line(line: Lines, ctx: Context, uow: UnitOfWork, mail: Queued) -> LetterLine | None:
    try:
        return line(ctx, uow, mail)
    except NotFound:
        # What it told of is gone, or is another person's by now.
        return None


def _evidence(uow: UnitOfWork, mail: Queued) -> tuple[Evidence, list[Claim]]:
    evidence_id = int(mail.payload["evidence"])
    return uow.evidence.get(evidence_id, SYSTEM), uow.evidence.claims([evidence_id])


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"


def _number(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {many}"


# --- to the practitioner --------------------------------------------------------------------------
def _untouched(ctx: Context, uow: UnitOfWork, mail: Queued) -> LetterLine | None:
    evidence, claims = _evidence(uow, mail)
    suggested = [c for c in claims if c.state is ClaimState.SUGGESTED]
    if evidence.person != mail.person or not suggested or any(c.touched for c in claims):
        return None
    detail = f"{_day(evidence.occurred_on)}, {_number(len(suggested), 'suggestion', 'suggestions')}"
    return LetterLine(evidence.title, detail, DRAFT.format(id=evidence.id))


def _returned(ctx: Context, uow: UnitOfWork, mail: Queued) -> LetterLine | None:
    evidence, claims = _evidence(uow, mail)
    back = [c for c in claims if c.state is ClaimState.RETURNED]
    if evidence.person != mail.person or not back:
        return None
    last = uow.evidence.verifications([c.id for c in back])[-1]
    detail = f"{uow.people.get(last.verifier).name} has a question"
    return LetterLine(evidence.title, detail, DRAFT.format(id=evidence.id))


def _review(ctx: Context, uow: UnitOfWork, mail: Queued) -> LetterLine | None:
    claim_id, verification = int(mail.payload["claim"]), int(mail.payload["verification"])
    claim, learner = uow.evidence.claim(claim_id, SYSTEM)
    if learner != mail.person:
        return None
    same = [
        ground
        for ground in uow.awards.grounds([learner]).get(learner, ())
        if ground.competency_id == claim.competency_id
    ]
    newest = max(same, key=lambda g: (g.decided_at, g.verification_id), default=None)
    if newest is None or newest.verification_id != verification or newest.contested:
        return None
    now = ctx.clock.now()
    edition = uow.catalog.edition_of(claim.ref.edition)
    groups = groups_of(uow, learner, london_date(now))
    verified_on = london_date(newest.decided_at)

    def put(when: str) -> None:
        next_one = review(edition, groups, verified_on, now, ctx.policy, learner,
                          claim_id, verification, when)  # fmt: skip
        uow.outbox.put([next_one], now)

    until = currency.current_until(verified_on, edition.intervals_for(groups))
    if until > date.fromisoformat(str(mail.payload["until"])):
        # Another post since, with a longer interval: told of at its own time.
        put(str(mail.payload["when"]))
        return None
    if mail.payload["when"] == "soon":
        put("now")
    text = f"{claim.ref.code}: {claim.text}"
    return LetterLine(text, f"current until {_day(until)}")


def _award(ctx: Context, uow: UnitOfWork, mail: Queued) -> LetterLine | None:
    award_id = int(mail.payload["award"])
    wanted = "held" if mail.kind is MailKind.AWARDED else "withdrawn"
    awards = uow.awards.awards_of([mail.person]).get(mail.person, [])
    award = next((a for a in awards if a.id == award_id and a.status == wanted), None)
    if award is None:
        return None
    titles = {badge.key: badge.title for badge in uow.catalog.badges_in_force()}
    until = f", until {_day(award.expires_on)}" if wanted == "held" else ""
    return LetterLine(titles.get(award.badge_key, award.badge_key), f"{award.period}{until}")


# --- to the verifier, and whoever stands in for them ----------------------------------------------
def _still_waits(uow: UnitOfWork, mail: Queued) -> tuple[Evidence, int, int] | None:
    """The evidence, how many claims wait, and the verifier; None where none does any more."""
    evidence, claims = _evidence(uow, mail)
    latest = uow.evidence.submissions_of(evidence.id)
    open_ids = [
        c.id
        for c in claims
        if c.state is ClaimState.SUBMITTED
        and c.id in latest
        and latest[c.id].id == mail.payload["submission"]
    ]
    return (evidence, len(open_ids), latest[open_ids[0]].verifier) if open_ids else None


def _waiting(ctx: Context, uow: UnitOfWork, mail: Queued) -> LetterLine | None:
    found = _still_waits(uow, mail)
    if found is None or found[2] != mail.person:
        return None
    evidence, count, _ = found
    detail = f"{evidence.title}, {_number(count, 'competency', 'competencies')}"
    return LetterLine(evidence.person_name, detail, TO_VERIFY.format(id=evidence.id))


def _overdue(ctx: Context, uow: UnitOfWork, mail: Queued) -> LetterLine | None:
    found = _still_waits(uow, mail)
    if found is None:
        return None
    evidence, _, verifier = found
    latest = uow.evidence.submissions_of(evidence.id)
    since = min(s.submitted_at for s in latest.values() if s.id == mail.payload["submission"])
    days = (ctx.clock.now() - since).days
    detail = f"{evidence.title}; with {uow.people.get(verifier).name} for {days} days"
    return LetterLine(evidence.person_name, detail)


def _contested(ctx: Context, uow: UnitOfWork, mail: Queued) -> LetterLine | None:
    claim, learner = uow.evidence.claim(int(mail.payload["claim"]), SYSTEM)
    if not claim.contested or claim.state is not ClaimState.VERIFIED:
        return None
    evidence = uow.evidence.get(claim.evidence_id, SYSTEM)
    return LetterLine(uow.people.get(learner).name, f"{evidence.title}, {claim.ref.code}")


def _corrected(ctx: Context, uow: UnitOfWork, mail: Queued) -> LetterLine | None:
    evidence, claims = _evidence(uow, mail)
    records = uow.intake.records_of_evidence([evidence.id])
    stands = any(counts(record) for record in records)
    if stands is bool(mail.payload["was"]) or not records:
        return None
    told = next((r for r in records if counts(r) is stands), records[0])
    what = "it counts again" if stands else "it does not count any more"
    detail = f"{_day(evidence.occurred_on)}; {said(told)} now, so {what}"
    if mail.person == evidence.person:
        return LetterLine(evidence.title, detail, DRAFT.format(id=evidence.id))
    # Taken back or handed to another meanwhile, it is no longer theirs to look at (DESIGN 5.11).
    waits = mail.person in verifiers_concerned(uow, evidence.id, claims, Word.TAKEN_BACK)
    word = Word.GIVEN_AGAIN if stands else Word.TAKEN_BACK
    if not waits and mail.person not in verifiers_concerned(uow, evidence.id, claims, word):
        return None
    url = TO_VERIFY.format(id=evidence.id) if waits else ""
    return LetterLine(f"{evidence.person_name}: {evidence.title}", detail, url)


_KINDS: Mapping[MailKind, tuple[Lines, str]] = {
    MailKind.DRAFTS: (_untouched, HOME),
    MailKind.REMINDER: (_untouched, HOME),
    MailKind.RETURNED: (_returned, HOME),
    MailKind.REVIEW: (_review, LOG),
    MailKind.AWARDED: (_award, LOG),
    MailKind.WITHDRAWN: (_award, LOG),
    MailKind.WAITING: (_waiting, QUEUE),
    MailKind.OVERDUE: (_overdue, HOME),
    MailKind.CONTESTED: (_contested, HOME),
    MailKind.CORRECTED: (_corrected, HOME),
}


# --- links: made now, so that no secret ever lay in the queue -------------------------------------
def _sign_in(ctx: Context, uow: UnitOfWork, mail: Queued) -> Content:
    if ctx.clock.now() - mail.created_at > LINK_LASTS:
        raise Nothing("It could not be sent while it was waited for; they can ask for another.")
    secret = new_link(ctx, uow, "sign-in", mail.person)
    return Content((), LINK.format(secret=secret), _minutes(LINK_LASTS))


def _verifier_link(ctx: Context, uow: UnitOfWork, mail: Queued) -> Content:
    try:
        line = _waiting(ctx, uow, mail)
    except NotFound:
        line = None
    if line is None:
        raise Nothing("It was dealt with before the mail went out.")
    evidence_id = int(mail.payload["evidence"])
    secret = new_link(ctx, uow, "verify", mail.person, evidence_id)
    told = LetterLine(line.text, line.detail)
    return Content((told,), LINK.format(secret=secret), _minutes(VERIFIER_LINK_LASTS))


def _minutes(lasts: timedelta) -> int:
    return int(lasts.total_seconds() // 60)
