"""Loads a folder of mapping files into rules, with everything that is wrong in them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bridge.catalog.names import KnownNames, NameReader
from bridge.catalog.yamlfile import Document, Pointer, load_schema, parse_yaml
from bridge.domain.frameworks import Delivery
from bridge.domain.mapping import NAMES, PATTERNS, CountsWhen, Matcher, Rule, has_wildcard
from bridge.domain.mapping_index import Conflict, conflicts
from bridge.domain.problems import BadFile, Problem, Severity, errors_among, in_order
from bridge.domain.records import Status

#: How statements name an activity: a scheme, and no blank in it.
_WHOLE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
BADGE_FILES = frozenset({"badges.yaml", "badges.yml"})


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping file without errors: its bytes as read, and its rules in file order.

    `content_hash` (SHA-256, hex) changes with what the file says, not with its comments.
    """

    name: str
    path: Path
    source_bytes: bytes
    rules: tuple[Rule, ...]
    content_hash: str
    title: str
    effective_from: date | None = None


@dataclass(frozen=True, slots=True)
class LoadedMappings:
    """What a folder holds. A file with errors is left out, and `problems` says why."""

    files: tuple[MappingFile, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of all files that could be loaded."""
        return tuple(rule for file in self.files for rule in file.rules)

    @property
    def errors(self) -> list[Problem]:
        """The problems that kept a file out."""
        return errors_among(self.problems)


def load_mappings(folder: Path, known: KnownNames) -> LoadedMappings:
    """Read every .yaml and .yml file of a folder but the badges.

    Never raises for what is written in a file; one that is broken does not stop the others.
    """
    if not folder.is_dir():
        problem = Problem(
            "The folder is not there",
            "Mappings are read from it",
            "Create it with `bridge init`, or correct the path",
            str(folder),
        )
        return LoadedMappings(problems=(problem,))
    problems: list[Problem] = []
    taken: dict[str, Document] = {}
    documents: dict[str, Document] = {}
    files: list[MappingFile] = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        if path.name in BADGE_FILES:
            continue
        try:
            content, document = _read(path)
        except BadFile as error:
            problems.extend(error.problems)
            continue
        reader = _RuleReader(document, known, document.validate(load_schema("mapping")))
        rules = tuple(reader.rules())
        _claim_name(reader, taken)
        if not errors_among(reader.problems):
            file = _mapping_file(path, content, document, rules)
            files.append(file)
            documents[file.name] = document
        problems.extend(reader.problems)
    problems.extend(_conflicts(files, documents))
    return LoadedMappings(tuple(files), tuple(in_order(problems)))


def _read(path: Path) -> tuple[bytes, Document]:
    """The bytes of a file, and what they say. Raises BadFile where it is no YAML."""
    try:
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        remedy = "Check that the service may read it"
        raise BadFile([Problem("The file cannot be read", why, remedy, str(path))]) from error
    return content, parse_yaml(content, str(path))


def _mapping_file(
    path: Path, content: bytes, document: Document, rules: tuple[Rule, ...]
) -> MappingFile:
    data = document.data
    said = [data["title"], *(rule.content_hash for rule in rules)]
    return MappingFile(
        name=data["mapping"],
        path=path,
        source_bytes=content,
        rules=rules,
        content_hash=hashlib.sha256(json.dumps(said).encode()).hexdigest(),
        title=data["title"],
        effective_from=_date(data.get("effective_from")),
    )


def _claim_name(reader: _RuleReader, taken: dict[str, Document]) -> None:
    """Two files cannot be one mapping; the first keeps the name, broken or not."""
    name = reader.mapping
    first = taken.setdefault(name, reader.document)
    if name and first is not reader.document:
        reader.error(
            ("mapping",),
            f"The mapping `{name}` is in two files",
            f"It is already in {first.name}",
            "Give this one another name, or put the rules together in one file",
        )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


class _RuleReader(NameReader):
    """Reads the rules of a document; the schema's objections are noted already."""

    @property
    def mapping(self) -> str:
        """The name of the mapping, or nothing where it is missing or wrong."""
        return self._top("mapping") or ""

    def _top(self, key: str) -> str | None:
        """A text at the top of the file, if it is there and as it should be."""
        data = self.document.data
        value = data.get(key) if isinstance(data, dict) else None
        sound = all(problem.pointer != f"/{key}" for problem in self.problems)
        return value if sound and isinstance(value, str) else None

    def rules(self) -> Iterator[Rule]:
        """Every rule that makes sense; the others leave problems behind."""
        first: dict[str, Pointer] = {}
        for index, item in self.sound("rules"):
            here: Pointer = ("rules", index)
            key = item["rule"]
            if key in first:
                line, _ = self.document.position(first[key])
                self.error(
                    (*here, "rule"),
                    f"The rule `{key}` appears twice",
                    f"It is already given on line {line}",
                    "Give one of them another name",
                )
            first.setdefault(key, (*here, "rule"))
            before = len(errors_among(self.problems))
            parts = self._parts(here, item)
            if len(errors_among(self.problems)) == before:
                yield Rule(**parts)

    def _parts(self, here: Pointer, item: dict[str, Any]) -> dict[str, Any]:
        """The rule's fields. They hold together only if no error was noted."""
        self._check_purpose(here, item)
        counts = item.get("counts_when", {})
        usual = CountsWhen()
        return {
            "mapping": self.mapping,
            "key": item["rule"],
            "title": item["title"],
            "matchers": tuple(self._matchers(here, item["match"])),
            "counts_when": CountsWhen(
                frozenset(map(Status, counts.get("status", usual.statuses))),
                counts.get("min_score"),
                counts.get("min_attendance"),
                counts.get("min_minutes"),
                counts.get("evaluation") == "required",
                counts.get("sessions"),
            ),
            "learning_activity": self._learning_activity(here, item),
            "delivery": item.get("delivery"),
            "level": self._level(here, item),
            "suggests": tuple(self.refs((*here, "suggests"), item.get("suggests", {}))),
            "verification": item.get("verification"),
            "assessed": item.get("assessed", False),
            **self._dates(here, item),
            "also": item.get("also", False),
            "ignore": item.get("ignore"),
            "one_activity": self._one_activity(here, item),
            "untrusted": bool(item.get("untrusted", False)),
        }

    def _check_purpose(self, here: Pointer, item: dict[str, Any]) -> None:
        if "suggests" not in item and "ignore" not in item:
            self.error(
                here,
                f"The rule `{item['rule']}` says neither what it suggests nor that it is ignored",
                "A rule without either has no effect",
                "Add `suggests:` with competencies, or `ignore:` with the reason",
            )
        elif "suggests" in item and "ignore" in item:
            self.error(
                (*here, "ignore"),
                f"The rule `{item['rule']}` both suggests and ignores",
                "Only one of the two can hold",
                "Remove `ignore:` or `suggests:`",
                on_key=True,
            )
        elif "ignore" in item and item.get("also"):
            self.error(
                (*here, "also"),
                f"The rule `{item['rule']}` ignores, so it has nothing to add",
                "`also` adds suggestions to those of another rule",
                "Remove `also:`",
                on_key=True,
            )

    def _one_activity(self, here: Pointer, item: dict[str, Any]) -> bool:
        """Whether all that the rule matches is one activity; only where names can say so."""
        if not item.get("one_activity"):
            self._check_parts(here, item)
            return False
        place = (*here, "one_activity")
        if item.get("also"):
            self.error(
                place,
                f"The rule `{item['rule']}` only adds to others, so it joins no activities",
                "With `also`, another rule decides on the activity",
                "Write `one_activity:` in the rule that decides",
                on_key=True,
            )
        for index, matcher in enumerate(item["match"]):
            names = [name for name in NAMES if name in matcher]
            if names == ["category"]:
                self.error(
                    place,
                    f"Everything in the category `{matcher['category']}` would become one activity",
                    "A category holds many courses, and one draft would stand for all of them",
                    "Match by `idnumber`, `shortname` or `title`, or remove `one_activity:`",
                    on_key=True,
                )
            elif names == ["title"] and has_wildcard(matcher["title"]):
                self.warn(
                    (*here, "match", index, "title"),
                    f"All titles that fit `{matcher['title']}` become one activity",
                    "`one_activity` joins what the rule matches; dates within 7 days then make "
                    "one draft",
                    "Write the whole title if others fit the pattern too",
                )
        return True

    def _check_parts(self, here: Pointer, item: dict[str, Any]) -> None:
        """A course and what is inside it, by one rule, are two activities unless it says not."""
        inside = [index for index, m in enumerate(item["match"]) if "module" in m or "cmid" in m]
        if inside and len(inside) < len(item["match"]) and "ignore" not in item:
            self.warn(
                (*here, "match", inside[0]),
                f"The rule `{item['rule']}` is about courses and about activities inside courses",
                "Each gives a draft of its own: one person would be asked twice about one course",
                "Write `one_activity: true` if they are one, or make two rules",
            )

    def _matchers(self, here: Pointer, items: list[dict[str, Any]]) -> Iterator[Matcher]:
        for index, item in enumerate(items):
            place: Pointer = (*here, "match", index)
            if not any(name in item for name in NAMES):
                self.error(
                    place,
                    "Nothing here names the activity",
                    "A source or a kind alone would match everything that comes from it",
                    'Add one of its names, such as `idnumber:`, or `title: "*"` for everything',
                )
                continue
            self._check_matcher(place, item)
            yield Matcher(**{name: str(value) for name, value in item.items()})

    def _check_matcher(self, place: Pointer, item: dict[str, Any]) -> None:
        if "source" in item:
            self.one_of((*place, "source"), item["source"], self.known.sources, "source")
        if "kind" in item and self.known.kinds:
            self.one_of((*place, "kind"), item["kind"], self.known.kinds, "kind of source")
        for name, what in (("course_id", "A course"), ("cmid", "An activity")):
            if name in item and "source" not in item:
                self.error(
                    (*place, name),
                    f"{what} id needs its source",
                    "Another system may have another one with the same number",
                    "Add `source:` with the key from bridge.toml",
                    on_key=True,
                )
        for name in ("idnumber", "shortname"):
            if has_wildcard(item.get(name, "")):
                self.warn(
                    (*place, name),
                    f"`{item[name]}` is compared to the letter here",
                    "* and ? stand for other text in `title`, `module` and `category` only, not in "
                    f"`{name}`",
                    f"Write the whole {name}, or match by `title`",
                )
        if (iri := item.get("activity")) and ("*" in iri or not _WHOLE_IRI.fullmatch(iri)):
            self.warn(
                (*place, "activity"),
                f"`{iri}` is no whole identifier of an activity, so nothing will match it",
                "Statements name an activity by its address (IRI), as "
                "`https://lms.example/course/47`, and that is compared to the letter",
                "Copy it from `bridge unmapped`, or match by `title`",
            )
        names = [name for name in NAMES if name in item]
        open_to_all = all(name in PATTERNS and not item[name].strip(" *?") for name in names)
        if open_to_all and "source" not in item:
            self.error(
                (*place, names[0]),
                f"`{item[names[0]]}` fits every activity of every source",
                "Such a rule would take in courses that nobody has looked at",
                "Give part of the text, or name the `source:` as well",
            )

    def _learning_activity(self, here: Pointer, item: dict[str, Any]) -> str | None:
        word: str | None = item.get("learning_activity")
        if word is None:
            return None
        place = (*here, "learning_activity")
        known = self.known.learning_activities
        self.one_of(place, word, known, "learning activity")
        if word in known and known[word].background_only:
            self.error(
                place,
                f"`{word}` cannot be the dated activity that evidence rests on",
                "A previous qualification is background",
                "Name the activity in which the older knowledge is applied",
            )
        return word

    def _level(self, here: Pointer, item: dict[str, Any]) -> str | None:
        if "level" not in item:
            return None
        found = self.level((*here, "level"), item["level"])
        if found is None:
            return None
        edition, level = found
        delivery = item.get("delivery")
        if delivery is not None and Delivery(delivery) not in level.delivery:
            self.warn(
                (*here, "delivery"),
                f"{level.title} does not ask for {delivery} training",
                f"{edition.id} says: {level.heading}",
                f"Write {' or '.join(level.delivery)}, or correct the level",
            )
        return f"{edition.id}:{level.key}"

    def _dates(self, here: Pointer, item: dict[str, Any]) -> dict[str, date | None]:
        first = _date(item.get("effective_from") or self._top("effective_from"))
        last = _date(item.get("effective_until"))
        if first is not None and last is not None and last < first:
            self.error(
                (*here, "effective_until"),
                f"The rule ends on {last}, before it starts on {first}",
                "Both days belong to the time in which it applies",
                "Correct one of the dates; a rule without its own start has that of the file",
            )
        return {"effective_from": first, "effective_until": last}


def _conflicts(files: list[MappingFile], documents: dict[str, Document]) -> Iterator[Problem]:
    """A warning at the rule that gives way, wherever two rules claim the same activity."""
    for found in conflicts(rule for file in files for rule in file.rules):
        first, second = documents[found.first.mapping], documents[found.second.mapping]
        line, _ = first.position(_pointer(first, found.first, found))
        where = f"{first.name}, line {line}" if first is not second else f"line {line}"
        yield second.problem(
            _pointer(second, found.second, found),
            f"The rule `{found.first.key}` ({where}) claims the same activity as "
            f"`{found.second.key}`, by {found.matcher}",
            f"`{found.first.name}` wins, because it comes first by mapping name and place",
            "Remove one of the two, make one more specific, end one with `effective_until`, "
            "or mark one `also: true`",
            severity=Severity.WARNING,
        )


def _pointer(document: Document, rule: Rule, found: Conflict) -> Pointer:
    """Where in its file a rule has the matcher of a conflict."""
    keys = [item["rule"] for item in document.data["rules"]]
    identities = [matcher.identity for matcher in rule.matchers]
    return "rules", keys.index(rule.key), "match", identities.index(found.matcher.identity)


__all__ = ["KnownNames", "LoadedMappings", "MappingFile", "load_mappings"]
