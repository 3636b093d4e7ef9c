"""A site's tables: looks at files with the learner, keeps profiles as YAML, and holds uploads."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from bridge.catalog.profiles import read_profile, write_profile
from bridge.connectors.files import Profile
from bridge.connectors.files.learn import learn
from bridge.domain.errors import NotFound, Refused
from bridge.domain.proposals import Proposal

#: So long an upload waits for the answers; it holds people's data.
_HELD_SECONDS = 24 * 3600
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
        """Whether there is a profile of that name."""
        return (self._profiles / f"{profile}.yaml").exists()

    def read(self, profile: str) -> Profile:
        """A profile, read anew. Raises BadFile."""
        return Profile.from_data(read_profile(self._profiles / f"{profile}.yaml"))

    def hold(self, content: BinaryIO, name: str, person: int) -> str:
        """Keep an upload of that person until it is loaded, a day at most; the word to it."""
        self._forget_old()
        word = secrets.token_hex(16)
        folder = self._uploads / f"{person}-{word}"
        folder.mkdir(parents=True, mode=0o700)
        (folder / "name").write_text(name, encoding="utf-8")
        with (folder / "table").open("wb") as stream:
            shutil.copyfileobj(content, stream)
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

    def _forget_old(self) -> None:
        if self._uploads.is_dir():
            for folder in self._uploads.iterdir():
                if time.time() - folder.stat().st_mtime > _HELD_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
