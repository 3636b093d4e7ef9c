"""A staff list as people keep it: who they are, where they work, and who manages them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bridge.domain.model import PostDetails


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One line: a person in a post. `manager` is the manager's staff number or email.

    `line` is where it stands in the file, for messages.
    """

    line: int
    name: str
    staff_number: str | None
    email: str | None
    organisation: str
    post: PostDetails
    manager: str | None


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation as configured. `exempt` names the framework it follows instead (R11)."""

    key: str
    name: str
    kind: str = ""
    exempt: str | None = None


def organisation_key(name: str) -> str:
    """The key of an organisation that is known by its name alone ("St Mark's" -> "st-marks")."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:80] or "organisation"
