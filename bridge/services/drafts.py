"""What a practitioner has typed and ticked on a draft: kept as they go, theirs alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.claims import ClaimState
from bridge.domain.errors import BridgeError, NotAllowed, Refused
from bridge.domain.mapping import CompetencyRef
from bridge.domain.notebook import Typed
from bridge.domain.prompts import MODELS
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context, acting_person

#: A long reflection has 1,000 words; this is ten times that.
LONGEST = 60_000
_OPEN = frozenset({ClaimState.SUGGESTED, ClaimState.RETURNED, ClaimState.DISMISSED})


class TypedElsewhere(BridgeError):
    """Another window has saved something since this one was opened; `other` is what it saved."""

    def __init__(self, other: Typed) -> None:
        super().__init__(
            "This draft was also changed in another window. Nothing was overwritten. Look at both "
            "below, keep what you need in the box, and save again."
        )
        self.other = other


@dataclass(frozen=True, slots=True)
class Words:
    """What the form holds. `seen` is the save it started from, None where there was none."""

    reflection: str
    used: str = ""
    ticks: Sequence[CompetencyRef] = ()
    verifier: int | None = None
    seen: datetime | None = None


def typed(ctx: Context, evidence_id: int) -> Typed | None:
    """What the actor has typed on their own evidence so far. Raises NotFound, NotAllowed."""
    with ctx.store.reading() as uow:
        _own(ctx, uow, evidence_id, lock=False)
        return uow.notebook.typed(evidence_id, ctx.vault)


def save(ctx: Context, evidence_id: int, words: Words) -> Typed:
    """Keep what is typed; nobody else ever sees it, and it is gone when it is submitted.

    Raises TypedElsewhere where another window saved something else since `words.seen`, Refused
    where nothing of the evidence is open, NotFound and NotAllowed.
    """
    now = ctx.clock.now()
    if max(len(words.reflection), len(words.used)) > LONGEST:
        raise Refused(f"That is longer than {LONGEST:,} characters. Shorten it, then save again.")
    with ctx.store.begin() as uow:
        person = _own(ctx, uow, evidence_id, lock=True)
        if not any(c.state in _OPEN for c in uow.evidence.claims([evidence_id])):
            raise Refused("This waits for your verifier. Take it back to change what you wrote.")
        kept = Typed(
            words.reflection, words.used, tuple(dict.fromkeys(words.ticks)), words.verifier, now
        )
        before = uow.notebook.typed(evidence_id, ctx.vault)
        if before is None and words.seen is not None:
            # The save that this window goes by was submitted in another; what was is newer.
            before = _submitted(ctx, uow, evidence_id)
        if before is not None and before.saved_at != words.seen:
            if _same(before, kept):
                return before
            raise TypedElsewhere(before)
        uow.notebook.keep_typed(evidence_id, person, ctx.vault, kept)
        return kept


def _submitted(ctx: Context, uow: UnitOfWork, evidence_id: int) -> Typed | None:
    put = uow.evidence.submissions_of(evidence_id).values()
    if not put:
        return None
    last = uow.evidence.reflection(evidence_id, ctx.vault)
    at = max(each.submitted_at for each in put)
    return Typed(last.get("reflection", ""), last.get("used", ""), (), None, at)


def _same(one: Typed, other: Typed) -> bool:
    return (one.reflection, one.used, set(one.ticks), one.verifier) == (
        other.reflection, other.used, set(other.ticks), other.verifier,
    )  # fmt: skip


def _own(ctx: Context, uow: UnitOfWork, evidence_id: int, *, lock: bool) -> int:
    person = acting_person(ctx)
    if uow.evidence.get(evidence_id, ctx.actor.scope, lock=lock).person != person:
        raise NotAllowed("Only the person whose evidence it is can do that.")
    return person


MODEL = "reflection-model"


def prefer_model(ctx: Context, key: str) -> None:
    """Remember which model's prompts the actor likes. Raises Refused for an unknown one."""
    if key not in {model.key for model in MODELS}:
        raise Refused("There is no such model of reflection.")
    with ctx.store.begin() as uow:
        uow.notebook.prefer(acting_person(ctx), MODEL, key)
