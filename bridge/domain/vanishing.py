"""Why a source no longer shows what it once gave, and which of the reasons undo learning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum


class Gone(StrEnum):
    """Why a record, an account or an activity is no longer at its source.

    `REVERSED` alone says that the source took its word back (a reset, a deleted completion, a row
    taken out of a file): what nobody touched is withdrawn then, and what was verified is in doubt
    (R5, R6). All others are no reversal of learning, and what was drafted stays.
    """

    REVERSED = "reversed"
    RETAKEN = "taken again"
    LEFT = "left"
    ACCOUNT_DELETED = "account deleted"
    COURSE_DELETED = "course deleted"
    RESTORED = "restored"
    GIVEN_ANEW = "given anew"
    UNSHOWN = "unshown"

    @property
    def undoes(self) -> bool:
        """Whether the source took its word back."""
        return self is Gone.REVERSED

    @property
    def words(self) -> str:
        """What happened there, as the end of a sentence that names the source and the day."""
        return _WORDS[self]


_WORDS = {
    Gone.REVERSED: "the record was reset or deleted there",
    Gone.RETAKEN: "it was done again, and there only the latest time is kept; what was learned "
    "stands",
    Gone.LEFT: "they have left the course there, or their place in it is suspended; what was "
    "learned stands",
    Gone.ACCOUNT_DELETED: "the account was deleted there; what was learned stands",
    Gone.COURSE_DELETED: "the course was deleted there, or hidden; what was learned stands",
    Gone.RESTORED: "it seems to have been put back from a backup that is older; what was learned "
    "stands",
    Gone.GIVEN_ANEW: "its number there belongs to another now",
    Gone.UNSHOWN: "it could not be found out why; what was learned stands",
}
#: An answer "why" is asked for so many missing records at a time; the others are asked about later.
ASKED_AT_ONCE = 200


def looks_restored(missing: Sequence[tuple[datetime, int, int]], there: Sequence[datetime]) -> bool:
    """Whether records went missing as they do when a source is put back from a backup.

    `missing` are (when it happened, account, activity) of what is gone, `there` the instants of
    what is still shown. A backup takes away a stretch of time as a whole, of several people in
    several activities; a reset takes one activity, and leaves what others did meanwhile.
    """
    accounts = {account for _, account, _ in missing}
    activities = {activity for *_, activity in missing}
    if len(missing) < _STRETCH or len(accounts) < 2 or len(activities) < 2:
        return False
    first, last = min(m for m, *_ in missing), max(m for m, *_ in missing)
    return not any(first <= moment <= last for moment in there)


_STRETCH = 3
