"""bridge.toml: every error at once with its line; secrets from outside; paths from the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import load_config
from bridge.domain.errors import BridgeError
from bridge.domain.problems import BadFile
from bridge.sitefolder import make_site


def write(folder: Path, text: str) -> Path:
    (folder / "bridge.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_new_site_has_everything_and_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    make_site(folder)
    config = load_config(folder)
    assert list(config.moodle) == ["moodle"]
    assert (folder / "frameworks" / "llr-2020.yaml").is_file()
    assert (folder / "mappings" / "badges.yaml").is_file()
    assert (folder / "keys.txt").stat().st_mode & 0o077 == 0
    assert config.database_url(folder) == f"sqlite:///{folder.resolve()}/bridge.db"


def test_a_site_is_never_made_over_another(tmp_path: Path) -> None:
    make_site(tmp_path / "site")
    before = (tmp_path / "site" / "keys.txt").read_bytes()
    with pytest.raises(BridgeError, match="a site in"):
        make_site(tmp_path / "site")
    assert (tmp_path / "site" / "keys.txt").read_bytes() == before


def test_every_wrong_setting_is_named_with_its_line(tmp_path: Path) -> None:
    text = '[moodle.one]\nurl = "https://m.example"\ngrade_max = -1\n\n[jobs]\nsweep_at = "25:00"\n'
    with pytest.raises(BadFile) as caught:
        load_config(write(tmp_path, text + "colour = 1\n"))
    lines = {p.line: str(p) for p in caught.value.problems}
    assert set(lines) == {3, 6, 7}
    assert "no such setting" in lines[7]


def test_broken_toml_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(BadFile) as caught:
        load_config(write(tmp_path, "database = \n"))
    (problem,) = caught.value.problems
    assert problem.line == 1


def test_no_site_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="bridge init"):
        load_config(tmp_path)


def test_the_token_comes_from_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(write(tmp_path, '[moodle.my-moodle]\nurl = "https://m.example"\n'))
    section = config.moodle["my-moodle"]
    with pytest.raises(BridgeError, match="BRIDGE_MY_MOODLE_TOKEN"):
        section.token(tmp_path, "my-moodle")
    monkeypatch.setenv("BRIDGE_MY_MOODLE_TOKEN", " secret ")
    assert section.token(tmp_path, "my-moodle") == "secret"
    (tmp_path / "t").write_text("from-file\n", encoding="utf-8")
    section = section.model_copy(update={"token_file": Path("t")})
    assert section.token(tmp_path, "my-moodle") == "from-file"


def test_the_database_address_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(write(tmp_path, ""))
    monkeypatch.setenv("BRIDGE_DATABASE_URL", "postgresql://bridge:secret@db/bridge")
    assert config.database_url(tmp_path) == "postgresql://bridge:secret@db/bridge"


def test_a_sign_in_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = '[oidc.council]\ntitle = "Council"\nclient_id = "c"\nissuer = "https://idp.example"\n'
    folder = write(tmp_path, start)
    with pytest.raises(BridgeError, match="BRIDGE_COUNCIL_SECRET"):
        load_config(folder).oidc["council"].secret(folder, "council")
    monkeypatch.setenv("BRIDGE_COUNCIL_SECRET", "hush")
    assert load_config(folder).oidc["council"].secret(folder, "council") == "hush"
    for more, told in (
        ('kind = "entra"\n', "tenants"),
        ('identity = ["verified-email"]\n', "identity"),
        ('identity = ["staff-number"]\nstaff_number_claim = "email"\n', "staff_number_claim"),
        ('scopes = ["profile"]\n', "openid"),
    ):
        with pytest.raises(BadFile, match=told):
            load_config(write(tmp_path, start + more))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[xapi]\nlargest_megabytes = 900\n", 2, "it may be 50 at most, not 900"),
        ('[xapi]\npage = "many"\n', 2, "it must be a whole number, not 'many'"),
        ("[xapi]\nlargest_batches = 3\n", 2, "there is no such setting; largest_batch is one"),
        ('[xapi.source.m]\nidentity = ["staffnumber"]\n', 2, "not 'staffnumber'"),
        ('[xapi.source.m] # ours\nverbs = {"done" = "passed"}\n', 2, "a whole address (IRI)"),
        ('\n[xapi.source."My LMS"]\nsatisfied = true\n', 2, "small letters, digits and hyphens"),
        ('\n[lrs.p]\nuser = "x"\n', 2, "lrs.p.url: it is missing"),
        ('[lrs.p]\nurl = "x"\npassword = "hush"\n', 3, "secret_env and secret_file say where"),
        ('[lrs]\nurl = "x"\n', 2, "[lrs.NAME]"),
        ('[lrs.p]\nurl = "x"\n[lrs.p.tell]\nsince = "today"\n', 4, "a day, as 2026-12-01"),
        ('[lrs.p]\nurl = "x"\n[lrs.p.tell]\nbatch = 1\n', 3, "lrs.p.tell.since: it is missing"),
        ('[moodle.m]\nuri = "x"\nurl = "https://m.example"\n', 2, "url is one"),
        ('[moodle.m]\nurl = "https://m.example"\nactivities = ["Quiz!"]\n', 3, "m.activities"),
        ('\n[lrss.x]\nurl = "a"\n', 2, "lrs is one"),
    ],
)
def test_a_slip_is_told_in_plain_words_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(BadFile) as caught:
        load_config(write(tmp_path, text))
    found = {str(p): p.line for p in caught.value.problems}
    assert any(words in told and at == line for told, at in found.items()), found
    everything = " ".join(found)
    assert "Input should" not in everything
    assert "hush" not in everything
