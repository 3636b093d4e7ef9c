"""`bridge xapi`: credentials of our own xAPI endpoint."""

from __future__ import annotations

from pathlib import Path

import click

from bridge import bootstrap_lrs as lrs
from bridge.bootstrap import Bridge
from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.domain.lrs.senders import Scope, Sender, Trust
from bridge.services.lrs import senders as service
from bridge.services.lrs.keeping import keeping as service_keeping


@click.group()
def xapi() -> None:
    """What other systems send to the bridge's own xAPI endpoint (docs/xapi-endpoint.md)."""


@xapi.command()
@click.option(
    "--days",
    type=click.IntRange(1, 3660),
    help="Look at it with another number than keep_statements_days; nothing is forgotten by it.",
)
@click.option("--now", is_flag=True, help="Forget now what is kept no longer.")
@site_option
@json_option
def keeping(days: int | None, now: bool, folder: Path, as_json: bool) -> None:
    """How long what was sent here is kept, and what would be forgotten.

    'bridge run' forgets every night what keep_statements_days and keep_documents_days say.
    """
    if days is not None and now:
        raise click.UsageError("--now goes by the settings: say --days or --now.")
    with opened(folder) as bridge:
        told = service_keeping(
            bridge.context, lrs.keeping(bridge.config), statements_days=days, now=now
        )
    if as_json:
        print_json(told)
        return
    kept = told.keeping
    rows = (
        ("Statements are kept", _for(kept.statements)),
        ("States and profiles that nobody changes are kept", _for(kept.documents)),
        ("Statements kept whole", f"{told.whole:,}"),
        ("The oldest was received (UTC)", told.oldest or ""),
        ("Statements forgotten" if now else "Statements to be forgotten", f"{told.statements:,}"),
        ("Old, and kept until read again from quarantine", f"{told.quarantined:,}"),
        ("Old, and kept until their drafts are decided on", f"{told.undecided:,}"),
        ("Documents forgotten" if now else "Documents to be forgotten", f"{told.documents:,}"),
    )
    console.print(table("What was sent here", ("", ""), rows))


def _for(days: int) -> str:
    return f"for {days:,} days" if days else "for ever"


@xapi.group()
def credential() -> None:
    """Who may send and read statements."""


@credential.command()
@click.argument("source")
@click.option("--title", default="", help="What it is for, as 'Moodle, logstore_xapi'.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    default=[scope.value for scope in service.USUAL],
    show_default=True,
    help="What it may do; give it several times for several.",
)
@click.option(
    "--untrusted",
    is_flag=True,
    help="A browser holds it, so a learner can forge with it: it drafts only where a rule says so.",
)
@click.option("--origin", "origins", multiple=True, help="A web origin whose pages may use it.")
@site_option
@json_option
def add(
    source: str,
    title: str,
    scopes: tuple[str, ...],
    untrusted: bool,
    origins: tuple[str, ...],
    folder: Path,
    as_json: bool,
) -> None:
    """A credential for what comes from SOURCE, as 'moodle-xapi'. Its password is shown once."""
    with opened(folder) as bridge:
        sender, secret = service.issue(
            bridge.context,
            source,
            title or source,
            scopes=[Scope(each) for each in scopes],
            trust=Trust.UNTRUSTED if untrusted else Trust.TRUSTED,
            origins=origins,
            taken=bridge.sources,
        )
        address = endpoint_address(bridge)
    if as_json:
        print_json({"endpoint": address, "username": sender.name, "password": secret})
        return
    rows = (("Endpoint", address), ("Username", sender.name), ("Password", secret))
    console.print(table("Credential", ("field", "value"), rows))
    console.print(
        f"Copy the password now: it is not shown again. 'bridge ledger' shows '{source}' once "
        "something has come; docs/xapi-endpoint.md says how its people are recognised.",
        markup=False,
        soft_wrap=True,
    )
    if bridge.config.web.base_url is None:
        console.print(
            "This address works on this machine alone. Set base_url under [web] in bridge.toml to "
            "the public one, and add /xapi to that.",
            markup=False,
            soft_wrap=True,
        )


def endpoint_address(bridge: Bridge) -> str:
    """Where statements are sent: below `base_url`, or else where the pages are served."""
    base = bridge.config.web.base_url or f"http://127.0.0.1:{bridge.config.jobs.status_port}"
    return f"{base}/xapi"


@credential.command("list")
@site_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """Every credential, with what it may do and when it was used last."""
    with opened(folder) as bridge:
        found = service.senders(bridge.context)
    if as_json:
        print_json([_told(each) for each in found])
        return
    if not found:
        console.print("Nobody may send yet. 'bridge xapi credential add SOURCE' makes one.")
        return
    rows = (
        (s.id, s.name, s.title, s.source_key, s.trust.value, ", ".join(sorted(s.scopes)),
         s.issued_at, s.used_at, s.revoked_at)
        for s in found
    )  # fmt: skip
    columns = ("no.", "user name", "title", "source", "trust", "scopes", "since", "used", "ended")
    console.print(table("Credentials", columns, rows))


def _told(sender: Sender) -> dict[str, object]:
    return {
        "id": sender.id,
        "username": sender.name,
        "title": sender.title,
        "source": sender.source_key,
        "trust": sender.trust.value,
        "scopes": sorted(sender.scopes),
        "origins": sender.origins,
        "issued_at": sender.issued_at,
        "issued_by": sender.issued_by,
        "used_at": sender.used_at,
        "revoked_at": sender.revoked_at,
    }


@credential.command()
@click.argument("number", type=int)
@site_option
def revoke(number: int, folder: Path) -> None:
    """End the credential NUMBER (as listed): whoever uses it is refused from now on."""
    with opened(folder) as bridge:
        service.revoke(bridge.context, number)
    console.print(f"Credential {number} has ended.", markup=False)
