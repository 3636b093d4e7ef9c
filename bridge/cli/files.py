"""`bridge frameworks`, `mappings` and `schemas`: the files that people edit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bridge.bootstrap import Bridge, publish_files
from bridge.catalog.yamlfile import load_schema
from bridge.cli.common import (
    console,
    errors_console,
    json_option,
    opened,
    print_json,
    site_option,
    table,
)
from bridge.domain.problems import Problem, errors_among, in_order
from bridge.services import mappings as mappings_service
from bridge.services.mappings import Impact


def _report(problems: Sequence[Problem], as_json: bool, kind: str) -> None:
    """Show every problem; exit 1 where one is an error."""
    if as_json:
        print_json([{"where": p.where, "severity": p.severity, "text": str(p)} for p in problems])
    else:
        for problem in in_order(problems):
            errors_console.print(str(problem), markup=False, soft_wrap=True)
        errors = len(errors_among(problems))
        console.print(
            f"{errors} errors, {len(problems) - errors} warnings in the {kind} files."
            if problems
            else f"The {kind} files are in order."
        )
    if errors_among(problems):
        sys.exit(1)


@click.group()
def mappings() -> None:
    """Which courses suggest which competencies: check, look at the impact, publish."""


@mappings.command()
@site_option
@json_option
def check(folder: Path, as_json: bool) -> None:
    """Check the mapping and badge files; the exit status is 1 when there is an error."""
    with opened(folder) as bridge:
        files = bridge.files()
    _report([*files.mappings.problems, *files.badges.problems], as_json, "mapping")


@mappings.command()
@site_option
@json_option
def impact(folder: Path, as_json: bool) -> None:
    """What publishing would add and withdraw, and for how many people. Nothing is changed."""
    with opened(folder) as bridge:
        found = mappings_service.impact(bridge.context, bridge.files().checked())
    if as_json:
        print_json(found)
    else:
        show_impact(found, "would")


@mappings.command()
@click.option("--comment", "-m", default="", help="Why; it is kept with the version.")
@site_option
@json_option
def publish(comment: str, folder: Path, as_json: bool) -> None:
    """Put the files in force: frameworks, mappings and badges. Only untouched drafts change."""
    with opened(folder) as bridge:
        found = publish_files(bridge, comment)
    if as_json:
        print_json(found)
    else:
        show_impact(found, "did")


def show_impact(found: Impact, verb: str) -> None:
    """An impact in a few lines."""
    if found.nothing:
        console.print("The mapping files say what is in force already.")
        return
    would = "would be" if verb == "would" else "were"
    for name in found.published:
        console.print(f"Published: {name}" if verb == "did" else f"Would publish: {name}")
    for name in found.retired:
        console.print(f"Retired: {name}" if verb == "did" else f"Would retire: {name}")
    for name in found.badges:
        console.print(
            f"Badge new or changed: {name}. Awards are looked at again with the next "
            "'bridge publish'."
        )
    console.print(
        f"{found.records} records looked at: {found.added} suggestions {would} added, "
        f"{found.withdrawn} untouched ones withdrawn, for {found.people} people; "
        f"{found.no_longer_suggested} claims that people worked on stay, no longer suggested."
    )
    console.print(
        f"Claims that people worked on: {found.human_before} before, {found.human_after} after."
    )


@mappings.command("list")
@site_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """The rules in force."""
    with opened(folder) as bridge:
        rules = _rules(bridge)
    if as_json:
        print_json(rules)
        return
    console.print(
        table(
            "Rules in force",
            ("rule", "title", "matches", "suggests"),
            (
                (
                    f"{r['mapping']}/{r['rule']}",
                    r["title"],
                    "; ".join(", ".join(f"{k} {v}" for k, v in m.items()) for m in r["match"]),
                    r["ignore"] or ", ".join(f"{e} {c}" for e, c in r["suggests"]),
                )
                for r in rules
            ),
        )
    )


def _rules(bridge: Bridge) -> list[dict[str, Any]]:
    return mappings_service.rules_in_force(bridge.context)


@click.group()
def frameworks() -> None:
    """Competency frameworks: list them, check their files."""


@frameworks.command("check")
@site_option
@json_option
def check_frameworks(folder: Path, as_json: bool) -> None:
    """Check the framework files; the exit status is 1 when there is an error."""
    with opened(folder) as bridge:
        problems = bridge.files().frameworks.problems
    _report(problems, as_json, "framework")


@frameworks.command("list")
@click.option("--edition", help="Show the competencies of one edition.")
@site_option
@json_option
def list_frameworks(edition: str | None, folder: Path, as_json: bool) -> None:
    """The published editions, or one edition's competencies."""
    with opened(folder) as bridge:
        found = mappings_service.editions(bridge.context)
    if edition:
        found = [each for each in found if each.id == edition]
    if as_json:
        print_json(found)
    elif edition:
        for each in found:
            rows = ((c.code, c.level or "", c.text) for c in each.competencies)
            console.print(table(each.title, ("code", "level", "text"), rows))
    else:
        console.print(
            table(
                "Published editions",
                ("edition", "title", "competencies", "groups", "levels"),
                ((e.id, e.title, len(e.competencies), len(e.groups), len(e.levels)) for e in found),
            )
        )


@click.command()
@click.argument("name", required=False)
def schemas(name: str | None) -> None:
    """Print the JSON Schema of a file (mapping, badges, framework...), for editors and CI."""
    known = ("mapping", "badges", "framework", "crosswalk", "questions", "profile", "rest",
             "competencies")  # fmt: skip
    if name is None:
        click.echo("\n".join(known))
    elif name not in known:
        raise click.BadParameter(f"there are {', '.join(known)}")
    else:
        print_json(load_schema(name))
