"""The practitioner's part of the site, and what its pages share."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, url_for

from bridge.domain.mapping import CompetencyRef

practitioner = Blueprint("practitioner", __name__)


def ref_of(value: str) -> CompetencyRef | None:
    """The competency that a form names as "edition code"; None for anything else."""
    edition, _, code = value.strip().partition(" ")
    return CompetencyRef(edition, code) if edition and code else None


def refs_of(values: list[str]) -> list[CompetencyRef]:
    """The competencies that a form names, each once."""
    found = [ref_of(value) for value in values]
    return list(dict.fromkeys(ref for ref in found if ref is not None))


def to_item(evidence_id: int, anchor: str | None = None) -> Response:
    """Back to a piece of evidence, after something was done with it."""
    where = url_for("practitioner.item", evidence_id=evidence_id, _anchor=anchor)
    return make_response(redirect(where, 303))


@practitioner.app_template_filter("level_words")
def level_words(level: str) -> str:
    """A level as people say it: "london:3" is "London level 3"."""
    framework, _, key = level.rpartition(":")
    name = framework.partition("-")[0]
    return f"{name[:1].upper()}{name[1:]} level {key}".strip()
