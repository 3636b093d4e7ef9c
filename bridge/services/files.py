"""Files beside one's own evidence: kept encrypted, for the owner and whom it was put before."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.domain.claims import ClaimState
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.files import MOST, safe_name, sniff
from bridge.domain.notebook import FileFacts
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context, acting_person, audit
from bridge.services.evidence import still_verifies

#: Where a claim is, or was, before a verifier; from then on the files stay.
_PUT = frozenset(
    {ClaimState.SUBMITTED, ClaimState.VERIFIED, ClaimState.RETURNED, ClaimState.REVOKED}
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a browser sends it; its name is taken only as a name."""

    name: str
    body: bytes


def attach(ctx: Context, evidence_id: int, upload: Upload, *, largest: int) -> int:
    """Keep a file beside the actor's own evidence; its id. `largest` is in bytes, 0 where off.

    Raises Refused for one that is empty, too large or of another kind, for one too many, and
    where all of it waits or is decided; NotFound and NotAllowed.
    """
    if not largest:
        raise Refused("Files are not taken here. Say where the record is held instead.")
    if not upload.body:
        raise Refused("That file is empty. Choose another.")
    if len(upload.body) > largest:
        raise Refused(f"That file is larger than {largest // 1_000_000} MB. Choose a smaller one.")
    kind = sniff(upload.body)
    now = ctx.clock.now()
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        _check_open(ctx, uow, evidence_id, person)
        if len(uow.files.of(evidence_id)) >= MOST:
            raise Refused(f"There are {MOST} files already. Remove one first.")
        facts = FileFacts(0, evidence_id, safe_name(upload.name, kind), kind.media_type,
                          len(upload.body), person, now)  # fmt: skip
        made = uow.files.add(facts, upload.body, ctx.vault)
        audit(ctx, uow, "attach-file", f"evidence:{evidence_id}", {"file": made})
        return made


def _check_open(ctx: Context, uow: UnitOfWork, evidence_id: int, person: int) -> None:
    if uow.evidence.get(evidence_id, ctx.actor.scope, lock=True).person != person:
        raise NotAllowed("Only the person whose evidence it is can do that.")
    states = {claim.state for claim in uow.evidence.claims([evidence_id])}
    if not states & {ClaimState.SUGGESTED, ClaimState.RETURNED}:
        raise Refused("This has been submitted. Take it back to change its files.")


def remove(ctx: Context, evidence_id: int, file_id: int) -> None:
    """Take a file away for good, as long as nobody was asked to look at it.

    Raises Refused where it has been submitted, NotFound, NotAllowed.
    """
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        _check_open(ctx, uow, evidence_id, person)
        if any(claim.state in _PUT for claim in uow.evidence.claims([evidence_id])):
            raise Refused("A verifier has been asked to look at this, so its files stay.")
        if file_id not in {each.id for each in uow.files.of(evidence_id)}:
            raise NotFound("There is no such file.")
        uow.files.remove(file_id, ctx.clock.now())
        audit(ctx, uow, "remove-file", f"evidence:{evidence_id}", {"file": file_id})


def files_of(ctx: Context, evidence_id: int) -> list[FileFacts]:
    """The files that the actor may open. Raises NotFound where the evidence is not theirs."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        _check_sight(ctx, uow, evidence_id, person)
        return uow.files.of(evidence_id)


def read(ctx: Context, evidence_id: int, file_id: int) -> tuple[FileFacts, bytes]:
    """A file, for its owner and for whom it was put before; another's reading is in the trail.

    Raises NotFound for anybody else.
    """
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        owner = _check_sight(ctx, uow, evidence_id, person)
        found = uow.files.get(evidence_id, file_id, ctx.vault)
        if found is None:
            raise NotFound("There is no such file.")
        if person != owner:
            audit(ctx, uow, "read-file", f"evidence:{evidence_id}", {"file": file_id})
        return found


def _check_sight(ctx: Context, uow: UnitOfWork, evidence_id: int, person: int) -> int:
    """The owner. Raises NotFound unless it is they, or it lies before this person now."""
    owner = uow.evidence.get(evidence_id, ctx.actor.scope).person
    if owner == person:
        return owner
    put = uow.notebook.puts([evidence_id], ctx.vault).get(evidence_id, [])
    before_me = any(each.verifier == person and each.state in _PUT for each in put)
    if not before_me or not still_verifies(ctx, uow, owner, evidence_id):
        raise NotFound("There is no such file.")
    return owner
