"""`bridge doctor` for an LRS: real, harmless reads, and what to do where one fails."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.connectors.xapi.client import LrsClient, StatementPage
from bridge.connectors.xapi.clock import Latecomer, which_clock
from bridge.connectors.xapi.settings import SinceMeans
from bridge.connectors.xapi.statements import read_statement
from bridge.domain.errors import NeedsAdministrator, PeerError, TryLater
from bridge.domain.ports import Finding
from bridge.domain.records import Unreadable

#: A clock further off than this makes a bookmark miss things, whatever the overlap.
CLOCK_SLACK = timedelta(minutes=5)
#: So many of the latest statements are looked at.
LOOKED_AT = 100


def findings(client: LrsClient, now: datetime) -> list[Finding]:
    """What was tried, how it went, and the remedy. It stops where nothing further can work."""
    settings = client.settings
    try:
        version = client.negotiate()
        page = client.statements({"limit": LOOKED_AT})
    except NeedsAdministrator as error:
        return [Finding("reach", False, str(error), _reach(error))]
    except PeerError as error:
        return [Finding("reach", False, str(error), unlike_an_lrs(error, settings.url))]
    found = [Finding("reach", True, f"The LRS answers at {settings.url}, as xAPI {version}.")]
    if page.sent_at is not None and abs(page.sent_at - now) > CLOCK_SLACK:
        found.append(Finding(
            "clock", False,
            f"The LRS's clock and ours are {abs(page.sent_at - now)} apart.",
            "Set both servers' clocks by NTP; until then statements may be seen late.",
            warning=True,
        ))  # fmt: skip
    if not page.parts:
        found.append(Finding(
            "statements", False, "No statement shows.",
            "If the LRS holds some, its credentials may see their own only: give them the right "
            "to read all statements.",
            warning=True,
        ))  # fmt: skip
        return found
    late = _look_at(client, page, found)
    found.append(_since(client, late))
    return found


def _look_at(client: LrsClient, page: StatementPage, found: list[Finding]) -> Latecomer:
    late = Latecomer()
    unread: list[str] = []
    for part in page.parts:
        told = read_statement(part, client.settings.rules)
        late.look_at(told.key, told.happened, told.stored)
        unread += [i.fact.message for i in told.items if isinstance(i.fact, Unreadable)]
    number = len(page.parts)
    found.append(Finding("statements", True, f"The latest {number} statements show."))
    if unread:
        found.append(Finding(
            "statements", False,
            f"{len(unread)} of the latest {number} cannot be read, the first of them because: "
            f"{unread[0]}",
            "They wait in quarantine once they are pulled.",
            warning=True,
        ))  # fmt: skip
    return late


def _since(client: LrsClient, late: Latecomer) -> Finding:
    means = client.settings.since_means
    try:
        seen = which_clock(client, late)
    except PeerError as error:
        return Finding("since", False, str(error), "Try again later.", warning=True)
    if seen is SinceMeans.DETECT:
        return Finding(
            "since", True, "No statement was stored late enough to tell by which clock it finds."
        )
    if seen is SinceMeans.STORED and means is not SinceMeans.TIMESTAMP:
        return Finding("since", True, "It gives what was stored since a time, as it should.")
    if seen is SinceMeans.STORED:
        return Finding(
            "since", False, "It gives what was stored since a time, as it should.",
            f'Take since_means out of [lrs.{client.settings.key}]: it costs a full read a night.',
            warning=True,
        )  # fmt: skip
    if means is SinceMeans.TIMESTAMP:
        return Finding(
            "since", True,
            "It gives what happened since a time; as configured, all is read again each night.",
        )  # fmt: skip
    return Finding(
        "since", False,
        "It gives what happened since a time, not what was stored since: what is told late could "
        "be missed.",
        f'Write since_means = "timestamp" under [lrs.{client.settings.key}].',
        warning=means is SinceMeans.DETECT,
    )  # fmt: skip


def unlike_an_lrs(error: PeerError, url: str) -> str:
    """What to do where an answer was none of an LRS, or will be one later."""
    if isinstance(error, TryLater) and error.detail:
        return "Try again later."
    return (
        f"If it stays so: is {url} the endpoint of the LRS, and not its pages for people? Its "
        "settings show the endpoint; it often ends with /xapi or /data/xAPI."
    )


def _reach(error: NeedsAdministrator) -> str:
    if error.detail in ("401", "403"):
        return "Make credentials in the LRS that may read all statements, and configure them."
    return "Check url in bridge.toml: it is the endpoint, to which '/statements' is added."
