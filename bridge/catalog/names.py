"""Looks up what mapping and badge files name: editions, competencies, levels, groups, systems."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from bridge.catalog.yamlfile import Document, Pointer
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Edition, LearningActivity, Level
from bridge.domain.mapping import CompetencyRef
from bridge.domain.problems import Problem, Severity

_NEAR = 0.6
#: Where a name is looked for.
_UNKNOWN = {
    "source": "There is no source of that name in bridge.toml, nor one that sends statements here",
    "target": "There is no target of that name in bridge.toml",
}


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What a site has: configured sources and targets by key, kinds of source, and editions.

    An empty `kinds` means that they are not known, and they are then not checked.
    """

    sources: Collection[str] = ()
    targets: Collection[str] = ()
    editions: Sequence[Edition] = ()
    kinds: Collection[str] = ()

    def edition(self, name: str) -> Edition | None:
        """The edition with this id, or the newest of the framework with this key.

        Organisations' own editions go by their id alone.
        """
        for edition in self.editions:
            if edition.id == name:
                return edition
        of_framework = [e for e in self.editions if e.framework == name and not e.organisation]
        return max(of_framework, key=lambda e: (e.edition, e.id), default=None)

    @property
    def learning_activities(self) -> dict[str, LearningActivity]:
        """The recognised learning activities of all editions, by key."""
        return {item.key: item for edition in self.editions for item in edition.learning_activities}


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The choice that was most likely meant, as a question, or every choice there is."""
    listed = list(choices)
    near = process.extractOne(
        word,
        listed,
        scorer=DamerauLevenshtein.normalized_similarity,
        processor=str.casefold,
        score_cutoff=_NEAR,
    )
    if near is not None:
        return f"Did you mean `{near[0]}`?"
    return f"Known are: {', '.join(f'`{one}`' for one in listed)}" if listed else "None is known"


@dataclass(slots=True)
class NameReader:
    """Reads the names in one document, and collects a problem for each that is not known."""

    document: Document
    known: KnownNames
    problems: list[Problem] = field(default_factory=list)

    def sound(self, section: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The items of a list in which no problem is noted so far, with their places.

        So that a fault of shape in one item does not hide what is wrong in the others.
        """
        faulty = {tuple((problem.pointer or "").split("/")[1:3]) for problem in self.problems}
        items = self.document.data.get(section) if isinstance(self.document.data, dict) else None
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if (section, str(index)) not in faulty:
                yield index, item

    def error(
        self, pointer: Pointer, what: str, why: str, remedy: str, *, on_key: bool = False
    ) -> None:
        """Note something that keeps the file out of force."""
        self.problems.append(self.document.problem(pointer, what, why, remedy, on_key=on_key))

    def warn(self, pointer: Pointer, what: str, why: str, remedy: str) -> None:
        """Note something that a person should look at."""
        self.problems.append(
            self.document.problem(pointer, what, why, remedy, severity=Severity.WARNING)
        )

    def one_of(self, pointer: Pointer, word: str, choices: Collection[str], kind: str) -> None:
        """Check a word against those that are known."""
        if word not in choices:
            self.error(
                pointer,
                f"The {kind} `{word}` is not known",
                _UNKNOWN.get(kind, f"No {kind} has that name here"),
                did_you_mean(word, sorted(choices)),
            )

    def edition(self, pointer: Pointer, name: str, *, on_key: bool = False) -> Edition | None:
        """The edition of that name, by its id or its framework's key."""
        edition = self.known.edition(name)
        if edition is None:
            own = {e.framework for e in self.known.editions if not e.organisation}
            self.error(
                pointer,
                f"There is no framework or edition `{name}`",
                "Competencies are named by their framework, as in the folder frameworks/",
                did_you_mean(name, sorted(own | {e.id for e in self.known.editions})),
                on_key=on_key,
            )
        return edition

    def refs(self, pointer: Pointer, given: dict[str, list[Any]]) -> Iterator[CompetencyRef]:
        """The competencies listed by framework: `{llr-2020: [13, 14], london: [L3.1]}`."""
        for name, codes in given.items():
            edition = self.edition((*pointer, name), name, on_key=True)
            if edition is None:
                continue
            known = [competency.code for competency in edition.competencies]
            for place, code in enumerate(map(str, codes)):
                here = (*pointer, name, place)
                if code not in known:
                    self._unknown_code(here, edition, code, known)
                elif code in map(str, codes[:place]):
                    self.error(
                        here,
                        f"The competency `{code}` appears twice",
                        "Once is enough",
                        "Remove one",
                    )
                else:
                    yield CompetencyRef(edition.id, code)

    def _unknown_code(
        self, pointer: Pointer, edition: Edition, code: str, known: Sequence[str]
    ) -> None:
        # A wrong number has no spelling to correct: every number is near to some other.
        if code.isdecimal():
            remedy = f"Its codes run from `{known[0]}` to `{known[-1]}`"
        else:
            remedy = did_you_mean(code, known)
        self.error(
            pointer,
            f"`{edition.id}` has no competency `{code}`",
            f"It is not in {edition.title}",
            remedy,
        )

    def level(self, pointer: Pointer, name: str) -> tuple[Edition, Level] | None:
        """The level written as `london:3`."""
        found = self._within(pointer, name)
        if found is None:
            return None
        edition, key = found
        try:
            return edition, edition.level(key)
        except NotFound:
            self._not_within(pointer, edition, key, "level", [one.key for one in edition.levels])
            return None

    def group(self, pointer: Pointer, name: str) -> tuple[str, str] | None:
        """The target group written as `llr-2020:core`, as edition and key."""
        found = self._within(pointer, name)
        if found is None:
            return None
        edition, key = found
        try:
            return edition.id, edition.group(key).key
        except NotFound:
            keys = [one.key for one in edition.groups]
            self._not_within(pointer, edition, key, "target group", keys)
            return None

    def _within(self, pointer: Pointer, name: str) -> tuple[Edition, str] | None:
        framework, _, key = name.rpartition(":")
        edition = self.edition(pointer, framework)
        return None if edition is None else (edition, key)

    def _not_within(
        self, pointer: Pointer, edition: Edition, key: str, kind: str, known: Sequence[str]
    ) -> None:
        self.error(
            pointer,
            f"`{edition.id}` has no {kind} `{key}`",
            f"It is not in {edition.title}",
            did_you_mean(key, known),
        )
