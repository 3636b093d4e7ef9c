"""Wires booking systems that are asked by an API; a part of `bridge.bootstrap`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from flask import Blueprint

from bridge.catalog.rest_profiles import parse_rest_profile, read_rest_profile
from bridge.config import Config
from bridge.config_booking import PretixSection, RestSection
from bridge.connectors.booking.pretix import PretixSettings, PretixSource
from bridge.connectors.booking.pretix.settings import Series
from bridge.connectors.booking.rest import RestProfile, RestSettings, RestSource
from bridge.connectors.booking.rest.presets import presets
from bridge.domain.errors import BridgeError
from bridge.domain.identity import IdentityRule
from bridge.domain.ports import Clock
from bridge.late import LateLooker, LateSource
from bridge.services.context import Context
from bridge.services.pull import Trusted
from webhooks.receivers.pretix import pretix_receiver

KINDS = ("pretix", "rest")


def identity(config: Config) -> dict[str, tuple[IdentityRule, ...]]:
    """The identity rules that each is trusted with."""
    return {
        name: section.identity
        for sections in (config.pretix, config.rest)
        for name, section in sections.items()
    }


def sources(folder: Path, config: Config, clock: Clock) -> dict[str, Trusted]:
    """The configured sources, by key."""
    found = {
        name: Trusted(
            LateLooker(name, partial(_pretix_source, folder, name, section, clock)),
            "pretix",
            section.trust,
            section.identity,
        )
        for name, section in config.pretix.items()
    }
    return found | {
        name: Trusted(
            LateSource(name, partial(_rest_source, folder, config, name, section, clock)),
            "rest",
            section.trust,
            section.identity,
        )
        for name, section in config.rest.items()
    }


def rest_profile(folder: Path, config: Config, name: str) -> RestProfile:
    """A REST profile of the site, or one that comes with the bridge, read anew.

    Raises BadFile for what is wrong in it.
    """
    path = folder / config.profiles / f"{name}.yaml"
    shipped = presets()
    if not path.exists() and name in shipped:
        return RestProfile.from_data(parse_rest_profile(shipped[name], f"{name}.yaml"))
    return RestProfile.from_data(read_rest_profile(path))


def _pretix_source(folder: Path, name: str, section: PretixSection, clock: Clock) -> PretixSource:
    return PretixSource(_pretix(folder, name, section), clock)


def _rest_source(
    folder: Path, config: Config, name: str, section: RestSection, clock: Clock
) -> RestSource:
    return RestSource(_rest(folder, config, name, section), clock)


def _rest(folder: Path, config: Config, name: str, section: RestSection) -> RestSettings:
    profile = rest_profile(folder, config, section.profile)
    try:
        return RestSettings(
            key=name,
            profile=profile,
            secret="" if profile.auth["kind"] == "none" else section.secret(folder, name),
            values=section.values,
            timeout=section.timeout,
            verify=section.verify(folder),
            proxy=section.proxy,
        )
    except ValueError as error:
        raise BridgeError(str(error)) from None


def _pretix(folder: Path, name: str, section: PretixSection) -> PretixSettings:
    try:
        return PretixSettings(
            key=name,
            url=section.url,
            organizer=section.organizer,
            token=section.token(folder, name),
            no_show=section.no_show,
            full_from=section.full_from,
            series=Series(section.series),
            lists=section.lists,
            staff_number_question=section.staff_number_question,
            idnumber_property=section.idnumber_property,
            timeout=section.timeout,
            verify=section.verify(folder),
            proxy=section.proxy,
        )
    except ValueError as error:
        raise BridgeError(str(error)) from None


def receivers(ctx: Context, config: Config) -> Sequence[Blueprint]:
    """The routes for webhooks. `ctx` acts as the system."""
    return (pretix_receiver(ctx, tuple(config.pretix)),)
