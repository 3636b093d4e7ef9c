"""Which clock an LRS's `since` goes by: tried out on a statement that was stored late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from bridge.connectors.xapi.client import LrsClient
from bridge.connectors.xapi.settings import SinceMeans

#: So long after it happened a statement must have been stored to tell the clocks apart.
APART = timedelta(seconds=2)


@dataclass(slots=True)
class Latecomer:
    """The statement seen so far that was stored longest after it happened."""

    id: str = ""
    happened: datetime | None = None
    stored: datetime | None = None

    def look_at(self, key: str, happened: datetime | None, stored: datetime | None) -> None:
        """Keep this one, if it came later than the one that is kept."""
        if happened is None or stored is None or stored - happened < APART:
            return
        if (
            self.stored is None
            or self.happened is None
            or (stored - happened > self.stored - self.happened)
        ):
            self.id, self.happened, self.stored = key, happened, stored


def which_clock(client: LrsClient, late: Latecomer) -> SinceMeans:
    """Ask for what was stored around the latecomer's own moment; `DETECT` where that tells nothing.

    Raises PeerError.
    """
    if late.stored is None or late.happened is None:
        return SinceMeans.DETECT
    near = min(timedelta(seconds=1), (late.stored - late.happened) / 2)
    page = client.statements(
        {
            "since": written(late.stored - near),
            "until": written(late.stored + near),
            "ascending": "true",
        }
    )
    if any(_id_of(part) == late.id for part in page.parts):
        return SinceMeans.STORED
    return SinceMeans.DETECT if page.more else SinceMeans.TIMESTAMP


def _id_of(part: bytes) -> str:
    try:
        value = orjson.loads(part)
    except ValueError:
        return ""
    return str(value.get("id", "")).lower() if isinstance(value, dict) else ""


def written(moment: datetime) -> str:
    """An instant as an LRS is asked for it, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
