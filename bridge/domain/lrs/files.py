"""Which files a statement declares."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def declared(statement: Json) -> list[Json]:
    """Every attachment that a valid statement declares, those of its sub-statement too."""
    found = list(statement.get("attachments", ()))
    about = statement["object"]
    if about.get("objectType") == "SubStatement":
        found += about.get("attachments", ())
    return found


def hashes_of(statement: Json) -> set[str]:
    """The hashes, in lower case, of the files that a valid statement declares."""
    return {str(one.get("sha2", "")).lower() for one in declared(statement)}
