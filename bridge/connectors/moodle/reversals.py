"""Why a Moodle with the bridge's plugin no longer shows a completion.

The plugin shows the completions of everybody, also of those who left and of deleted accounts. What
it does not show was therefore taken back, unless the account or the course is no more, or the
account was merged into another: then the completion went there with its person.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.plugin import COMPLETIONS, Snapshot
from bridge.connectors.moodle.vanished import Pair, Vanished, pair_of
from bridge.domain.errors import PeerError
from bridge.domain.vanishing import Gone

#: From this version on the plugin names the user and the course that it was asked about, rows or
#: none.
SINCE = "2026112601"


class Reversals:
    """Finds out why, by the plugin; stock functions are asked about activities that may have been
    taken out of their course, and about suspended accounts, which is how a merge leaves one."""

    def __init__(self, client: MoodleClient) -> None:
        self._client = client
        self._stock = Vanished(client)

    def why(self, keys: Sequence[str]) -> dict[str, Gone]:
        """Why, for each key of which it could be found out. Raises TryLater."""
        pairs = {key: pair for key in keys if (pair := pair_of(key)) is not None}
        wanted = set(pairs.values())
        found: dict[Pair, Gone] = {}
        courses = self._courses(sorted({pair.course for pair in wanted}))
        found |= {pair: Gone.COURSE_DELETED for pair in wanted if not courses[pair.course]}
        left = wanted - found.keys()
        users = self._users(sorted({pair.user for pair in left}))
        found |= {pair: Gone.ACCOUNT_DELETED for pair in left if users[pair.user] == "deleted"}
        found |= self._stock.removed(wanted - found.keys())
        left = wanted - found.keys()
        doubtful = {pair for pair in left if users[pair.user] == "suspended"}
        found |= self._stock.in_courses(doubtful)
        found |= dict.fromkeys(left - doubtful, Gone.REVERSED)
        return {key: found[pair] for key, pair in pairs.items() if pair in found}

    def _courses(self, ids: Sequence[int]) -> dict[int, bool]:
        """Whether each course is there."""
        told = self._ask("courseid", ids)
        return {
            one: answer is None or any(course.id == one for course in answer.courses)
            for one, answer in told.items()
        }

    def _users(self, ids: Sequence[int]) -> dict[int, str]:
        """How each account stands: "deleted", "suspended", or "" for one that is as it was."""
        states = {}
        for one, answer in self._ask("userid", ids).items():
            # Where it cannot be told, nothing is taken back on its account.
            facts = [] if answer is None else [user for user in answer.users if user.id == one]
            if answer is None or (facts and facts[0].suspended and not facts[0].deleted):
                states[one] = "suspended"
            else:
                states[one] = "deleted" if not facts or facts[0].deleted else ""
        return states

    def _ask(self, by: str, ids: Sequence[int]) -> dict[int, Snapshot | None]:
        """What the plugin tells of each; it names what it was asked for, rows or none."""
        answers = self._client.call_many([(COMPLETIONS, {by: one, "limit": 1}) for one in ids])
        return {one: _read(answer) for one, answer in zip(ids, answers, strict=True)}


def _read(answer: object) -> Snapshot | None:
    if isinstance(answer, PeerError):
        return None
    try:
        return msgspec.convert(answer, Snapshot, strict=False)
    except msgspec.ValidationError:
        return None
