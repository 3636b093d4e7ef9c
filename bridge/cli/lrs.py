"""`bridge lrs`: what Learning Record Stores are told of verifications, and what waits."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.services import people as people_service
from bridge.services import telling


@click.group()
def lrs() -> None:
    """Learning Record Stores that are told what was verified (docs/xapi-telling.md)."""


@lrs.command("list")
@site_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """Show how each queue stands, and what in it failed."""
    with opened(folder) as bridge:
        queue = telling.queue(bridge.context)
    if as_json:
        print_json(queue)
        return
    if not queue.counts:
        console.print(
            "No LRS is told of verifications. docs/xapi-telling.md says how to set one up."
        )
        return
    rows = [(c.target, c.waiting, c.failing, c.needs_you, c.told_at) for c in queue.counts]
    heads = ("LRS", "wait", "tried again", "need somebody", "last told (UTC)")
    console.print(table("Told of verifications", heads, rows))
    if queue.open:
        failed = [(o.id, o.target, o.decision, o.next_at, o.attempts, o.error) for o in queue.open]
        why = ("id", "LRS", "decision", "not before (UTC)", "tried", "why")
        console.print(table("Not told", why, failed))


@lrs.command()
@click.argument("name")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Also what was decided from that day on, before the LRS was set up.",
)
@site_option
@json_option
def tell(name: str, since: datetime | None, folder: Path, as_json: bool) -> None:
    """Tell the LRS NAME what is due now; 'bridge run' does so by itself.

    With --since, verifications that stand are told from that day on. Saying it again tells none
    of them twice.
    """
    with opened(folder) as bridge:
        queued = telling.catch_up(bridge.context, name, since.date() if since else None)
        report = telling.tell_due(bridge.context, bridge.tellers[name])
    if as_json:
        print_json({"queued": queued, "report": report})
    else:
        if since is not None:
            console.print(f"{queued} decisions were not queued yet.")
        console.print(
            f"{name}: {report.told} told, {report.dropped} no longer to be told, {report.later} "
            f"later, {report.needs_you} need somebody."
        )
        if report.error:
            console.print(report.error, markup=False, soft_wrap=True)
    if report.error or report.needs_you:
        sys.exit(1)


@lrs.command()
@click.argument("name")
@site_option
def retry(name: str, folder: Path) -> None:
    """Let what waits for the LRS NAME go at the next round."""
    with opened(folder) as bridge:
        released = telling.retry(bridge.context, name)
    console.print(f"{released} decisions go at the next round.")


@lrs.command()
@click.argument("name")
@click.argument("who")
@site_option
def known_as(name: str, who: str, folder: Path) -> None:
    """By what name the LRS NAME knows WHO (an address, a staff number, or an id of ours).

    For finding what it holds of a person. Looking is recorded in the trail.
    """
    with opened(folder) as bridge:
        person = people_service.find(bridge.context, who)
        words = telling.name_of(bridge.context, name, person.id)
        home = telling.telling_of(bridge.context, name).home
    console.print(f"{words} at {home}", markup=False, soft_wrap=True)
