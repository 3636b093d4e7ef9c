"""`bridge mail`: what waits to be sent and why, sending now, and letting stuck mail go again."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bridge.bootstrap_doors import mail_room
from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.services import mailing, notify


@click.group()
def mail() -> None:
    """The mail queue."""


@mail.command("list")
@click.option("--stuck", is_flag=True, help="Only what failed or needs somebody.")
@site_option
@json_option
def list_(stuck: bool, folder: Path, as_json: bool) -> None:
    """Show how the queue stands, and the mails in it."""
    with opened(folder) as bridge:
        queue = mailing.queue(bridge.context, stuck=stuck)
    if as_json:
        print_json(queue)
        return
    counts = queue.counts
    console.print(
        f"{counts.waiting} waiting for their time, {counts.failing} to be tried again, "
        f"{counts.needs_you} need somebody, {counts.sent} sent."
    )
    if queue.live_from is None:
        console.print("Only links are sent: set go_live under [mail] to start the other mail.")
    if queue.mails:
        rows = [(m.id, m.kind, m.name, m.next_at, m.attempts, m.error) for m in queue.mails]
        console.print(table("", ("id", "about", "to", "not before (UTC)", "tried", "why"), rows))


@mail.command()
@site_option
@json_option
def send(folder: Path, as_json: bool) -> None:
    """Send what is due now; 'bridge run' does so by itself."""
    with opened(folder) as bridge:
        notify.look_for_overdue(bridge.context)
        report = mailing.send_due(bridge.context, mail_room(bridge))
    if as_json:
        print_json(report)
    else:
        console.print(
            f"{report.sent} sent, {report.dropped} no longer needed, {report.later} later, "
            f"{report.needs_you} need somebody."
        )
        if report.error:
            console.print(report.error, markup=False, soft_wrap=True)
    if report.error:
        sys.exit(1)


@mail.command()
@click.argument("number", type=int)
@site_option
def retry(number: int, folder: Path) -> None:
    """Let mail NUMBER, which is stuck, go again at the next round."""
    with opened(folder) as bridge:
        mailing.retry(bridge.context, number)
    console.print(f"Mail {number} goes at the next round.")
