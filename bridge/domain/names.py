"""Names of people, as far as they may be compared: never to match, only to tell names apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "rev", "revd"})


def words_of(name: str) -> tuple[str, ...]:
    """A name's words without case, accents, punctuation and titles; "Surname, First" turned."""
    surname, comma, given = name.partition(",")
    if comma and given.strip() and "," not in given:
        name = f"{given} {surname}"
    plain = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    words = re.sub(r"['’.]", "", plain)
    return tuple(w for w in re.split(r"[^\w]+", words) if w and w not in _TITLES)


def surname_of(name: str | None) -> str:
    """The last word of a name, as it is written but for case; nothing where there is no name."""
    words = (name or "").split(",")[0].split() if "," in (name or "") else (name or "").split()
    return words[-1].casefold() if words else ""


def may_be_one(one: str, other: str) -> bool:
    """Whether two names could be one person's: the same words in any order, one with fewer
    forenames, or initials for forenames."""
    a, b = words_of(one), words_of(other)
    if not a or not b or sorted(a) == sorted(b):
        return True
    if a[-1] != b[-1]:
        return False
    short, long_ = sorted((a[:-1], b[:-1]), key=len)
    left = list(long_)
    for word in short:
        found = next((w for w in left if w == word or _initial(w, word)), None)
        if found is None:
            return False
        left.remove(found)
    return bool(short)


def _initial(one: str, other: str) -> bool:
    return 1 in (len(one), len(other)) and one[0] == other[0]


def several(names: Iterable[str | None]) -> list[str]:
    """Names that cannot all be one person's, each as first written; empty where they can."""
    apart: list[str] = []
    for name in names:
        if name and words_of(name) and not any(may_be_one(name, known) for known in apart):
            apart.append(name)
    return apart if len(apart) > 1 else []


def listed(names: Collection[str], at_most: int = 3) -> str:
    """Some of these names, for a sentence."""
    shown = list(names)[:at_most]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
