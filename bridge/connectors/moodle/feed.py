"""Pulls by the bridge's own plugin: a snapshot by rising ids, and the changes since an instant.

The plugin tells seconds, and sees deleted and unenrolled people too. Its outbox says what has
changed; beside each change stands how things are now, so that reading it twice does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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

#: Outbox ids are allotted before their transaction commits: what is younger may still come late.
SETTLING_SECONDS = 15 * 60
_NOTE = re.compile(r"changes:(\d{1,18})-(\d{1,18})")
_WHOLE_COURSE = frozenset({"course_reset", "course_deleted"})


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
            yield from self._everything(status)
        else:
            yield from self._since(before, status)

    def look_again(self, notes: Sequence[str]) -> Iterator[Page]:
        """How things are now that the changes in these notes ("changes:7-9") name."""
        for note in notes:
            found = _NOTE.fullmatch(note)
            if found is not None:
                for answer in self._changes(int(found[1]) - 1, 0, int(found[2])):
                    yield from self._pages(answer)

    def _everything(self, status: Status) -> Iterator[Page]:
        settled = max(status.now - SETTLING_SECONDS, status.complete_since)
        for answer in self._snapshot(COMPLETIONS, {}):
            reader = self._reader(answer)
            items = tuple(self._read(reader, answer))
            yield Page(items, self._envelope, expected=answer.total)
        wanted = self._modnames is None or bool(self._modnames)
        if wanted:
            for answer in self._snapshot(ACTIVITIES, self._kinds()):
                reader = self._reader(answer)
                yield Page(tuple(self._read(reader, answer)), self._envelope)
        yield Page(
            (),
            self._envelope,
            last=True,
            bookmark=from_epoch(settled),
            full=True,
            whole=None,
            # Without activities nothing was learned of them; of completions, everything.
            spans=() if wanted else ("completion:", "unreadable:"),
            mark=str(Mark(status.site, settled, status.last_id)),
        )

    def _kinds(self) -> Params:
        return {"modnames": sorted(self._modnames or ())}

    def _since(self, before: Mark, status: Status) -> Iterator[Page]:
        settled = None
        for answer in self._changes(0, before.settled, None):
            if settled is None:
                settled = answer.settled
            yield from self._pages(answer)
        settled = max(settled or 0, before.settled, status.complete_since)
        mark = Mark(status.site, settled, status.last_id)
        yield Page((), self._envelope, last=True, bookmark=from_epoch(mark.settled), mark=str(mark))

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
        stems = [completion_stem(row.userid, row.courseid) for row in answer.completions]
        stems += [activity_stem(row.userid, row.courseid, row.cmid) for row in answer.activities]
        stems += [
            completion_stem(each.userid, each.courseid)
            if each.kind == "completion"
            else activity_stem(each.userid, each.courseid, each.cmid)
            for each in answer.absent
        ]
        if answer.changes:
            yield Page(
                items,
                self._envelope,
                absent=tuple(dict.fromkeys(stems)),
                accounts=reader.accounts,
                activities=reader.activities,
            )
        changed = {each.courseid for each in answer.changes if each.kind in _WHOLE_COURSE}
        for courseid in sorted(changed - {0}):
            yield self._course(courseid)

    def _course(self, courseid: int) -> Page:
        """Everything that a course holds, in one page: who is not in it completed nothing now."""
        items: list[Pulled] = []
        stems = [completion_stem("*", courseid)]
        with_activities = self._modnames is None or bool(self._modnames)
        for answer in self._snapshot(COMPLETIONS, {"courseid": courseid}):
            items += self._read(self._reader(answer), answer)
        if with_activities:
            stems.append(f"activity:*:{courseid}:")
            for answer in self._snapshot(ACTIVITIES, {"courseid": courseid, **self._kinds()}):
                items += self._read(self._reader(answer), answer)
        return Page(tuple(items), self._envelope, absent=tuple(stems))

    def _snapshot(self, function: str, params: Params) -> Iterator[Snapshot]:
        """Answers until there are no more. Raises TryLater where rows were missed on the way.

        The next one is asked for while one is being stored.
        """
        after = seen = 0
        first = None
        with Ahead(self._client, function) as ahead:
            ahead.ask({**params, "after": after, "limit": self._limit})
            while True:
                answer = decode(self._client, function, ahead.answer().body, Snapshot)
                first = answer.total if first is None else first
                seen += len(answer.completions) + len(answer.activities)
                if not answer.more and seen < min(first, answer.total):
                    raise TryLater(
                        f"{self._key}: {function} says that there are {answer.total} rows and "
                        f"gave {seen}. What came is kept; it will be read again.",
                        peer=self._key,
                        detail="shifted",
                    )
                goes_on = answer.more and answer.next > after
                if goes_on:
                    after = answer.next
                    ahead.ask({**params, "after": after, "limit": self._limit})
                yield answer
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
