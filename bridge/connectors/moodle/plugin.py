"""What the bridge's plugin for Moodle answers (local_competencybridge, API 1), as typed structs."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from bridge.connectors.moodle.client import UNREADABLE, MoodleClient, Params
from bridge.connectors.moodle.rows import LATEST
from bridge.domain.errors import BadAnswer

API = 1
STATUS = "local_competencybridge_get_status"
CHANGES = "local_competencybridge_get_changes"
COMPLETIONS = "local_competencybridge_get_completions"
ACTIVITIES = "local_competencybridge_get_activities"
FUNCTIONS = (STATUS, CHANGES, COMPLETIONS, ACTIVITIES)
READ_CAPABILITY = "local/competencybridge:readchanges"
#: What the plugin allows, whatever is asked for.
LIMIT = 1000
#: Seconds of a clock that can be right: a moment of this century.
Epoch = Annotated[int, msgspec.Meta(ge=0, lt=LATEST)]


class Status(msgspec.Struct):
    """get_status: what the plugin is, and what the caller may do."""

    api: int
    site: str
    now: Epoch
    complete_since: Epoch
    last_id: int
    can_read: bool
    plugin: str = ""
    moodle: str = ""
    webhook: bool = False
    can_award: bool = False
    can_set_status: bool = False


class User(msgspec.Struct):
    """The current facts of a user; those of a deleted one are empty."""

    id: int
    username: str | None = ""
    idnumber: str | None = ""
    email: str | None = ""
    fullname: str | None = ""
    suspended: bool = False
    deleted: bool = False
    confirmed: bool = True


class Course(msgspec.Struct):
    """The current facts of a course."""

    id: int
    idnumber: str | None = ""
    shortname: str | None = ""
    fullname: str | None = ""
    category: str | None = ""
    visible: bool = True


class Module(msgspec.Struct):
    """The current facts of an activity inside a course."""

    cmid: int
    courseid: int
    modname: str
    name: str
    idnumber: str | None = ""


class Completion(msgspec.Struct):
    """A course completion; `timecompleted` 0 where nobody knows when."""

    id: int
    userid: int
    courseid: int
    timecompleted: int = 0
    grade: float | None = None
    enrolled: bool = True


class Activity(msgspec.Struct):
    """How an activity inside a course was completed, with its grade as a fraction."""

    id: int
    userid: int
    courseid: int
    cmid: int
    state: int
    time: int = 0
    grade: float | None = None
    passed: bool | None = None


class Absent(msgspec.Struct):
    """A pair that holds nothing now."""

    kind: str
    userid: int
    courseid: int = 0
    cmid: int = 0


class Change(msgspec.Struct):
    """One line of the plugin's outbox."""

    id: int
    kind: str
    time: int = 0
    userid: int = 0
    courseid: int = 0
    cmid: int = 0


class Changes(msgspec.Struct):
    """get_changes: some changes, and how all that they name stands now."""

    site: str
    now: Epoch
    complete_since: Epoch
    settled: Epoch
    more: bool
    changes: list[Change]
    completions: list[Completion] = []
    activities: list[Activity] = []
    users: list[User] = []
    courses: list[Course] = []
    modules: list[Module] = []
    absent: list[Absent] = []


class Snapshot(msgspec.Struct):
    """get_completions and get_activities: a page of all there is, by rising ids."""

    site: str
    now: Epoch
    last_id: int
    total: int
    more: bool
    next: int
    completions: list[Completion] = []
    activities: list[Activity] = []
    users: list[User] = []
    courses: list[Course] = []
    modules: list[Module] = []


Answer = TypeVar("Answer", Status, Changes, Snapshot)


def ask(client: MoodleClient, function: str, params: Params, kind: type[Answer]) -> Answer:
    """One answer of the plugin. Raises PeerError, BadAnswer for one of another shape."""
    return decode(client, function, client.fetch(function, params).body, kind)


def decode(client: MoodleClient, function: str, body: bytes, kind: type[Answer]) -> Answer:
    """An answer that came. Raises BadAnswer for one of another shape."""
    try:
        # PHP sends numbers and booleans as strings in places.
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise _other_shape(client, function, error) from None
    except UNREADABLE:
        raise client.unreadable(function) from None


def status_of(client: MoodleClient, answer: object) -> Status:
    """The status in an answer that came in a batch. Raises BadAnswer for another shape."""
    try:
        return msgspec.convert(answer, Status, strict=False)
    except msgspec.ValidationError as error:
        raise _other_shape(client, STATUS, error) from None


def _other_shape(client: MoodleClient, function: str, error: Exception) -> BadAnswer:
    key = client.settings.key
    return BadAnswer(
        f"{key}: {function} answered in another shape than this bridge knows ({error}). Update "
        "the plugin in Moodle, or the bridge. Nothing was concluded from it.",
        peer=key,
        detail="shape",
    )
