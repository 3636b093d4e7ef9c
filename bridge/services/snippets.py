"""A ready-made rule for an activity that no rule names, to copy into a mapping file."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Alias

_KEY_LENGTH = 60
_TITLE_LENGTH = 400
_NOT_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def rule_snippet(
    alias: Alias, editions: list[Edition], suggests: Sequence[CompetencyRef] = ()
) -> str:
    """The rule, indented to go under `rules:`, with everything that the source says filled in.

    Without `suggests` it suggests nothing yet: that is the training team's to say, and `check`
    asks for it.
    """
    facts = alias.facts
    title = facts.title or facts.shortname or facts.idnumber or facts.value
    frameworks = list(dict.fromkeys(edition.framework for edition in editions))
    kinds = list(dict.fromkeys(a.key for e in editions for a in e.learning_activities))
    lines = [
        f"  - rule: {rule_key(title)}",
        f"    title: {quoted(title[:_TITLE_LENGTH])}",
        "    match:",
        f"      - {match_snippet(alias)}",
    ]
    if facts.category:
        lines.append(f"    # In the category {quoted(facts.category)}.")
    if kinds:
        lines += [
            f"    learning_activity: {kinds[0]}",
            f"    # or {', '.join(kinds[1:6])}" if kinds[1:] else "",
        ]
    lines.append("    suggests:            # or, in its place:  ignore: why it suggests nothing")
    if suggests:
        lines += _suggested(suggests)
        frameworks = []
    lines += [
        f"      {framework}: []   # the codes, such as [{_some_codes(framework, editions)}]"
        for framework in frameworks[:1] or ([] if suggests else ["llr"])
    ]
    lines.append("    verification: manager")
    return "\n".join(line for line in lines if line) + "\n"


def match_snippet(alias: Alias) -> str:
    """One way to recognise the activity, to go under `match:`."""
    return f"{{source: {quoted(alias.source_key)}, {_name(alias)}}}"


def _suggested(suggests: Sequence[CompetencyRef]) -> list[str]:
    """The lines under `suggests:`, an edition a line; what reads as a number stands bare."""
    by_edition: dict[str, list[str]] = {}
    for ref in suggests:
        bare = ref.code.isdecimal() or re.fullmatch(r"[A-Za-z][\w.-]*", ref.code)
        safe = bare and ref.code.casefold() not in _NOT_TEXT
        code = ref.code if safe else quoted(ref.code)
        by_edition.setdefault(ref.edition, []).append(code)
    return [f"      {edition}: [{', '.join(codes)}]" for edition, codes in by_edition.items()]


def rule_key(title: str) -> str:
    """A rule's name made of a title: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().casefold()
    key = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_KEY_LENGTH].rstrip("-")
    if key in _NOT_TEXT or key[:1].isdigit():
        # YAML would read a number, or a yes or no, where a name is meant.
        return f"course-{key}"
    return key or "new-rule"


def quoted(text: str) -> str:
    """A text as YAML reads it back to the letter: JSON's quotes, which YAML 1.2 shares."""
    made = json.dumps(text, ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff]", lambda m: f"\\u{ord(m[0]):04x}", made)


def _name(alias: Alias) -> str:
    """How a matcher recognises it best: by what people do not change from year to year."""
    facts = alias.facts
    if facts.iri:
        return f"activity: {quoted(facts.iri)}"
    if facts.idnumber:
        return f"idnumber: {quoted(facts.idnumber)}"
    if facts.module is not None and facts.course_idnumber:
        return f"idnumber: {quoted(facts.course_idnumber)}, module: {quoted(facts.module)}"
    if facts.module is not None:
        return f"cmid: {quoted(facts.cmid or '')}"
    if facts.shortname:
        return f"shortname: {quoted(facts.shortname)}"
    if facts.title:
        return f"title: {quoted(facts.title)}"
    return f"course_id: {quoted(facts.value)}"


def _some_codes(framework: str, editions: list[Edition]) -> str:
    codes = next(e.competencies for e in editions if e.framework == framework) if editions else ()
    return ", ".join(c.code for c in codes[:2]) or "1, 2"
