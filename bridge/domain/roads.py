"""The roads of a badge to a Moodle: what each means on expiry, renewal and withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoadWords:
    """One road in words: how the badge gets there, and what happens there afterwards."""

    road: str
    how: str
    expiry: str
    renewal: str
    withdrawal: str


_PLUGIN = RoadWords(
    "plugin",
    "the bridge makes the badge and awards it itself, by its plugin",
    "Moodle shows the day on which it runs out, and from then on that it has expired.",
    "The same badge gets its new end, or is issued anew if it had expired. A name with the year in "
    "it makes one badge a year instead.",
    "The bridge takes it away. What the profile shows is in step within minutes.",
)
_EXPIRY = (
    "The badge shows no day for each learner: one whose claims run out earlier stays on the "
    "profile, and is listed here."
)
_RENEWAL = (
    "Moodle never issues the same badge again, so there is one badge a year. The bridge makes what "
    "its criterion needs; an administrator copies last year's badge."
)
_WITHDRAWAL = (
    "{what}, so that nothing awards it again. The badge stays on the profile until an "
    "administrator takes it away in Moodle; it is listed as “needs you”."
)


def words_of(settings: Mapping[str, str], road: str = "") -> RoadWords:
    """What a badge's settings for a Moodle mean there; `road` where it has been decided."""
    via = road or settings.get("via", "")
    if via == "plugin":
        return _PLUGIN
    if via == "cohort":
        cohort = settings.get("cohort", "")
        return RoadWords(
            via,
            f"by membership of the cohort “{cohort}”",
            _EXPIRY,
            _RENEWAL,
            _WITHDRAWAL.format(what="The learner is taken out of the cohort"),
        )
    if via == "competency":
        competency = settings.get("competency", "")
        return RoadWords(
            via,
            f"by the competency “{competency}”, which the bridge rates as proficient",
            _EXPIRY,
            _RENEWAL,
            _WITHDRAWAL.format(what="The competency is rated as not yet proficient"),
        )
    if via == "auto":
        return RoadWords(
            via,
            "by the bridge's plugin where the Moodle has it, and else by the other road set for it",
            "See the road that is taken.",
            "See the road that is taken.",
            "See the road that is taken.",
        )
    return RoadWords(via, f"by {via}" if via else "", "", "", "")
