"""Why a competency is suggested, as facts for a page: the rule, its mapping, who published it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.notebook import Put
from bridge.domain.repositories import UnitOfWork


@dataclass(frozen=True, slots=True)
class Why:
    """The rule that suggested a claim. `still`: the mappings in force still suggest it."""

    title: str
    mapping: str
    version: int
    published_at: datetime
    published_by: str
    comment: str
    still: bool


def whys(uow: UnitOfWork, puts: Iterable[Put]) -> dict[int, Why]:
    """Why each of these claims was suggested; a claim of the person's own has no entry."""
    by_rule = [put for put in puts if put.rule_id is not None]
    if not by_rule:
        return {}
    reasons = uow.notebook.reasons({put.rule_id for put in by_rule if put.rule_id is not None})
    found = {}
    for put in by_rule:
        reason = reasons.get(put.rule_id or 0)
        if reason is not None:
            found[put.claim_id] = Why(
                reason.title, reason.mapping, reason.version, reason.published_at,
                reason.publisher or f"the {reason.published_by}", reason.comment, put.suggested,
            )  # fmt: skip
    return found
