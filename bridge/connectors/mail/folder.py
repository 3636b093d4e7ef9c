"""Mail into a folder, one .eml file a letter: the default, for trying things and for relays."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bridge.connectors.mail.compose import LetterHead, compose
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.mail import Letter
from bridge.domain.ports import Finding


class FolderMailer:
    """Implements `bridge.domain.mail.Mailer`.

    A file is there whole or not at all, readable by its owner alone (sign-in links are in some),
    and named by its message id: the same letter sent again replaces itself.
    """

    def __init__(self, folder: Path, head: LetterHead) -> None:
        self._folder = folder
        self._head = head

    @property
    def host(self) -> str:
        """The domain that message ids end with."""
        return self._head.host

    def send(self, letter: Letter) -> None:
        """Write one letter. Raises NeedsAdministrator where the folder cannot be written."""
        message = compose(letter, self._head)
        name = f"{letter.kind.value}-{letter.message_id.strip('<>').partition('@')[0]}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=".writing-", dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(message.as_bytes())
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(draft, self._folder / name)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
            self._sync_folder()
        except OSError as error:
            raise NeedsAdministrator(
                f"The mail folder {self._folder} cannot be written ({error.strerror}). Make it "
                "writable, or name another with 'folder' under [mail].",
                peer="mail",
            ) from error

    def _sync_folder(self) -> None:
        """The new name survives a power cut, too."""
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def close(self) -> None:
        """There is nothing to let go of."""

    def doctor(self) -> Finding:
        """Whether a file can be made in the folder."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self._folder).close()
        except OSError as error:
            return Finding(
                "mail", False, f"{self._folder} cannot be written ({error.strerror}).",
                "Make the folder writable, or name another with 'folder' under [mail].",
            )  # fmt: skip
        return Finding(
            "mail", True, f"It is written into the folder {self._folder}; nothing is sent.",
            "Name a mail server with 'host' under [mail].", warning=True,
        )  # fmt: skip
