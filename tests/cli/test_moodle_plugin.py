"""The Moodle plugin's archive: what Moodle finds in it, also from an installed wheel."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bridge.cli import main
from bridge.cli.moodle_plugin import archive, plugin_files

SOURCE = Path(__file__).resolve().parents[2] / "webhooks/senders/moodle/local_competencybridge"


def _run(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    out = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["bridge", "moodle", "plugin", *words])
    with contextlib.redirect_stdout(out):
        main()
    return out.getvalue()


def test_archive_is_what_moodle_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One top folder with the plugin's short name, and every file of the plugin in it."""
    target = tmp_path / "plugin.zip"
    said = json.loads(_run(monkeypatch, "--zip", str(target), "--json"))
    with zipfile.ZipFile(target) as packed:
        names = packed.namelist()
        version = packed.read("competencybridge/version.php").decode()
        assert packed.testzip() is None
    assert {name.split("/")[0] for name in names} == {"competencybridge"}
    # Folders too: Moodle's installer looks for the entry lang/en/.
    assert sorted(names[1:]) == sorted(
        f"competencybridge/{path.relative_to(SOURCE).as_posix()}{'/' if path.is_dir() else ''}"
        for path in SOURCE.rglob("*")
    )
    assert names[0] == "competencybridge/"
    assert "$plugin->component = 'local_competencybridge';" in version
    assert said["files"] == sum(not name.endswith("/") for name in names)
    assert f"$plugin->version = {said['version']};" in version


def test_archive_has_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--zip` without a name writes local_competencybridge.zip, and says where to put it."""
    monkeypatch.chdir(tmp_path)
    assert "Install plugin from ZIP file" in _run(monkeypatch, "--zip")
    assert zipfile.is_zipfile(tmp_path / "local_competencybridge.zip")


def test_nothing_is_written_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `--zip` the command only tells."""
    monkeypatch.chdir(tmp_path)
    assert re.search(r"version \d{10}: \d+ files", _run(monkeypatch))
    assert list(tmp_path.iterdir()) == []


def test_bytes_are_the_same_everywhere() -> None:
    """The same files give the same bytes, whatever their times and modes are."""
    files = plugin_files()
    first = archive(files)
    assert archive(dict(reversed(list(files.items())))) == first
    with zipfile.ZipFile(io.BytesIO(first)) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        modes = {entry.is_dir(): entry.external_attr >> 16 for entry in packed.infolist()}
    assert modes == {True: 0o040755, False: 0o100644}


@pytest.mark.parametrize("language", ["en"])
def test_every_string_is_there_and_used(language: str) -> None:
    """No page of the plugin shows [[a missing string]], and none is translated for nothing."""
    text = (SOURCE / f"lang/{language}/local_competencybridge.php").read_text()
    defined = re.findall(r"^\$string\['([^']+)'\]", text, re.MULTILINE)
    assert defined == sorted(defined), "Moodle wants them in order"
    code = "".join(path.read_text() for path in SOURCE.rglob("*.php") if "lang" not in path.parts)
    wanted = set(
        re.findall(
            r"(?:get_string|lang_string|moodle_exception)\(\s*'([^']+)',\s*'local_competencybridge'",
            code,
        )
    )
    assert wanted <= set(defined)
    by_name = {
        *re.findall(r"'(privacy:metadata[^']*)'", code),
        *re.findall(r"(?:=>|\?\?) '(test\w+)'", code),
        *(
            f"competencybridge:{name}"
            for name in re.findall(r"'local/competencybridge:(\w+)' =>", code)
        ),
        *(f"state{state}" for state in ("current", "due", "gap")),
        *re.findall(r"export\(\$context, '([^']+)'", code),
        *re.findall(r"\$string, '([^']+)'", code),
    }
    assert by_name <= set(defined)
    assert set(defined) <= wanted | by_name | {"pluginname"}


def test_tables_have_names_that_moodle_4_2_takes() -> None:
    """Moodle 4.2 takes names of tables up to 28 characters, without its prefix."""
    tables = ElementTree.parse(SOURCE / "db/install.xml").findall(".//TABLE")  # noqa: S314  # our own file
    names = [table.attrib["NAME"] for table in tables]
    assert len(names) == 4
    assert all(len(name) <= 28 and name.startswith("local_competencybridge_") for name in names)


def test_installed_wheel_writes_the_same_archive(tmp_path: Path) -> None:
    """From a wheel, far from the sources, the archive is byte for byte the same."""
    root = SOURCE.parents[3]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path / "wheel", root],
        check=True,
    )
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    code = "import sys; from bridge.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", code, "moodle", "plugin", "--zip", "a.zip"],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        stdout=subprocess.DEVNULL,
    )
    assert (tmp_path / "a.zip").read_bytes() == archive(plugin_files())
