"""Reads the site's own table of which competencies of a Moodle are which of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bridge.catalog.names import KnownNames, NameReader
from bridge.catalog.yamlfile import load_schema, read_yaml
from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef
from bridge.domain.problems import BadFile, errors_among, in_order


def read_competency_table(
    path: Path, editions: Sequence[Edition]
) -> dict[tuple[str, str], CompetencyRef]:
    """The table by (framework ID number, competency ID number). Raises BadFile, with everything
    that is wrong in it."""
    document = read_yaml(path)
    known = KnownNames(editions=editions)
    reader = NameReader(document, known, document.validate(load_schema("competencies")))
    found: dict[tuple[str, str], CompetencyRef] = {}
    for index, item in reader.sound("competencies"):
        here = ("competencies", index)
        name, _, code = item["is"].rpartition(":")
        key = item["framework"], item["competency"]
        if key in found:
            reader.error(
                here,
                f"`{key[1]}` of `{key[0]}` is in the table twice",
                "One competency there is one of ours",
                "Keep the line that is right",
            )
        edition = reader.edition((*here, "is"), name)
        if edition is None:
            continue
        codes = [competency.code for competency in edition.competencies]
        if code not in codes:
            reader.error(
                (*here, "is"),
                f"`{edition.id}` has no competency `{code}`",
                f"It is not in {edition.title}",
                f"Its codes run from `{codes[0]}` to `{codes[-1]}`",
            )
            continue
        found[key] = CompetencyRef(edition.id, code)
    if errors_among(reader.problems):
        raise BadFile(in_order(reader.problems))
    return found
