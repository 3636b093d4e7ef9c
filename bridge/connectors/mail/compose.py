"""A letter as a message: headers that nothing can be slipped into, and both bodies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import parseaddr

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bridge.connectors.mail.words import WORDS
from bridge.domain.mail import AddressRefused, Letter, LetterLine

#: Addresses stand on one line: folded, Python would encode them past recognition. RFC 5322
#: allows 998 characters.
_POLICY = SMTP.clone(max_line_length=900)
#: For an address that is not in plain English letters (RFC 6531).
_UTF8_POLICY = SMTPUTF8.clone(max_line_length=900)
#: One plain address, without the quoting and comments that RFC 5322 allows and nobody has.
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"]+")
_templates = Environment(
    loader=PackageLoader("bridge.connectors.mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class LetterHead:
    """Who all letters are from. `sender` and `reply_to` are addresses, with a name or without."""

    sender: str
    title: str = "Competency Bridge"
    reply_to: str = ""
    contact: str = ""

    @property
    def address(self) -> str:
        """The sender's bare address: the envelope's."""
        return parseaddr(self.sender)[1]

    @property
    def host(self) -> str:
        """The sender's domain, with which message ids end."""
        return self.address.rpartition("@")[2] or "localhost"


def compose(letter: Letter, head: LetterHead) -> EmailMessage:
    """The message. Raises AddressRefused where `letter.to` is no address.

    Subjects are ours alone; names and titles stand in the bodies, on one line each.
    """
    words = WORDS[letter.kind]
    to = deliverable(letter.to)
    message = EmailMessage(policy=_POLICY if to.isascii() else _UTF8_POLICY)
    subject = words.subject(letter.count)
    message["Subject"] = subject
    message["From"] = _address(head.sender, head.title)
    message["To"] = to
    if head.reply_to:
        message["Reply-To"] = _address(head.reply_to, "")
    message["Date"] = letter.written_at
    message["Message-ID"] = letter.message_id
    # No holiday replies to a machine (RFC 3834; Exchange has its own header).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if letter.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    told = {
        "letter": letter,
        "head": head,
        "words": words,
        "subject": subject,
        "name": _one_line(letter.name),
        "opening": words.opening(letter.count),
        "lines": [_plain(line) for line in letter.lines],
        "more": letter.count - len(letter.lines),
        "lasts": _lasts(letter.minutes),
    }
    message.set_content(_templates.get_template("letter.txt").render(told))
    message.add_alternative(_templates.get_template("letter.html").render(told), subtype="html")
    return message


def _address(text: str, name: str) -> Address:
    given, address = parseaddr(text)
    return Address(given or name, addr_spec=address)


def deliverable(address: str) -> str:
    """The address as mail servers know it. Raises AddressRefused where it is none."""
    local, _, domain = address.rpartition("@")
    try:
        if not address.isprintable() or not _ADDRESS.fullmatch(address):
            raise ValueError("not a plain address")
        known = f"{local}@{domain.encode('idna').decode()}"
        known.encode()
    except ValueError as error:
        raise AddressRefused(
            "The address of this person is none that mail can be sent to. Correct it in the "
            "staff list.",
            peer="mail",
        ) from error
    return known


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(line: LetterLine) -> LetterLine:
    return LetterLine(_one_line(line.text), _one_line(line.detail), line.url)


def _lasts(minutes: int) -> str:
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)} days"
    return f"{minutes} minutes" if minutes else ""
