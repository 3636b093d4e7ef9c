"""Whether a number at a source still means whom and what it meant: numbers can be given anew.

A Moodle that is put back from a backup counts on from there, so that whoever is added afterwards
gets the number of somebody who was there before; and an account may be handed to another person.
"""

from __future__ import annotations

import re

from bridge.domain.identity import normal_email, normal_staff_number
from bridge.domain.names import may_be_one
from bridge.domain.records import AccountFacts, ActivityFacts


def another_holder(before: AccountFacts, now: AccountFacts) -> bool:
    """Whether an account is somebody else's than before, as far as what it says of them tells.

    One identifier that stayed (staff number, address, user name) speaks for the same holder. Where
    none did, another staff number speaks for another holder; another address or user name does
    only together with another name, because people marry and organisations change their domain.
    """
    staff = _differs(
        normal_staff_number(before.staff_number), normal_staff_number(now.staff_number)
    )
    mail = _differs(normal_email(before.email), normal_email(now.email))
    user = _differs(_folded(before.username), _folded(now.username))
    if False in (staff, mail, user):
        return False
    if staff:
        return True
    apart = not may_be_one(before.display_name or "", now.display_name or "")
    return bool(mail or user) and apart


def another_activity(before: ActivityFacts, now: ActivityFacts) -> bool:
    """Whether a course's number stands for another course than before.

    A course is renamed, or gets another ID number; all of its names at once change where it is
    another. Where there are no ID numbers, the titles must also have no word in common.
    """
    title = _differs(_folded(before.title), _folded(now.title))
    short = _differs(_folded(before.shortname), _folded(now.shortname))
    number = _differs(_folded(before.idnumber), _folded(now.idnumber))
    if not (title and short) or number is False:
        return False
    return bool(number) or not (_words(before.title) & _words(now.title))


def _differs(before: str | None, now: str | None) -> bool | None:
    """None where one of them is not given: that tells nothing."""
    return None if before is None or now is None else before != now


def _folded(text: str | None) -> str | None:
    return " ".join(text.split()).casefold() or None if text else None


def _words(text: str | None) -> set[str]:
    return {w for w in re.split(r"[\W\d_]+", (text or "").casefold()) if len(w) > 2}
