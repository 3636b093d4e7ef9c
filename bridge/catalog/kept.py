"""Profiles as people keep them: YAML with a first line for their editor, its schema beside it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bridge.catalog.yamlfile import load_schema
from bridge.domain.errors import BridgeError


def as_yaml(data: Mapping[str, Any], head: str) -> str:
    """Data as YAML for people, under the comment `head`."""
    writer = YAML()
    writer.width = 4000
    out = io.StringIO()
    writer.dump(dict(data), out)
    return head + out.getvalue()


def keep(path: Path, text: str, schema: str, *, replace: bool) -> Path:
    """Write a file that was checked, whole or not at all, and its schema beside it.

    Raises BridgeError where one of that name stands and is not to be replaced.
    """
    if path.exists() and not replace:
        raise BridgeError(
            f"There is a profile {path.name} already; nothing was changed. Choose another name."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = json.dumps(load_schema(schema), indent=2) + "\n"
    (path.parent / f"{schema}.schema.json").write_text(beside, encoding="utf-8")
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
    return path
