"""The numbers an organisation may set, with the defaults of DESIGN 5 and 6."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bridge.domain.telling import Telling


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings that rules depend on; `bridge.toml` may change each.

    `join_days`: records of one person and activity this near support one piece of evidence.
    `overlap_days`: how far an incremental pull reaches back before its bookmark.
    `vanish_limit`: the share of known records whose sudden absence is not believed.
    `vanish_floor`: that many may go missing whatever the share.
    `token_days`: how long a person's token lives.
    `prepare_days`: that many days before a year ends, the badges of the next are made ready.
    `mail_from`: the go-live date; nothing from before it is ever mailed, and without it only
    links are (R1).
    `mail_hour`: the London hour at which digests go.
    `tells`: the Learning Record Stores that are told what was verified.
    """

    join_days: int = 7
    overlap_days: int = 21
    vanish_limit: float = 0.2
    vanish_floor: int = 10
    token_days: int = 90
    lease_seconds: int = 120
    retry_seconds: int = 60
    retry_ceiling_seconds: int = 6 * 3600
    prepare_days: int = 60
    maintenance_ceiling_seconds: int = 30 * 60
    mail_from: date | None = None
    mail_hour: int = 8
    tells: tuple[Telling, ...] = ()
