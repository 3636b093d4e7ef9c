"""Letters as messages: short, whole in plain text, and with headers that nothing slips into."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.connectors.mail import LetterHead
from bridge.connectors.mail.compose import compose
from bridge.connectors.mail.words import WORDS
from bridge.domain.mail import LINKS, AddressRefused, Letter, LetterLine, MailKind

HEAD = LetterHead("Safeguarding <bridge@example.org>", "The Bridge", "team@example.org", "Ext. 7")
URL = "https://bridge.example/evidence/7"


def letter(kind: MailKind = MailKind.DRAFTS, **more: object) -> Letter:
    """A letter of that kind."""
    told = Letter(
        kind=kind,
        to="amina@example.org",
        name="Amina Khan",
        lines=(LetterLine("Section 47 Enquiries", "3 June 2026, 2 suggestions", URL),),
        count=1,
        url=URL,
        message_id="<abc@example.org>",
        written_at=datetime(2026, 6, 16, 7, 0, tzinfo=UTC),
        choices_url="https://bridge.example/account/mail/",
        unsubscribe_url=None if kind in LINKS else f"https://bridge.example/unsubscribe/{'x' * 60}",
        minutes=30 if kind in LINKS else 0,
    )
    return replace(told, **more)  # type: ignore[arg-type]


def read(told: Letter, head: LetterHead = HEAD) -> tuple[EmailMessage, str, str]:
    """The message as a mail program reads it from the wire, with its plain and its HTML body."""
    message = message_from_bytes(compose(told, head).as_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert isinstance(plain, EmailMessage)
    assert isinstance(rich, EmailMessage)
    return message, plain.get_content(), rich.get_content()


class Links(HTMLParser):
    """The addresses that a page links to, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("kind", list(MailKind))
@pytest.mark.parametrize("count", [1, 12])
def test_each_kind_reads_well_in_both_bodies(kind: MailKind, count: int) -> None:
    told = letter(kind, count=count)
    message, plain, rich = read(told)
    assert message["Subject"] == WORDS[kind].subject(count)
    assert len(message["Subject"]) < 70
    for body in (plain, rich):
        text = html.unescape(body)
        assert "Hello Amina Khan," in text
        assert "Section 47 Enquiries" in text
        assert URL in text
        assert ("and 11 more" in text) is (count == 12)
        assert "{" not in text
        assert ("30 minutes" in text) is (kind in LINKS)
    assert len(plain.split()) < 110, "short"
    assert "\n\n\n" not in plain
    assert not re.search(r"<(script|img|link|form|iframe)", rich), "nothing is fetched"


@pytest.mark.parametrize("kind", list(MailKind))
def test_it_says_how_to_get_no_more_of_it(kind: MailKind) -> None:
    told = letter(kind)
    message, plain, rich = read(told)
    if kind in LINKS:
        assert message["List-Unsubscribe"] is None
        assert "No more mail" not in plain
        return
    assert message["List-Unsubscribe"] == f"<{told.unsubscribe_url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(told.unsubscribe_url) in plain
    assert str(told.unsubscribe_url) in rich
    raw = compose(told, HEAD).as_bytes()
    assert f"List-Unsubscribe: <{told.unsubscribe_url}>\r\n".encode() in raw, "on one line"


def test_headers_say_who_and_that_it_is_a_machine() -> None:
    message, _, _ = read(letter())
    assert message["From"] == "Safeguarding <bridge@example.org>"
    assert message["To"] == "amina@example.org"
    assert message["Reply-To"] == "team@example.org"
    assert message["Message-ID"] == "<abc@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == datetime(2026, 6, 16, 7, 0, tzinfo=UTC)


nasty = st.text() | st.sampled_from(
    ["a\r\nBcc: evil@example.com", "<script>alert(1)</script>", "x\n.\nMAIL FROM:<a@b.c>",
     "\u202eevil", "a" * 3000, "\x00", "Zoë 'O' \"Q\" & Co", "{{ 7 * 7 }}", "\u2028line"]
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(name=nasty, text=nasty, detail=nasty)
def test_nothing_that_people_are_called_changes_a_header_or_the_page(
    name: str, text: str, detail: str
) -> None:
    plainly = read(letter())
    message, plain, rich = read(letter(name=name, lines=(LetterLine(text, detail, URL),)))
    assert message.items()[:-2] == plainly[0].items()[:-2]
    assert set(message.keys()) == set(plainly[0].keys())
    links, expected = Links(), Links()
    links.feed(rich)
    expected.feed(plainly[2])
    assert links.links == expected.links
    assert links.tags <= expected.tags
    assert "49" not in plain or "49" in name + text + detail


@pytest.mark.parametrize(
    "to",
    ["a@example.org\r\nBcc: evil@example.com", "a@example.org\nX: y", "", "a", "a@", "@b.org",
     "a@b.org, c@d.org", "a b@example.org", "a@b.org>", "<a@b.org>", "a\x00@b.org", "a@b@c.org"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(to: str) -> None:
    with pytest.raises(AddressRefused):
        compose(letter(to=to), HEAD)


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=1, max_size=60))
def test_an_address_never_brings_another_header_or_recipient(to: str) -> None:
    try:
        raw = compose(letter(to=to), HEAD).as_bytes()
    except (AddressRefused, UnicodeEncodeError):
        return
    message = message_from_bytes(raw, policy=policy.default)
    assert set(message.keys()) == set(read(letter())[0].keys())
    assert len(message["To"].addresses) == 1
