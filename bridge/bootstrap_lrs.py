"""Wires our own xAPI endpoint; a part of `bridge.bootstrap`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from flask import Blueprint

from bridge.config import Config
from bridge.config_xapi import ReadingSection
from bridge.domain.identity import IdentityRule
from bridge.domain.lrs.forgetting import Keeping
from bridge.domain.lrs.readings import Reading, Readings
from bridge.lrs.endpoint import endpoint
from bridge.lrs.settings import EndpointSite, Limits
from bridge.services.context import Context
from bridge.services.lrs.documents import forget_old
from bridge.services.lrs.forgetting import Forgotten
from bridge.services.lrs.forgetting import forget_old as forget_old_statements
from bridge.services.lrs.senders import senders
from bridge.storage.vault import KeyVault


def limits(config: Config) -> Limits:
    """How much one request may bring or ask for."""
    section = config.xapi
    return Limits(
        body=int(section.largest_megabytes * 1_000_000),
        multipart=int(section.largest_files_megabytes * 1_000_000),
        document=section.largest_document_kilobytes * 1_000,
        statements=section.largest_batch,
        page=min(section.page, section.largest_page),
        most_page=section.largest_page,
    )


def readings(config: Config, sites: Mapping[str, str]) -> Readings:
    """How what is received is read. `sites` are the addresses of the configured LMSs."""
    usual = ReadingSection()

    def of(key: str) -> Reading:
        section = config.xapi.source.get(key, usual)
        return Reading(section.rules(), section.identity)

    return Readings(of, sites)


def identity(ctx: Context, given: Readings) -> dict[str, tuple[IdentityRule, ...]]:
    """The identity rules that each source is trusted with whose statements are sent to us."""
    keys = {sender.source_key for sender in senders(ctx)}
    return {key: tuple(given.of(key).identity) for key in sorted(keys)}


def forget_documents(ctx: Context, config: Config) -> Callable[[], int]:
    """Forgets states and profiles that are kept no longer; how many."""
    days = config.xapi.keep_documents_days

    def forget() -> int:
        return forget_old(ctx, ctx.clock.now() - timedelta(days=days)) if days else 0

    return forget


def keeping(config: Config) -> Keeping:
    """How long what is received is kept."""
    return Keeping(config.xapi.keep_statements_days, config.xapi.keep_documents_days)


def forget_statements(ctx: Context, config: Config) -> Callable[[Callable[[], bool]], Forgotten]:
    """Forgets statements that are kept no longer, until it is told to stop; what went."""
    days = config.xapi.keep_statements_days

    def forget(stop: Callable[[], bool]) -> Forgotten:
        if not days:
            return Forgotten()
        return forget_old_statements(ctx, ctx.clock.now() - timedelta(days=days), stop)

    return forget


def xapi_endpoint(ctx: Context, config: Config, vault: KeyVault, base_url: str) -> Blueprint:
    """The routes of /xapi. `ctx` acts as the system; `base_url` is where the bridge is."""
    key = vault.derive("xapi-more")[:32]

    def forgives(source: str) -> bool:
        section = config.xapi.source.get(source)
        return section is not None and section.forgive_logstore

    return endpoint(EndpointSite(ctx, base_url.rstrip("/"), key, limits(config), forgives))
