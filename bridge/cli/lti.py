"""`bridge lti`: which LMSs may launch the bridge; inviting, adding, listing and ending them."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.bootstrap import Bridge
from bridge.bootstrap_doors import lti_tool, tool_pages
from bridge.cli.common import console, json_option, opened, print_json, site_option, table
from bridge.connectors.lti import Tool
from bridge.services import platforms

_base_url = click.option(
    "--base-url", help="The bridge's own address, unless bridge.toml has it under [web]."
)


@click.group()
def lti() -> None:
    """LMSs that launch the bridge by LTI 1.3 (docs/lti.md)."""


def _tool(bridge: Bridge, base_url: str | None) -> Tool:
    return lti_tool(bridge, base_url or bridge.config.web.base_url or "http://127.0.0.1")


@lti.command()
@click.argument("source")
@_base_url
@site_option
def invite(source: str, base_url: str | None, folder: Path) -> None:
    """A link with which the Moodle that SOURCE is in bridge.toml registers, once, within a day."""
    with opened(folder) as bridge:
        pages = tool_pages(bridge, base_url)
        secret = platforms.invite(bridge.context, source, _tool(bridge, base_url))
    click.echo(f"{pages.base_url}/lti/register/{secret}")
    console.print(
        "Paste it into Moodle: Site administration > Plugins > External tool > Manage tools, "
        "field 'Tool URL', then 'Add LTI Advantage'.", markup=False, soft_wrap=True,
    )  # fmt: skip


@lti.command()
@_base_url
@site_option
@json_option
def addresses(base_url: str | None, folder: Path, as_json: bool) -> None:
    """What Moodle asks for when the tool is configured by hand."""
    with opened(folder) as bridge:
        pages = tool_pages(bridge, base_url)
    rows = (
        ("Tool URL", pages.launch),
        ("Public keyset", pages.jwks),
        ("Initiate login URL", pages.login),
        ("Redirection URI(s)", pages.launch),
        ("Content selection URL", pages.launch),
    )
    if as_json:
        print_json(dict(rows))
    else:
        console.print(table("For Moodle's form", ("field", "value"), rows))


@lti.command()
@click.argument("source")
@click.option("--client-id", required=True, help="As Moodle shows it for the tool.")
@click.option("--deployment", "deployments", multiple=True, required=True, help="Deployment ID.")
@click.option("--title", help="What people know this Moodle as.")
@click.option("--issuer", help="Platform ID, if not the address in bridge.toml; on the same site.")
@click.option("--auth-url", help="Authentication request URL, if it is not Moodle's usual one.")
@click.option("--token-url", help="Access token URL, if it is not Moodle's usual one.")
@click.option("--jwks-url", help="Public keyset URL, if it is not Moodle's usual one.")
@_base_url
@site_option
def add(
    source: str,
    client_id: str,
    deployments: tuple[str, ...],
    base_url: str | None,
    folder: Path,
    **given: str | None,
) -> None:
    """Register by hand the Moodle that SOURCE is in bridge.toml."""
    with opened(folder) as bridge:
        told = {name: value for name, value in given.items() if value}
        new = _tool(bridge, base_url).by_hand(source, client_id, deployments, **told)
        made = platforms.register_by_hand(bridge.context, new)
    console.print(f"Platform {made.id}: {made.title} may launch the bridge.", markup=False)


@lti.command("list")
@site_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """The platforms that may launch the bridge."""
    with opened(folder) as bridge:
        found = platforms.platforms(bridge.context)
    if as_json:
        print_json(found)
        return
    rows = (
        (p.id, p.title, p.source_key, p.issuer, p.client_id, ", ".join(p.deployments),
         p.registered_at)
        for p in found
    )  # fmt: skip
    columns = ("no.", "platform", "source", "issuer", "client ID", "deployments", "since")
    console.print(table("Platforms", columns, rows))


@lti.command()
@click.argument("platform", type=int)
@site_option
def remove(platform: int, folder: Path) -> None:
    """PLATFORM (its number in the list) launches the bridge no more."""
    with opened(folder) as bridge:
        platforms.end(bridge.context, platform)
    console.print(f"Platform {platform} launches the bridge no more.")
