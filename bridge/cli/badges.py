"""`bridge badges`: desired against observed, what each means, what to make ready, strays."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from bridge.bootstrap import Bridge
from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.domain.errors import NotFound, PeerError
from bridge.domain.ports import Target
from bridge.domain.target_records import Stray
from bridge.services import badge_desk, preparing, strays
from bridge.services import mappings as mappings_service
from bridge.services.preparing import PrepareReport


@click.group(invoke_without_command=True)
@click.pass_context
@site_option
@json_option
def badges(context: click.Context, folder: Path, as_json: bool) -> None:
    """Badges by learner and target: what should be held, what was seen, and what needs you."""
    if context.invoked_subcommand is not None:
        return
    with opened(folder) as bridge:
        states = mappings_service.badge_states(bridge.context)
    if as_json:
        print_json(states)
        return
    console.print(
        table(
            "Badges",
            ("badge", "person", "target", "road", "should be", "was seen", "until", "notes"),
            (
                (
                    f"{s.badge_title} {s.period}",
                    s.person_name,
                    s.target_key,
                    f"{s.road or 'not decided yet'}{', the old one' if s.moved else ''}",
                    s.desired,
                    s.observed or "not looked yet",
                    s.expires_on,
                    s.needs_you or s.error or s.url,
                )
                for s in states
            ),
        )
    )


@badges.command()
@site_option
@json_option
def meaning(folder: Path, as_json: bool) -> None:
    """What each badge asks for, by which road it goes to each target, and what happens there when
    it runs out, is renewed or withdrawn."""
    with opened(folder) as bridge:
        found = badge_desk.meanings(bridge.context, bridge.targets)
    if as_json:
        print_json(found)
        return
    for badge in found:
        console.print(f"{badge.title} ({badge.key})", style="bold", markup=False)
        for target, words in badge.targets:
            console.print(f"  on {target}: {words.how}", markup=False, soft_wrap=True)
            for name, text in (
                ("runs out", words.expiry),
                ("renewed", words.renewal),
                ("withdrawn", words.withdrawal),
            ):
                if text:
                    console.print(f"    {name}: {text}", markup=False, soft_wrap=True)


def _targets(bridge: Bridge, name: str | None) -> Iterable[Target]:
    if name is None:
        return list(bridge.targets.values())
    if name not in bridge.targets:
        raise NotFound(f"There is no target '{name}'.")
    return [bridge.targets[name]]


@badges.command()
@click.argument("target", required=False)
@site_option
@json_option
def prepare(target: str | None, folder: Path, as_json: bool) -> None:
    """Make this year's badges ready, and in time next year's; say what is left by hand.

    The exit status is 1 while something is left.
    """
    reports = []
    with opened(folder) as bridge:
        for each in _targets(bridge, target):
            try:
                reports.append(preparing.prepare_by_hand(bridge.context, each))
            except PeerError as error:
                reports.append(PrepareReport(each.key, error=str(error)))
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            show_prepared(report)
    if any(report.error or report.needs_you for report in reports):
        sys.exit(1)


def show_prepared(report: PrepareReport) -> None:
    """What was made ready, and what is left, with its pages."""
    for made in report.made:
        console.print(f"{report.target}: made {made}.", markup=False)
    for one in report.stands:
        if not one.left:
            console.print(f"{report.target}: {one.title}: ready.", markup=False)
        for step in one.left:
            console.print(
                f"{report.target}: {one.title}: needs an administrator: {step.words} {step.page}",
                markup=False, soft_wrap=True,
            )  # fmt: skip
    if not report.stands and not report.error:
        console.print(f"{report.target}: no badge needs making ready.")
    if report.error:
        console.print(f"{report.target}: {report.error}", markup=False, soft_wrap=True)


@badges.command("strays")
@click.option("--all", "everything", is_flag=True, help="Those that were left as they are, too.")
@site_option
@json_option
def strays_(everything: bool, folder: Path, as_json: bool) -> None:
    """Badges of ours on accounts for which no award is held, as 'bridge reconcile' saw them."""
    found: list[Stray] = []
    with opened(folder) as bridge:
        after = None
        while True:
            page = strays.listed(bridge.context, open_only=not everything, after=after, limit=500)
            found += page.items
            after = page.after
            if after is None:
                break
    if as_json:
        print_json(found)
        return
    console.print(
        table(
            "Badges that nobody was awarded",
            ("no.", "badge", "target", "account", "person", "issued", "by", "stands", "notes"),
            (
                (
                    s.id,
                    s.seen.title,
                    s.target_key,
                    s.seen.account,
                    s.name or "nobody's that the bridge knows",
                    s.seen.issued_at,
                    by_whom(s),
                    s.state,
                    s.said or s.seen.url,
                )
                for s in found
            ),
        )
    )


def by_whom(stray: Stray) -> str:
    """Who awarded it, as far as that is known."""
    return {True: "somebody there, by hand", False: "the bridge", None: "not known"}[
        stray.seen.by_hand
    ]


@badges.command("take-away")
@click.argument("number", type=int)
@site_option
def take_away(number: int, folder: Path) -> None:
    """Take a badge away that nobody was awarded (its number as 'bridge badges strays' has it)."""
    with opened(folder) as bridge:
        target = next(iter(_targets(bridge, strays.target_of(bridge.context, number))))
        done = strays.take_away(bridge.context, target, number)
    if done.state == strays.GONE:
        console.print("It is not held any more.")
    else:
        console.print(f"needs an administrator: {done.said}", markup=False, soft_wrap=True)
        sys.exit(1)


@badges.command()
@click.argument("number", type=int)
@site_option
def leave(number: int, folder: Path) -> None:
    """Let a badge stay that nobody was awarded; it is noted who said so."""
    with opened(folder) as bridge:
        strays.leave(bridge.context, number)
    console.print("It is left as it is.")
