"""A site's tables: looks at files with the learner, keeps profiles as YAML, and holds uploads."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from bridge.catalog.profiles import parse_profile, read_profile, write_profile
from bridge.connectors.files import Profile
from bridge.connectors.files.learn import learn
from bridge.connectors.files.presets import presets
from bridge.domain.errors import NotFound, Refused
from bridge.domain.problems import BadFile, Problem
from bridge.domain.proposals import Proposal

#: So long an upload waits for the answers, and so many of one person do; it holds people's data.
_HELD_SECONDS = 24 * 3600
_HELD_MOST = 5
_TOKEN = re.compile(r"[0-9a-f]{32}")


class SiteTables:
    """Implements `bridge.domain.proposals.TableReader` over the folders of a site."""

    def __init__(self, profiles: Path, uploads: Path, largest: int) -> None:
        self._profiles, self._uploads, self._largest = profiles, uploads, largest

    def propose(self, path: Path, shown: str, profile: str, answers: Mapping[str, str]) -> Proposal:
        """What a file looks like, given these answers. Raises BadFile."""
        return learn(path, name=profile, shown=shown, answers=answers, largest=self._largest)

    def save(self, proposal: Proposal, *, replace: bool = False) -> Path:
        """Keep a settled proposal. Raises Refused while a question is open, BridgeError where a
        profile of that name stands already."""
        if not proposal.settled:
            asked = "; ".join(question.asks for question in proposal.questions)
            raise Refused(f"It is not settled yet: {asked}")
        name = proposal.profile["profile"]
        return write_profile(self._profiles / f"{name}.yaml", proposal.profile, replace=replace)

    def keeps(self, profile: str) -> bool:
        """Whether there is a profile of that name, here or shipped."""
        return (self._profiles / f"{profile}.yaml").exists() or profile in presets()

    def read(self, profile: str) -> Profile:
        """A profile, read anew: the site's own, or one of that name that comes with the bridge.

        Raises BadFile.
        """
        path = self._profiles / f"{profile}.yaml"
        shipped = presets()
        if not path.exists() and profile in shipped:
            return Profile.from_data(parse_profile(shipped[profile], f"{profile}.yaml"))
        if not path.exists():
            raise BadFile([Problem(
                f"There is no profile '{profile}' yet", "",
                f"Make it of a file: 'bridge booking learn FILE --profile {profile}', or choose a "
                "file on the page Files", str(path),
            )])  # fmt: skip
        return Profile.from_data(read_profile(path))

    def hold(self, content: BinaryIO, name: str, person: int) -> str:
        """Keep an upload of that person until it is loaded or a day has passed; the word to it.

        Of more than five, the oldest is forgotten.
        """
        self.forget_old()
        for folder, _ in self._held(f"{person}-*")[_HELD_MOST - 1 :]:
            shutil.rmtree(folder, ignore_errors=True)
        word = secrets.token_hex(16)
        folder = self._uploads / f"{person}-{word}"
        folder.mkdir(parents=True, mode=0o700)
        try:
            (folder / "name").write_text(name, encoding="utf-8", errors="replace")
            with (folder / "table").open("wb") as stream:
                shutil.copyfileobj(content, stream)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return word

    def held(self, word: str, person: int) -> tuple[Path, str]:
        """An upload of that person, and its name. Raises NotFound."""
        folder = self._uploads / f"{person}-{word}"
        if not _TOKEN.fullmatch(word) or not (folder / "table").is_file():
            raise NotFound("That file is no longer here. Choose it again.")
        return folder / "table", (folder / "name").read_text(encoding="utf-8")

    def drop(self, word: str, person: int) -> None:
        """Forget an upload."""
        if _TOKEN.fullmatch(word):
            shutil.rmtree(self._uploads / f"{person}-{word}", ignore_errors=True)

    def forget_old(self) -> int:
        """Forget every upload that nobody came back for within a day; how many."""
        over = [f for f, since in self._held("*") if time.time() - since > _HELD_SECONDS]
        for folder in over:
            shutil.rmtree(folder, ignore_errors=True)
        return len(over)

    def _held(self, pattern: str) -> list[tuple[Path, float]]:
        """Uploads and since when they are there, the newest first."""
        found = []
        for folder in self._uploads.glob(pattern):
            try:
                found.append((folder, folder.stat().st_mtime))
            except FileNotFoundError:
                continue  # loaded at this moment
        return sorted(found, key=lambda each: each[1], reverse=True)
