"""`bridge booking`: systems that are asked by an API; the addresses of their webhooks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from bridge.bootstrap import tool_pages
from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.services import inbox


@click.command("hook")
@click.argument("source")
@click.option(
    "--keep-old", "hours", type=click.IntRange(0, 24 * 14), default=0, show_default=True,
    help="For so many hours, earlier addresses still work.",
)  # fmt: skip
@click.option("--base-url", help="The bridge's own address, unless bridge.toml has it.")
@site_option
def hook(source: str, hours: int, base_url: str | None, folder: Path) -> None:
    """A new webhook address for the pretix that SOURCE is in bridge.toml, shown once.

    Earlier addresses end, so this is how the secret in it is changed.
    """
    with opened(folder) as bridge:
        inbox.check_hook_source(source, tuple(bridge.config.pretix))
        pages = tool_pages(bridge, base_url)
        secret = inbox.issue_hook(bridge.context, source, timedelta(hours=hours))
    click.echo(f"{pages.base_url}/hooks/pretix/{source}/{secret}")
    console.print(
        "In pretix: Organisers > your organiser > Webhooks > Create webhook. Paste the address as "
        "'Target URL', choose all events, and under order changes, check-ins, events and waiting "
        "lists every action. Whoever knows the address can make the bridge look again at an "
        "order, and nothing else.", markup=False, soft_wrap=True,
    )  # fmt: skip


@click.command("hooks")
@site_option
@json_option
def hooks(folder: Path, as_json: bool) -> None:
    """The webhook addresses that are open; their secrets are not kept."""
    with opened(folder) as bridge:
        found = inbox.hooks(bridge.context)
    rows = [(h.source_key, h.issued_at, h.used_at, h.ends_at) for h in found]
    names = ("source", "issued", "last used", "ends")
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        console.print(table("Webhook addresses", names, rows))


@click.command("end-hook")
@click.argument("source")
@site_option
def end_hook(source: str, folder: Path) -> None:
    """End every webhook address of SOURCE: what comes there is turned away."""
    with opened(folder) as bridge:
        ended = inbox.end_hooks(bridge.context, source)
    console.print(f"{ended} addresses of {source} have ended.", markup=False)


#: What `bridge booking` gets from here.
COMMANDS = (hook, hooks, end_hook)
