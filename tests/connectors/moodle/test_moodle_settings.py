"""A Moodle's settings: what is refused, in words, and that the token shows nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.connectors.moodle import MoodleClient, MoodleSettings


def settings(**changes: Any) -> MoodleSettings:
    return MoodleSettings(**{"key": "m", "url": "https://m.example", "token": "s3cret", **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "m.example.org"}, "must start with https://"),
        ({"url": "ftp://m.example.org"}, "must start with https://"),
        ({"url": "https://"}, "name a host"),
        ({"url": "https://admin:pass@m.example.org"}, "leave user names and passwords out"),
        ({"url": "https://m.example.org/?token=1"}, "front page alone"),
        ({"token": " "}, "there is no token"),
        ({"page_size": 0}, "above 0"),
        ({"timezone": "Europe/Londres"}, "is no time zone"),
        ({"timezone": "../etc/passwd"}, "is no time zone"),
    ],
)
def test_values_that_cannot_work_are_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        settings(**changes)
    assert "s3cret" not in str(caught.value)


def test_the_token_is_in_no_repr() -> None:
    assert "s3cret" not in repr(settings())
    assert "s3cret" not in repr(MoodleClient(settings()))


def test_a_moodle_in_a_folder_keeps_its_path() -> None:
    assert settings(url="https://m.example/learn/").page("/my/") == "https://m.example/learn/my/"
