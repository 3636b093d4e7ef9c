"""`bridge moodle webhook-secret`: a new secret for the webhook of the bridge's plugin."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bridge.bootstrap import tool_pages
from bridge.cli.common import console, opened, site_option
from bridge.cli.moodle import moodle
from bridge.domain.errors import BridgeError, NotFound
from bridge.services.context import audit
from webhooks.receivers.moodle import new_secret


@moodle.command("webhook-secret")
@click.argument("source")
@click.option(
    "--keep-old", is_flag=True,
    help="The earlier secrets hold too, until this is run again without it.",
)  # fmt: skip
@click.option("--base-url", help="The bridge's own address, unless bridge.toml has it.")
@site_option
def webhook_secret(source: str, keep_old: bool, base_url: str | None, folder: Path) -> None:
    """A new secret for the webhook of the Moodle SOURCE, shown once, with the address to enter.

    Where bridge.toml names a webhook_secret_file, it is written there, and holds at once. Without
    one the secret goes into the environment of the bridge.
    """
    with opened(folder) as bridge:
        section = bridge.config.moodle.get(source)
        if section is None:
            there = ", ".join(bridge.config.moodle) or "none"
            raise NotFound(f"There is no Moodle '{source}' in bridge.toml; there are: {there}.")
        pages = tool_pages(bridge, base_url)
        secret = new_secret()
        file = section.webhook_secret_file
        made = file is None or (bridge.folder / file).exists()
        old = section.webhook_secrets(bridge.folder, source) if keep_old and made else ()
        if file is not None:
            _write(bridge.folder / file, (secret, *old))
        with bridge.context.store.begin() as uow:
            audit(bridge.context, uow, "issue-webhook-secret", f"source:{source}",
                  {"kept": len(old)})  # fmt: skip
        variable = section.webhook_variable(source)
    click.echo(f"{pages.base_url}/hooks/moodle/{source}")
    click.echo(secret)
    where = (
        f"The secret is in {folder / file}, which the bridge's user alone may read."
        if file is not None
        else f"Put the secret into the environment variable {variable} of the bridge"
        + (" after the earlier ones, with a space between," if keep_old else "")
        + " and start it again; or name a webhook_secret_file in bridge.toml first."
    )
    console.print(
        f"{where} In Moodle: Site administration > Plugins > Local plugins > Competency Bridge. "
        "Enter the address and the secret, switch the webhook on, and press the connection test.",
        markup=False, soft_wrap=True,
    )  # fmt: skip


def _write(path: Path, lines: tuple[str, ...]) -> None:
    """Put the secrets there whole, for the bridge's own user alone."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        # One that an interrupted run left, or somebody else made, may be readable by others.
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        fresh.replace(path)
    except OSError as error:
        raise BridgeError(f"The secret cannot be written to {path} ({error.strerror}).") from None
