"""Things that go wrong with a real Moodle, to be switched on by a test or a demonstration.

    moodle.faults.add(Fault.HTML_PAGE, function="core_reportbuilder_retrieve_report", times=1)
    moodle.faults.clear()

A fault strikes every matching call until it has struck `times` times or is cleared; `skip`
lets that many matching calls through first.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What can go wrong. Where a fault takes a `value`, its meaning is given here."""

    # In place of the answer
    HTML_PAGE = "html page"
    """HTTP 200 with a page where JSON was asked for (a proxy, a login page)."""
    MAINTENANCE = "maintenance"
    """HTTP 503, HTML, Retry-After: 300."""
    SITE_MAINTENANCE = "site maintenance"
    """HTTP 200 with `sitemaintenance`, as when it was switched on in the administration."""
    UPGRADE_RUNNING = "upgrade running"
    """HTTP 200 with `upgraderunning`."""
    WEB_SERVICES_OFF = "web services off"
    """HTTP 403 with an empty body."""
    DATABASE_DOWN = "database down"
    """HTTP 200 with `dbconnectionfailed` and HTML inside the message."""
    TOO_MANY_REQUESTS = "too many requests"
    """HTTP 429 with Retry-After: `value` seconds (1)."""
    TOKEN_EXPIRED = "token expired"  # noqa: S105 - the name of a fault
    """`accessexception` the first time, `invalidtoken` after that."""

    # On the way
    SLOW = "slow"
    """The answer comes `value` seconds late (1)."""
    DRIPPING = "dripping"
    """The answer comes byte by byte, one in `value` seconds (0.1)."""
    CUT_CONNECTION = "cut connection"
    """The connection drops in the middle of the body; Content-Length promised all of it."""
    TRUNCATED_BODY = "truncated body"
    """Half of the body, properly ended: nothing but the JSON shows that it is short."""
    LOST_REPLY = "lost reply"
    """The call takes effect, and the connection drops before a byte of the answer."""

    # In the answer
    EMPTY_ANSWER = "empty answer"
    """Lists come back empty without an error, as when a capability was taken away."""
    REPORTS_MISSING = "reports missing"
    """No report is listed, and none can be retrieved."""
    REARRANGED_COLUMNS = "rearranged columns"
    """Report columns, and their headings, in the opposite order."""
    MISSING_COLUMN = "missing column"
    """The report column `value` ("completion:timecompleted") is gone."""
    OTHER_LANGUAGE = "other language"
    """Answers in the language `value` ("fr"), whatever the call or the user asks for."""
    OTHER_ZONE = "other zone"
    """The site forces the time zone `value` ("America/New_York") on everybody."""
    DUPLICATE_ROWS = "duplicate rows"
    """Every completion twice, as with two enrolment methods."""


DEFAULTS = {
    Fault.TOO_MANY_REQUESTS: "1",
    Fault.SLOW: "1",
    Fault.DRIPPING: "0.1",
    Fault.MISSING_COLUMN: "completion:timecompleted",
    Fault.OTHER_LANGUAGE: "fr",
    Fault.OTHER_ZONE: "America/New_York",
}


@dataclass
class _Planned:
    fault: Fault
    value: str
    function: str | None
    times: int | None
    skip: int
    struck: int = 0

    def strikes(self, function: str) -> bool:
        """Whether it strikes this call; counts it."""
        if self.function not in (None, function) or self.struck == self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.struck += 1
        return True


class Faults:
    """The faults in force. Safe to change while the server runs."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def add(
        self,
        fault: Fault,
        *,
        value: str | float | None = None,
        function: str | None = None,
        times: int | None = None,
        skip: int = 0,
    ) -> None:
        """Switch a fault on, for one web service function or (None) for all of them."""
        text = DEFAULTS.get(fault, "") if value is None else str(value)
        with self._lock:
            self._planned.append(_Planned(fault, text, function, times, skip))

    def clear(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._planned.clear()

    def striking(self, function: str) -> Mapping[Fault, str]:
        """The faults that strike this call, with their values; an expired token says how often."""
        struck = {}
        with self._lock:
            for planned in self._planned:
                if planned.strikes(function):
                    count = str(planned.struck)
                    struck[planned.fault] = (
                        count if planned.fault is Fault.TOKEN_EXPIRED else planned.value
                    )
        return struck
