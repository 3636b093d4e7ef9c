"""Whom a booking is for: one or two columns of names, and an account that is one person's.

A shared mailbox books for several people, so an address alone names no account: with each name on
it goes an account of its own, and the rules of identity see one address on many names.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b

from bridge.domain.bookings import BOOKING_KIND
from bridge.domain.identity import normal_email, normal_staff_number
from bridge.domain.records import AccountFacts

#: Characters of an account's value that the store keeps.
_LONGEST = 200
_TITLES = re.compile(r"^(?:mr|mrs|ms|miss|mx|dr|prof|professor|rev|revd|sir|dame|cllr)\.?\s+", re.I)


def person_name(full: str = "", first: str = "", last: str = "") -> str:
    """A name as it is said: "Surname, First" is turned round, titles go, blanks are single."""
    name = " ".join(f"{first} {last}".split()) or " ".join(full.split())
    surname, comma, given = name.partition(",")
    if comma and given.strip() and "," not in given:
        name = f"{given.strip()} {surname.strip()}"
    return _TITLES.sub("", name)


def folded_name(name: str) -> str:
    """A name for comparing: without case, accents and punctuation ("O’Neill" is "oneill")."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w\s]+", "", plain).split())


@lru_cache(maxsize=16384)
def booker(
    name: str, email: str = "", staff_number: str = "", username: str = "", employer: str = ""
) -> AccountFacts | None:
    """The account that a booking is for; None where nothing says whose it is.

    Known by staff number; else by address and name together; else by username; else by the name
    and the employer, which match nobody by themselves.
    """
    number, address = normal_staff_number(staff_number), normal_email(email)
    shown = person_name(name)
    told = folded_name(shown)
    if number:
        value = f"number:{number}"
    elif address:
        value = f"email:{address}|{told}"
    elif username.strip():
        value = f"user:{username.strip().casefold()}"
    elif told:
        value = f"name:{told}|{folded_name(employer)}"
    else:
        return None
    if len(value) > _LONGEST:
        # Two that only differ at their ends are two people still.
        rest = blake2b(value.encode(), digest_size=16).hexdigest()
        value = f"{value[: _LONGEST - len(rest) - 1]}:{rest}"
    return AccountFacts(
        BOOKING_KIND,
        value,
        email=address,
        staff_number=staff_number.strip() or None,
        username=username.strip() or None,
        display_name=shown or None,
    )
