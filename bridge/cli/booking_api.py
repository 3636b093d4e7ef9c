"""`bridge booking` for systems with an API: learning one, dry runs, addresses of webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import click

from bridge.answers import SiteAnswers, auth_of, is_answer, is_url
from bridge.bootstrap import Bridge, tool_pages
from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.config_booking import RestSection
from bridge.domain.errors import NotFound, Refused
from bridge.domain.ports import Source
from bridge.domain.proposals import Learner
from bridge.domain.records import LearningFact, Precision, Pulled
from bridge.domain.times import LONDON
from bridge.services import inbox


@dataclass(frozen=True, slots=True)
class Api:
    """How `learn` comes in at an address; the secret itself is never an argument."""

    auth: str
    secret_env: str
    secret_file: Path | None

    def learner(self, bridge: Bridge, what: str, profile: str) -> Learner | None:
        """What looks at an API's answer; None where `what` is a table."""
        if not is_answer(what):
            return None
        folder = bridge.folder / bridge.config.profiles
        if not is_url(what):
            return SiteAnswers(folder)
        auth, secret = auth_of(self.auth), ""
        if auth["kind"] != "none":
            asked = RestSection(
                profile=profile, secret_env=self.secret_env, secret_file=self.secret_file
            )
            secret = asked.secret(Path(), profile)
        return SiteAnswers(folder, url=what, auth=auth, secret=secret)


Command = TypeVar("Command", bound=Callable[..., Any])


def api_options(command: Command) -> Command:
    """`--auth`, `--secret-env` and `--secret-file`, as one argument `api`."""

    @wraps(command)
    def taken(auth: str, secret_env: str, secret_file: Path | None, **more: Any) -> Any:
        return command(api=Api(auth, secret_env, secret_file), **more)

    for option in (
        click.option(
            "--secret-file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="With a URL: a file with the secret.",
        ),
        click.option(
            "--secret-env", default="", metavar="VARIABLE",
            help="With a URL: the variable with the secret.  [default: BRIDGE_PROFILE_SECRET]",
        ),
        click.option(
            "--auth", default="none", metavar="HOW",
            help="With a URL: bearer, header:X-Api-Key, or basic:USER.",
        ),
    ):  # fmt: skip
        taken = option(taken)
    return cast(Command, taken)


def named(what: str) -> tuple[Path, str]:
    """A file that is there, or the last part of an address, and how it is shown in messages."""
    if is_url(what):
        parts = urlsplit(what)
        last = parts.path.rstrip("/").rpartition("/")[2] or (parts.hostname or "api")
        return Path(last), f"{parts.scheme}://{parts.netloc}{parts.path}"
    path = Path(what)
    if not path.is_file():
        raise click.BadParameter(
            f"there is no file '{what}' here. Name one that is there, or a URL."
        )
    return path, path.name


@click.command("hook")
@click.argument("source")
@click.option(
    "--keep-old", "hours", type=click.IntRange(0, 24 * 14), default=0, show_default=True,
    help="For so many hours, earlier addresses still work.",
)  # fmt: skip
@click.option("--base-url", help="The bridge's own address, unless bridge.toml has it.")
@site_option
def hook(source: str, hours: int, base_url: str | None, folder: Path) -> None:
    """A new webhook address for the pretix that SOURCE is in bridge.toml, shown once.

    Earlier addresses end, so this is how the secret in it is changed.
    """
    with opened(folder) as bridge:
        inbox.check_hook_source(source, tuple(bridge.config.pretix))
        pages = tool_pages(bridge, base_url)
        secret = inbox.issue_hook(bridge.context, source, timedelta(hours=hours))
    click.echo(f"{pages.base_url}/hooks/pretix/{source}/{secret}")
    console.print(
        "In pretix: Organisers > your organiser > Webhooks > Create webhook. Paste the address as "
        "'Target URL', choose all events, and under order changes, check-ins, events and waiting "
        "lists every action. Whoever knows the address can make the bridge look again at an "
        "order, and nothing else.", markup=False, soft_wrap=True,
    )  # fmt: skip


@click.command("hooks")
@site_option
@json_option
def hooks(folder: Path, as_json: bool) -> None:
    """The webhook addresses that are open (their secrets are not kept), and what waits."""
    with opened(folder) as bridge:
        found, stands = inbox.hooks(bridge.context), inbox.backlog(bridge.context)
    rows = [(h.source_key, h.issued_at, h.used_at, h.ends_at) for h in found]
    names = ("source", "issued", "last used", "ends")
    if as_json:
        told = [dict(zip(names, row, strict=True)) for row in rows]
        print_json({"hooks": told, "notes": stands})
        return
    console.print(table("Webhook addresses", names, rows))
    if stands:
        console.print(
            table(
                "What they left to be looked at",
                ("source", "waiting", "left to the nightly pull", "last error"),
                ((s.source_key, s.waiting, s.given_up, s.error) for s in stands),
            )
        )


@click.command("end-hook")
@click.argument("source")
@site_option
def end_hook(source: str, folder: Path) -> None:
    """End every webhook address of SOURCE: what comes there is turned away."""
    with opened(folder) as bridge:
        ended = inbox.end_hooks(bridge.context, source)
    console.print(f"{ended} addresses of {source} have ended.", markup=False)


@click.command("dry-run")
@click.argument("source")
@click.option("--rows", type=click.IntRange(1, 1000), default=10, show_default=True)
@site_option
@json_option
def dry_run(source: str, rows: int, folder: Path, as_json: bool) -> None:
    """Ask SOURCE and show the first bookings as they are understood. Nothing is stored.

    For a booking system with an API; of a folder, look at a file: load FILE --dry-run.
    """
    with opened(folder) as bridge:
        if source not in bridge.sources:
            raise NotFound(
                f"There is no source '{source}'; there are: {', '.join(bridge.sources) or 'none'}."
            )
        if source in bridge.config.files:
            # Its connector puts away what it has read, and the bookings would be lost.
            raise Refused(
                f"{source} is a folder of files, which are put away once they are read. Look at "
                f"one with 'bridge booking load FILE --source {source} --dry-run'."
            )
        found = list(islice(_items(bridge.sources[source].connector), rows))
    told = [_in_words(item) for item in found]
    if as_json:
        print_json(told)
        return
    columns = list(dict.fromkeys(key for row in told for key in row))
    console.print(
        table(
            f"The first {len(told)} of {source}, as understood; nothing was stored",
            columns, ([row.get(column, "") for column in columns] for row in told),
        )
    )  # fmt: skip


def _items(connector: Source) -> Iterator[Pulled]:
    for page in connector.pull(None):
        yield from page.items


def _in_words(item: Pulled) -> dict[str, str]:
    """One booking by what its parts are; or why it was not understood."""
    fact = item.fact
    if not isinstance(fact, LearningFact):
        return {"not understood": fact.words}
    local, booking = fact.occurred_at.astimezone(LONDON), fact.booking
    clock = "" if fact.precision is Precision.DAY else f" {local:%H:%M}"
    told = {
        "person": fact.account.display_name,
        "email": fact.account.email,
        "staff number": fact.account.staff_number,
        "event": fact.activity.title or fact.activity.value,
        "id number": fact.activity.idnumber,
        "day": f"{local:%-d %b %Y}{clock}",
        "status": fact.status.value,
        "said": booking.said if booking else None,
        "minutes": f"{booking.minutes:g}" if booking and booking.minutes is not None else None,
        "session": booking.session if booking else None,
    }
    return {name: value for name, value in told.items() if value}


#: What `bridge booking` gets from here.
COMMANDS = (dry_run, hook, hooks, end_hook)
