"""What a badge asks for, and when a person's verified claims earn it (rules R6, R8 and R9)."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef

YEAR = "{year}"
#: What does not decide which badge is held there, and by what: a change of it moves nothing.
_BESIDE = frozenset({"grade", "note", "link"})


@dataclass(frozen=True, slots=True)
class Criteria:
    """The competencies a badge names: one by one, by target group, by level; all of them count.

    `groups` and `levels` are (edition, key) pairs.
    """

    competencies: tuple[CompetencyRef, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    levels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BadgeTarget:
    """How the badge reaches one target; the settings are for the target's connector to read."""

    target: str
    settings: Mapping[str, str]

    def settings_for(self, period: str) -> dict[str, str]:
        """The settings with `{year}` filled in, as needed for one award."""
        return {name: value.replace(YEAR, period) for name, value in self.settings.items()}


@dataclass(frozen=True, slots=True)
class BadgeDefinition:
    """A badge as its file defines it. `period` "year": one award a person and calendar year."""

    key: str
    title: str
    description: str
    criteria: Criteria
    period: str = "year"
    image: str | None = None
    targets: tuple[BadgeTarget, ...] = ()

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of everything the definition says."""
        text = json.dumps(badge_content(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def place_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Those of a badge's settings for a target that say which badge there it is, and its road."""
    return {name: value for name, value in settings.items() if name not in _BESIDE}


def award_settings(badge: str, settings: Mapping[str, str], period: str) -> dict[str, str]:
    """A badge's settings for a target as one award of that period needs them.

    Where the target's plugin may carry it, `key` says which badge there it is, and `name` what
    that is called: one for all years, unless its name holds the year.
    """
    filled = {name: value.replace(YEAR, period) for name, value in settings.items()}
    via = settings.get("via", "")
    if via in ("plugin", "auto"):
        called = settings.get("badge" if via == "plugin" else "plugin_badge", "")
        filled["key"] = f"{badge}-{period}" if YEAR in called else badge
        filled["name"] = called.replace(YEAR, period)
    return filled


def badge_content(badge: BadgeDefinition) -> dict[str, Any]:
    """The definition as plain JSON data, for the database."""
    return {
        "badge": badge.key,
        "title": badge.title,
        "description": badge.description,
        "criteria": {
            "competencies": [[ref.edition, ref.code] for ref in badge.criteria.competencies],
            "groups": [list(group) for group in badge.criteria.groups],
            "levels": [list(level) for level in badge.criteria.levels],
        },
        "period": badge.period,
        "image": badge.image,
        "targets": [
            {"target": each.target, "settings": dict(each.settings)} for each in badge.targets
        ],
    }


def required_refs(criteria: Criteria, editions: Iterable[Edition]) -> tuple[CompetencyRef, ...]:
    """Every competency the criteria ask for, once, in the order of its edition.

    A target group asks for what its members must meet: the core, and what the group adds. Raises
    NotFound for an edition, group, level or code that does not exist.
    """
    known = {edition.id: edition for edition in editions}
    wanted: dict[str, set[str]] = defaultdict(set)
    for key, group in criteria.groups:
        wanted[key].update(_edition(known, key).required_codes([group]))
    for key, level in criteria.levels:
        wanted[key].update(_edition(known, key).level(level).codes)
    for ref in criteria.competencies:
        wanted[ref.edition].add(_edition(known, ref.edition).competency(ref.code).code)
    return tuple(
        CompetencyRef(key, competency.code)
        for key, codes in wanted.items()
        for competency in known[key].competencies
        if competency.code in codes
    )


def _edition(known: Mapping[str, Edition], key: str) -> Edition:
    if key not in known:
        raise NotFound(f"There is no edition '{key}'.")
    return known[key]


@dataclass(frozen=True, slots=True)
class VerifiedClaim:
    """A claim of one person with the verification that makes it count.

    `verified_on` and `current_until` are London dates, the latter the last day it is current.
    """

    claim_id: int
    ref: CompetencyRef
    verification_id: int
    verified_on: date
    current_until: date
    contested: bool = False
    revoked: bool = False
    learner_is_verifier: bool = False

    def stands(self, day: date) -> bool:
        """Whether another person's word for it is in force on that day, however old."""
        return not self.revoked and not self.learner_is_verifier and self.verified_on <= day


class Lacking(StrEnum):
    """Why a required competency does not carry an award."""

    NOT_VERIFIED = "not verified"
    LAPSED = "lapsed"
    CONTESTED = "contested"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Missing:
    """A required competency without a claim that earns, and why.

    `NOT_APPLICABLE` appears only where every requirement is marked so: nothing is then verified,
    and a badge cannot say that something was.
    """

    ref: CompetencyRef
    reason: Lacking


@dataclass(frozen=True, slots=True)
class AwardDecision:
    """Whether a person earns a badge, on which claims, and until when; or what is missing.

    `basis` has one claim for each requirement that is not in `not_applicable`.
    """

    held: bool
    basis: tuple[VerifiedClaim, ...] = ()
    not_applicable: tuple[CompetencyRef, ...] = ()
    expires_on: date | None = None
    missing: tuple[Missing, ...] = ()


def decide_award(
    required: Sequence[CompetencyRef],
    claims: Iterable[VerifiedClaim],
    not_applicable: Collection[CompetencyRef],
    now_date: date,
) -> AwardDecision:
    """Whether these claims of one person earn, on that London date, a badge asking for `required`.

    Every requirement needs a claim that another person verified and that is current and
    uncontested (R8, R6), or a manager's mark that it does not apply; at least one needs a claim.
    Of several claims the longest current serves; the award expires with the first of those (R9).
    """
    by_ref: dict[CompetencyRef, list[VerifiedClaim]] = {}
    for claim in claims:
        by_ref.setdefault(claim.ref, []).append(claim)
    needed = [ref for ref in dict.fromkeys(required) if ref not in not_applicable]
    exempt = tuple(ref for ref in dict.fromkeys(required) if ref in not_applicable)
    if not needed:
        lacking = tuple(Missing(ref, Lacking.NOT_APPLICABLE) for ref in exempt)
        return AwardDecision(False, missing=lacking)
    basis: list[VerifiedClaim] = []
    missing: list[Missing] = []
    for ref in needed:
        found = _best(by_ref.get(ref, ()), now_date)
        if isinstance(found, VerifiedClaim):
            basis.append(found)
        else:
            missing.append(Missing(ref, found))
    if missing:
        return AwardDecision(False, missing=tuple(missing))
    return AwardDecision(True, tuple(basis), exempt, min(claim.current_until for claim in basis))


def _best(claims: Iterable[VerifiedClaim], day: date) -> VerifiedClaim | Lacking:
    """The claim that carries the requirement longest, or why there is none."""
    standing = [claim for claim in claims if claim.stands(day)]
    current = [claim for claim in standing if day <= claim.current_until]
    earning = [claim for claim in current if not claim.contested]
    if earning:
        return max(earning, key=lambda c: (c.current_until, c.verified_on, -c.claim_id))
    if current:
        return Lacking.CONTESTED
    return Lacking.LAPSED if standing else Lacking.NOT_VERIFIED


def period_of(awarded_on: date) -> str:
    """The period of an award made on that London date: its year."""
    return str(awarded_on.year)
