"""`bridge doctor` for pretix: real, harmless reads, and what to do where one fails."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.connectors.booking.pretix.client import PretixClient
from bridge.domain.errors import NeedsAdministrator, PeerError
from bridge.domain.ports import Finding

#: A clock further off than this makes a bookmark miss things, whatever the overlap.
CLOCK_SLACK = timedelta(minutes=5)


def findings(client: PretixClient, now: datetime) -> list[Finding]:
    """What was tried, how it went, and the remedy. It stops where nothing further can work."""
    settings = client.settings
    found: list[Finding] = []
    try:
        events = next(client.pages("events/", {"page_size": 1}))
        answer = client.web.get("orders/", {"page_size": 1})
    except NeedsAdministrator as error:
        return [Finding("reach", False, str(error), _reach(client, error))]
    except PeerError as error:
        return [Finding("reach", False, str(error), "Try again later.")]
    found.append(
        Finding("reach", True, f"The organiser '{settings.organizer}' answers at {settings.url}.")
    )
    if answer.sent_at is not None and abs(answer.sent_at - now) > CLOCK_SLACK:
        found.append(Finding(
            "clock", False,
            f"pretix's clock and ours are {abs(answer.sent_at - now)} apart.",
            "Set both servers' clocks by NTP; until then changes may be seen a day late.",
            warning=True,
        ))  # fmt: skip
    if not events.results:
        found.append(Finding(
            "events", False, "The token shows no event.",
            "In pretix, give the token's team access to the events (or to all events).",
        ))  # fmt: skip
        return found
    found.append(Finding("events", True, f"{events.count} events show."))
    slug = events.results[0]["slug"]
    found.append(_can(client, "orders", f"events/{slug}/orders/", "orders and check-ins show"))
    found.append(_can(
        client, "waiting lists", f"events/{slug}/waitinglistentries/", "waiting lists show"
    ))  # fmt: skip
    found += _lists(client, slug)
    return found


def _can(client: PretixClient, check: str, path: str, words: str) -> Finding:
    try:
        client.count(path, {})
    except PeerError as error:
        return Finding(
            check, False, str(error),
            "In pretix, under Organisers > Teams, give the token's team the permission to view "
            "orders. Without it the list of all orders is empty and no error.",
        )  # fmt: skip
    return Finding(check, True, f"With this token {words}.")


def _lists(client: PretixClient, slug: str) -> list[Finding]:
    """Whether the configured check-in lists are there, as far as the newest event can tell."""
    wanted = client.settings.lists
    if not wanted:
        return []
    try:
        names = {str(o["name"]).casefold() for o in client.all(f"events/{slug}/checkinlists/")}
    except PeerError as error:
        return [Finding("check-in lists", False, str(error), "See above.")]
    absent = [name for name in wanted if name.casefold() not in names]
    if not absent:
        return [Finding("check-in lists", True, f"The lists {', '.join(wanted)} are there.")]
    return [Finding(
        "check-in lists", False,
        f"The event {slug} has no check-in list {', '.join(absent)}.",
        "Correct lists in bridge.toml, or take the setting out to count every list.",
        warning=True,
    )]  # fmt: skip


def _reach(client: PretixClient, error: NeedsAdministrator) -> str:
    if error.detail in ("401", "403"):
        return (
            "In pretix, under Organisers > Teams, make an API token in a team with access to the "
            f"events and the permission to view orders, for '{client.settings.organizer}'."
        )
    return "Check url and organizer in bridge.toml: url is the front page's, without the organiser."
