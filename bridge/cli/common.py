"""What commands share: finding the site, acting as a person, tables, and `--json`."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table

from bridge.bootstrap import Bridge, open_bridge, os_user
from bridge.domain.errors import NotAllowed
from bridge.domain.mapping import CompetencyRef
from bridge.domain.scope import Actor, of_person
from bridge.services import people as people_service


def _width() -> int | None:
    """A terminal's own width; a file or pipe has none, and gets lines that need no folding."""
    return None if sys.stdout.isatty() or os.environ.get("COLUMNS") else 200


#: What a terminal obeys in place of showing it, and what turns the order of letters around. Names
#: and titles come from anybody who can book a course.
_OBEYED = dict.fromkeys(
    (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    "\N{REPLACEMENT CHARACTER}",
)


def harmless(text: str) -> str:
    """`text` with a sign in place of whatever would move, colour or rename the terminal."""
    return text.translate(_OBEYED)


def shown(text: str) -> str:
    """`text` for rich, as it is: harmless, and nothing in it taken for markup."""
    return harmless(text).replace("[", "\\[")


class _Plain(Console):
    """A console that shows texts, and obeys nothing in them but our own markup."""

    def print(self, *objects: Any, **more: Any) -> None:
        """As rich's, with texts made harmless first."""
        super().print(*(harmless(o) if isinstance(o, str) else o for o in objects), **more)


console = _Plain(highlight=False, width=_width())
errors_console = _Plain(stderr=True, highlight=False)

Command = TypeVar("Command", bound=Callable[..., Any])


def site_option(command: Command) -> Command:
    """`--site FOLDER`, or BRIDGE_SITE, or the present folder."""
    return click.option(
        "--site",
        "folder",
        envvar="BRIDGE_SITE",
        default=".",
        show_default="the present folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="The site's folder, where bridge.toml is.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`: the same facts for another program."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def token_option(command: Command) -> Command:
    """Whose act it is: a person's own token, from a file or BRIDGE_TOKEN, never an argument."""
    return click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="A file with your token. Without it, BRIDGE_TOKEN is read.",
    )(command)


@contextmanager
def opened(folder: Path) -> Iterator[Bridge]:
    """The site, opened by whoever runs the command on this server."""
    bridge = open_bridge(folder)
    try:
        yield bridge
    finally:
        bridge.close()


@contextmanager
def opened_as_person(folder: Path, token_file: Path | None) -> Iterator[Bridge]:
    """The site, with a person acting by their own token. Raises NotAllowed."""
    secret = (
        token_file.read_text(encoding="utf-8") if token_file else os.environ.get("BRIDGE_TOKEN", "")
    )
    if not secret.strip():
        raise NotAllowed(
            "This is a person's own act, so it needs their own token: put it in BRIDGE_TOKEN or "
            "name a file with --token-file. The training team issues one with "
            "'bridge people token'."
        )
    with opened(folder) as bridge:
        person = people_service.person_of_token(bridge.context, secret)
        bridge.context = bridge.context.acting_as(Actor(of_person(person.id), "cli", os_user()))
        yield bridge


def plain(value: Any) -> Any:
    """Dataclasses, dates and sets as JSON knows them; for orjson's `default`."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    click.echo(orjson.dumps(value, default=plain, option=options).decode())


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table whose cells are shown as they are: nothing in them is markup. Empty, it says so."""
    made = Table(title=harmless(title), title_justify="left", header_style="bold", expand=False)
    for column in columns:
        made.add_column(shown(column), overflow="fold")
    for row in rows:
        made.add_row(*(_cell(cell) for cell in row))
    if not made.row_count:
        made.caption, made.caption_justify = "None.", "left"
    return made


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return f"{value:%-d %b %Y}"
    return shown(str(value))


def refs(texts: Iterable[str], default_edition: str = "llr-2020") -> list[CompetencyRef]:
    """Competencies as typed: `13`, or `london-2024:L3.1`. Raises click.BadParameter."""
    found = []
    for text in texts:
        edition, colon, code = text.rpartition(":")
        if not code:
            raise click.BadParameter(f"'{text}' is no competency; write 13 or london-2024:L3.1")
        found.append(CompetencyRef(edition if colon else default_edition, code))
    return found
