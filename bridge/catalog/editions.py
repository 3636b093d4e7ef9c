"""Turns one framework file, already valid by its schema, into an Edition, and checks its sense."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bridge.catalog.yamlfile import Document, Pointer
from bridge.domain.frameworks import (
    AssessedBy,
    AssessmentMethod,
    Competency,
    Delivery,
    Edition,
    Exemption,
    Flag,
    Intervals,
    LearningActivity,
    Level,
    SourceText,
    Statement,
    TargetGroup,
)
from bridge.domain.problems import Problem, Severity

# Lists whose items have to differ in the named key.
_KEYED = {
    "competencies": "code",
    "groups": "key",
    "levels": "level",
    "learning_activities": "key",
    "assessment_methods": "key",
    "exemptions": "key",
    "statements": "key",
}
_INTERVALS = ("recordable", "current", "refresh", "training")


def build_edition(document: Document, base: Edition | None = None) -> Edition:
    """The edition that the file describes. `base` is the one it borrows from or extends.

    Call `edition_problems` first: with errors there, the result would not make sense.
    """
    data = document.data
    extended = base if "extends" in data else None
    competencies = tuple(
        _competency(item, data.get("organisation")) for item in data["competencies"]
    )
    intervals = _intervals(data.get("intervals", {}), base.intervals if base else Intervals())
    return Edition(
        id=data["id"],
        framework=data["framework"],
        edition=data["edition"],
        title=data["title"],
        language=data["language"],
        source=source_text(data["source"]),
        competencies=competencies,
        groups=_groups(data.get("groups", ()), intervals, extended),
        levels=_levels(data.get("levels", ()), competencies, extended),
        core_values=tuple(data.get("core_values", ())),
        learning_activities=tuple(
            _take(LearningActivity, item) for item in data.get("learning_activities", ())
        )
        or (base.learning_activities if base else ()),
        assessment_methods=tuple(
            _take(AssessmentMethod, {**item, "by": AssessedBy(item["by"])})
            for item in data.get("assessment_methods", ())
        )
        or (base.assessment_methods if base else ()),
        intervals=intervals,
        exemptions=tuple(_take(Exemption, item) for item in data.get("exemptions", ())),
        statements=tuple(_take(Statement, item) for item in data.get("statements", ())),
        notes=tuple(data.get("notes", ())),
        extends=data.get("extends"),
        organisation=data.get("organisation"),
    )


def edition_problems(document: Document, base: Edition | None = None) -> list[Problem]:
    """What a schema cannot see: repeated and unknown codes, levels without competencies, gaps."""
    return [
        *_repeated(document),
        *_wrong_codes(document, base),
        *_group_problems(document, base),
        *_level_problems(document, base),
        *_base_problems(document, base),
        *_gaps(document),
    ]


def source_text(item: Mapping[str, Any]) -> SourceText:
    """The `source` of a file."""
    return SourceText(**item)


def _take(kind: type[Any], item: Mapping[str, Any]) -> Any:
    """An item of the file as its class; a `note` is for readers of the file alone."""
    return kind(**{key: value for key, value in item.items() if key != "note"})


def _competency(item: Mapping[str, Any], owner: str | None) -> Competency:
    return Competency(
        code=str(item["code"]),
        text=item["text"],
        suggested_evidence=tuple(item.get("suggested_evidence", ())),
        level=str(item["level"]) if "level" in item else None,
        flags=tuple(Flag(**flag) for flag in item.get("flags", ())),
        owner=owner,
    )


def _intervals(given: Mapping[str, Any], otherwise: Intervals) -> Intervals:
    months = {
        f"{name}_months": given[name]["months"]
        if name in given
        else getattr(otherwise, f"{name}_months")
        for name in _INTERVALS
    }
    return Intervals(**months)


def _groups(
    items: Iterable[Mapping[str, Any]], intervals: Intervals, extended: Edition | None
) -> tuple[TargetGroup, ...]:
    """The groups of the file; where it extends an edition, every group of that as well, empty
    but for the added codes, so that the same keys work on both."""
    inherited = {group.key: group for group in extended.groups} if extended else {}
    result = {
        key: TargetGroup(key, group.title, group.description, (), group.everyone)
        for key, group in inherited.items()
    }
    for item in items:
        like = inherited.get(item["key"])
        result[item["key"]] = TargetGroup(
            key=item["key"],
            title=item.get("title") or (like.title if like else ""),
            description=item.get("description") or (like.description if like else ""),
            codes=tuple(str(code) for code in item["adds"]),
            everyone=item.get("everyone", like.everyone if like else False),
            intervals=_intervals(item["intervals"], intervals) if "intervals" in item else None,
        )
    return tuple(result.values())


def _levels(
    items: Iterable[Mapping[str, Any]],
    competencies: tuple[Competency, ...],
    extended: Edition | None,
) -> tuple[Level, ...]:
    codes: dict[str | None, tuple[str, ...]] = {}
    for competency in competencies:
        codes[competency.level] = (*codes.get(competency.level, ()), competency.code)
    own = [
        Level(
            key=str(item["level"]),
            title=item["title"],
            heading=item["heading"],
            delivery=tuple(Delivery(way) for way in item["delivery"]),
            audience=tuple(item["audience"]),
            codes=codes.get(str(item["level"]), ()),
        )
        for item in items
    ]
    inherited = [
        Level(level.key, level.title, level.heading, level.delivery, level.audience, added)
        for level in (extended.levels if extended else ())
        if (added := codes.get(level.key, ()))
    ]
    return (*inherited, *own)


def _codes(document: Document) -> set[str]:
    return {str(item["code"]) for item in document.data["competencies"]}


def _repeated(document: Document) -> Iterator[Problem]:
    for section, key in _KEYED.items():
        first: dict[str, Pointer] = {}
        for index, item in enumerate(document.data.get(section, ())):
            here: Pointer = (section, index, key)
            value = str(item[key])
            if value in first:
                yield document.problem(
                    here,
                    f"`{value}` appears twice among the {section.replace('_', ' ')}",
                    f"It is already given on line {document.position(first[value])[0]}",
                    "Remove one of them, or correct it",
                )
            first.setdefault(value, here)


def _wrong_codes(document: Document, base: Edition | None) -> Iterator[Problem]:
    """An organisation's codes carry its prefix, so that they can never be taken for others."""
    prefix = document.data.get("code_prefix")
    if prefix is None:
        return
    taken = {competency.code for competency in base.competencies} if base else set()
    for index, item in enumerate(document.data["competencies"]):
        code = str(item["code"])
        if not code.startswith(f"{prefix}-"):
            yield document.problem(
                ("competencies", index, "code"),
                f"The code `{code}` does not begin with `{prefix}-`",
                "The prefix keeps an organisation's own competencies apart from all others",
                f"Write it like `{prefix}-1`",
            )
        elif code in taken:
            yield document.problem(
                ("competencies", index, "code"),
                f"The code `{code}` is taken",
                f"{document.data['extends']} has a competency with that code",
                "Choose another prefix",
            )


def _group_problems(document: Document, base: Edition | None) -> Iterator[Problem]:
    known = _codes(document)
    extended = base if "extends" in document.data else None
    inherited = {group.key for group in extended.groups} if extended else set()
    for index, group in enumerate(document.data.get("groups", ())):
        if group["key"] not in inherited:
            for key in ("title", "description"):
                if key not in group:
                    yield document.problem(
                        ("groups", index),
                        f"The target group `{group['key']}` has no {key}",
                        "People choose a group by its title and description",
                        f"Add `{key}:`",
                    )
        for place, code in enumerate(group["adds"]):
            if str(code) not in known:
                yield document.problem(
                    ("groups", index, "adds", place),
                    f"The target group `{group['key']}` names the code `{code}`, which is unknown",
                    "A group adds competencies of its own file",
                    "Correct the code, or add the competency",
                )


def _level_problems(document: Document, base: Edition | None) -> Iterator[Problem]:
    levels = {str(level["level"]) for level in document.data.get("levels", ())}
    if base is not None and "extends" in document.data:
        levels |= {level.key for level in base.levels}
    used = set()
    asked = {str(c) for group in document.data.get("groups", ()) for c in group["adds"]}
    for index, item in enumerate(document.data["competencies"]):
        level = str(item["level"]) if "level" in item else None
        used.add(level)
        if level is not None and level not in levels:
            yield document.problem(
                ("competencies", index, "level"),
                f"The level `{level}` is unknown",
                f"These are known: {', '.join(sorted(levels)) or 'none'}",
                "Correct it, or add the level",
            )
        if level is None and str(item["code"]) not in asked:
            yield document.problem(
                ("competencies", index),
                f"`{item['code']}` belongs to no target group and no level",
                "Nobody is asked for it unless a manager adds it by hand",
                "Add it to a group or give it a level, if that is not what you want",
                severity=Severity.WARNING,
            )
    for index, item in enumerate(document.data.get("levels", ())):
        if str(item["level"]) not in used:
            yield document.problem(
                ("levels", index, "level"),
                f"The level `{item['level']}` has no competencies",
                "A level is met when all its competencies are, so this one would always be met",
                "Give competencies this level, or remove it",
            )


def _base_problems(document: Document, base: Edition | None) -> Iterator[Problem]:
    data = document.data
    if "borrows" in data and "extends" in data:
        yield document.problem(
            ("borrows",),
            "`borrows` and `extends` are both given",
            "What an edition extends lends it its lists as well",
            "Remove `borrows`",
            on_key=True,
        )
    if base is not None and base.organisation and "extends" in data:
        yield document.problem(
            ("extends",),
            f"`{base.id}` is an organisation's own edition",
            "Additions build on a framework, not on other additions",
            f"Write `extends: {base.extends}`",
        )
    if base is not None:
        return
    absent = [key for key in ("learning_activities", "assessment_methods") if key not in data]
    absent += [f"intervals: {name}" for name in _INTERVALS if name not in data.get("intervals", {})]
    for key in absent:
        yield document.problem(
            ("intervals",) if key.startswith("intervals") else (),
            f"`{key}` is missing",
            "Evidence cannot be recorded or assessed without it",
            f"Add `{key}`, or name with `borrows:` an edition to take it from",
        )


def _gaps(document: Document) -> Iterator[Problem]:
    """Numbers left out between codes that otherwise run on: usually a line lost in copying."""
    before: dict[str, int] = {}
    for index, item in enumerate(document.data["competencies"]):
        match = re.fullmatch(r"(.*?)(\d+)", str(item["code"]))
        if match is None:
            continue
        stem, number = match[1], int(match[2])
        if stem in before and number > before[stem] + 1:
            yield document.problem(
                ("competencies", index, "code"),
                f"There is a gap before `{item['code']}`",
                f"The code before it is `{stem}{before[stem]}`",
                "Check that no competency was lost",
                severity=Severity.WARNING,
            )
        before[stem] = number
