"""`bridge explain`, `ledger`, `unmapped`, `quarantine`, `trail`: seeing why, and what is stuck."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.tree import Tree

from bridge.bootstrap import status_reader
from bridge.cli.common import (
    console,
    json_option,
    opened,
    print_json,
    refs,
    shown,
    site_option,
    table,
)
from bridge.domain.errors import NotFound
from bridge.domain.records import Disposition
from bridge.services import explain as explain_service
from bridge.services import explain_statement
from bridge.services import ledger as ledger_service
from bridge.services import people as people_service
from bridge.services.explain import Explanation


@click.command()
@click.argument("what", type=click.Choice(["record", "evidence", "person", "statement"]))
@click.argument("who")
@click.argument("competency", required=False)
@site_option
@json_option
def explain(what: str, who: str, competency: str | None, folder: Path, as_json: bool) -> None:
    """Why a record or an xAPI statement became what it is, why evidence claims what it claims,
    or why nothing does.

    \b
    bridge explain record 17
    bridge explain evidence 5
    bridge explain person ESR100001 13
    bridge explain statement 0190f3a2-7c1e-7d00-9b1e-000000000001
    """
    with opened(folder) as bridge:
        if what == "person":
            if competency is None:
                raise click.UsageError("Name a competency too: bridge explain person WHO 13")
            person = people_service.find(bridge.context, who)
            told = explain_service.absence(
                bridge.context, person.id, refs([competency])[0], bridge.identity
            )
        elif what == "statement":
            told = explain_statement.statement(bridge.context, who, bridge.identity)
        elif not who.isdecimal():
            raise click.UsageError(f"Give the number of the {what}.")
        elif what == "record":
            told = explain_service.record(bridge.context, int(who), bridge.identity)
        else:
            told = explain_service.evidence(bridge.context, int(who), bridge.identity)
    if as_json:
        print_json(told.as_json())
    else:
        console.print(tree(told))


def tree(told: Explanation) -> Tree:
    """An explanation as a tree, nothing in it taken for markup."""
    return _grow(Tree(shown(told.heading)), told)


def _grow(branch: Tree, told: Explanation) -> Tree:
    for line in told.lines:
        branch.add(shown(line))
    for part in told.parts:
        _grow(branch.add(shown(part.heading)), part)
    return branch


@click.command()
@site_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """How each source, target and LRS that is told stands: what waits, who is in maintenance."""
    with opened(folder) as bridge:
        found = status_reader(bridge).status()
    if as_json:
        sources = [
            {"key": s.key, "health": s.health.value, "outcome": s.words} for s in found.sources
        ]
        targets = [
            {
                "key": t.key,
                "health": t.health.value,
                "in_step": t.in_step,
                "waiting": t.waiting,
                "stuck": t.stuck,
                "reasons": list(t.reasons),
            }
            for t in found.targets
        ]
        told = [
            {
                "key": t.key,
                "health": t.health.value,
                "waiting": t.waiting,
                "failing": t.failing,
                "needs_you": t.needs_you,
                "told_at": t.told_at,
                "reasons": list(t.reasons),
            }
            for t in found.tells
        ]
        print_json({"sources": sources, "targets": targets, "told": told})
        return
    for source in found.sources:
        console.print(f"{source.key}: {source.health.value}. {source.words}", markup=False)
    for target in found.targets:
        console.print(
            f"Badges in {target.key}: {target.in_step} in step, {target.waiting} waiting, "
            f"{target.stuck} stuck. {' '.join(target.reasons)}",
            markup=False,
        )
    for lrs in found.tells:
        console.print(
            f"Told of verifications, {lrs.key}: {lrs.waiting} waiting, {lrs.failing} tried "
            f"again, {lrs.needs_you} need you. {' '.join(lrs.reasons)}",
            markup=False,
        )


@click.command()
@click.option("--reasons", is_flag=True, help="Also why, for each disposition.")
@site_option
@json_option
def ledger(reasons: bool, folder: Path, as_json: bool) -> None:
    """For each source: received = the sum of what became of it. The exit status says if not."""
    with opened(folder) as bridge:
        lines = ledger_service.ledger_counted(bridge.context)
        why = ledger_service.reasons(bridge.context) if reasons else []
    if as_json:
        print_json(
            {
                "sources": [
                    {
                        "source": line.source,
                        "received": line.received,
                        "dispositions": dict(line.counts),
                        "waiting": line.waiting,
                        "adds_up": line.adds_up,
                    }
                    for line in lines
                ],
                "reasons": why,
            }
        )
    else:
        show_ledger(lines)
        if why:
            console.print(table("Why", ("source", "disposition", "reason", "records"), why))
    if not all(line.adds_up for line in lines):
        sys.exit(1)


def show_ledger(lines: list[ledger_service.LedgerLine]) -> None:
    """The ledger as a table."""
    rows: list[tuple[object, ...]] = [
        (d.value, *(line.counts[d] for line in lines)) for d in Disposition
    ]
    if any(line.waiting for line in lines):
        rows.append(("waiting to be looked at", *(line.waiting for line in lines)))
    rows.append(("received", *(line.received for line in lines)))
    rows.append(("", *("adds up" if line.adds_up else "DOES NOT ADD UP" for line in lines)))
    console.print(table("Ledger", ("disposition", *(line.source for line in lines)), rows))


@click.command()
@site_option
@json_option
def unmapped(folder: Path, as_json: bool) -> None:
    """Activities that no rule names, by how many people wait on them."""
    with opened(folder) as bridge:
        found = ledger_service.unmapped(bridge.context)
    if as_json:
        print_json([{"activity": a, "records": n, "people": p} for a, n, p in found])
        return
    console.print(
        table(
            "Unmapped activities",
            ("source", "id", "idnumber", "short name", "title", "category", "people", "records"),
            (
                (
                    a.source_key,
                    a.facts.value,
                    a.facts.idnumber,
                    a.facts.shortname,
                    a.facts.title,
                    a.facts.category,
                    people,
                    records,
                )
                for a, records, people in found
            ),
        )
    )
    if found:
        console.print("Add a rule for them in mappings/, or one with 'ignore' and the reason.")


@click.group()
def quarantine() -> None:
    """What could not be read or placed: kept whole, and tried again when you say."""


@quarantine.command("list")
@click.option("--source")
@site_option
@json_option
def list_(source: str | None, folder: Path, as_json: bool) -> None:
    """Everything set aside, with its reason."""
    with opened(folder) as bridge:
        found = ledger_service.quarantined(bridge.context, source)
    if as_json:
        print_json(found)
        return
    console.print(
        table(
            "Quarantine",
            ("item", "source", "key", "since", "reason"),
            (
                (
                    q.received_id,
                    q.source_key,
                    q.natural_key,
                    q.since,
                    q.message + (" It is no longer in the source." if q.gone else ""),
                )
                for q in found
            ),
        )
    )


@quarantine.command()
@click.option("--source", help="Only this source.")
@site_option
@json_option
def replay(source: str | None, folder: Path, as_json: bool) -> None:
    """Try again to read and place everything that is set aside."""
    results = []
    with opened(folder) as bridge:
        names = [source] if source else list(bridge.identity)
        for name in names:
            trusted = bridge.sources.get(name) or bridge.received(name)
            if trusted is None:
                raise NotFound(f"There is no source '{name}'.")
            released, left = ledger_service.replay(bridge.context, trusted)
            results.append({"source": name, "released": released, "left": left})
    if as_json:
        print_json(results)
        return
    for result in results:
        console.print("{source}: {released} released, {left} still set aside.".format(**result))


@click.command()
@click.option("--last", default=50, show_default=True, help="How many lines.")
@site_option
@json_option
def trail(last: int, folder: Path, as_json: bool) -> None:
    """The audit trail: every human decision, and every read of another's reflection."""
    with opened(folder) as bridge:
        found = ledger_service.trail(bridge.context, last)
    if as_json:
        print_json(found)
        return
    console.print(
        table(
            "Audit trail",
            ("no.", "at (UTC)", "who", "act", "on", "through", "OS user"),
            ((e.id, e.at, e.actor, e.act, e.subject, e.channel, e.os_user) for e in found),
        )
    )
