"""The road by the bridge's own plugin: badges created, awarded, renewed, revoked and read in bulk.

The plugin's functions are idempotent: each may be asked again after a lost reply.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from bridge.connectors.moodle.client import UNREADABLE, MoodleClient
from bridge.connectors.moodle.roads import NeedsYou, gone_account, setting, user_of
from bridge.connectors.moodle.rows import instant_of
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.ports import Delivered, DeliveryStatus, Placement
from bridge.domain.times import end_of_london_day

STATUS = "local_competencybridge_get_status"
SAVE = "local_competencybridge_save_badges"
AWARD = "local_competencybridge_award_badges"
REVOKE = "local_competencybridge_revoke_badges"
LISTED = "local_competencybridge_list_badges"
FUNCTIONS = (STATUS, SAVE, AWARD, REVOKE, LISTED)
PAGE = 1000
#: Awarding takes Moodle some 50 ms a head, and one such call at a time is let in.
_AT_ONCE = 100
_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST_IMAGE = 500_000
_CRITERIA = (
    "Awarded by Competency Bridge: a second person has verified every competency that this badge "
    "names, and each of them is current."
)


class PluginStatus(msgspec.Struct):
    """What the plugin says of itself, and of what the service user may."""

    api: int
    plugin: str = ""
    can_read: bool = False
    can_award: bool = False
    can_set_status: bool = False


class _Issued(msgspec.Struct):
    id: int
    key: str
    badgeid: int
    userid: int
    issued: int
    expires: int
    hash: str
    ours: bool


class _Listed(msgspec.Struct):
    more: bool
    next: int
    issued: list[_Issued]


@dataclass(frozen=True, slots=True)
class PluginBadge:
    """A badge of the plugin as somebody holds it. `ours`: the bridge awarded it."""

    key: str
    user: int
    issued_at: datetime | None
    expires_at: datetime | None
    hash: str
    ours: bool


def plugin_status(client: MoodleClient) -> PluginStatus | None:
    """What the plugin says, or None where this Moodle has none that the token may ask.

    Raises TryLater, BadAnswer, and NeedsAdministrator for what has other causes.
    """
    try:
        answer = client.fetch(STATUS)
    except NeedsAdministrator as error:
        if error.detail in ("accessexception", "invalidrecord"):
            return None
        raise
    try:
        return msgspec.json.decode(answer.body, type=PluginStatus, strict=False)
    except UNREADABLE:
        raise client.unreadable(STATUS) from None


def epoch_of(placement: Placement) -> int:
    """When the award ends, in Unix seconds: the end of its last London day; 0 for never."""
    if placement.expires_on is None:
        return 0
    return int(end_of_london_day(placement.expires_on).timestamp())


class PluginRoad:
    """Badges by the plugin. `picture` gives the bytes of a badge's image by its name, or None."""

    def __init__(self, client: MoodleClient, picture: Callable[[str], bytes | None]) -> None:
        self._client = client
        self._picture = picture
        self._saved: dict[str, str] = {}

    # --- awarding ---------------------------------------------------------------------------
    def award(self, wanted: Sequence[Placement]) -> list[Delivered]:
        """Hold these until their ends: who does not is awarded, who does till another end renewed.

        A badge that the plugin does not know, or that somebody deleted, is made first.
        """
        results: dict[int, Delivered] = {}
        sound: list[Placement] = []
        for one in wanted:
            try:
                user_of(one)
                setting(one, "key")
                sound.append(one)
            except NeedsYou as need:
                results[one.key] = Delivered(one.key, DeliveryStatus.NEEDS_YOU, str(need))
        self._save(sound)
        for start in range(0, len(sound), _AT_ONCE):
            part = sound[start : start + _AT_ONCE]
            missing = self._award(part, results)
            if missing:
                # Somebody deleted it there since this process made sure of it.
                for one in missing:
                    self._saved.pop(setting(one, "key"), None)
                self._save(missing)
                self._award(missing, results)
        return [results[one.key] for one in wanted]

    def _award(self, wanted: Sequence[Placement], results: dict[int, Delivered]) -> list[Placement]:
        """Ask once; those for which there is no badge."""
        told = self._results(
            AWARD,
            {
                "awards": [
                    {"key": setting(one, "key"), "userid": user_of(one), "expires": epoch_of(one)}
                    for one in wanted
                ]
            },
        )
        missing = []
        for one in wanted:
            how, words = told.get((setting(one, "key"), user_of(one)), ("", ""))
            if how in ("awarded", "renewed", "unchanged"):
                results[one.key] = Delivered(one.key, DeliveryStatus.DONE, f"{how.capitalize()}.")
            elif how in ("nouser", "deleted"):
                results[one.key] = Delivered(one.key, DeliveryStatus.NEEDS_YOU, gone_account(one))
            else:
                if how == "nobadge":
                    missing.append(one)
                results[one.key] = Delivered(
                    one.key, DeliveryStatus.LATER,
                    f"Moodle's plugin did not award it: {words or how or 'it said nothing'}.",
                )  # fmt: skip
        return missing

    def _save(self, wanted: Sequence[Placement]) -> None:
        """Create or update the badges that these need, once for each change of what they show."""
        badges, digests = [], {}
        for one in wanted:
            key = setting(one, "key")
            told = self._face(one, key)
            digest = hashlib.sha256(msgspec.json.encode(told)).hexdigest()
            if self._saved.get(key) != digest and key not in digests:
                badges.append(told)
                digests[key] = digest
        if not badges:
            return
        answer = self._client.call(SAVE, {"badges": badges})
        try:
            saved = {str(one["key"]) for one in answer["badges"] if one["active"]}
        except (KeyError, TypeError):
            raise self._client.unreadable(SAVE) from None
        self._saved |= {key: digest for key, digest in digests.items() if key in saved}

    def _face(self, one: Placement, key: str) -> dict[str, str]:
        title = one.badge.title if one.badge else key
        return {
            "key": key,
            "name": one.settings.get("name") or title,
            "description": one.badge.description if one.badge else title,
            "image": self._image(one),
            "criteria_text": _CRITERIA,
        }

    def _image(self, one: Placement) -> str:
        """The picture as the plugin takes it; without one that it can read, Moodle has its own."""
        name = one.badge.image if one.badge else None
        body = self._picture(name) if name else None
        if body is None or not body.startswith(_PNG) or len(body) > _LARGEST_IMAGE:
            return ""
        return base64.b64encode(body).decode()

    # --- taking away ------------------------------------------------------------------------
    def revoke(self, unwanted: Sequence[Placement], reason: str) -> list[Delivered]:
        """Take these away; who holds none is left alone."""
        results: dict[int, Delivered] = {}
        sound = []
        for one in unwanted:
            try:
                user_of(one)
                setting(one, "key")
                sound.append(one)
            except NeedsYou as need:
                results[one.key] = Delivered(one.key, DeliveryStatus.NEEDS_YOU, str(need))
        for start in range(0, len(sound), _AT_ONCE):
            part = sound[start : start + _AT_ONCE]
            asked = [
                {"key": setting(one, "key"), "userid": user_of(one), "reason": reason}
                for one in part
            ]
            told = self._results(REVOKE, {"revocations": asked})
            for one in part:
                how, words = told.get((setting(one, "key"), user_of(one)), ("", ""))
                if how in ("revoked", "nothing", "nouser", "nobadge"):
                    done = Delivered(one.key, DeliveryStatus.DONE, "It is not held any more.")
                else:
                    done = Delivered(
                        one.key, DeliveryStatus.LATER,
                        f"Moodle's plugin did not revoke it: {words or how or 'it said nothing'}.",
                    )  # fmt: skip
                results[one.key] = done
        return [results[one.key] for one in unwanted]

    def _results(
        self, function: str, params: Mapping[str, Any]
    ) -> dict[tuple[str, int], tuple[str, str]]:
        """(key, user) to the result and what was said of it."""
        answer = self._client.call(function, params)
        try:
            return {
                (str(one["key"]), int(one["userid"])): (
                    str(one["result"]), str(one.get("message") or "")
                )
                for one in answer["results"]
            }  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._client.unreadable(function) from None

    # --- reading back -----------------------------------------------------------------------
    def held(
        self, keys: Collection[str] = (), users: Collection[int] = ()
    ) -> Iterator[PluginBadge]:
        """What is held of these badges by these users; of all, where none are named."""
        after = 0
        asked = {"keys": sorted(keys), "userids": sorted(users)}
        while True:
            answer = self._client.fetch(LISTED, {"after": after, "limit": PAGE, **asked})
            try:
                told = msgspec.json.decode(answer.body, type=_Listed, strict=False)
            except UNREADABLE:
                raise self._client.unreadable(LISTED) from None
            for one in told.issued:
                yield PluginBadge(
                    one.key, one.userid, instant_of(one.issued),
                    instant_of(one.expires), one.hash, one.ours,
                )  # fmt: skip
            if not told.more:
                return
            if told.next <= after:
                raise self._client.unreadable(LISTED)
            after = told.next
