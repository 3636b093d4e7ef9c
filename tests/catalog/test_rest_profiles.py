"""REST profiles as files: everything wrong at once, at line and column; and the presets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.catalog.rest_profiles import (
    parse_rest_profile,
    read_rest_profile,
    rest_profile_text,
    write_rest_profile,
)
from bridge.connectors.booking.rest import RestProfile
from bridge.connectors.booking.rest.presets import presets
from bridge.domain.errors import BridgeError
from bridge.domain.problems import BadFile

GOOD = """\
profile: events
request:
  url: https://api.example.org/{org}/bookings
  auth: {kind: bearer}
  records: data
  paging: {kind: link, next: links.next}
columns:
  reference: id
  event_title: event.title
  event_date: event.starts
  email: person.email
  status: state
"""


def problems(text: str) -> list[str]:
    with pytest.raises(BadFile) as caught:
        parse_rest_profile(text, "events.yaml")
    return [f"{p.line}:{p.column} {p.what}" for p in caught.value.problems]


def test_what_comes_with_the_bridge_is_in_order() -> None:
    assert set(presets()) == {"eventbrite"}
    for name, text in presets().items():
        assert RestProfile.from_data(parse_rest_profile(text, name)).name == name


@pytest.mark.parametrize(
    ("change", "to", "where", "words"),
    [
        ("url: https", "url: ftp", "3:8", "not written as it must be"),
        ("{kind: bearer}", "{kind: carrier-pigeon}", "4:16", "carrier-pigeon"),
        ("{kind: bearer}", "{kind: header}", "4:9", "needs a `name`"),
        ("event.title", "'event..title'", "9:16", "no JMESPath"),
        ("links.next", "'['", "6:30", "no JMESPath"),
        (", next: links.next", "", "6:11", "needs `next`"),
        ("  email: person.email\n", "", "8:3", "whose record"),
        ("  event_date: event.starts\n", "", "8:3", "when it was"),
        ("  records: data", "  query: {api_key: abc}", "5:20", "looks like a secret"),
        ("/bookings", "/bookings?api_key=abc", "3:8", "looks like a secret"),
        ("https://api.example.org/{org}", "https://{org}.example.org", "3:8", "host is left open"),
        ("profile: events", "profile: events\nkey: [minutes]", "2:7", "no column"),
        ("profile: events", "profile: events\ntimezone: Mars/Base", "2:11", "time zone"),
        ("profile: events", "profile: events\norder: {of: o, url: 'https://x.y/z'}", "2:21",
         "no order"),
        ("profile: events", "profile: events\nlinger: 3", "2:1", "linger"),
    ],
)  # fmt: skip
def test_errors_point_at_line_and_column(change: str, to: str, where: str, words: str) -> None:
    (found, *_) = problems(GOOD.replace(change, to, 1))
    assert found.startswith(f"{where} "), found
    assert words in found


def test_everything_wrong_is_told_at_once() -> None:
    text = GOOD.replace("event.title", "'a..b'").replace("links.next", "'['")
    assert len(problems(text)) == 2


def test_a_profile_is_written_once_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "profiles" / "events.yaml"
    data = parse_rest_profile(GOOD, "events.yaml")
    write_rest_profile(path, data)
    assert read_rest_profile(path) == data
    with pytest.raises(BridgeError, match="already"):
        write_rest_profile(path, data)
    with pytest.raises(BadFile):
        write_rest_profile(tmp_path / "other.yaml", {"profile": "other"})
    assert not (tmp_path / "other.yaml").exists()
    path.rename(tmp_path / "renamed.yaml")
    with pytest.raises(BadFile, match="called `events`"):
        read_rest_profile(tmp_path / "renamed.yaml")
    assert rest_profile_text(data).startswith("# yaml-language-server")
