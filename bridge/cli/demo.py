"""`bridge demo`: the main line on a stand-in Moodle, without any configuration."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from bridge.cli.common import console
from bridge.demo.run import check, clean_up, run_demo
from bridge.domain.errors import BridgeError


@click.command()
@click.option("--check", "unattended", is_flag=True, help="Run unattended, assert the outcome.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to make the demo's site; it must not exist yet.  [default: a new folder]",
)
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    help="The stand-in Moodle's port; 0 picks a free one.",
)
def demo(unattended: bool, folder: Path | None, port: int) -> None:
    """Show the whole main line on a stand-in Moodle; then leave it up to look at."""
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise BridgeError(f"{folder} is not empty. Name a new folder.")
    site = folder or Path(tempfile.mkdtemp(prefix="bridge-demo-"))
    try:
        shown = run_demo(site, console, keep_running=not unattended, port=port)
        if unattended:
            check(shown)
            console.print("\nThe demo came out as it must.")
    finally:
        if unattended or folder is None:
            clean_up(site)
        else:
            console.print(f"The demo's site is kept in {site}.", markup=False)
