"""Wires what leads in and out of the pages: webhooks, launches from an LMS, mail, and the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint

from bridge import bootstrap_booking as booking
from bridge import bootstrap_lrs as lrs
from bridge.config import Config
from bridge.connectors.lti import OwnKey, PeerWeb, Tool
from bridge.connectors.mail import FolderMailer, LetterHead, SmtpMailer, SmtpSettings
from bridge.connectors.moodle.feed import site_of
from bridge.connectors.moodle.rows import COURSE_KIND, USER_KIND
from bridge.domain.errors import BridgeError
from bridge.domain.identity import IdentityRule
from bridge.domain.lti import LmsSource, ToolPages
from bridge.domain.mail import Mailer
from bridge.domain.scope import SYSTEM, Actor
from bridge.services.mailing import MailRoom
from bridge.storage.vault import KeyVault, read_keys
from webhooks.receivers.moodle import moodle_receiver

if TYPE_CHECKING:
    from bridge.bootstrap import Bridge


def open_vault(folder: Path, config: Config) -> KeyVault:
    """The keys that reflections are encrypted with. Raises BridgeError where there are none."""
    path = folder / config.keys
    try:
        return KeyVault(read_keys(path.read_text(encoding="utf-8"), str(path)))
    except FileNotFoundError:
        raise BridgeError(
            f"The key file {path} is missing. Put it back from your backup: without it no "
            "reflection can be read. A new site gets one from 'bridge init'."
        ) from None


def receivers(bridge: Bridge, wake: Callable[[], None], base_url: str) -> Sequence[Blueprint]:
    """The routes for webhooks of every kind of source, and for statements that are sent here."""
    system = bridge.context.acting_as(Actor(SYSTEM, "hook"))
    secrets = {
        name: partial(section.webhook_secrets, bridge.folder, name)
        for name, section in bridge.config.moodle.items()
    }
    statements = lrs.xapi_endpoint(
        bridge.context.acting_as(Actor(SYSTEM, "xapi")), bridge.config,
        open_vault(bridge.folder, bridge.config), base_url,
    )  # fmt: skip
    webhooks = booking.receivers(system, bridge.config)
    return (*webhooks, moodle_receiver(system, secrets, wake, site_of), statements)


def lti_tool(bridge: Bridge, base_url: str) -> Tool:
    """The bridge as a tool that every configured Moodle may launch.

    `base_url` is the bridge's own address. Only a bridge without https, under development on
    this computer, asks a platform on this computer for its keys without https.
    """
    sources, web = {}, {}
    for name, section in bridge.config.moodle.items():
        sources[name] = LmsSource(
            name, "moodle", section.trust, section.url.rstrip("/"), USER_KIND, COURSE_KIND,
            IdentityRule.VERIFIED_EMAIL in section.identity,
        )  # fmt: skip
        web[name] = PeerWeb(
            str(bridge.folder / section.ca_bundle) if section.ca_bundle else True,
            section.proxy,
            plain_loopback=not base_url.startswith("https://"),
        )
    return Tool(sources, web, OwnKey(bridge.folder / "lti-key.pem"))


def tool_pages(bridge: Bridge, base_url: str | None = None) -> ToolPages:
    """Where the LTI pages are. Raises BridgeError where nobody says what the address is."""
    address = base_url or bridge.config.web.base_url
    if not address:
        raise BridgeError(
            "The bridge does not know its own address. Set base_url under [web] in bridge.toml, "
            "or name it with --base-url."
        )
    return ToolPages(address.rstrip("/"), bridge.config.web.title)


def mail_room(bridge: Bridge, base_url: str | None = None) -> MailRoom:
    """What sending mail needs: by SMTP where a host is configured, into a folder otherwise.

    `base_url` is where the pages are, unless configured. Raises BridgeError without a password.
    """
    section, web = bridge.config.mail, bridge.config.web
    head = LetterHead(section.sender, web.title, section.reply_to or "", web.contact)
    mailer: Mailer = FolderMailer(bridge.folder / section.folder, head)
    if section.host:
        settings = SmtpSettings(
            host=section.host,
            port=section.port or 0,
            security=section.security,
            user=section.user,
            password=section.password(bridge.folder),
            ca_bundle=bridge.folder / section.ca_bundle if section.ca_bundle else None,
            timeout=section.timeout,
        )
        mailer = SmtpMailer(settings, head)
    vault = open_vault(bridge.folder, bridge.config)
    address = base_url or f"http://127.0.0.1:{bridge.config.jobs.status_port}"
    return MailRoom(mailer, web.base_url or address, vault.derive("unsubscribe"))
