"""Wires the LRSs that are told what was verified; a part of `bridge.bootstrap`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bridge.config import Config
from bridge.config_xapi import LrsSection
from bridge.connectors.xapi import LrsSettings, LrsTeller
from bridge.domain.errors import BridgeError
from bridge.domain.telling import Teller
from bridge.late import LateTeller


def tellers(folder: Path, config: Config) -> dict[str, Teller]:
    """The LRSs that are told, by key."""
    return {
        name: LateTeller(name, partial(_teller, folder, name, section))
        for name, section in config.lrs.items()
        if section.tell is not None
    }


def _teller(folder: Path, name: str, section: LrsSection) -> Teller:
    tell = section.tell
    assert tell is not None  # noqa: S101  only those are asked for
    own = tell.own_credentials
    try:
        settings = LrsSettings(
            key=name,
            url=section.url,
            user=tell.user if own else section.user,
            secret=tell.secret(folder, name) if own else section.secret(folder, name),
            version=section.version,
            timeout=min(section.timeout, 60.0),
            verify=section.verify(folder),
            proxy=section.proxy,
        )
    except ValueError as error:
        raise BridgeError(str(error)) from None
    return LrsTeller(settings)
