"""Mail in a folder: whole files, private, and the same letter twice is one file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from bridge.connectors.mail import FolderMailer
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.mail import MailKind
from tests.connectors.mail.test_compose import HEAD, letter


def test_a_letter_is_a_file_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    FolderMailer(folder, HEAD).send(letter())
    (path,) = folder.iterdir()
    assert path.name.startswith("drafts-")
    assert path.suffix == ".eml"
    assert path.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    assert message_from_bytes(path.read_bytes())["To"] == "amina@example.org"


def test_the_same_letter_again_is_the_same_file(tmp_path: Path) -> None:
    sender = FolderMailer(tmp_path, HEAD)
    first = letter()
    sender.send(first)
    sender.send(replace(first, written_at=first.written_at + timedelta(minutes=5)))
    sender.send(letter(MailKind.AWARDED, message_id="<other@example.org>"))
    sender.close()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file stands there")
    sender = FolderMailer(tmp_path / "mail", HEAD)
    with pytest.raises(NeedsAdministrator, match=r"\[mail\]"):
        sender.send(letter())
    assert not sender.doctor().ok


def test_doctor_says_that_nothing_leaves_the_folder(tmp_path: Path) -> None:
    found = FolderMailer(tmp_path / "mail", HEAD).doctor()
    assert found.ok
    assert found.warning
    assert list((tmp_path / "mail").iterdir()) == []
