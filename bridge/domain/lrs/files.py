"""Which files a statement declares, and where."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def placed(statement: Json) -> list[tuple[str, Json]]:
    """(JSON pointer, attachment) of all that a valid statement declares, those of its sub-statement
    too."""
    found = [("/attachments", statement.get("attachments", ()))]
    about = statement["object"]
    if about.get("objectType") == "SubStatement":
        found.append(("/object/attachments", about.get("attachments", ())))
    return [(f"{at}/{number}", one) for at, several in found for number, one in enumerate(several)]


def declared(statement: Json) -> list[Json]:
    """Every attachment that a valid statement declares, those of its sub-statement too."""
    return [one for _, one in placed(statement)]


def hashes_of(statement: Json) -> set[str]:
    """The hashes, in lower case, of the files that a valid statement declares."""
    return {str(one.get("sha2", "")).lower() for one in declared(statement)}
