"""`bridge moodle`: what an administrator of a Moodle does, and with whose token."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from bridge.config import default_token_variable

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def moodle() -> None:
    """Setting up a Moodle, and what an administrator does there (docs/moodle.md)."""


def admin_options(command: Command) -> Command:
    """`--ask-admin` and `--admin-stdin`: how an administrator's token comes in. It is used for
    this run alone, never kept and never shown; no option takes the token itself."""
    for option in (
        click.option(
            "--admin-stdin", is_flag=True,
            help="Read an administrator's token from standard input, for this run alone.",
        ),
        click.option(
            "--ask-admin", is_flag=True,
            help="Ask for an administrator's token, for this run alone.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def admin_variable(name: str) -> str:
    """The environment variable in which an administrator's token may be."""
    return f"{default_token_variable(name).removesuffix('_TOKEN')}_ADMIN_TOKEN"


def admin_token(name: str, *, ask: bool, stdin: bool) -> str | None:
    """An administrator's token, or None: from standard input, a hidden prompt, or the
    environment, in that order."""
    if stdin:
        return sys.stdin.readline().strip() or None
    if ask:
        said: str = click.prompt(
            "An administrator's web service token (it is not shown or kept; empty for none)",
            default="", hide_input=True, show_default=False,
        )  # fmt: skip
        return said.strip() or None
    return os.environ.get(admin_variable(name), "").strip() or None
