"""A site's folder: bridge.toml, the shipped frameworks and example mappings, and a fresh key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path

from bridge.catalog.yamlfile import load_schema
from bridge.config import FILE_NAME
from bridge.domain.errors import BridgeError
from bridge.domain.times import london_date
from bridge.storage.vault import write_key_file

SCHEMAS = {
    "frameworks": ("framework", "crosswalk", "questions"),
    "mappings": ("mapping", "badges"),
}

TEMPLATE = """\
# What this bridge connects. docs/configuration.md explains every setting.
# No secret stands here: tokens come from the environment or from files.

database = "sqlite:///bridge.db"   # or set BRIDGE_DATABASE_URL for PostgreSQL

[moodle.moodle]                    # the second word is the name that mappings use for it
url = "{url}"
# The token of the service user: in the environment variable BRIDGE_MOODLE_TOKEN,
# or in a file that only this user can read:
{token_file}
identity = ["staff-number"]        # add "verified-email" only if Moodle proves addresses

[mail]                             # into the folder 'mail' until a host is named: docs/mail.md
go_live = {today}               # nothing from before this day is ever mailed
"""


def shipped(name: str) -> Path:
    """A folder of data files that comes with the bridge (`frameworks` or `mappings`)."""
    packaged = files("bridge") / "catalog" / "data" / name
    with as_file(packaged) as path:
        if path.is_dir():
            return path
    # An editable install reads them where they are edited.
    return Path(__file__).resolve().parent.parent / name


def make_site(
    folder: Path, *, url: str = "https://moodle.example.org", token_file: str = ""
) -> list[Path]:
    """Make a site; returns what was made. Raises BridgeError where one stands already."""
    if (folder / FILE_NAME).exists():
        raise BridgeError(f"There is a site in {folder} already; nothing was changed.")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name in ("frameworks", "mappings"):
        target = folder / name
        target.mkdir(exist_ok=True)
        for source in sorted(shipped(name).glob("*.yaml")):
            copy = target / source.name
            if not copy.exists():
                copy.write_bytes(source.read_bytes())
        for schema in SCHEMAS[name]:
            # Beside the files, where their first line tells an editor to look.
            (target / f"{schema}.schema.json").write_text(
                json.dumps(load_schema(schema), indent=2) + "\n", encoding="utf-8"
            )
        made.append(target)
    keys = folder / "keys.txt"
    if not keys.exists():
        write_key_file(keys)
        made.append(keys)
    today = london_date(datetime.now(UTC))
    line = f'token_file = "{token_file}"' if token_file else '# token_file = "moodle.token"'
    config = folder / FILE_NAME
    config.write_text(TEMPLATE.format(url=url, token_file=line, today=today), encoding="utf-8")
    return [*made, config]
