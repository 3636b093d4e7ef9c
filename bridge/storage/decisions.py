"""What people wrote, submitted and decided about evidence; their texts are encrypted."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, func, insert, select

from bridge.domain.errors import NotFound
from bridge.domain.model import Submission, Verification
from bridge.domain.repositories import Vault
from bridge.storage import tables as t
from bridge.storage.bulk import among, chunks

_e, _c, _p, _s, _v = (
    t.evidence.c, t.claims.c, t.people.c, t.submissions.c, t.verifications.c
)  # fmt: skip
_verifier = t.people.alias("verifier")

_ever = t.submission_claims.alias("ever")


def latest_submission(claim: ColumnElement[int]) -> ScalarSelect[int | None]:
    """The last time that a claim was put before somebody; looked up for each claim apart, so that
    it costs nothing for all the others there are."""
    latest = select(func.max(_ever.c.submission_id)).where(_ever.c.claim_id == claim)
    return latest.scalar_subquery()


def _place(evidence_id: int, version: int) -> str:
    return f"reflection:{evidence_id}:{version}"


def note_place(claim_id: int, submission_id: int, decision: str) -> str:
    """What the note of a decision is bound to."""
    return f"note:{claim_id}:{submission_id}:{decision}"


class DecisionQueries:
    """The part of the evidence repository that keeps people's words and decisions."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add_reflection(
        self, evidence_id: int, author: int, vault: Vault, text: Mapping[str, str], now: datetime
    ) -> int:
        """A new version of what the practitioner wrote, encrypted."""
        r = t.reflections
        before = select(func.coalesce(func.max(r.c.version), 0)).where(
            r.c.evidence_id == evidence_id
        )
        version = self._db.execute(before).scalar_one() + 1
        ciphertext, key_id = vault.seal(json.dumps(dict(text)), _place(evidence_id, version))
        row = insert(r).values(
            evidence_id=evidence_id,
            version=version,
            ciphertext=ciphertext,
            key_id=key_id,
            author_id=author,
            written_at=now,
        )
        made: int = self._db.execute(row.returning(r.c.id)).scalar_one()
        return made

    def reflection(
        self, evidence_id: int, vault: Vault, reflection_id: int | None = None
    ) -> dict[str, str]:
        """That version of the reflection, or the latest. Raises NotFound where there is none."""
        r = t.reflections.c
        query = select(r.version, r.ciphertext, r.key_id).where(r.evidence_id == evidence_id)
        if reflection_id is not None:
            query = query.where(r.id == reflection_id)
        row = self._db.execute(query.order_by(r.version.desc())).first()
        if row is None:
            raise NotFound(f"Nobody has reflected on evidence {evidence_id} yet.")
        text = vault.open(row.ciphertext, row.key_id, _place(evidence_id, row.version))
        read: dict[str, str] = json.loads(text)
        return read

    def reflections(
        self, reflection_ids: Collection[int], vault: Vault
    ) -> dict[int, dict[str, str]]:
        """These versions of reflections, by their ids."""
        r = t.reflections.c
        query = select(r.id, r.evidence_id, r.version, r.ciphertext, r.key_id).where(
            among(self._db, r.id, reflection_ids)
        )
        return {
            row.id: json.loads(
                vault.open(row.ciphertext, row.key_id, _place(row.evidence_id, row.version))
            )
            for row in self._db.execute(query)
        }

    def add_submission(
        self,
        evidence_id: int,
        reflection_id: int,
        verifier: int,
        claim_ids: Sequence[int],
        channel: str,
        now: datetime,
    ) -> int:
        """These claims now wait for this verifier."""
        row = insert(t.submissions).values(
            evidence_id=evidence_id,
            reflection_id=reflection_id,
            verifier_id=verifier,
            submitted_at=now,
            channel=channel,
        )
        submission: int = self._db.execute(row.returning(_s.id)).scalar_one()
        self._db.execute(
            insert(t.submission_claims),
            [{"submission_id": submission, "claim_id": claim_id} for claim_id in claim_ids],
        )
        return submission

    def submissions_of(self, evidence_id: int) -> dict[int, Submission]:
        """The latest submission of each claim that was ever submitted; `verifier` is canonical."""
        rows = self._db.execute(
            select(_c.id, _s.id, _s.evidence_id, _s.reflection_id, _verifier.c.canonical_id,
                   _s.submitted_at)
            .join(t.submissions, _s.evidence_id == _c.evidence_id)
            .join(_verifier, _verifier.c.id == _s.verifier_id)
            .where(_c.evidence_id == evidence_id, _s.id == latest_submission(_c.id))
        )  # fmt: skip
        return {claim_id: Submission(*row) for claim_id, *row in rows}

    def add_verification(
        self,
        claim_id: int,
        verifier: int,
        decision: str,
        now: datetime,
        *,
        authority: str,
        channel: str,
        method: str | None,
        note: str,
        vault: Vault,
        reciprocal: bool,
        revokes: int | None = None,
    ) -> int:
        """A person's decision on a claim; the note is encrypted."""
        sc = t.submission_claims.c
        latest = select(func.max(sc.submission_id)).where(sc.claim_id == claim_id)
        submission = self._db.execute(latest).scalar_one()
        sealed, key_id = (
            vault.seal(note, note_place(claim_id, submission, decision)) if note else (None, None)
        )
        row = insert(t.verifications).values(
            claim_id=claim_id,
            submission_id=submission,
            verifier_id=verifier,
            decision=decision,
            method=method,
            authority=authority,
            channel=channel,
            note=sealed,
            key_id=key_id,
            reciprocal=reciprocal,
            decided_at=now,
            revokes_id=revokes,
        )
        made: int = self._db.execute(row.returning(_v.id)).scalar_one()
        return made

    def _verifications(self) -> Select[Any]:
        return select(_v.id, _v.claim_id, _verifier.c.canonical_id, _v.decision, _v.method,
                      _v.authority, _v.channel, _v.decided_at, _v.revokes_id).join(
            _verifier, _verifier.c.id == _v.verifier_id
        )  # fmt: skip

    def notes(self, evidence_id: int, vault: Vault) -> list[tuple[int, str, int, str]]:
        """(claim, decision, canonical decider, text) of what was written with decisions."""
        rows = self._db.execute(
            select(_v.claim_id, _v.submission_id, _v.decision, _verifier.c.canonical_id, _v.note,
                   _v.key_id)
            .join(_verifier, _verifier.c.id == _v.verifier_id)
            .join(t.claims, _c.id == _v.claim_id)
            .where(_c.evidence_id == evidence_id, _v.note.is_not(None))
            .order_by(_v.id)
        )  # fmt: skip
        return [
            (
                claim,
                decision,
                decider,
                vault.open(note, key, note_place(claim, submission, decision)),
            )
            for claim, submission, decision, decider, note, key in rows
        ]

    def first_submitted(self, evidence_id: int) -> datetime | None:
        """When it was first put before a verifier."""
        first: datetime | None = self._db.scalar(
            select(func.min(_s.submitted_at)).where(_s.evidence_id == evidence_id)
        )
        return first

    def verification_in_force(self, claim_id: int) -> Verification | None:
        """The verification that a claim rests on now."""
        revoked = select(_v.revokes_id).where(_v.claim_id == claim_id, _v.revokes_id.is_not(None))
        row = self._db.execute(
            self._verifications()
            .where(_v.claim_id == claim_id, _v.decision == "verified", _v.id.not_in(revoked))
            .order_by(_v.id.desc())
        ).first()
        return None if row is None else Verification(*row)

    def verifications(self, claim_ids: Sequence[int]) -> list[Verification]:
        """Every decision on these claims, in order."""
        found: list[Verification] = []
        for part in chunks(claim_ids):
            query = self._verifications().where(_v.claim_id.in_(part)).order_by(_v.id)
            found += [Verification(*row) for row in self._db.execute(query)]
        return found

    def has_verified(self, verifier: int, learner: int) -> bool:
        """Whether `verifier` has ever verified something of `learner` (both canonical)."""
        query = (
            select(_v.id)
            .join(_verifier, _verifier.c.id == _v.verifier_id)
            .join(t.claims, _c.id == _v.claim_id)
            .join(t.evidence, _e.id == _c.evidence_id)
            .join(t.people, _p.id == _e.person_id)
            .where(
                _verifier.c.canonical_id == verifier,
                _p.canonical_id == learner,
                _v.decision == "verified",
            )
            .limit(1)
        )
        return self._db.scalar(query) is not None
