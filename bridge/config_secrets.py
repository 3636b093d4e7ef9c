"""Where the sections of bridge.toml find their secrets: a file, or an environment variable."""

from __future__ import annotations

import os
from pathlib import Path

from bridge.domain.errors import BridgeError


def secret_in(folder: Path, file: Path | None, variable: str, missing: str) -> str:
    """The secret in `file` (below `folder`), or without one in that environment variable.

    Raises BridgeError: `missing` where the variable is not set, or that the file cannot be read.
    """
    if file is not None:
        path = folder / file
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BridgeError(
                f"The secret file {path} cannot be read ({error.strerror})."
            ) from None
    found = os.environ.get(variable, "").strip()
    if not found:
        raise BridgeError(missing)
    return found
