"""`bridge pull`, `publish`, `reconcile` and `run`: what moves data in and badges out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bridge.bootstrap import Bridge, serve_site
from bridge.cli.common import console, json_option, opened, print_json, site_option
from bridge.domain.errors import BridgeError, LostLease, NotFound, PeerError, Refused
from bridge.domain.ports import Target
from bridge.domain.records import Disposition
from bridge.services import awards as awards_service
from bridge.services import profile_status
from bridge.services import publish as publish_service
from bridge.services import pull as pull_service
from bridge.services.context import Context
from bridge.services.profile_status import StatusReport
from bridge.services.publish import PublishReport
from bridge.services.pull import PullReport


@click.command()
@click.argument("source", required=False)
@click.option("--full", is_flag=True, help="Read everything, and find what has vanished.")
@click.option("--believe", is_flag=True, help="With --full: what is missing really is gone.")
@site_option
@json_option
def pull(source: str | None, full: bool, believe: bool, folder: Path, as_json: bool) -> None:
    """Pull completions from SOURCE, or from every source, and draft evidence from them."""
    failed = False
    reports: list[PullReport] = []
    with opened(folder) as bridge:
        if source in bridge.identity and source not in bridge.sources:
            raise Refused(
                f"'{source}' sends its statements here by itself: there is nothing to pull. "
                "'bridge ledger' shows what came."
            )
        names = _chosen(source, [name for name in bridge.identity if name in bridge.sources])
        for name in names:
            try:
                reports.append(pull_with_progress(bridge, name, full, believe, quiet=as_json))
            except (PeerError, LostLease) as error:
                failed = True
                report = PullReport(name, full, note=str(error))
                reports.append(report)
    if as_json:
        print_json([_pull_json(report) for report in reports])
    else:
        for report in reports:
            show_pull(report)
    if failed or any(report.needs_you for report in reports):
        sys.exit(1)


def _say(name: str, words: str) -> None:
    """What is said of a source or target, which errors name already."""
    console.print(f"{name}: {words.removeprefix(f'{name}: ')}", markup=False, soft_wrap=True)


def _chosen(name: str | None, known: list[str]) -> list[str]:
    if name is None:
        if not known:
            raise BridgeError(
                "Nothing is configured to pull from. Add [moodle.NAME], [lrs.NAME] or "
                "[files.NAME] to bridge.toml."
            )
        return known
    if name not in known:
        raise NotFound(f"There is no source '{name}'. There are: {', '.join(known) or 'none'}.")
    return [name]


def pull_with_progress(
    bridge: Bridge, name: str, full: bool, believe: bool, *, quiet: bool
) -> PullReport:
    """One source, with a progress bar on a terminal."""
    trusted = bridge.sources[name]
    if quiet:
        return pull_service.pull(bridge.context, trusted, full=full, believe=believe)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )  # fmt: skip
    with Progress(*columns, console=console, transient=False) as bar:
        task = bar.add_task(f"Pulling {name}", total=None)

        def tell(done: int, expected: int | None) -> None:
            bar.update(task, completed=done, total=expected if expected is not None else done)

        return pull_service.pull(bridge.context, trusted, full=full, believe=believe, progress=tell)


#: What becomes of records that wait for somebody, and the command that lists them.
_TO_DO = {
    Disposition.QUARANTINED: "bridge quarantine list",
    Disposition.UNMAPPED: "bridge unmapped",
    Disposition.UNMATCHED: "bridge unmatched",
}


def show_pull(report: PullReport) -> None:
    """A pull, or a file that was loaded, in a few lines; what needs somebody has its command."""
    tally = report.tally
    if report.complete and not tally.items and tally.wrote_nothing:
        console.print(f"{report.source}: nothing came.")
    elif report.complete and tally.wrote_nothing:
        console.print(f"{report.source}: {tally.items} records, all known. Nothing was written.")
    elif report.complete:
        gone = f", {tally.vanished} gone" if tally.vanished else ""
        back = f", {tally.returned} back" if tally.returned else ""
        console.print(
            f"{report.source}: {tally.new} new, {tally.changed} changed, {tally.unchanged} known"
            f"{gone}{back}. {tally.drafts} drafts with {tally.claims} suggestions."
        )
        for disposition, command in _TO_DO.items():
            if count := tally.dispositions[disposition]:
                console.print(f"  {count} of the new are {disposition.value}: see '{command}'.")
    if report.note:
        _say(report.source, report.note)


def _pull_json(report: PullReport) -> dict[str, object]:
    return {
        "source": report.source,
        "full": report.full,
        "complete": report.complete,
        "note": report.note,
        "needs_you": report.needs_you,
        **report.tally.as_counts(),
        "dispositions": dict(report.tally.dispositions),
    }


@click.command()
@site_option
@json_option
def publish(folder: Path, as_json: bool) -> None:
    """Work out awards from verified claims, and bring every target's badges and statuses into
    step."""
    _deliver(folder, as_json, publish_service.deliver)


@click.command()
@site_option
@json_option
def reconcile(folder: Path, as_json: bool) -> None:
    """Read all badges back from every target, show what differs, and bring it into step."""
    _deliver(folder, as_json, publish_service.reconcile)


def _deliver(folder: Path, as_json: bool, how: Callable[[Context, Target], PublishReport]) -> None:
    with opened(folder) as bridge:
        awards = awards_service.update_awards(bridge.context)
        reports: list[PublishReport] = []
        statuses: list[StatusReport] = []
        link = bridge.config.web.base_url or ""
        for target in bridge.targets.values():
            try:
                reports.append(how(bridge.context, target))
                statuses.append(profile_status.keep(bridge.context, target, link))
            except PeerError as error:
                reports.append(PublishReport(target.key, error=str(error)))
        lapsed = publish_service.lapsed(bridge.context)
    if as_json:
        print_json({"awards": awards, "targets": reports, "statuses": statuses, "lapsed": lapsed})
    else:
        console.print(
            f"Awards: {awards.made} new, {awards.renewed} renewed, {awards.withdrawn} withdrawn."
        )
        for report in reports:
            show_publish(report)
        for status in statuses:
            if status.shown:
                console.print(f"{status.target}: {status.shown} profiles show how people stand.")
            if status.error:
                _say(status.target, status.error)
        for state in lapsed:
            console.print(
                f"Still shown after its claims ran out on {state.expires_on:%-d %B %Y}: "
                f"{state.badge_title} {state.period}, {state.person_name}. Stock Moodle keeps it.",
                markup=False,
            )
    if any(report.error for report in reports):
        sys.exit(1)


def show_publish(report: PublishReport) -> None:
    """A delivery in a few lines."""
    if report.nothing and not report.out_of_step:
        console.print(f"{report.target}: nothing to deliver; everything was last seen in step.")
    else:
        console.print(
            f"{report.target}: {report.delivered} delivered, {report.withdrawn} withdrawn, "
            f"{report.waiting} to be tried again."
        )
    if report.drifted:
        console.print(f"{report.target}: {report.drifted} had been changed there by hand.")
    if report.strays:
        console.print(
            f"{report.target}: {report.strays} badges there that nobody was awarded: see "
            "'bridge badges strays'."
        )
    for words in report.needs_you:
        console.print(f"  needs an administrator: {words}", markup=False, soft_wrap=True)
    if report.error:
        _say(report.target, report.error)
    if report.resting:
        console.print(f"{report.target}: {report.resting}", markup=False, soft_wrap=True)


@click.command()
@click.option(
    "--gunicorn",
    is_flag=True,
    help="Serve the pages by gunicorn, with as many processes as [web] workers says.",
)
@site_option
def run(gunicorn: bool, folder: Path) -> None:
    """Run by itself: the pages, and the jobs that pull, draft, remind and deliver."""
    with opened(folder) as bridge:
        serve_site(
            bridge,
            on_ready=lambda url: console.print(f"The bridge is running: {url}"),
            server_name="gunicorn" if gunicorn else None,
        )
