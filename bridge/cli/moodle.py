"""`bridge moodle`: what an administrator of a Moodle does."""

from __future__ import annotations

import click


@click.group()
def moodle() -> None:
    """Setting up a Moodle, and what an administrator does there (docs/moodle.md)."""
