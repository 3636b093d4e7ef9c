"""Wires what is done in a Moodle by an administrator: set-up, frameworks, links of courses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bridge.catalog.competency_table import read_competency_table
from bridge.connectors.moodle import MoodleClient, MoodleSettings
from bridge.connectors.moodle.competencies import MoodleCompetencies
from bridge.domain.errors import BridgeError, NotFound
from bridge.domain.mapping import CompetencyRef
from bridge.services.context import Context
from bridge.services.course_links import LinksRead, read_links

if TYPE_CHECKING:
    from bridge.bootstrap import Bridge


def check_moodle(bridge: Bridge, name: str) -> None:
    """Raise NotFound for a name that is no Moodle of bridge.toml."""
    if name not in bridge.config.moodle:
        known = ", ".join(bridge.config.moodle) or "none"
        raise NotFound(f"There is no Moodle '{name}' in bridge.toml; there are: {known}.")


def moodle_settings(bridge: Bridge, name: str, token: str | None = None) -> MoodleSettings:
    """How a configured Moodle is reached, by its service user's token or by another.

    Raises NotFound for a name that is not in bridge.toml, BridgeError without a token.
    """
    check_moodle(bridge, name)
    section = bridge.config.moodle[name]
    if token is None:
        token = section.token(bridge.folder, name)
    try:
        return MoodleSettings(
            key=name,
            url=section.url,
            token=token,
            report=section.report or None,
            badges_report=section.badges_report or None,
            timeout=section.timeout,
            timezone=section.timezone,
            verify=str(bridge.folder / section.ca_bundle) if section.ca_bundle else True,
            proxy=section.proxy,
        )
    except ValueError as error:
        raise BridgeError(str(error)) from None


def competencies(
    bridge: Bridge, name: str, token: str | None = None, scale: int | None = None
) -> MoodleCompetencies:
    """The competency frameworks of a configured Moodle."""
    return MoodleCompetencies(MoodleClient(moodle_settings(bridge, name, token)), scale)


def competency_table(bridge: Bridge, name: str) -> dict[tuple[str, str], CompetencyRef]:
    """Which competencies of a Moodle are which of ours, by the site's file. Raises BadFile."""
    path = bridge.config.moodle[name].competencies
    if path is None:
        return {}
    return read_competency_table(bridge.folder / path, bridge.files().frameworks.editions)


def link_readers(bridge: Bridge) -> dict[str, Callable[[Context], LinksRead]]:
    """What reads the links of courses of each configured Moodle, for the nightly work."""
    return {name: partial(_read, bridge, name) for name in bridge.config.moodle}


def _read(bridge: Bridge, name: str, ctx: Context) -> LinksRead:
    return read_links(ctx, name, competencies(bridge, name), competency_table(bridge, name))


def read_course_links(bridge: Bridge, name: str, token: str | None = None) -> LinksRead:
    """Read them now. Raises PeerError."""
    peer, table = competencies(bridge, name, token), competency_table(bridge, name)
    return read_links(bridge.context, name, peer, table)
