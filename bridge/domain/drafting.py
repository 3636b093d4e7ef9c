"""What a change of records or rules does to the claims of evidence (rules R3 to R6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bridge.domain.claims import ClaimState
from bridge.domain.model import Claim

SOURCE_GONE = "source-gone"
#: The source still has the record, and says by now what does not count.
SOURCE_CHANGED = "source-changed"
SAME_PERSON = "same-person"
#: A person has looked and said that it stands; no machine contests it again for the same reason.
UPHELD = "upheld"


@dataclass(frozen=True, slots=True)
class Redraft:
    """The changes that bring claims into step with what is suggested now; ids of claims.

    `add` maps a competency to the rule that suggests it. `because` says why some are contested.
    """

    add: Mapping[int, int]
    restore: tuple[int, ...] = ()
    withdraw: tuple[int, ...] = ()
    no_longer_suggested: tuple[int, ...] = ()
    suggested_again: tuple[int, ...] = ()
    contest: tuple[int, ...] = ()
    settle: tuple[int, ...] = ()
    because: str = SOURCE_GONE

    @property
    def nothing(self) -> bool:
        """Whether everything is in step already."""
        return not (
            self.add
            or self.restore
            or self.withdraw
            or self.no_longer_suggested
            or self.suggested_again
            or self.contest
            or self.settle
        )


def redraft(
    claims: Iterable[Claim],
    suggested: Mapping[int, int],
    *,
    groundless: Collection[int],
    because: str = SOURCE_GONE,
) -> Redraft:
    """Compare a piece of evidence's claims with what its records and the rules suggest now.

    `suggested` maps a competency to the rule in force; `groundless` are the claims that no record
    stands behind any more, for the reason `because`. Only untouched suggestions come and go by
    machine (R5); a verified claim whose source took its word back is flagged, never removed (R6).
    """
    there: set[int] = set()
    restore, withdraw, fewer, again, contest, settle = ([] for _ in range(6))  # type: ignore[var-annotated]
    for claim in claims:
        there.add(claim.competency_id)
        wanted = claim.competency_id in suggested
        if claim.state is ClaimState.WITHDRAWN:
            if wanted:
                restore.append(claim.id)
        elif wanted and not claim.suggested:
            again.append(claim.id)
        elif not wanted and claim.suggested:
            untouched = claim.state is ClaimState.SUGGESTED and not claim.touched
            (withdraw if untouched and claim.origin == "rule" else fewer).append(claim.id)
        if claim.state is ClaimState.VERIFIED:
            supported = claim.id not in groundless
            if not supported and not claim.contested and claim.contested_reason != UPHELD:
                contest.append(claim.id)
            elif supported and claim.contested_reason in (SOURCE_GONE, SOURCE_CHANGED, UPHELD):
                settle.append(claim.id)
    return Redraft(
        add={c: r for c, r in suggested.items() if c not in there},
        restore=tuple(restore),
        withdraw=tuple(withdraw),
        no_longer_suggested=tuple(fewer),
        suggested_again=tuple(again),
        contest=tuple(contest),
        settle=tuple(settle),
        because=because,
    )
