"""`bridge moodle plugin`: the Moodle plugin as an archive that a Moodle installs."""

from __future__ import annotations

import re
import zipfile
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path

import click

from bridge.cli.common import console, json_option, print_json
from bridge.cli.moodle import moodle
from bridge.domain.errors import BridgeError

#: What Moodle calls the plugin, and the folder that it unpacks below local/.
COMPONENT = "local_competencybridge"
FOLDER = "competencybridge"

# The oldest time that a ZIP archive can hold: the same files give the same bytes, on every machine.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16
_DIRECTORY = 0o040755 << 16 | 0x10
_UNIX = 3


def plugin_files() -> dict[str, bytes]:
    """The plugin's files by their path in the archive, sorted. Raises BridgeError where this
    installation came without them."""
    shipped = files("webhooks") / "senders" / "moodle" / COMPONENT
    with as_file(shipped) as root:
        found = {
            f"{FOLDER}/{path.relative_to(root).as_posix()}": path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.parts[-3:])
        }
    if f"{FOLDER}/version.php" not in found:
        raise BridgeError("This installation of the bridge came without the Moodle plugin.")
    return dict(sorted(found.items()))


def plugin_version(shipped: dict[str, bytes]) -> str:
    """The version that Moodle compares, ten digits."""
    found = re.search(rb"\$plugin->version\s*=\s*(\d{10});", shipped[f"{FOLDER}/version.php"])
    if found is None:
        raise BridgeError("The plugin's version.php does not say its version.")
    return found[1].decode()


def archive(shipped: dict[str, bytes]) -> bytes:
    """A ZIP archive of `shipped`, stored and not compressed: compressors differ, bytes must not.

    Folders are entries of their own: Moodle's installer looks for `lang/en/` by name.
    """
    folders = {
        f"{parent.as_posix()}/" for name in shipped for parent in Path(name).parents if parent.name
    }
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted({*folders, *shipped}):
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.create_system = _UNIX
            entry.external_attr = _DIRECTORY if name in folders else _PLAIN_FILE
            packed.writestr(entry, shipped.get(name, b""))
    return buffer.getvalue()


@moodle.command()
@click.option(
    "--zip",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    is_flag=False,
    flag_value=Path(f"{COMPONENT}.zip"),
    help="Write the archive to FILE, or to local_competencybridge.zip here.",
    metavar="[FILE]",
)
@json_option
def plugin(target: Path | None, as_json: bool) -> None:
    """The plugin for Moodle: its version, and the archive that Moodle installs."""
    shipped = plugin_files()
    version = plugin_version(shipped)
    if target is not None:
        target.write_bytes(archive(shipped))
    if as_json:
        print_json({"version": version, "files": len(shipped), "zip": target and str(target)})
        return
    console.print(f"{COMPONENT}, version {version}: {len(shipped)} files.")
    if target is None:
        console.print("`bridge moodle plugin --zip` writes the archive that Moodle installs.")
        return
    console.print(f"Written to {target}. In Moodle, as an administrator: Site administration >")
    console.print("Plugins > Install plugins > Install plugin from ZIP file. docs/moodle-plugin.md")
    console.print("says what comes then.")
