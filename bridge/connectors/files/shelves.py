"""Where the files of a watched folder go: waiting, read, or set aside with the reason beside."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

import orjson

from bridge.domain.problems import BadFile

PROCESSED, ASIDE = "processed", "set-aside"
REASON = ".reason.txt"
#: Bytes of a file's name, of which file systems allow 255; the rest is for what is added to it.
_LONGEST, _SUFFIX = 230, 20
#: Names under which programs write what is not ready, or that are none of ours.
_NOT_READY = ("*.part", "*.partial", "*.tmp", "*.temp", "*.filepart", "*.crdownload",
              "*.download", "~$*", ".*", "*~", "*.swp", "*.lock", "thumbs.db", "desktop.ini",
              f"*{REASON}")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file in the folder. `changed_at` is in seconds since 1970, `size` in bytes."""

    path: Path
    size: int
    changed_ns: int

    @property
    def name(self) -> str:
        """Its own name; bytes that are no text are shown as such."""
        return os.fsencode(self.path.name).decode("utf-8", "replace")

    @property
    def changed_at(self) -> float:
        """When it was last written."""
        return self.changed_ns / 1e9

    def touched(self) -> bool:
        """Whether it has changed since it was listed, or gone."""
        try:
            now = self.path.stat()
        except OSError:
            return True
        return (now.st_size, now.st_mtime_ns) != (self.size, self.changed_ns)


class Shelves:
    """The folder, and what was done with its files.

    Where the folder is only read (`leave`), what was read is remembered in `memory`, and copies
    of what was set aside are kept there.
    """

    def __init__(self, folder: Path, memory: Path, leave: bool) -> None:
        self.folder, self._memory, self._leave = folder, memory, leave

    @property
    def aside_folder(self) -> Path:
        """Where bad files go."""
        return (self._memory if self._leave else self.folder) / ASIDE

    def waiting(self, pattern: str) -> list[Waiting]:
        """The files that have not been read, the oldest first. Raises OSError."""
        known = self._known() if self._leave else {}
        found = []
        for path in self.folder.iterdir():
            name = path.name.casefold()
            if path.is_symlink() or not path.is_file() or not fnmatch(name, pattern.casefold()):
                continue
            if any(fnmatch(name, each) for each in _NOT_READY):
                continue
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue  # whoever put it there has taken it away again
            each = Waiting(path, stat.st_size, stat.st_mtime_ns)
            if known.get(each.name) != [stat.st_size, stat.st_mtime_ns]:
                found.append(each)
        return sorted(found, key=lambda each: (each.changed_ns, each.name))

    def _known(self) -> dict[str, list[int]]:
        try:
            known: dict[str, list[int]] = orjson.loads((self._memory / "read.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return known

    def _remember(self, each: Waiting) -> None:
        known = self._known()
        known[each.name] = [each.size, each.changed_ns]
        self._memory.mkdir(parents=True, exist_ok=True)
        fresh = self._memory / "read.json.new"
        fresh.write_bytes(orjson.dumps(known))
        fresh.replace(self._memory / "read.json")

    def done(self, each: Waiting, now: datetime) -> None:
        """A file that has been read: it goes to the others, or is remembered."""
        if self._leave:
            self._remember(each)
            return
        if each.touched():
            return  # a newer one of the same name has come; it is read next time
        target = self._free(self.folder / PROCESSED, f"{now:%Y%m%dT%H%M%S}-{each.name}")
        each.path.replace(target)

    def set_aside(self, each: Waiting, error: BadFile, now: datetime) -> str:
        """A file that cannot be read: away with it, its reason beside it; one line about it."""
        target = self._free(self.aside_folder, f"{now:%Y%m%dT%H%M%S}-{each.name}")
        reason = (
            f"{each.name} was set aside on {now:%Y-%m-%d at %H:%M} UTC. Nothing of it was "
            f"loaded.\n\n{error}\n\nPut a corrected file into the folder; this one may go.\n"
        )
        target.with_name(target.name + REASON).write_text(reason, encoding="utf-8")
        if self._leave:
            shutil.copyfile(each.path, target)
            self._remember(each)
        elif each.path.exists():
            each.path.replace(target)
        first = str(error.problems[0]) if error.problems else str(error)
        return f"Set aside, with the reason beside it in {self.aside_folder.name}/: {first}"

    def aside(self) -> list[str]:
        """The names of what was set aside."""
        if not self.aside_folder.is_dir():
            return []
        return sorted(p.name for p in self.aside_folder.iterdir() if not p.name.endswith(REASON))

    def clear_away(self, now: datetime, days: int) -> None:
        """Files that were read hold people's data: after so many days they go for good."""
        folder = self.folder / PROCESSED
        if self._leave or not folder.is_dir():
            return
        for path in folder.iterdir():
            try:
                read_at = datetime.strptime(path.name[:15], "%Y%m%dT%H%M%S").replace(
                    tzinfo=now.tzinfo
                )
            except ValueError:
                continue
            if (now - read_at).total_seconds() >= days * 86_400:
                path.unlink(missing_ok=True)

    def try_out(self) -> None:
        """Make the folders that are needed, and write there. Raises OSError."""
        for folder in (self.aside_folder, *(() if self._leave else (self.folder / PROCESSED,))):
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".bridge-was-here"
            probe.write_bytes(b"")
            probe.unlink()

    @staticmethod
    def _free(folder: Path, name: str) -> Path:
        """A path in the folder that nothing has yet, with room for what is added to its name."""
        folder.mkdir(parents=True, exist_ok=True)
        stem, suffix = Path(name).stem, Path(name).suffix[:_SUFFIX]
        stem = stem.encode()[: _LONGEST - len(suffix.encode())].decode("utf-8", "ignore")
        target, count = folder / f"{stem}{suffix}", 1
        while target.exists():
            count += 1
            target = folder / f"{stem}-{count}{suffix}"
        return target
