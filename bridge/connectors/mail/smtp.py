"""Mail by SMTP: TLS that is verified, a time limit on every step, and each refusal in words."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bridge.connectors.mail.compose import LetterHead, compose, deliverable
from bridge.domain.errors import BadAnswer, NeedsAdministrator, PeerError, TryLater
from bridge.domain.mail import AddressRefused, Letter
from bridge.domain.ports import Finding

Security = Literal["starttls", "tls", "none"]
PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
#: Replies that are about us, not about the one recipient (RFC 5321, RFC 4954).
_ABOUT_US = frozenset({503, 530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How to reach the mail server. `timeout` is in seconds, for each step."""

    host: str
    port: int = 0
    security: Security = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_bundle: Path | None = None
    timeout: float = 10.0

    @property
    def place(self) -> str:
        """The server, for messages."""
        return f"{self.host} port {self.port or PORTS[self.security]}"


class SmtpMailer:
    """Implements `bridge.domain.mail.Mailer`. Letters of one round share a connection."""

    def __init__(self, settings: SmtpSettings, head: LetterHead) -> None:
        self._settings = settings
        self._head = head
        self._line: smtplib.SMTP | None = None

    @property
    def host(self) -> str:
        """The domain that message ids end with."""
        return self._head.host

    def close(self) -> None:
        """Say goodbye, if there is a connection."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(smtplib.SMTPException, OSError):
                line.quit()
            line.close()

    def doctor(self) -> Finding:
        """Whether the server is there, proves itself, and takes the user and password."""
        try:
            self._connect()
        except PeerError as error:
            return Finding("mail", False, str(error))
        finally:
            self.close()
        return Finding("mail", True, f"The mail server {self._settings.place} takes our letters.")

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def send(self, letter: Letter) -> None:
        """Hand one letter to the server.

        Raises AddressRefused, TryLater, NeedsAdministrator, or BadAnswer where the connection was
        lost after the letter had begun to go: then it may have been taken.
        """
        message = compose(letter, self._head)
        to = deliverable(letter.to)
        reused = self._line is not None
        line = self._line or self._connect()
        try:
            try:
                self._envelope(line, to)
            except (smtplib.SMTPServerDisconnected, OSError):
                if not reused:
                    raise
                # The server had hung up since the last letter; nothing of this one had gone.
                self._drop()
                line = self._connect()
                self._envelope(line, to)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._drop()
            raise TryLater(
                f"The mail server {self._settings.place} hung up ({_reason(error)}). "
                "It will be tried again.",
                peer="mail",
            ) from error
        self._data(line, message.as_bytes())

    # --- the conversation -----------------------------------------------------------------------
    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        port = settings.port or PORTS[settings.security]
        try:
            line: smtplib.SMTP
            if settings.security == "tls":
                line = smtplib.SMTP_SSL(
                    settings.host, port, timeout=settings.timeout, context=self._tls()
                )
            else:
                line = smtplib.SMTP(settings.host, port, timeout=settings.timeout)
            self._line = line
            line.ehlo_or_helo_if_needed()
            if settings.security == "starttls":
                line.starttls(context=self._tls())
                line.ehlo()
            if settings.user:
                line.login(settings.user, settings.password)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise self._cannot_connect(error) from error
        return line

    def _tls(self) -> ssl.SSLContext:
        bundle = self._settings.ca_bundle
        try:
            context = ssl.create_default_context(cafile=str(bundle) if bundle else None)
        except OSError as error:
            raise NeedsAdministrator(
                f"The certificate file {bundle} cannot be used ({_reason(error)}). Correct "
                "ca_bundle under [mail].",
                peer="mail",
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _cannot_connect(self, error: Exception) -> PeerError:
        place = f"The mail server {self._settings.place}"
        if isinstance(error, ssl.SSLError):
            return NeedsAdministrator(
                f"{place} cannot be trusted ({_reason(error)}). Check host, port and security "
                "under [mail], or name your own authority with ca_bundle.",
                peer="mail",
            )
        if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
            return NeedsAdministrator(
                f"{place} does not accept the user name and password ({_reply(error)}). Check "
                "user under [mail], and the password.",
                peer="mail",
            )
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return NeedsAdministrator(
                f"{place} does not offer what is configured ({_reason(error)}). Check security "
                "and user under [mail].",
                peer="mail",
            )
        if isinstance(error, smtplib.SMTPResponseException):
            if error.smtp_code >= 500:
                return NeedsAdministrator(
                    f"{place} turns the bridge away ({_reply(error)}).", peer="mail"
                )
            return TryLater(f"{place} is busy ({_reply(error)}).", peer="mail")
        return TryLater(f"{place} cannot be reached ({_reason(error)}).", peer="mail")

    def _envelope(self, line: smtplib.SMTP, to: str) -> None:
        options = []
        if not to.isascii():
            line.ehlo_or_helo_if_needed()
            if not line.has_extn("smtputf8"):
                raise AddressRefused(
                    f"The mail server {self._settings.place} sends to addresses in plain English "
                    "letters only, and this person's is not.",
                    peer="mail",
                )
            options = ["SMTPUTF8", "BODY=8BITMIME"]
            line.command_encoding = "utf-8"
        code, reply = line.mail(self._head.address, options)
        if code != 250:
            self._give_up_on(line, code)
            raise self._refusal(code, reply, f"the sender {self._head.address}", ours=True)
        code, reply = line.rcpt(to)
        if code not in (250, 251):
            self._give_up_on(line, code)
            raise self._refusal(code, reply, "this person's address")

    def _data(self, line: smtplib.SMTP, body: bytes) -> None:
        try:
            code, reply = line.data(body)
        except smtplib.SMTPDataError as error:
            self._give_up_on(line, error.smtp_code)
            raise self._refusal(error.smtp_code, error.smtp_error, "the message") from error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._drop()
            raise BadAnswer(
                f"The mail server {self._settings.place} hung up before it said whether it took "
                "the mail. It will be sent again, as the same message.",
                peer="mail",
            ) from error
        if code != 250:
            self._give_up_on(line, code)
            raise self._refusal(code, reply, "the message")

    def _give_up_on(self, line: smtplib.SMTP, code: int) -> None:
        """Make the connection fit for the next letter, or drop it."""
        if code == 421:
            self._drop()
            return
        try:
            line.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _refusal(
        self, code: int, reply: bytes | str, what: str, *, ours: bool = False
    ) -> PeerError:
        said = _said(code, reply)
        place = f"The mail server {self._settings.place}"
        if code < 500:
            return TryLater(f"{place} does not take {what} just now ({said}).", peer="mail")
        if ours or code in _ABOUT_US or "relay" in said.casefold():
            return NeedsAdministrator(
                f"{place} does not send mail for the bridge ({said}). Check sender, user and the "
                "password under [mail], or ask whoever runs that server.",
                peer="mail",
            )
        return AddressRefused(
            f"{place} refuses {what} for good ({said}). Correct the address in the staff list, "
            "then let the mail go again with 'bridge mail retry'.",
            peer="mail",
        )


def _said(code: int, reply: bytes | str) -> str:
    """A server's reply on one line, short enough to show."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {' '.join(text.split())}"[:200]


def _reply(error: smtplib.SMTPResponseException) -> str:
    return _said(error.smtp_code, error.smtp_error)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]
