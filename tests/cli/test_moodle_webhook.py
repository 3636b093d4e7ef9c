"""`bridge moodle webhook-secret`: a secret where the bridge finds it, shown once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.bootstrap import open_bridge
from bridge.cli import bridge
from bridge.sitefolder import make_site
from webhooks.receivers.moodle import key_of

FILE = 'webhook_secret_file = "hook.secret"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new site."""
    make_site(tmp_path / "site", url="https://moodle.example.org")
    return tmp_path / "site"


def run(folder: Path, *words: str) -> Result:
    base = ("--base-url", "https://bridge.example.org")
    args = ["moodle", "webhook-secret", *words, *base, "--site", str(folder)]
    return CliRunner().invoke(bridge, args)


def with_file(folder: Path) -> Path:
    config = folder / "bridge.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("\n[mail]", f"\n{FILE}\n\n[mail]"), encoding="utf-8")
    return folder / "hook.secret"


def secrets_of(folder: Path) -> tuple[str, ...]:
    opened = open_bridge(folder)
    try:
        return opened.config.moodle["moodle"].webhook_secrets(folder, "moodle")
    finally:
        opened.close()


def test_the_secret_goes_into_its_file_for_our_user_alone(folder: Path) -> None:
    path = with_file(folder)
    told = run(folder, "moodle").output.splitlines()
    assert told[0] == "https://bridge.example.org/hooks/moodle/moodle"
    assert len(key_of(told[1])) == 32
    assert path.read_text(encoding="utf-8") == f"{told[1]}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secrets_of(folder) == (told[1],)


def test_a_file_left_by_an_interrupted_run_opens_the_new_secret_to_nobody(folder: Path) -> None:
    path = with_file(folder)
    elsewhere = folder / "elsewhere"
    left = folder / ".hook.secret.new"
    left.write_text("left", encoding="utf-8")
    left.chmod(0o666)
    run(folder, "moodle")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    left.symlink_to(elsewhere)
    run(folder, "moodle")
    assert not elsewhere.exists()
    assert not path.is_symlink()


def test_the_earlier_one_holds_for_as_long_as_it_is_kept(folder: Path) -> None:
    with_file(folder)
    first = run(folder, "moodle").output.splitlines()[1]
    second = run(folder, "moodle", "--keep-old").output.splitlines()[1]
    assert secrets_of(folder) == (second, first)
    third = run(folder, "moodle").output.splitlines()[1]
    assert secrets_of(folder) == (third,)


def test_without_a_file_the_environment_has_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run(folder, "moodle").output
    assert "BRIDGE_MOODLE_WEBHOOK_SECRET" in told
    assert secrets_of(folder) == ()
    monkeypatch.setenv("BRIDGE_MOODLE_WEBHOOK_SECRET", "whsec_a whsec_b")
    assert secrets_of(folder) == ("whsec_a", "whsec_b")


def test_the_secret_is_not_in_the_database_and_the_trail_says_who_made_it(folder: Path) -> None:
    with_file(folder)
    secret = run(folder, "moodle").output.splitlines()[1]
    assert secret.encode() not in (folder / "bridge.db").read_bytes()
    trail = CliRunner().invoke(bridge, ["trail", "--json", "--site", str(folder)]).output
    assert "issue-webhook-secret" in trail


def test_a_source_that_is_no_moodle_is_named(folder: Path) -> None:
    result = run(folder, "elsewhere")
    assert "there are: moodle" in str(result.exception)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!!", "whsec_c2hvcnQ=", "plain"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        key_of(secret)
