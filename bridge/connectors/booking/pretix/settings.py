"""How one pretix organiser is reached, and how their bookings are to be understood."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.connectors.booking.web import Origin

#: The most that pretix gives on one page.
PAGE_SIZE = 50
ACCOUNT_KIND = "booking"
EVENT_KIND = "pretix-event"
_SLUG = re.compile(r"^[A-Za-z0-9][A-Za-z0-9.\-_]{0,49}$")


class Series(StrEnum):
    """What the dates of an event series are.

    `BOOKED`: sessions, of which somebody needs as many as they booked in one order. `ALL`: the
    sessions of one course, all of them needed. `SEPARATE`: each an activity of its own.
    """

    BOOKED = "booked"
    ALL = "all"
    SEPARATE = "separate"


@dataclass(frozen=True, slots=True)
class PretixSettings:
    """One configured organiser. Raises ValueError, in words, for a value that cannot work.

    `no_show`: whether somebody without a check-in missed a past event whose check-in list was
    used; otherwise that stays unknown. `full_from`: the fraction of the planned minutes that is
    full attendance, where check-outs give minutes. `lists` names the check-in lists that are
    registers of attendance (none: all of them). `staff_number_question` is the identifier of a
    question that asks for the staff number, `idnumber_property` the meta property of an event
    that holds the course's id number. Times are in seconds.
    """

    key: str
    url: str
    organizer: str
    token: str = field(repr=False)
    no_show: bool = False
    full_from: float = 0.8
    series: Series = Series.BOOKED
    lists: tuple[str, ...] = ()
    staff_number_question: str = ""
    idnumber_property: str = ""
    timeout: float = 60.0
    page_size: int = PAGE_SIZE
    verify: bool | str = True
    proxy: str | None = None

    def __post_init__(self) -> None:
        if not _SLUG.match(self.organizer):
            raise ValueError(
                f"{self.key}: organizer is the short form in the organiser's address, as in "
                f"https://tickets.example.org/ORGANISER/, not {self.organizer!r}"
            )
        if not self.token.strip():
            raise ValueError(f"{self.key}: there is no API token")
        if not 0 < self.full_from <= 1:
            raise ValueError(f"{self.key}: full attendance is a share above 0, up to 1")
        if not 1 <= self.page_size <= PAGE_SIZE:
            raise ValueError(f"{self.key}: pretix gives at most {PAGE_SIZE} on a page")
        self.origin()

    def origin(self) -> Origin:
        """The organiser's API, with the token in the header that pretix asks for."""
        return Origin(
            key=self.key,
            url=f"{self.url.rstrip('/')}/api/v1/organizers/{self.organizer}/",
            headers={"Authorization": f"Token {self.token}"},
            what="pretix",
            refused=(
                "In pretix, under Organisers > Teams, the token belongs to a team that must still "
                "exist, have access to the events, and have the permission to view orders."
            ),
            timeout=self.timeout,
            verify=self.verify,
            proxy=self.proxy,
        )
