"""A real SMTP server on this machine, with TLS and passwords, that misbehaves when told to."""

from __future__ import annotations

import ipaddress
import ssl
from asyncio import Server, WriteTransport
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "bridge", "right-password"


@dataclass
class Inbox:
    """What the server took. `at_rcpt` and `at_data` are replies instead of 250; `hang_up` cuts
    the connection at "mail", "rcpt", "data" (before keeping it) or "reply" (after)."""

    at_mail: str = ""
    at_rcpt: str = ""
    at_data: str = ""
    hang_up: str = ""
    raw: list[bytes] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    authenticated: list[bool] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    @property
    def messages(self) -> list[EmailMessage]:
        """As mail programs read them."""
        return [
            m
            for raw in self.raw
            if isinstance(m := message_from_bytes(raw, policy=policy.default), EmailMessage)
        ]

    def _cut(self, server: SMTP, where: str) -> bool:
        if self.hang_up != where:
            return False
        assert isinstance(server.transport, WriteTransport)
        server.transport.abort()
        return True

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A sender is named."""
        if self._cut(server, "mail"):
            return "421 gone"
        if self.at_mail:
            return self.at_mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A recipient is named."""
        if self._cut(server, "rcpt"):
            return "421 gone"
        if self.at_rcpt:
            return self.at_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """A message has come."""
        if self._cut(server, "data"):
            return "421 gone"
        if self.at_data:
            return self.at_data
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        self.sessions.add(id(session))
        self.authenticated.append(bool(session.authenticated))
        self.encrypted.append(session.ssl is not None)
        self.recipients += [str(to) for to in envelope.rcpt_tos]
        if self._cut(server, "reply"):
            return "421 gone"
        return "250 OK"


def _check(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=right)


class _AnyPort(Controller):
    """On port 0 the system gives a free one, which is known once the server stands."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(
    inbox: Inbox,
    *,
    certificate: Path | None = None,
    implicit: bool = False,
    auth: bool = False,
    utf8: bool = False,
) -> Iterator[int]:
    """The server running; its port. `certificate` (with its key) offers TLS."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    told: dict[str, Any] = {"enable_SMTPUTF8": utf8}
    if auth:
        told |= {
            "authenticator": _check, "auth_required": True, "auth_require_tls": not implicit,
        }  # fmt: skip
    if context is not None and not implicit:
        told["tls_context"] = context
    controller = _AnyPort(
        inbox, hostname="127.0.0.1", port=0, ssl_context=context if implicit else None, **told
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def make_certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate with its key, for a host name or an address."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
