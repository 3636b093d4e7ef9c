"""The watched folder as a source: every new file once, what is bad set aside, the rest goes on.

A file is read from a copy, so that both passes over it see the same bytes. It is moved away only
when all its pages are committed: after a crash it is read again, and gives the same rows.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec
import orjson

from bridge.connectors.files.cells import HalfFile
from bridge.connectors.files.loading import Sheet
from bridge.connectors.files.opening import MEGABYTE, opened
from bridge.connectors.files.profile import Profile
from bridge.connectors.files.reading import RowReader
from bridge.connectors.files.rekeying import Unknowable, rekeyer
from bridge.connectors.files.shelves import Shelves, Waiting
from bridge.domain.errors import BridgeError, Damaged, NeedsAdministrator
from bridge.domain.ports import Clock, Finding
from bridge.domain.problems import BadFile, Problem
from bridge.domain.records import Page, Pulled

#: A file that breaks off is waited for, so many times as long as any other.
PATIENCE = 10


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """One watched folder.

    A file is read once nothing changed in it for `settle` seconds. `after` says what becomes of
    it then: "move" (into `processed` within the folder, for `keep_days` days) or "leave" (as in
    a folder that may only be read; what was read is then remembered in `memory`). `largest` is
    in bytes. `pattern` chooses among the files, as "*.csv".
    """

    key: str
    folder: Path
    memory: Path
    pattern: str = "*"
    settle: float = 60.0
    after: str = "move"
    keep_days: int = 30
    largest: int = 200 * MEGABYTE


class FolderSource:
    """The files of one folder, by one profile, which `profile` reads anew (raises BadFile)."""

    def __init__(
        self, settings: FilesSettings, profile: Callable[[], Profile], clock: Clock
    ) -> None:
        self.settings = settings
        self._profile = profile
        self._read: Profile | None = None
        self._clock = clock
        self._shelves = Shelves(settings.folder, settings.memory, settings.after == "leave")

    @property
    def key(self) -> str:
        """The configured name of the source."""
        return self.settings.key

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """The rows of every file that is there and whole; `since` plays no part.

        What is no longer in a folder is not gone, unless the profile says that a file is the
        whole: then only the newest is read, and what it lacks is gone. Raises NeedsAdministrator
        where the folder or the profile cannot be read.
        """
        profile = self._read = self._checked_profile()
        now = self._clock.now()
        waiting = self._ready(now)
        notes: list[str] = []
        loaded, done, doubt = False, 0, ""
        #: A whole is put away once what it lacks is gone, and after every older one: whoever is
        #: stopped before that finds it again, and never an older one in its stead.
        over: list[Waiting] = []
        for each in reversed(waiting) if profile.complete else waiting:
            if profile.complete and loaded:
                over.insert(0, each)
                continue
            told = done
            try:
                for page in self._pages(each, profile):
                    told, doubt = done + (page.expected or 0), doubt or page.note
                    yield replace(page, expected=told, note="")
                done = told
            except BadFile as error:
                if each.touched():
                    continue  # another has come in its place, or it was taken away again
                if isinstance(error, HalfFile) and not self._settled(each, now, PATIENCE):
                    continue
                notes.append(self._put_away(each, now, error))
                continue
            loaded = True
            if profile.complete:
                over.append(each)
            else:
                self._put_away(each, now)
        if profile.complete and doubt:
            notes.append(doubt)
        whole = profile.complete and loaded and not doubt
        yield Page((), b"{}", last=True, whole=whole, note=" ".join(notes))
        for each in over:
            self._put_away(each, now)
        self._clear_away(now)

    def _put_away(self, each: Waiting, now: datetime, error: BadFile | None = None) -> str:
        """A file that was read, or that cannot be; what is to be said of it."""
        try:
            if error is not None:
                return self._shelves.set_aside(each, error, now)
            self._shelves.done(each, now)
        except OSError as fault:
            raise NeedsAdministrator(
                f"{each.name} cannot be put away ({fault.strerror}). Let the service write in "
                f'{self.settings.folder}, or set after = "leave" under [files.{self.key}].',
                peer=self.key,
            ) from None
        return ""

    def _clear_away(self, now: datetime) -> None:
        try:
            self._shelves.clear_away(now, self.settings.keep_days)
        except OSError as fault:
            raise NeedsAdministrator(
                f"Files of more than {self.settings.keep_days} days ago cannot be removed from "
                f"{self.settings.folder} ({fault.strerror}). Let the service write there.",
                peer=self.key,
            ) from None

    def _checked_profile(self) -> Profile:
        if not self.settings.folder.is_dir():
            raise NeedsAdministrator(
                f"The folder {self.settings.folder} is not there. Make it, or mount it, or "
                f"correct 'folder' under [files.{self.key}].",
                peer=self.key,
            )
        try:
            return self._profile()
        except BadFile as error:
            raise NeedsAdministrator(
                f"Its column profile cannot be used, so nothing was read: {error}", peer=self.key
            ) from None

    def _ready(self, now: datetime) -> list[Waiting]:
        try:
            waiting = self._shelves.waiting(self.settings.pattern)
        except OSError as error:
            raise NeedsAdministrator(
                f"The folder {self.settings.folder} cannot be read ({error.strerror}).",
                peer=self.key,
            ) from None
        return [each for each in waiting if self._settled(each, now, 1)]

    def _settled(self, each: Waiting, now: datetime, times: float) -> bool:
        """Whether it has been left alone for long enough, by the clock of the folder's computer."""
        return now.timestamp() - each.changed_at >= times * self.settings.settle

    def _pages(self, each: Waiting, profile: Profile) -> Iterator[Page]:
        with tempfile.TemporaryDirectory(prefix="bridge-file-") as name:
            copy = Path(name) / "table"
            try:
                if each.size <= self.settings.largest:
                    shutil.copyfile(each.path, copy)
                else:
                    copy = each.path
            except OSError as error:
                raise BadFile([Problem(
                    "The file cannot be read", error.strerror or "", "Let the service read it",
                    each.name,
                )]) from None  # fmt: skip
            if each.touched():
                raise HalfFile([_half(each.name)])
            yield from file_pages(
                copy, each.name, profile, self.settings.largest,
                to_the_end=not self._settled(each, self._clock.now(), PATIENCE),
            )  # fmt: skip

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """A stored row read again: by the profile as it is now, if it is of the same columns.

        Raises Damaged for an envelope that is not ours.
        """
        return read_row(natural_key, body, envelope, self._profile)

    def key_now(self, natural_key: str, body: bytes, envelope: bytes) -> str:
        """By what a stored row would be known today. Raises NeedsAdministrator, Damaged."""
        return key_now(self.key, self._read or self._profile(), natural_key, body, envelope)

    def doctor(self) -> list[Finding]:
        """What the folder and the profile are like, and what lies there and why."""
        folder = self.settings.folder
        try:
            profile = self._checked_profile()
        except NeedsAdministrator as error:
            return [Finding("folder", False, str(error))]
        found = [Finding("profile", True, f"'{profile.name}' reads well ({profile.kind}).")]
        try:
            self._shelves.try_out()
            waiting = self._shelves.waiting(self.settings.pattern)
            aside = self._shelves.aside()
        except OSError as error:
            return [*found, Finding(
                "folder", False, f"{folder}: {error.strerror}.",
                "Let the service read and write there, or set after = \"leave\" and let it read.",
            )]  # fmt: skip
        found.append(Finding("folder", True, f"{folder}: {_files(len(waiting))} waiting."))
        early = [w.name for w in waiting if w.changed_at > self._clock.now().timestamp() + 300]
        if early:
            found.append(Finding(
                "clock", True, f"{early[0]} is dated in the future, and waits until then.",
                "Set the clocks of both computers.", warning=True,
            ))  # fmt: skip
        if aside:
            first = ", ".join(aside[:5])
            found.append(Finding(
                "set aside", False, f"{_files(len(aside))} could not be loaded: {first}.",
                f"The reason is beside each in {self._shelves.aside_folder}. Put a corrected file "
                "into the folder, and remove the bad one.",
            ))  # fmt: skip
        return found


class OneFile:
    """One file that a person hands in: the same path as the folder's, and an error is theirs."""

    def __init__(
        self, key: str, path: Path, profile: Profile, largest: int, name: str = ""
    ) -> None:
        self._key, self.path, self.profile = key, path, profile
        self._largest, self._name = largest, name or path.name

    @property
    def key(self) -> str:
        """The configured name of the source."""
        return self._key

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """All its rows. Raises BadFile before the first page, or not at all."""
        doubt = ""
        for page in file_pages(self.path, self._name, self.profile, self._largest):
            doubt = doubt or page.note
            yield replace(page, note="")
        whole, doubt = self.profile.complete and not doubt, doubt if self.profile.complete else ""
        yield Page((), b"{}", last=True, whole=whole, note=doubt)

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """A stored row read again."""
        return read_row(natural_key, body, envelope, lambda: self.profile)

    def key_now(self, natural_key: str, body: bytes, envelope: bytes) -> str:
        """By what a stored row would be known today. Raises NeedsAdministrator, Damaged."""
        return key_now(self.key, self.profile, natural_key, body, envelope)

    def doctor(self) -> list[Finding]:
        """Nothing: the source it belongs to is asked."""
        return []


def file_pages(
    path: Path, name: str, profile: Profile, largest: int, *, to_the_end: bool = False
) -> Iterator[Page]:
    """The pages of one file, once it has been looked through. Raises BadFile.

    With `to_the_end`, a text that breaks off within a line is taken to be on its way still. The
    pages' note says why the file cannot tell what is gone, if it cannot.
    """
    with opened(
        path, name=name, largest=largest, encoding=profile.encoding,
        separator=profile.separator, sheet=profile.sheet,
    ) as table:  # fmt: skip
        if to_the_end and not table.ends_whole:
            raise HalfFile([_half(name)])
        sheet = Sheet(table, profile)
        looked = sheet.look()
        yield from sheet.pages(looked)


class _Envelope(msgspec.Struct):
    route: str
    profile: dict[str, object]
    fields: list[str]


def read_row(
    natural_key: str, body: bytes, envelope: bytes, current: Callable[[], Profile]
) -> Pulled:
    """A stored row read again, by the current profile where it is the same one.

    Raises Damaged for an envelope that is not ours.
    """
    try:
        kept = msgspec.json.decode(envelope, type=_Envelope)
        if kept.route != "table":
            raise ValueError(f"a route '{kept.route}'")
        profile = Profile.from_data(kept.profile)
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise Damaged(f"{natural_key}: its stored envelope cannot be read: {error}") from error
    try:
        now = current()
        if now.name == profile.name and columns_of(now) == columns_of(profile):
            profile = now
    except BridgeError:
        pass  # the profile is being edited; what was in force when it came still reads it
    try:
        cells_read: Sequence[object] = orjson.loads(body)
        if len(cells_read) != 3:
            raise ValueError("three parts expected")
    except ValueError as error:
        raise Damaged(f"{natural_key}: its stored row cannot be read: {error}") from error
    return RowReader(profile, kept.fields).read_kept(natural_key, body)


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def columns_of(profile: Profile) -> list[str]:
    """The columns of its sessions, by whose places in a row its items are known."""
    return [session.column for session in profile.sessions]


def key_now(source: str, profile: Profile, natural_key: str, body: bytes, envelope: bytes) -> str:
    """By what a stored row of a source would be known today. Raises NeedsAdministrator, Damaged."""
    try:
        return rekeyer(envelope, profile).key(natural_key, body)
    except Unknowable as wanting:
        if profile.complete:
            return natural_key  # it is gone by that name, and comes by another
        raise NeedsAdministrator(
            f"Since its column profile was edited, a row is known by {wanting} too, which was not "
            "kept of the rows that were loaded before: they would be known twice. Nothing was "
            "read. Put the profile back as it was, name another key: in it, or say "
            "'complete: true' and put in a file of all bookings.",
            peer=source,
        ) from None


def _half(name: str) -> Problem:
    return Problem("The file changed while it was read", "It is still being written", "", name)
