"""Pulls by the bridge's own plugin: a snapshot by rising ids, and the changes since an instant.

The plugin tells seconds, and sees deleted and unenrolled people too. Its outbox says what has
changed; beside each change stands how things are now, so that reading it twice does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import msgspec

from bridge.connectors.moodle.ahead import Ahead
from bridge.connectors.moodle.client import MoodleClient, Params
from bridge.connectors.moodle.plugin import (
    ACTIVITIES,
    CHANGES,
    COMPLETIONS,
    LIMIT,
    Changes,
    Snapshot,
    Status,
    ask,
    decode,
)
from bridge.connectors.moodle.pluginrows import (
    Envelope,
    PageReader,
    activity_stem,
    completion_stem,
)
from bridge.connectors.moodle.settings import ALL_KINDS
from bridge.domain.errors import BadAnswer, TryLater
from bridge.domain.records import Page, Pulled, from_epoch
from bridge.domain.vanishing import Gone

#: Outbox ids are allotted before their transaction commits: what is younger may still come late.
SETTLING_SECONDS = 15 * 60
_NOTE = re.compile(r"changes:(\d{1,18})-(\d{1,18})")
_WHOLE_COURSE = frozenset({"course_reset", "course_deleted"})
_MODULE_DELETED = "module_deleted"


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a run by the plugin stood: at which site, how far it had settled, its last change."""

    site: str
    settled: int
    last_id: int

    def __str__(self) -> str:
        return f"plugin:{self.site}:{self.settled}:{self.last_id}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """The mark that was written so; None for any other."""
        parts = text.split(":")
        if len(parts) != 4 or parts[0] != "plugin" or not (parts[2] + parts[3]).isdecimal():
            return None
        return cls(parts[1], int(parts[2]), int(parts[3]))


@dataclass(frozen=True, slots=True)
class _Part:
    """Where a full run stands within one function's rows: `after` this row's id, having `seen` so
    many of the `first` ones that there were said to be at its start (None: not asked yet)."""

    function: str
    after: int = 0
    seen: int = 0
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a full run that is not at its end goes on, and the mark that it leaves at its end."""

    mark: Mark
    kinds: str
    part: _Part

    def __str__(self) -> str:
        """At most 200 characters, which is what the store keeps of it."""
        part = self.part
        name = _NAMES[part.function]
        return f"{self.mark}:{self.kinds}:{name}:{part.after}:{part.seen}:{part.first or 0}"

    @classmethod
    def read(cls, text: str) -> Resume | None:
        """What was written so; None for any other text."""
        parts = text.split(":")
        mark = Mark.read(":".join(parts[:4]))
        if mark is None or len(parts) != 9 or parts[5] not in _FUNCTIONS:
            return None
        if not all(number.isdecimal() for number in parts[6:]):
            return None
        after, seen, first = map(int, parts[6:])
        return cls(mark, parts[4], _Part(_FUNCTIONS[parts[5]], after, seen, first))


class _FellShort(TryLater):
    """Fewer rows came than there are."""


_FUNCTIONS = {"completions": COMPLETIONS, "activities": ACTIVITIES}
_NAMES = {function: name for name, function in _FUNCTIONS.items()}


def site_of(mark: str) -> str:
    """The plugin's own name of the Moodle that a run read; "" for the mark of another way."""
    known = Mark.read(mark)
    return known.site if known else ""


class PluginRoute:
    """Completions of one Moodle by its plugin. Raises PeerError, as the client does."""

    def __init__(self, client: MoodleClient) -> None:
        self._client = client
        settings = client.settings
        self._key = settings.key
        self._envelope = msgspec.json.encode(Envelope(settings.base))
        self._modnames = (
            None if ALL_KINDS in settings.activities else frozenset(settings.activities)
        )
        self._kinds_asked = _digest(settings.activities)
        self._limit = min(settings.page_size, LIMIT)

    def pull(self, status: Status, mark: str, *, full: bool) -> Iterator[Page]:
        """Pages of what changed since the run that left `mark`, or of everything.

        Everything too where the changes since then are not all there: the outbox was purged, the
        plugin was installed anew, or Moodle was brought back from a backup. A call for 1,000 rows.
        """
        before = Mark.read(mark)
        if (
            full
            or before is None
            or before.site != status.site
            or before.settled < status.complete_since
            or before.last_id > status.last_id
        ):
            yield from self._everything(self._begun(status), goes_on=full)
        else:
            yield from self._since(before, status)

    def go_on(self, status: Status, resume: str) -> Iterator[Page] | None:
        """The pages of a full run after the one that left `resume`.

        What has changed since its start is read too: a completion may be in a row that lies before
        where it stopped, and be known by now. None where it must begin anew: other activities are
        asked for now, it is another site or one that was put back from a backup, or the changes
        since its start are not all told any more.
        """
        stood = Resume.read(resume)
        if (
            stood is None
            or stood.kinds != self._kinds_asked
            or stood.mark.site != status.site
            or stood.mark.settled < status.complete_since
            or stood.mark.last_id > status.last_id
        ):
            return None
        return self._everything(stood, goes_on=True, again=status)

    def look_again(self, notes: Sequence[str]) -> Iterator[Page]:
        """How things are now that the changes in these notes ("changes:7-9") name."""
        for note in notes:
            found = _NOTE.fullmatch(note)
            if found is not None:
                for answer in self._changes(int(found[1]) - 1, 0, int(found[2])):
                    yield from self._pages(answer)

    def _begun(self, status: Status) -> Resume:
        settled = max(status.now - SETTLING_SECONDS, status.complete_since)
        mark = Mark(status.site, settled, status.last_id)
        return Resume(mark, self._kinds_asked, _Part(COMPLETIONS))

    def _everything(
        self, stood: Resume, *, goes_on: bool, again: Status | None = None
    ) -> Iterator[Page]:
        """Pages of all there is from where a run stood.

        Only a run that was asked to be full `goes_on` where it is cut off; `again` is how the
        plugin stood when it went on.
        """
        wanted = self._modnames is None or bool(self._modnames)
        parts = [stood.part]
        if wanted and stood.part.function == COMPLETIONS:
            parts.append(_Part(ACTIVITIES))
        for part in parts:
            courses = part.function == COMPLETIONS
            for answer, at in self._snapshot(part, {} if courses else self._kinds()):
                yield Page(
                    tuple(self._read(self._reader(answer), answer)),
                    self._envelope,
                    expected=answer.total if courses else None,
                    resume=str(replace(stood, part=at)) if goes_on else "",
                )
        mark = stood.mark if again is None else (yield from self._changed(stood.mark, again))
        yield Page(
            (),
            self._envelope,
            last=True,
            bookmark=from_epoch(mark.settled),
            full=True,
            whole=None,
            # Without activities nothing was learned of them; of completions, everything.
            spans=() if wanted else ("completion:", "unreadable:"),
            mark=str(mark),
        )

    def _kinds(self) -> Params:
        return {"modnames": sorted(self._modnames or ())}

    def _since(self, before: Mark, status: Status) -> Iterator[Page]:
        mark = yield from self._changed(before, status)
        yield Page((), self._envelope, last=True, bookmark=from_epoch(mark.settled), mark=str(mark))

    def _changed(self, before: Mark, status: Status) -> Generator[Page, None, Mark]:
        """Pages of what has changed since then; returns the mark where the next run goes on."""
        settled = None
        for answer in self._changes(0, before.settled, None):
            if settled is None:
                settled = answer.settled
            yield from self._pages(answer)
        settled = max(settled or 0, before.settled, status.complete_since)
        return Mark(status.site, settled, status.last_id)

    def _changes(self, after: int, since: int, until: int | None) -> Iterator[Changes]:
        """Answers from one change on, up to another or to the last."""
        while True:
            params = {"after": after, "since": since, "limit": self._limit}
            answer = ask(self._client, CHANGES, params, Changes)
            yield answer
            last = max((change.id for change in answer.changes), default=after)
            if not answer.more or (until is not None and last >= until):
                return
            if last <= after:
                raise self._no_progress(CHANGES)
            after = last

    def _pages(self, answer: Changes) -> Iterator[Page]:
        """What an answer names, as it is now; whole courses where that is what has changed."""
        reader = self._reader(answer)
        items = tuple(self._read(reader, answer))
        named = [completion_stem(row.userid, row.courseid) for row in answer.completions]
        named += [activity_stem(row.userid, row.courseid, row.cmid) for row in answer.activities]
        stems: dict[str, Gone | None] = dict.fromkeys(named)
        courses = {course.id for course in answer.courses}
        modules = {module.cmid for module in answer.modules}
        users = {user.id: user for user in answer.users}
        for each in answer.absent:
            inside = each.kind != "completion"
            user = users.get(each.userid)
            why = None
            if each.courseid not in courses or (inside and each.cmid not in modules):
                why = Gone.COURSE_DELETED
            elif user is None or user.deleted:
                why = Gone.ACCOUNT_DELETED
            stem = completion_stem(each.userid, each.courseid)
            if inside:
                stem = activity_stem(each.userid, each.courseid, each.cmid)
            stems[stem] = why
        for change in answer.changes:
            if change.kind == _MODULE_DELETED and change.cmid not in modules:
                stems[activity_stem("*", change.courseid, change.cmid)] = Gone.COURSE_DELETED
        if answer.changes:
            yield Page(
                items,
                self._envelope,
                absent=tuple(stems),
                because={stem: why for stem, why in stems.items() if why is not None},
                accounts=reader.accounts,
                activities=reader.activities,
            )
        changed = {each.courseid for each in answer.changes if each.kind in _WHOLE_COURSE}
        for courseid in sorted(changed - {0}):
            yield self._course(courseid, there=courseid in courses)

    def _course(self, courseid: int, *, there: bool) -> Page:
        """Everything that a course holds, in one page: who is not in it completed nothing now."""
        items: list[Pulled] = []
        stems = [completion_stem("*", courseid)]
        if not there:
            stems.append(activity_stem("*", courseid, "*"))
            why = dict.fromkeys(stems, Gone.COURSE_DELETED)
            return Page((), self._envelope, absent=tuple(stems), because=why)
        with_activities = self._modnames is None or bool(self._modnames)
        for answer, _ in self._snapshot(_Part(COMPLETIONS), {"courseid": courseid}):
            items += self._read(self._reader(answer), answer)
        if with_activities:
            stems.append(f"activity:*:{courseid}:")
            kinds = {"courseid": courseid, **self._kinds()}
            for answer, _ in self._snapshot(_Part(ACTIVITIES), kinds):
                items += self._read(self._reader(answer), answer)
        return Page(tuple(items), self._envelope, absent=tuple(stems))

    def _snapshot(self, part: _Part, params: Params) -> Iterator[tuple[Snapshot, _Part]]:
        """Answers until there are no more, each with where it ends; the next one is asked for while
        one is being stored.

        Raises TryLater where rows were missed on the way. Where rows came and went between the
        halves of a run that goes on, that cannot be told apart, so they are read from their start.
        """
        if part.after:
            try:
                yield from self._rows(part, params)
            except _FellShort:
                yield from self._rows(_Part(part.function), params)
        else:
            yield from self._rows(part, params)

    def _rows(self, part: _Part, params: Params) -> Iterator[tuple[Snapshot, _Part]]:
        function, after, seen, first = part.function, part.after, part.seen, part.first
        with Ahead(self._client, function) as ahead:
            ahead.ask({**params, "after": after, "limit": self._limit})
            while True:
                answer = decode(self._client, function, ahead.answer().body, Snapshot)
                first = answer.total if first is None else first
                seen += len(answer.completions) + len(answer.activities)
                if not answer.more and seen < min(first, answer.total):
                    raise _FellShort(
                        f"{self._key}: {function} says that there are {answer.total} rows and "
                        f"gave {seen}. What came is kept; it will be read again.",
                        peer=self._key,
                        detail="shifted",
                    )
                goes_on = answer.more and answer.next > after
                after = max(after, answer.next)
                if goes_on:
                    ahead.ask({**params, "after": after, "limit": self._limit})
                yield answer, _Part(function, after, seen, first)
                if not goes_on:
                    break
        if answer.more:
            raise self._no_progress(function)

    def _no_progress(self, function: str) -> BadAnswer:
        return BadAnswer(
            f"{self._key}: {function} says that there is more and does not go on.", peer=self._key
        )

    def _reader(self, answer: Changes | Snapshot) -> PageReader:
        return PageReader(answer.users, answer.courses, answer.modules, self._modnames)

    def _read(self, reader: PageReader, answer: Changes | Snapshot) -> Iterator[Pulled]:
        try:
            for row in answer.completions:
                yield reader.completion(row)
            for each in answer.activities:
                item = reader.activity(each)
                if item is not None:
                    yield item
        except KeyError as error:
            raise BadAnswer(
                f"{self._key}: the plugin tells of a completion and not of its user or course "
                f"{error}. Update the plugin.",
                peer=self._key,
            ) from None


def _digest(kinds: Iterable[str]) -> str:
    """The kinds of activities that are asked for, in few characters."""
    return blake2b("\n".join(sorted(kinds)).encode(), digest_size=6).hexdigest()
