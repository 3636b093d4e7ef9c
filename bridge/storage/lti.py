"""Registered LTI platforms, and what waits between two pages of a launch."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from bridge.domain.doors import Handshake
from bridge.domain.lti import NewPlatform, Platform
from bridge.storage import tables_access as ta

_l, _h = ta.lti_platforms.c, ta.handshakes.c


class SqlLti:
    """Implements `bridge.domain.lti.LtiRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    @staticmethod
    def _open() -> Select[Any]:
        return (
            select(_l.title, _l.issuer, _l.client_id, _l.deployments, _l.auth_url, _l.token_url,
                   _l.jwks_url, _l.source_key, _l.id, _l.registered_at, _l.registered_by)
            .where(_l.ended_at.is_(None))
            .order_by(_l.id)
        )  # fmt: skip

    @staticmethod
    def _platform(row: Any) -> Platform:
        told = row._asdict()
        return Platform(**told | {"deployments": tuple(told["deployments"])})

    def platforms(self) -> list[Platform]:
        """The platforms that may launch, oldest first."""
        return [self._platform(row) for row in self._db.execute(self._open())]

    def platform(self, platform_id: int) -> Platform | None:
        """One of them; None for one that has ended or never was."""
        row = self._db.execute(self._open().where(_l.id == platform_id)).first()
        return None if row is None else self._platform(row)

    def add(self, platform: NewPlatform, by: str, now: datetime) -> int:
        """Register; the id. Raises IntegrityError where issuer and client id are registered."""
        values = asdict(platform) | {"deployments": list(platform.deployments)}
        row = insert(ta.lti_platforms).values(**values, registered_at=now, registered_by=by)
        made: int = self._db.execute(row.returning(_l.id)).scalar_one()
        return made

    def end(self, platform_id: int, now: datetime) -> bool:
        """It launches no more; whether it did."""
        done = self._db.execute(
            update(ta.lti_platforms)
            .where(_l.id == platform_id, _l.ended_at.is_(None))
            .values(ended_at=now)
        )
        return done.rowcount == 1

    def waiting(self, sha256: bytes, kind: str, now: datetime) -> Handshake | None:
        """What waits under this secret, without using it up."""
        row = self._db.execute(
            select(_h.kind, _h.nonce_sha256, _h.data).where(
                _h.state_sha256 == sha256, _h.kind == kind, _h.used_at.is_(None),
                _h.expires_at > now,
            )
        ).first()  # fmt: skip
        return None if row is None else Handshake(*row)
