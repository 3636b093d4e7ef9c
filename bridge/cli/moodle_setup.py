"""`bridge moodle setup`: the walk of an administrator through the set-up of a Moodle."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from bridge import bootstrap_setup as setup
from bridge.cli.common import console, json_option, opened, print_json, site_option
from bridge.cli.moodle import admin_options, admin_token, admin_variable, moodle
from bridge.cli.sites import show_findings
from bridge.domain.ports import Finding
from bridge.domain.setup import Step, StepState, WayIn

_WAYS = ("best", *(way.value for way in WayIn))


@moodle.command("setup")
@click.argument("name")
@click.option(
    "--way", type=click.Choice(_WAYS), default="best", show_default=True,
    help="How completions come out: by the plugin, a report, or person by person.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Show what is done, too.")
@click.option(
    "--files", "upload_folder", type=click.Path(path_type=Path, file_okay=False),
    help="Where files to upload are written.  [default: moodle-setup in the site's folder]",
)  # fmt: skip
@click.option("--role-id", type=click.IntRange(1), help="The role's number, to have it assigned.")
@click.option("--links", is_flag=True, help="Also what reading links of courses takes.")
@click.option("--no-admin", is_flag=True, help="Do not ask for an administrator's token.")
@admin_options
@site_option
@json_option
def setup_(
    name: str,
    way: str,
    everything: bool,
    upload_folder: Path | None,
    role_id: int | None,
    links: bool,
    no_admin: bool,
    ask_admin: bool,
    admin_stdin: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Set up the Moodle NAME: what web services may do is done; for the rest, pages and values.

    Run it as often as you like: it finds what is there, and shows what is still open. An
    administrator's token, if you give one, is used for this run alone, and never kept.
    """
    asks = not (no_admin or as_json or admin_stdin or os.environ.get(admin_variable(name)))
    token = None
    if not no_admin:
        ask = ask_admin or (asks and sys.stdin.isatty())
        token = admin_token(name, ask=ask, stdin=admin_stdin)
    with opened(folder) as bridge:
        access = setup.access_to(bridge, name, token)
        chosen = None if way == "best" else WayIn(way)
        wishes = setup.setup_wishes(bridge, name, access, chosen, role_id, links=links)
        walk = setup.setup_walk(access, wishes)
        steps = walk.walk()
        findings = setup.setup_proof(bridge, name, access, wishes)
        written = upload_folder or folder / "moodle-setup"
    _write(walk.files, written)
    trouble = str(access.admin_trouble) if access.admin_trouble else ""
    if as_json:
        print_json(
            {
                "steps": steps,
                "findings": findings,
                "files": {key: str(written / key) for key in walk.files},
                "administrator": trouble or ("used for this run" if token else "no token"),
            }
        )
    else:
        if trouble:
            console.print(
                f"The administrator's token cannot be used: {trouble}", markup=False, soft_wrap=True
            )
        _show(steps, written, everything=everything)
        _prove(findings, name)
    wrong = any(not f.ok and not f.warning for f in findings)
    if wrong or any(step.is_open and not step.optional for step in steps):
        sys.exit(1)


def _write(files: dict[str, str], folder: Path) -> None:
    """The files to upload; only their owner can read them, since one holds a password."""
    if not files:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)


def _show(steps: list[Step], folder: Path, *, everything: bool) -> None:
    done = [step for step in steps if not step.is_open]
    if everything:
        for step in done:
            console.print("[green]done[/green]", end=" ")
            console.print(f"{step.title}: {step.says}", markup=False, soft_wrap=True)
    elif done:
        names = ", ".join(dict.fromkeys(step.title for step in done))
        console.print(f"Done: {names}.", markup=False, soft_wrap=True)
    for step in (one for one in done if one.state is StepState.MADE and not everything):
        console.print("[green]made[/green]", end=" ")
        console.print(f"{step.title}: {step.says}", markup=False, soft_wrap=True)
    still = [step for step in steps if step.is_open]
    silent = next((s for s in still if s.key == "web services" and not s.values), None)
    if silent is not None:
        console.print(
            f"First of all: {silent.says} All that follows is what there will be to do.",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    for number, step in enumerate(still, 1):
        mark = "  (optional)" if step.optional else ""
        console.print(f"\n[bold]{number}.[/bold] ", end="")
        console.print(f"{step.title}{mark}", markup=False)
        console.print(f"   {step.says}", markup=False, soft_wrap=True)
        if step.page:
            console.print(f"   {step.page}", markup=False, soft_wrap=True)
        for field, value in step.values:
            console.print(f"     {field}: {value}", markup=False, soft_wrap=True)
        if step.file:
            console.print(f"   The file is {folder / step.file}", markup=False, soft_wrap=True)
    if not still:
        console.print("Nothing is left to do.")


def _prove(findings: list[Finding], name: str) -> None:
    if not findings:
        console.print(
            f"\nOnce the token is in its place, run 'bridge moodle setup {name}' again: it then "
            "proves all of this by real calls.", markup=False, soft_wrap=True,
        )  # fmt: skip
        return
    proven = [f.check for f in findings if f.ok]
    console.print(f"\nProven by real calls: {', '.join(proven)}.", markup=False, soft_wrap=True)
    rest = [f for f in findings if not f.ok]
    if rest:
        show_findings(rest)
