"""The published frameworks: what there is to be competent in."""

from __future__ import annotations

from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Edition
from bridge.domain.permissions import Permission
from bridge.services import mappings
from bridge.web.access import ctx
from bridge.web.api.operations import operation
from bridge.web.api.shapes import Told


class EditionTold(Told):
    """One edition of one framework."""

    id: str
    framework: str
    edition: str
    title: str
    language: str


class Editions(Told):
    """All that are published."""

    items: list[EditionTold]


class CompetencyTold(Told):
    """One competency. `owner` is the organisation that added it, if one did."""

    code: str
    text: str
    level: str | None
    owner: str | None
    suggested_evidence: list[str]


class GroupTold(Told):
    """A target group, and what it is asked for beyond the core."""

    key: str
    title: str
    description: str
    everyone: bool
    codes: list[str]


class LevelTold(Told):
    """A level, and the statements that make it up."""

    key: str
    title: str
    codes: list[str]


class Listed(Told):
    """A learning activity or an assessment method, by its key."""

    key: str
    text: str


class EditionWhole(EditionTold):
    """An edition with all that it lists."""

    competencies: list[CompetencyTold]
    groups: list[GroupTold]
    levels: list[LevelTold]
    learning_activities: list[Listed]
    assessment_methods: list[Listed]


@operation("GET", "/frameworks", Permission.ACCOUNT, Editions, tag="frameworks")
def frameworks() -> Editions:
    """The published editions."""
    return Editions(items=[EditionTold(**_head(e)) for e in mappings.editions(ctx())])


@operation("GET", "/frameworks/<edition>", Permission.ACCOUNT, EditionWhole, tag="frameworks")
def framework(edition: str) -> EditionWhole:
    """One edition with its competencies, groups, levels and lists."""
    one = next((e for e in mappings.editions(ctx()) if e.id == edition), None)
    if one is None:
        raise NotFound("There is no such edition; /api/v1/frameworks lists them.")
    return EditionWhole(
        **_head(one),
        competencies=[
            CompetencyTold(code=c.code, text=c.text, level=c.level, owner=c.owner,
                           suggested_evidence=list(c.suggested_evidence))
            for c in one.competencies
        ],
        groups=[
            GroupTold(key=g.key, title=g.title, description=g.description, everyone=g.everyone,
                      codes=list(g.codes))
            for g in one.groups
        ],
        levels=[LevelTold(key=v.key, title=v.title, codes=list(v.codes)) for v in one.levels],
        learning_activities=[Listed(key=a.key, text=a.text) for a in one.learning_activities],
        assessment_methods=[Listed(key=m.key, text=m.text) for m in one.assessment_methods],
    )  # fmt: skip


def _head(one: Edition) -> dict[str, str]:
    return {name: getattr(one, name) for name in EditionTold.model_fields}
