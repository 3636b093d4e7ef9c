"""Column profiles that come with the bridge; a file of the same name in `profiles/` goes before."""

from __future__ import annotations

from importlib.resources import files


def presets() -> dict[str, str]:
    """The YAML of each, by name."""
    return {
        entry.name.removesuffix(".yaml"): entry.read_text(encoding="utf-8")
        for entry in files(__package__).iterdir()
        if entry.name.endswith(".yaml")
    }
