"""Loads a folder of framework files: editions, crosswalks and reflective questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.catalog.editions import build_edition, edition_problems, source_text
from bridge.catalog.yamlfile import Document, load_schema, read_yaml
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import (
    Crosswalk,
    CrosswalkLine,
    Edition,
    Question,
    ReflectiveQuestions,
    Relation,
)
from bridge.domain.mapping import CompetencyRef
from bridge.domain.problems import BadFile, Problem, Severity, errors_among, in_order

# The key that a file of each kind begins with; the schemas have the same names.
_KINDS = ("framework", "crosswalk", "questions")


@dataclass(frozen=True, slots=True)
class LoadedFrameworks:
    """What a folder holds. A file with errors is left out, and `problems` says why.

    Everything that could be loaded is here, whatever is wrong elsewhere in the folder.
    """

    editions: tuple[Edition, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()
    questions: tuple[ReflectiveQuestions, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> list[Problem]:
        """The problems that kept a file out."""
        return errors_among(self.problems)

    def edition(self, name: str) -> Edition:
        """The edition with this id, or the only edition of the framework with this key.

        Organisations' own editions go by their id alone. Raises NotFound.
        """
        for edition in self.editions:
            if edition.id == name:
                return edition
        of_framework = [e for e in self.editions if e.framework == name and not e.organisation]
        if len(of_framework) == 1:
            return of_framework[0]
        known = ", ".join(f"'{edition.id}'" for edition in of_framework or self.editions)
        raise NotFound(f"There is no edition '{name}'. Name one of: {known or 'none loaded'}.")

    def for_organisation(self, edition_id: str, organisation: str | None) -> tuple[Edition, ...]:
        """An edition, followed by the organisation's own additions to it. Raises NotFound."""
        edition = self.edition(edition_id)
        own = (
            e
            for e in self.editions
            if organisation and e.organisation == organisation and e.extends == edition.id
        )
        return (edition, *own)


def load_editions(folder: Path) -> LoadedFrameworks:
    """Read every .yaml and .yml file of a folder. Never raises for what is written in a file."""
    if not folder.is_dir():
        problem = Problem(
            "The folder is not there",
            "Frameworks are read from it",
            "Create it with `bridge init`, or correct the path",
            str(folder),
        )
        return LoadedFrameworks(problems=(problem,))
    problems: list[Problem] = []
    documents: dict[str, list[Document]] = {kind: [] for kind in _KINDS}
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            kind, document = _read(path)
        except BadFile as error:
            problems.extend(error.problems)
        else:
            documents[kind].append(document)
    editions = _editions(documents["framework"], problems)
    crosswalks = _crosswalks(documents["crosswalk"], editions, problems)
    questions = tuple(map(_questions, documents["questions"]))
    return LoadedFrameworks(
        tuple(editions.values()), crosswalks, questions, tuple(in_order(problems))
    )


def _read(path: Path) -> tuple[str, Document]:
    """A file and its kind. Raises BadFile with everything its schema objects to."""
    document = read_yaml(path)
    given = document.data if isinstance(document.data, dict) else {}
    kind = next((kind for kind in _KINDS if kind in given), None)
    if kind is None:
        raise BadFile(
            [
                document.problem(
                    (),
                    "The file does not say what it is",
                    "It has none of the keys `framework`, `crosswalk` and `questions`",
                    "Begin it with one of them, as the shipped files do",
                )
            ]
        )
    problems = document.validate(load_schema(kind))
    if problems:
        raise BadFile(problems)
    return kind, document


def _editions(documents: list[Document], problems: list[Problem]) -> dict[str, Edition]:
    """The editions by id, each built after the one it borrows from or extends."""
    editions: dict[str, Edition] = {}
    taken: dict[str, Document] = {}
    waiting = []
    for document in documents:
        name = document.data["id"]
        if name in taken:
            problems.append(
                document.problem(
                    ("id",),
                    f"The edition `{name}` is defined twice",
                    f"It is already in {taken[name].name}",
                    "Give this one another id, or remove it",
                )
            )
        else:
            taken[name] = document
            waiting.append(document)
    while waiting:
        ready = [d for d in waiting if _base_of(d) is None or _base_of(d) in editions]
        if not ready:
            problems.extend(map(_without_base, waiting))
            break
        waiting = [document for document in waiting if document not in ready]
        for document in ready:
            base = editions.get(_base_of(document) or "")
            found = edition_problems(document, base)
            problems.extend(found)
            if not errors_among(found):
                editions[document.data["id"]] = build_edition(document, base)
    return editions


def _base_of(document: Document) -> str | None:
    base: str | None = document.data.get("extends") or document.data.get("borrows")
    return base


def _without_base(document: Document) -> Problem:
    key = "extends" if "extends" in document.data else "borrows"
    return document.problem(
        (key,),
        f"The edition `{document.data[key]}` is not there",
        "No file of this folder defines it, or the one that does has errors or leads back here",
        "Correct the name, or repair that file first",
    )


def _crosswalks(
    documents: list[Document], editions: dict[str, Edition], problems: list[Problem]
) -> tuple[Crosswalk, ...]:
    result = []
    for document in documents:
        crosswalk = _crosswalk(document)
        found = list(_crosswalk_problems(document, crosswalk, editions))
        problems.extend(found)
        if not errors_among(found):
            result.append(crosswalk)
    return tuple(result)


def _crosswalk(document: Document) -> Crosswalk:
    data = document.data
    first, second = data["from"], data["to"]
    lines = (
        CrosswalkLine(
            CompetencyRef(first, str(line["from"])),
            Relation(line["relation"]),
            CompetencyRef(second, str(line["to"])),
            line["because"],
        )
        for line in data["relations"]
    )
    alone = {
        CompetencyRef(item["edition"], str(item["code"])): item["because"]
        for item in data.get("without_counterpart", ())
    }
    return Crosswalk(
        data["crosswalk"], data["title"], data["adopted"], (first, second), tuple(lines), alone
    )


def _crosswalk_problems(
    document: Document, crosswalk: Crosswalk, editions: dict[str, Edition]
) -> Iterator[Problem]:
    unknown = [key for key in ("from", "to") if document.data[key] not in editions]
    for key in unknown:
        yield document.problem(
            (key,),
            f"The edition `{document.data[key]}` is not there",
            "No file of this folder defines it, or the one that does has errors",
            "Correct the name, or repair that file first",
        )
    if unknown:
        return
    known = {
        CompetencyRef(edition, competency.code): competency
        for edition in crosswalk.editions
        for competency in editions[edition].competencies
    }
    related: set[CompetencyRef] = set()
    pairs: set[tuple[CompetencyRef, CompetencyRef]] = set()
    for index, line in enumerate(crosswalk.lines):
        for key, ref in (("from", line.first), ("to", line.second)):
            if ref not in known:
                yield _unknown_code(document, ("relations", index, key), ref)
        if (line.first, line.second) in pairs:
            yield document.problem(
                ("relations", index),
                f"{line.first.code} and {line.second.code} are related twice",
                "Two competencies have one relation",
                "Keep the line that is right",
            )
        pairs.add((line.first, line.second))
        related |= {line.first, line.second}
    for index, item in enumerate(document.data.get("without_counterpart", ())):
        ref = CompetencyRef(item["edition"], str(item["code"]))
        pointer = ("without_counterpart", index, "code")
        if ref not in known:
            yield _unknown_code(document, pointer, ref)
        elif ref in related:
            yield document.problem(
                pointer,
                f"{ref} is said to have no counterpart, but a line names it",
                "One of the two is wrong",
                "Remove it here, or remove the line",
            )
    for ref in known:
        if ref not in related and ref not in crosswalk.without_counterpart:
            yield document.problem(
                ("relations",),
                f"{ref} is named nowhere in this crosswalk",
                "Nobody can tell whether it was forgotten",
                "Add a line, or list it under `without_counterpart` with the reason",
                severity=Severity.WARNING,
                on_key=True,
            )


def _unknown_code(
    document: Document, pointer: tuple[str | int, ...], ref: CompetencyRef
) -> Problem:
    return document.problem(
        pointer,
        f"{ref.edition} has no competency `{ref.code}`",
        "A crosswalk relates competencies of its two editions",
        "Correct the code",
    )


def _questions(document: Document) -> ReflectiveQuestions:
    data = document.data
    return ReflectiveQuestions(
        key=data["questions"],
        title=data["title"],
        language=data["language"],
        source=source_text(data["source"]),
        guidance=tuple(data["guidance"]),
        questions=tuple(Question(**item) for item in data["reflective_questions"]),
        dating_note=data["dating_note"],
        resources=tuple(data.get("resources", ())),
    )
