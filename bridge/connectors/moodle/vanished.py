"""Why a Moodle no longer shows a completion: left, deleted, reset; by stock functions, few calls.

A report lists enrolments, so whoever was unenrolled or deleted is not in it, whatever they learned.
Only where somebody is still in the course was the completion itself taken back. Silence is no
answer: whatever the service user may not see stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.issued import USER_BADGES
from bridge.connectors.moodle.peruser import COMPLETION, COURSES
from bridge.domain.errors import PeerError
from bridge.domain.vanishing import Gone

USERS_COURSES = "core_enrol_get_users_courses"
COURSE_MODULE = "core_course_get_course_module"
_NO_SUCH_USER = frozenset({"userdeleted", "invaliduser"})
_LEFT = frozenset({"usernotenroled"})
#: Errors that come only after Moodle has found the person to be in the course.
_THERE = frozenset({"nocriteriaset"})
_COURSE_TABLE = "table course"
#: So many answers that say nothing, and a function is not asked any more.
_IN_VAIN = 5


class Pair(NamedTuple):
    """Somebody in a course, as a natural key names them; `module` for one of its activities."""

    user: int
    course: int
    module: int = 0


def pair_of(key: str) -> Pair | None:
    """What "completion:42:7:..." or "activity:42:7:12:..." is about; None for other keys."""
    parts = key.split(":")
    try:
        if parts[0] == "completion":
            return Pair(int(parts[1]), int(parts[2]))
        if parts[0] == "activity":
            return Pair(int(parts[1]), int(parts[2]), int(parts[3]))
    except (IndexError, ValueError):
        pass
    return None


class Vanished:
    """Finds out why, through one Moodle's client.

    `shows_everybody`: the road that the keys came by shows people who left and deleted accounts
    too, so that only the course itself remains to be asked about.
    """

    def __init__(self, client: MoodleClient, *, shows_everybody: bool = False) -> None:
        self._client = client
        self._everybody = shows_everybody

    def why(self, keys: Sequence[str], shown: Sequence[str]) -> dict[str, Gone]:
        """Why, for each key of which it could be found out. Raises TryLater."""
        pairs = {key: pair for key in keys if (pair := pair_of(key)) is not None}
        wanted = set(pairs.values())
        there = {pair for key in shown if (pair := pair_of(key)) is not None}
        found: dict[Pair, Gone] = {}
        self._modules(wanted, found)
        if self._everybody:
            self._courses(wanted - found.keys(), there, found)
            found = dict.fromkeys(wanted, Gone.REVERSED) | found
        else:
            for ask in (self._completions, self._users, self._enrolments, self._courses):
                if left := wanted - found.keys():
                    ask(left, there, found)
        return {key: found[pair] for key, pair in pairs.items() if pair in found}

    def _completions(self, wanted: set[Pair], there: set[Pair], found: dict[Pair, Gone]) -> None:
        """Asked for somebody's completion, Moodle says whether it knows them, and in the course.

        What it says of a course or an account that is no more holds for all of its pairs, so one
        of each course and then one of each account are asked about first.
        """
        groups: tuple[Callable[[Pair], object], ...] = (
            lambda pair: pair.course,
            lambda pair: pair.user,
            lambda pair: pair,
        )
        for of in groups:
            first = {of(pair): pair for pair in sorted(wanted - found.keys(), reverse=True)}
            told: dict[Pair, Gone] = {}
            self._ask(
                sorted(first.values()),
                COMPLETION,
                lambda pair: {"courseid": pair.course, "userid": pair.user},
                _of_completion,
                told,
            )
            if first and not told:
                return
            found |= told
            courses = {pair.course for pair, why in told.items() if why is Gone.COURSE_DELETED}
            users = {pair.user for pair, why in told.items() if why is Gone.ACCOUNT_DELETED}
            found |= {pair: Gone.COURSE_DELETED for pair in wanted if pair.course in courses}
            found |= {
                pair: Gone.ACCOUNT_DELETED for pair in wanted - found.keys() if pair.user in users
            }

    def _users(self, wanted: set[Pair], there: set[Pair], found: dict[Pair, Gone]) -> None:
        """Asked for somebody's badges, Moodle says whether their account was deleted."""
        deleted: dict[Pair, Gone] = {}
        self._ask(
            [Pair(user, 0) for user in sorted({pair.user for pair in wanted})],
            USER_BADGES,
            lambda pair: {"userid": pair.user},
            _of_user,
            deleted,
        )
        users = {pair.user for pair in deleted}
        found |= {pair: Gone.ACCOUNT_DELETED for pair in wanted if pair.user in users}

    def _enrolments(self, wanted: set[Pair], there: set[Pair], found: dict[Pair, Gone]) -> None:
        """The courses that people are in; believed of one where somebody else is seen in it."""
        courses = {pair.course for pair in wanted}
        known = {pair.course: pair for pair in there if pair.course in courses}
        users = sorted({pair.user for pair in wanted} | {pair.user for pair in known.values()})
        listed: dict[int, dict[int, object]] = {}
        asked = [(USERS_COURSES, {"userid": user, "returnusercount": False}) for user in users]
        if not asked or not self._offered(*asked[0]):
            return
        for user, answer in zip(users, self._client.call_many(asked), strict=True):
            if isinstance(answer, list):
                listed[user] = {
                    int(one["id"]): one.get("completed") for one in answer if isinstance(one, dict)
                }
        for pair in wanted:
            if pair.user not in listed:
                continue
            proof = known.get(pair.course)
            if pair.course in listed[pair.user]:
                # In the course, and done: then it is the report that has lost it.
                if listed[pair.user][pair.course] is not True:
                    found[pair] = Gone.REVERSED
            elif proof is not None and pair.course in listed.get(proof.user, ()):
                found[pair] = Gone.LEFT

    def _courses(self, wanted: set[Pair], there: set[Pair], found: dict[Pair, Gone]) -> None:
        """Courses that Moodle does not list, although it lists another that it shows."""
        courses = sorted({pair.course for pair in wanted})
        proof = next(iter(sorted({pair.course for pair in there} - set(courses))), None)
        if proof is None or not courses:
            return
        asked = [(COURSES, {"field": "id", "value": str(one)}) for one in (proof, *courses)]
        if not self._offered(*asked[0]):
            return
        answers = self._client.call_many(asked)
        if not _lists(answers[0], proof):
            return
        gone = {
            course
            for course, answer in zip(courses, answers[1:], strict=True)
            if not isinstance(answer, PeerError) and not _lists(answer, course)
        }
        found |= {pair: Gone.COURSE_DELETED for pair in wanted if pair.course in gone}

    def _modules(self, wanted: set[Pair], found: dict[Pair, Gone]) -> None:
        """Activities that were taken out of their course: nobody's learning was taken back."""
        modules: dict[Pair, Gone] = {}
        self._ask(
            sorted({Pair(0, pair.course, pair.module) for pair in wanted if pair.module}),
            COURSE_MODULE,
            lambda pair: {"cmid": pair.module},
            _of_module,
            modules,
        )
        removed = {pair.module for pair in modules}
        found |= {
            pair: Gone.COURSE_DELETED for pair in wanted if pair.module and pair.module in removed
        }

    def _offered(self, function: str, params: Mapping[str, Any]) -> bool:
        try:
            self._client.call(function, params)
        except PeerError as error:
            if error.detail == "accessexception":
                return False
            if not error.detail:
                raise
        return True

    def _ask(
        self,
        pairs: Sequence[Pair],
        function: str,
        params: Callable[[Pair], Mapping[str, Any]],
        read: Callable[[Any, Pair], Gone | None],
        found: dict[Pair, Gone],
    ) -> None:
        """Ask about each, until too many answers in a row have told nothing."""
        for part in _parts(pairs):
            answers = self._client.call_many([(function, params(pair)) for pair in part])
            told = {
                pair: why
                for pair, answer in zip(part, answers, strict=True)
                if (why := read(answer, pair)) is not None
            }
            found |= told
            if not told:
                return


def _parts(pairs: Sequence[Pair]) -> Iterable[Sequence[Pair]]:
    """A few first: a function that is not to be had is not asked about everybody."""
    if pairs[:_IN_VAIN]:
        yield pairs[:_IN_VAIN]
    if pairs[_IN_VAIN:]:
        yield pairs[_IN_VAIN:]


def _of_completion(answer: Any, pair: Pair) -> Gone | None:
    if not isinstance(answer, PeerError):
        status = answer.get("completionstatus") if isinstance(answer, dict) else None
        # It tells of the course; of an activity it tells that they are still there to do it.
        done = isinstance(status, dict) and status.get("completed")
        reset = done is False or (pair.module and isinstance(done, bool))
        return Gone.REVERSED if reset else None
    if answer.detail in _NO_SUCH_USER:
        return Gone.ACCOUNT_DELETED
    if answer.detail in _LEFT:
        return Gone.LEFT
    if answer.detail in _THERE:
        return Gone.REVERSED
    if answer.detail == "invalidrecord" and _COURSE_TABLE in str(answer):
        return Gone.COURSE_DELETED
    return None


def _of_user(answer: Any, pair: Pair) -> Gone | None:
    gone = isinstance(answer, PeerError) and answer.detail in _NO_SUCH_USER
    return Gone.ACCOUNT_DELETED if gone else None


def _of_module(answer: Any, pair: Pair) -> Gone | None:
    codes = ("invalidcoursemodule", "invalidrecord")
    gone = isinstance(answer, PeerError) and answer.detail in codes
    return Gone.COURSE_DELETED if gone else None


def _lists(answer: Any, course: int) -> bool:
    courses = answer.get("courses") if isinstance(answer, dict) else None
    return any(
        isinstance(one, dict) and one.get("id") == course
        for one in (courses if isinstance(courses, list) else ())
    )
