"""Wires the LRSs that statements are pulled from; a part of `bridge.bootstrap`."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

from bridge.config import Config
from bridge.config_xapi import LrsSection
from bridge.connectors.xapi import LrsSettings, LrsSource
from bridge.connectors.xapi.settings import SinceMeans
from bridge.domain.errors import BridgeError
from bridge.domain.identity import IdentityRule
from bridge.domain.ports import Clock
from bridge.domain.statements import STATEMENTS
from bridge.domain.xapi.actors import home_of
from bridge.late import LateSource
from bridge.services.pull import Trusted


def identity(config: Config) -> dict[str, tuple[IdentityRule, ...]]:
    """The identity rules that each is trusted with."""
    return {name: section.identity for name, section in _pulled(config).items()}


def _pulled(config: Config) -> dict[str, LrsSection]:
    return {name: section for name, section in config.lrs.items() if section.pull}


def sites(config: Config) -> dict[str, str]:
    """Where each configured Moodle is, as accounts and courses of statements name it."""
    return {home_of(section.url): name for name, section in config.moodle.items()}


def sources(folder: Path, config: Config, clock: Clock) -> dict[str, Trusted]:
    """The configured sources, by key."""
    return {
        name: Trusted(
            LateSource(name, partial(_source, folder, name, section, clock)),
            STATEMENTS,
            section.trust,
            section.identity,
            overlap=timedelta(minutes=section.overlap_minutes),
            sweeps=SinceMeans(section.since_means) is SinceMeans.TIMESTAMP,
            sites=sites(config),
        )
        for name, section in _pulled(config).items()
    }


def _source(folder: Path, name: str, section: LrsSection, clock: Clock) -> LrsSource:
    try:
        settings = LrsSettings(
            key=name,
            url=section.url,
            user=section.user,
            secret=section.secret(folder, name),
            version=section.version,
            page_size=section.page_size,
            since_means=SinceMeans(section.since_means),
            rules=section.rules(),
            timeout=section.timeout,
            verify=section.verify(folder),
            proxy=section.proxy,
        )
    except ValueError as error:
        raise BridgeError(str(error)) from None
    return LrsSource(settings, clock)
