"""Wires watched folders of tables, and single files; a part of `bridge.bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bridge.config import Config
from bridge.connectors.files import FilesSettings, FolderSource, OneFile
from bridge.domain.errors import NotFound
from bridge.domain.identity import IdentityRule
from bridge.domain.ports import Clock
from bridge.services.pull import Trusted
from bridge.tables import SiteTables

#: The largest file that is looked at before any source is configured for it, in bytes.
LARGEST = 200_000_000


@dataclass(frozen=True, slots=True)
class SiteFolders:
    """The `[files.NAME]` of a site."""

    folder: Path
    config: Config
    clock: Clock

    def identity(self) -> dict[str, tuple[IdentityRule, ...]]:
        """The identity rules that each is trusted with."""
        return {name: section.identity for name, section in self.config.files.items()}

    def sources(self) -> dict[str, Trusted]:
        """The watched folders, by key."""
        return {name: self._watched(name) for name in self.config.files}

    def tables(self) -> SiteTables:
        """What looks at tables that nobody has described, and keeps profiles of them."""
        sizes = (section.largest_megabytes * 1_000_000 for section in self.config.files.values())
        return SiteTables(
            self.folder / self.config.profiles,
            self.folder / "files" / "uploads",
            max(LARGEST, *sizes) if self.config.files else LARGEST,
        )

    def one(self, name: str, path: Path, shown: str = "") -> Trusted:
        """One file, loaded as if it had lain in the folder of that source; `shown` names it.

        Raises NotFound where there is no such folder, BadFile for its profile.
        """
        section = self.config.files.get(name)
        if section is None:
            there = ", ".join(self.config.files) or "none"
            raise NotFound(
                f"There is no [files.{name}] in bridge.toml; there are: {there}. "
                "docs/booking.md shows how to add one."
            )
        profile = self.tables().read(section.profile)
        largest = section.largest_megabytes * 1_000_000
        connector = OneFile(name, path, profile, largest, shown)
        return Trusted(connector, "files", section.trust, section.identity)

    def _watched(self, name: str) -> Trusted:
        section = self.config.files[name]
        settings = FilesSettings(
            key=name,
            folder=self.folder / section.folder,
            memory=self.folder / "files" / name,
            pattern=section.pattern,
            settle=section.settle_seconds,
            after=section.after,
            keep_days=section.keep_days,
            largest=section.largest_megabytes * 1_000_000,
        )
        profile = partial(self.tables().read, section.profile)
        connector = FolderSource(settings, profile, self.clock)
        return Trusted(connector, "files", section.trust, section.identity)
