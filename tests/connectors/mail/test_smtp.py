"""SMTP: a real server takes the letter, or says no in each of the ways that servers do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.connectors.mail import SmtpMailer, SmtpSettings
from bridge.connectors.mail.smtp import Security
from bridge.domain.errors import BadAnswer, NeedsAdministrator, TryLater
from bridge.domain.mail import AddressRefused, MailKind
from tests.connectors.mail.server import PASSWORD, USER, Inbox, mail_server, make_certificate
from tests.connectors.mail.test_compose import HEAD, letter

#: The test server remarks that it does not see that its whole port is encrypted.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One for this machine, and one for another."""
    folder = tmp_path_factory.mktemp("certificates")
    return {name: make_certificate(folder, name) for name in ("127.0.0.1", "other.example")}


@pytest.fixture
def inbox() -> Inbox:
    """An empty one."""
    return Inbox()


def mailer(
    port: int,
    security: Security = "none",
    *,
    trusts: Path | None = None,
    user: str = "",
    password: str = "",
) -> SmtpMailer:
    """A mailer for the server on that port."""
    settings = SmtpSettings("127.0.0.1", port, security, user, password, trusts, timeout=5)
    return SmtpMailer(settings, HEAD)


@pytest.fixture
def port(inbox: Inbox) -> Iterator[int]:
    """A plain server's port."""
    with mail_server(inbox) as port:
        yield port


def test_a_letter_arrives_whole(inbox: Inbox, port: int) -> None:
    with closing(mailer(port)) as sender:
        sender.send(letter())
    (message,) = inbox.messages
    assert inbox.recipients == ["amina@example.org"]
    assert message["Message-ID"] == "<abc@example.org>"
    body = message.get_body(("plain",))
    assert body is not None
    assert "Section 47 Enquiries" in body.get_content()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_goes_encrypted_and_signed_in(
    inbox: Inbox, certificates: dict[str, Path], security: Security
) -> None:
    own = certificates["127.0.0.1"]
    with (
        mail_server(inbox, certificate=own, implicit=security == "tls", auth=True) as port,
        closing(mailer(port, security, trusts=own, user=USER, password=PASSWORD)) as sender,
    ):
        sender.send(letter())
        sender.send(letter(MailKind.AWARDED))
    assert inbox.authenticated == [True, True]
    assert len(inbox.sessions) == 1, "one connection for both"


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(("shows", "trusts"), [("127.0.0.1", None), ("other.example", "itself")])
def test_a_server_that_cannot_prove_itself_gets_neither_letter_nor_password(
    inbox: Inbox,
    certificates: dict[str, Path],
    security: Security,
    shows: str,
    trusts: str | None,
) -> None:
    shown = certificates[shows]
    with (
        mail_server(inbox, certificate=shown, implicit=security == "tls", auth=True) as port,
        pytest.raises(NeedsAdministrator, match="cannot be trusted") as caught,
    ):
        mailer(port, security, trusts=shown if trusts else None, user=USER, password=PASSWORD).send(
            letter()
        )
    assert inbox.raw == []
    assert PASSWORD not in str(caught.value)


def test_without_starttls_nothing_goes_in_the_clear(inbox: Inbox, port: int) -> None:
    with pytest.raises(NeedsAdministrator, match="STARTTLS"):
        mailer(port, "starttls", user=USER, password=PASSWORD).send(letter())
    assert inbox.raw == []


def test_a_wrong_password_is_for_the_administrator(
    inbox: Inbox, certificates: dict[str, Path]
) -> None:
    own = certificates["127.0.0.1"]
    with (
        mail_server(inbox, certificate=own, auth=True) as port,
        pytest.raises(NeedsAdministrator, match="user name and password") as caught,
    ):
        mailer(port, "starttls", trusts=own, user=USER, password="wrong-password").send(letter())
    assert "wrong-password" not in repr(caught.value) + repr(caught.value.__cause__)


def test_a_missing_certificate_file_is_named(inbox: Inbox, port: int, tmp_path: Path) -> None:
    with pytest.raises(NeedsAdministrator, match="ca_bundle"):
        mailer(port, "tls", trusts=tmp_path / "none.pem").send(letter())


def test_nobody_there_is_tried_later() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(TryLater, match="cannot be reached"):
            mailer(nobody.getsockname()[1]).send(letter())


def test_a_server_that_never_answers_is_given_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings = SmtpSettings("127.0.0.1", mute.getsockname()[1], "none", timeout=0.2)
        with pytest.raises(TryLater, match="cannot be reached"):
            SmtpMailer(settings, HEAD).send(letter())


@pytest.mark.parametrize(
    ("where", "reply", "error"),
    [
        ("at_mail", "451 4.3.0 try again", TryLater),
        ("at_mail", "550 5.7.1 sender not allowed", NeedsAdministrator),
        ("at_mail", "421 4.3.2 closing down", TryLater),
        ("at_rcpt", "450 4.2.1 greylisted", TryLater),
        ("at_rcpt", "550 5.1.1 no such user", AddressRefused),
        ("at_rcpt", "554 5.7.1 relay access denied", NeedsAdministrator),
        ("at_rcpt", "530 5.7.0 authentication required", NeedsAdministrator),
        ("at_data", "452 4.3.1 disk full", TryLater),
        ("at_data", "552 5.2.2 mailbox full", AddressRefused),
    ],
)
def test_each_refusal_says_who_must_do_something(
    inbox: Inbox, port: int, where: str, reply: str, error: type[Exception]
) -> None:
    setattr(inbox, where, reply)
    with closing(mailer(port)) as sender:
        with pytest.raises(error, match=reply.split()[0]) as caught:
            sender.send(letter())
        assert reply.partition(" ")[2] in str(caught.value)
        assert inbox.raw == []
        setattr(inbox, where, "")
        sender.send(letter())
    assert len(inbox.raw) == 1, "the next letter is not held up"


@pytest.mark.parametrize("where", ["mail", "rcpt"])
def test_hung_up_before_the_letter_it_is_simply_tried_later(
    inbox: Inbox, port: int, where: str
) -> None:
    inbox.hang_up = where
    with closing(mailer(port)) as sender:
        with pytest.raises(TryLater):
            sender.send(letter())
        inbox.hang_up = ""
        sender.send(letter())
    assert len(inbox.raw) == 1


@pytest.mark.parametrize(("where", "taken"), [("data", 0), ("reply", 1)])
def test_hung_up_after_the_letter_nobody_knows(
    inbox: Inbox, port: int, where: str, taken: int
) -> None:
    inbox.hang_up = where
    with closing(mailer(port)) as sender, pytest.raises(BadAnswer, match="the same message"):
        sender.send(letter())
    assert len(inbox.raw) == taken


def test_a_connection_that_went_stale_is_made_anew(inbox: Inbox, port: int) -> None:
    with closing(mailer(port)) as sender:
        sender.send(letter())
        assert sender._line is not None
        assert sender._line.sock is not None
        sender._line.sock.shutdown(socket.SHUT_RDWR)
        sender.send(letter(MailKind.REVIEW))
    assert len(inbox.raw) == 2


def test_an_address_in_other_letters_goes_where_the_server_can(inbox: Inbox) -> None:
    told = letter(to="zoë@example.org")
    with (
        mail_server(inbox) as port,
        closing(mailer(port)) as sender,
        pytest.raises(AddressRefused, match="English"),
    ):
        sender.send(told)
    with mail_server(inbox, utf8=True) as port, closing(mailer(port)) as sender:
        sender.send(told)
    assert inbox.recipients == ["zoë@example.org"]
    assert inbox.messages[0]["To"] == "zoë@example.org"


def test_doctor_tells_without_sending(inbox: Inbox, certificates: dict[str, Path]) -> None:
    own = certificates["127.0.0.1"]
    with mail_server(inbox, certificate=own, auth=True) as port:
        good = mailer(port, "starttls", trusts=own, user=USER, password=PASSWORD).doctor()
        bad = mailer(port, "starttls", trusts=own, user=USER, password="wrong").doctor()
    gone = mailer(port).doctor()
    assert (good.ok, bad.ok, gone.ok) == (True, False, False)
    assert "user name and password" in bad.message
    assert inbox.raw == []


def test_a_password_never_shows() -> None:
    settings = SmtpSettings("mail.example", user=USER, password=PASSWORD)
    assert PASSWORD not in repr(settings)
