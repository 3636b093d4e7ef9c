"""Mail by itself: the job of `bridge run`, and the commands of whoever looks after it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path
from unittest import mock

import pytest

from bridge.bootstrap import Bridge, open_bridge
from bridge.bootstrap_doors import mail_room
from bridge.cli import main
from bridge.config import load_config
from bridge.connectors.mail import FolderMailer, SmtpMailer
from bridge.domain.errors import BridgeError
from bridge.domain.identity import Identifier, IdentifierKind
from bridge.domain.problems import BadFile
from bridge.jobs.embedded import EmbeddedJobs, JobTimes
from bridge.jobs.work import Works
from bridge.services import notify
from bridge.services.mailing import MailRoom
from bridge.sitefolder import make_site
from tests.mail.post import KEY, Postbox, go_live
from tests.support import World, cast


def eventually(box: Postbox) -> None:
    """Wait for a letter."""
    deadline = time.monotonic() + 30
    while not box.letters:
        assert time.monotonic() < deadline, "no letter came"
        time.sleep(0.02)


def test_the_job_sends_what_is_due_and_looks_for_what_waits_too_long(world: World) -> None:
    box = go_live(world)
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.clock.advance(hours=1)
    jobs = EmbeddedJobs(
        Works(world.ctx, mail=MailRoom(box, "https://bridge.example", KEY)), JobTimes()
    )
    jobs.start()
    try:
        eventually(box)
        names = {job.name for job in jobs.next_times()}
    finally:
        jobs.stop()
    assert ("waiting", "manager@example.org") in box.told()
    assert {"send mail", "look for what is overdue"} <= names


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site's folder, as 'bridge init' makes it, with somebody who asked for a link."""
    folder = tmp_path / "site"
    make_site(folder)
    bridge = open_bridge(folder)
    try:
        ask(bridge, "u1@example.org")
    finally:
        bridge.close()
    return folder


def ask(bridge: Bridge, address: str) -> None:
    """Somebody new asks for a link."""
    ctx = bridge.context
    with ctx.store.begin() as uow:
        person = uow.people.add("Amina Khan", ctx.clock.now())
        uow.people.add_identifier(
            person, Identifier(IdentifierKind.EMAIL, address), ctx.clock.now()
        )
    notify.ask_for_link(ctx, person)


def run(site: Path, *words: str, ok: bool = True) -> str:
    """A command, as typed; what it said."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with (
        mock.patch.dict(os.environ, {"BRIDGE_SITE": str(site), "COLUMNS": "300"}),
        mock.patch.object(sys, "argv", ["bridge", "mail", *words]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    assert (status == 0) is ok, out.getvalue() + err.getvalue()
    return out.getvalue() + err.getvalue()


def test_a_new_site_writes_mail_into_its_folder(site: Path) -> None:
    listed = json.loads(run(site, "list", "--json"))
    assert [m["kind"] for m in listed["mails"]] == ["sign-in"]
    assert "1 sent" in run(site, "send")
    (path,) = (site / "mail").glob("*.eml")
    text = path.read_text()
    assert "To: u1@example.org" in text
    assert "http://127.0.0.1:8765/link/" in text
    assert "1 sent" in run(site, "list")


def test_what_is_stuck_is_shown_with_the_reason_and_let_go(site: Path) -> None:
    (site / "mail").write_text("a file stands where the folder should")
    assert "cannot be written" in run(site, "send", ok=False)
    (stuck,) = json.loads(run(site, "list", "--stuck", "--json"))["mails"]
    assert "cannot be written" in stuck["error"]
    (site / "mail").unlink()
    run(site, "retry", str(stuck["id"]))
    assert "1 sent" in run(site, "send")
    assert "not in the queue" in run(site, "retry", str(stuck["id"]), ok=False)


def configured(folder: Path, text: str) -> Path:
    """A site's folder with these settings."""
    (folder / "bridge.toml").write_text(text, encoding="utf-8")
    return folder


def test_smtp_is_used_once_a_host_is_configured(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = open_bridge(site)
    assert isinstance(mail_room(bridge).mailer, FolderMailer)
    bridge.close()
    told = '[mail]\nhost = "smtp.example.org"\nuser = "bridge"\nsender = "A B <a@example.org>"\n'
    bridge = open_bridge(configured(site, told + '[web]\nbase_url = "https://b.example"\n'))
    try:
        with pytest.raises(BridgeError, match="BRIDGE_SMTP_PASSWORD"):
            mail_room(bridge)
        monkeypatch.setenv("BRIDGE_SMTP_PASSWORD", "secret")
        room = mail_room(bridge, "http://elsewhere")
        assert isinstance(room.mailer, SmtpMailer)
        assert (room.mailer.host, room.base_url) == ("example.org", "https://b.example")
    finally:
        bridge.close()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('sender = "a@b.org\\nBcc: c@d.org"', "sender"),
        ('sender = "nobody"', "sender"),
        ('host = "smtp.example.org"', "from which address"),
        ('sender = "a@b.org"\nhost = "h"\nuser = "u"\nsecurity = "none"', "in the clear"),
        ('go_live = "soon"', "go_live"),
        ("digest_hour = 3", "digest_hour"),
        ('password = "here"', "no such setting"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(BadFile) as caught:
        load_config(configured(tmp_path, f"[mail]\n{line}\n"))
    assert any(says in str(problem) for problem in caught.value.problems)


def test_the_go_live_date_is_the_policys(tmp_path: Path) -> None:
    config = load_config(configured(tmp_path, "[mail]\ngo_live = 2026-09-01\ndigest_hour = 9\n"))
    rules = config.rules()
    assert rules.mail_from is not None
    assert (rules.mail_from.isoformat(), rules.mail_hour) == ("2026-09-01", 9)
