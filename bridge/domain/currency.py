"""How long things count: recordable, current, refresh and training due (rules R1 and R2).

The intervals are data of each framework and group; those of the LLR framework are evidence from
the last 12 months (section 2), a yearly review (section 3), a refresh at a minimum of every
3 years (sections 2 and 4).
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from bridge.domain.frameworks import Intervals
from bridge.domain.times import add_months


class Currency(StrEnum):
    """What a verified claim is worth today."""

    CURRENT = "current"
    REVIEW_DUE = "review due"
    REFRESH_OVERDUE = "refresh overdue"


def recordable(activity_on: date, submitted_on: date, intervals: Intervals) -> bool:
    """R1: the activity lies within the 12 months before submission, both ends included."""
    return add_months(submitted_on, -intervals.recordable_months) <= activity_on <= submitted_on


def last_recordable(activity_on: date, months: int) -> date:
    """R1: the last day on which an activity of that day can be submitted."""
    last = add_months(activity_on, months)
    # From the 29th of February on, "12 months before" still reaches back one day longer.
    while add_months(last + timedelta(days=1), -months) <= activity_on:
        last += timedelta(days=1)
    return last


def current_until(verified_on: date, intervals: Intervals) -> date:
    """R2: the last day on which a claim verified then is current."""
    return add_months(verified_on, intervals.current_months)


def currency(verified_on: date, today: date, intervals: Intervals) -> Currency:
    """R2: current for 12 months, then review due, and refresh overdue after 3 years."""
    if today <= current_until(verified_on, intervals):
        return Currency.CURRENT
    if today <= add_months(verified_on, intervals.refresh_months):
        return Currency.REVIEW_DUE
    return Currency.REFRESH_OVERDUE


def training_due(last_attended: date, today: date, intervals: Intervals) -> bool:
    """R2: 3 years have gone by since the last attended learning (framework, section 4)."""
    return today > add_months(last_attended, intervals.training_months)
