"""By what a stored row would be known today, after its profile was edited."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import orjson

from bridge.connectors.booking.words import folded
from bridge.connectors.files.cells import Fault
from bridge.connectors.files.profile import Profile
from bridge.connectors.files.reading import KEYLESS, TWO_THINGS, RowReader
from bridge.domain.errors import Damaged

#: The columns on which each part of a key rests; any other part is a column itself.
_RESTS_ON = {
    "event": ("event_id", "event_code", "event_title"),
    "person": ("name", "first_name", "last_name", "email", "staff_number", "username", "employer"),
    "session": ("session", "session_date"),
    "date": ("completed_on", "event_date", "session_date", "check_in"),
}


class _Envelope(msgspec.Struct):
    route: str
    profile: dict[str, object]
    fields: list[str]


class Unknowable(Exception):
    """What is kept of a row does not tell; the parts of the key that are wanting."""


class Rekeyer:
    """Names rows that came in one envelope, by the profile as it is now."""

    def __init__(self, envelope: bytes, now: Profile) -> None:
        """Raises Damaged for an envelope that is not ours."""
        try:
            kept = msgspec.json.decode(envelope, type=_Envelope)
            before = Profile.from_data(kept.profile)
        except (msgspec.MsgspecError, KeyError, ValueError) as error:
            raise Damaged(f"A stored envelope cannot be read: {error}") from error
        #: Rows of another table, that this profile never reads.
        self.foreign = before.name != now.name
        self._reader = RowReader(now, kept.fields)
        asked = {f for part in now.row_key() for f in _RESTS_ON.get(part, (part,))}
        there = {*now.columns, *now.above, *now.fixed}
        self.wanting = sorted((asked & there) - set(kept.fields))
        place = {folded(s.column): n for n, s in enumerate(now.sessions)}
        self._session = [place.get(folded(s.column)) for s in before.sessions]

    def key(self, natural_key: str, body: bytes) -> str:
        """The natural key of a row today. Raises Unknowable, Damaged."""
        try:
            cells, session, read = orjson.loads(body)
        except ValueError as error:
            raise Damaged(f"{natural_key}: its stored row cannot be read: {error}") from error
        if self.foreign or read == TWO_THINGS or natural_key.startswith(KEYLESS):
            return natural_key
        if self.wanting:
            raise Unknowable(", ".join(self.wanting))
        at = -1
        if session >= 0:
            found = self._session[session]
            if found is None:
                return natural_key  # that column is read no more
            at = found
        try:
            return self._reader.key_of_item(cells, at)
        except Fault:
            return natural_key  # it would not be known today


@lru_cache(maxsize=8)
def _known(envelope: bytes, profile: bytes) -> Rekeyer:
    return Rekeyer(envelope, Profile.from_data(orjson.loads(profile)))


def rekeyer(envelope: bytes, now: Profile) -> Rekeyer:
    """As the class, remembered from row to row. Raises Damaged."""
    return _known(envelope, orjson.dumps(now.to_data()))
