"""When a source takes its word back, or gives it again: whom to tell, and of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from bridge.domain.claims import ClaimState
from bridge.domain.mail import MailKind, NewMail, due_at
from bridge.domain.model import Claim, Record
from bridge.domain.policy import Policy
from bridge.domain.records import Disposition
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import SYSTEM
from bridge.domain.times import london_date


class Word(StrEnum):
    """What became of a source's word that something was done."""

    TAKEN_BACK = "taken back"
    GIVEN_AGAIN = "given again"


def counts(record: Record) -> bool:
    """Whether a stored record was found to count by itself, and not kept for people's sake."""
    return record.disposition is Disposition.EVIDENCE and record.reason == "counts"


def said(record: Record) -> str:
    """What the source says of it now, in its own word where it has one."""
    if record.voided:
        return f"{record.source_key} took it back"
    if record.gone:
        return f"{record.source_key} took it back"
    word = record.booking.said if record.booking is not None else ""
    return f"{record.source_key} says “{word or record.status.value}”"


def tell_corrected(
    uow: UnitOfWork, policy: Policy, now: datetime, turned: Mapping[int, Word]
) -> None:
    """Queue mails about evidence that no record stands behind any more, or one does again.

    They go to the learner, and to whoever it waits for. Whoever verified it hears at once when it
    stands again, and of the doubt with all others that are in doubt (`notify.look_for_overdue`).
    """
    today = london_date(now)
    if policy.mail_from is None or today < policy.mail_from:
        return
    at = due_at(MailKind.CORRECTED, now, policy.mail_hour)
    mails = []
    for evidence_id, word in turned.items():
        evidence = uow.evidence.get(evidence_id, SYSTEM)
        if evidence.occurred_on < policy.mail_from:
            continue
        claims = uow.evidence.claims([evidence_id])
        if all(c.state in _OF_NO_CONCERN for c in claims):
            continue
        for person in {evidence.person, *verifiers_concerned(uow, evidence_id, claims, word)}:
            key = f"{MailKind.CORRECTED.stored}:{evidence_id}:{today}:{person}"
            # Turned and turned back within the day, it is no news.
            payload = {"evidence": evidence_id, "was": int(word is Word.TAKEN_BACK)}
            mails.append(NewMail(MailKind.CORRECTED, key, person, payload, at))
    uow.outbox.put(mails, now)


_OF_NO_CONCERN = frozenset({ClaimState.DISMISSED, ClaimState.REVOKED})


def verifiers_concerned(
    uow: UnitOfWork, evidence_id: int, claims: Sequence[Claim], word: Word
) -> set[int]:
    """The (canonical) people whom a correction concerns as verifiers: those before whom something
    of it waits; and, once it stands again, those by whose word something of it is verified."""
    submissions = uow.evidence.submissions_of(evidence_id)
    told = {
        submissions[c.id].verifier
        for c in claims
        if c.state is ClaimState.SUBMITTED and c.id in submissions
    }
    if word is Word.GIVEN_AGAIN:
        for claim in claims:
            found = uow.evidence.verification_in_force(claim.id)
            if claim.state is ClaimState.VERIFIED and found is not None:
                told.add(found.verifier)
    return told
