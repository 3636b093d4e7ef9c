"""Activities by all their names, and accounts in doubt: `bridge activities`, `bridge doubts`."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.services import accounts as account_service
from bridge.services import activities as service


@click.group(invoke_without_command=True)
@click.option("--text", default="", help="Words of a title or code; without: of several names.")
@site_option
@json_option
@click.pass_context
def activities(context: click.Context, text: str, folder: Path, as_json: bool) -> None:
    """Activities by all their names: an event and its course in Moodle may be one."""
    if context.invoked_subcommand is not None:
        return
    with opened(folder) as bridge:
        page = service.activities(bridge.context, text, joined=not text)
        joins = [
            join
            for each in page.items
            if len(each.names) > 1
            for join in service.activity(bridge.context, each.id).joins
        ]
    if as_json:
        print_json({"activities": page.items, "joins": joins})
        return
    rows = [
        (a.id, name.source_key, name.title, name.records, ", ".join(a.trainers))
        for a in page.items
        for name in a.names
    ]
    console.print(table("Activities", ("activity", "source", "name", "records", "trainers"), rows))
    console.print(
        table(
            "Joins",
            ("join", "activity", "is", "why", "by", "since"),
            [(j.id, j.activity_title, j.into_title, j.reason, j.by, j.at) for j in joins],
        )
    )


@activities.command("join")
@click.argument("one", type=int)
@click.argument("other", type=int)
@click.option("--reason", required=True, help="How you know that they are one.")
@site_option
def join_activities(one: int, other: int, reason: str, folder: Path) -> None:
    """Say that activities ONE and OTHER are one by several names."""
    with opened(folder) as bridge:
        made = service.join(bridge.context, one, other, reason)
    console.print(f"They are one activity now: {made}.")


@activities.command("part")
@click.argument("number", type=int)
@site_option
def part_activities(number: int, folder: Path) -> None:
    """Undo the join NUMBER of 'bridge activities'. What people worked on stays as it is."""
    with opened(folder) as bridge:
        service.part(bridge.context, number)
    console.print("They are two activities again.")


@click.command()
@site_option
@json_option
def doubts(folder: Path, as_json: bool) -> None:
    """Accounts that are somebody's by an address which several names or people have."""
    with opened(folder) as bridge:
        page = account_service.doubts(bridge.context)
    if as_json:
        print_json(page.items)
        return
    rows = [
        (d.account.id, d.source_key, d.account.facts.display_name, d.account.facts.email,
         f"{d.person_name} ({d.person})", d.code, d.since)
        for d in page.items
    ]  # fmt: skip
    columns = ("account", "source", "name there", "email", "belongs to", "why", "since")
    console.print(table("Accounts in doubt", columns, rows))
    if rows:
        console.print(
            "Settle one with: bridge people link ACCOUNT PERSON --reason '...', or "
            "bridge people unlink ACCOUNT"
        )
