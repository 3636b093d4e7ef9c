"""Wires what is done in a Moodle by an administrator: set-up, frameworks, links of courses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from bridge.catalog.competency_table import read_competency_table
from bridge.config_moodle import default_token_variable
from bridge.connectors.moodle import MoodleClient, MoodleSettings
from bridge.connectors.moodle.competencies import MoodleCompetencies
from bridge.connectors.moodle.needs import default_way_in
from bridge.connectors.moodle.setup import NO_TOKEN, SetupWalk
from bridge.connectors.moodle.setupaccess import Access
from bridge.connectors.moodle.setupbadges import FRAMEWORK_UPLOAD_PAGE
from bridge.connectors.moodle.setupchecks import place_findings, proofs
from bridge.connectors.moodle.uploads import framework_csv
from bridge.domain.badges import YEAR
from bridge.domain.errors import BridgeError, NotFound
from bridge.domain.frameworks import Edition
from bridge.domain.lms_frameworks import wanted_framework
from bridge.domain.mapping import CompetencyRef
from bridge.domain.ports import Finding
from bridge.domain.setup import BadgeNeed, SetupWishes, WayIn
from bridge.domain.times import london_date
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
    return bridge.moodle_settings(name, token)


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


#: From this month on the badges of the next year are made ready as well.
_NEXT_YEAR_FROM = 10


def access_to(bridge: Bridge, name: str, admin_token: str | None = None) -> Access:
    """What is at hand in a Moodle, looked at: the configured token, and an administrator's for as
    long as the result lives. Neither need exist or work."""
    check_moodle(bridge, name)
    service: MoodleClient | None = None
    try:
        settings = moodle_settings(bridge, name)
        service = MoodleClient(settings)
    except BridgeError:
        settings = moodle_settings(bridge, name, NO_TOKEN)
    admin = MoodleClient(moodle_settings(bridge, name, admin_token)) if admin_token else None
    access = Access(settings, service, admin)
    access.look()
    return access


def setup_wishes(
    bridge: Bridge,
    name: str,
    access: Access,
    way_in: WayIn | None = None,
    role_id: int | None = None,
    *,
    links: bool = False,
) -> SetupWishes:
    """What set-up of a Moodle is for, by bridge.toml and mappings/badges.yaml."""
    section = bridge.config.moodle[name]
    offered = access.offered
    has_report = access.settings.report is not None
    return SetupWishes(
        way_in=way_in or default_way_in(offered, report=has_report),
        badges=tuple(_needs(bridge, name, plugin=access.plugin)),
        links=links,
        role_id=role_id,
        token_variable=(
            f"the file {section.token_file}"
            if section.token_file
            else f"the environment variable {section.token_env or default_token_variable(name)}"
        ),
    )


def _needs(bridge: Bridge, name: str, *, plugin: bool) -> list[BadgeNeed]:
    """The badges that this Moodle needs, of this year and, from October on, of the next."""
    today = london_date(bridge.clock.now())
    years = [today.year, today.year + 1][: 1 + (today.month >= _NEXT_YEAR_FROM)]
    needs = []
    for badge in bridge.files().badges.badges:
        for target in badge.targets:
            if target.target != name:
                continue
            for year in years:
                told = {k: v.replace(YEAR, str(year)) for k, v in target.settings.items()}
                needs.append(
                    BadgeNeed(
                        told.get("badge", badge.title),
                        _road(told, plugin=plugin),
                        told.get("cohort", ""),
                        told.get("framework", ""),
                        told.get("competency", ""),
                        badge.description,
                    )
                )
    return list(dict.fromkeys(needs))


def _road(told: Mapping[str, str], *, plugin: bool) -> str:
    """The road that set-up makes ready: `via: auto` goes by the plugin, or by what is named."""
    via = told.get("via", "")
    if via != "auto":
        return via
    return "plugin" if plugin else "cohort" if told.get("cohort") else "competency"


def setup_walk(access: Access, wishes: SetupWishes) -> SetupWalk:
    """One walk through set-up."""
    return SetupWalk(access, wishes)


def setup_findings(bridge: Bridge, name: str) -> list[Finding]:
    """What doctor adds about a Moodle: the places of its badges, and privileges. Reads only."""
    access = access_to(bridge, name)
    return place_findings(access, setup_wishes(bridge, name, access))


def setup_proof(bridge: Bridge, name: str, access: Access, wishes: SetupWishes) -> list[Finding]:
    """Doctor's real calls, canary included, and what only trying shows, at the end of set-up."""
    if access.service is None:
        return []
    found = bridge.sources[name].connector.doctor()
    found += [one for one in bridge.targets[name].doctor() if one not in found]
    with bridge.context.store.reading() as uow:
        courses = [a.facts.value for a in uow.intake.all_aliases() if a.source_key == name][:5]
    found += place_findings(access, wishes)
    return found + proofs(access, wishes, courses)


def framework_files(
    bridge: Bridge, name: str, editions: Sequence[Edition]
) -> tuple[str, dict[str, str]]:
    """Moodle's own import page, and a file for it of each edition, by name."""
    page = moodle_settings(bridge, name, NO_TOKEN).page(FRAMEWORK_UPLOAD_PAGE)
    return page, {f"{one.id}.csv": framework_csv(wanted_framework(one)) for one in editions}
