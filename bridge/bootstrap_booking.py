"""Wires booking systems that are asked by an API; a part of `bridge.bootstrap`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Blueprint

from bridge.config import Config
from bridge.config_booking import PretixSection
from bridge.connectors.booking.pretix import PretixSettings, PretixSource
from bridge.connectors.booking.pretix.settings import Series
from bridge.domain.errors import BridgeError
from bridge.domain.identity import IdentityRule
from bridge.domain.ports import Clock
from bridge.services.context import Context
from bridge.services.pull import Trusted
from webhooks.receivers.pretix import pretix_receiver

KINDS = ("pretix", "rest")


def names(config: Config) -> tuple[str, ...]:
    """The configured names."""
    return (*config.pretix, *config.rest)


def identity(config: Config) -> dict[str, tuple[IdentityRule, ...]]:
    """The identity rules that each is trusted with."""
    return {
        name: section.identity
        for sections in (config.pretix, config.rest)
        for name, section in sections.items()
    }


def sources(folder: Path, config: Config, clock: Clock) -> dict[str, Trusted]:
    """The configured sources, by key. Raises BridgeError for what cannot work."""
    return {
        name: Trusted(
            PretixSource(_pretix(folder, name, section), clock),
            "pretix",
            section.trust,
            section.identity,
        )
        for name, section in config.pretix.items()
    }


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
