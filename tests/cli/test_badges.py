"""`bridge badges`: meaning, what to make ready, and what was given by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.demo.moodle import StandInMoodle, seed
from tests.cli.test_main_line import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A site with its files in force, over a Moodle that the plugin is installed in."""
    now = datetime.now(UTC)
    with StandInMoodle(seed.demo_site(now, lambda: datetime.now(UTC), plugin=True)) as moodle:
        terminal = Terminal(tmp_path / "site", moodle)
        terminal.run("init", str(terminal.site))
        config = terminal.site / "bridge.toml"
        text = config.read_text().replace("https://moodle.example.org", moodle.base_url)
        text = text.replace('# token_file = "moodle.token"', 'token_file = "moodle.token"')
        config.write_text(text)
        (terminal.site / "moodle.token").write_text(moodle.site.token_of(seed.SERVICE_USER))
        terminal.run("mappings", "publish", "-m", "first")
        yield terminal


def test_what_badges_mean_there_and_what_is_left_by_hand(terminal: Terminal) -> None:
    told = terminal.run("badges", "meaning")
    assert "on moodle: the bridge makes the badge and awards it itself, by its plugin" in told
    assert "by the competency “LONDON-L1-{year}”" in told
    site = terminal.moodle.site
    year = datetime.now(UTC).year
    gone = next(b for b in site.badges.values() if b.name == f"London Level 1 {year}")
    site.delete_badge(gone.id)
    left = terminal.run("badges", "prepare", ok=False)
    assert f"Copy the badge “London Level 1 {year - 1}”" in left
    assert f"{terminal.moodle.base_url}/badges/index.php?type=1" in left
    competency = next(c for c in site.competencies.values() if c.idnumber == f"LONDON-L1-{year}")
    site.add_badge(f"London Level 1 {year}", competencies=(competency,))
    assert "ready" in terminal.run("badges", "prepare")


def test_what_was_given_by_hand_is_taken_away_or_left(terminal: Terminal) -> None:
    site = terminal.moodle.site
    badge = site.add_badge("LLR Core")
    site.badge_keys["llr-core"] = badge.id
    for user in (40, 41):
        site.issue(badge.id, user, None)
    assert "2 badges there that nobody was awarded" in terminal.run("reconcile")
    found = terminal.json("badges", "strays")
    assert {one["seen"]["account"] for one in found} == {"40", "41"}
    first, second = (str(one["id"]) for one in found)
    assert "not held any more" in terminal.run("badges", "take-away", first)
    terminal.run("badges", "leave", second)
    assert terminal.json("badges", "strays") == []
    assert [one["state"] for one in terminal.json("badges", "strays", "--all")] == ["left"]
    assert len([one for one in site.issued if one.badgeid == badge.id]) == 1
    assert "gone already" in terminal.run("badges", "leave", first, ok=False)
