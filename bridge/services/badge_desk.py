"""The LMS administrator's desk: how each target stands in numbers, and what each badge means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.desk import BadgeVersion
from bridge.domain.errors import NotFound, PeerError
from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef
from bridge.domain.ports import Target
from bridge.domain.roads import RoadWords, words_of
from bridge.domain.targets import ChoosesRoads
from bridge.services import preparing
from bridge.services.context import Context
from bridge.services.placing import AUTO


@dataclass(frozen=True, slots=True)
class TargetSum:
    """How many badges of a target are in step, wait to be tried (again), and need somebody; how
    many of ours nobody awarded; how many badges of a year need making; how many profiles show a
    status, and how many wait for it."""

    target: str
    in_step: int = 0
    waiting: int = 0
    needs_you: int = 0
    strays: int = 0
    to_prepare: int = 0
    statuses: int = 0
    statuses_waiting: int = 0


def sums(ctx: Context, targets: Collection[str]) -> tuple[TargetSum, ...]:
    """Every target's sums; `targets` are the configured ones, shown even with nothing to tell."""
    found = {key: [0, 0, 0] for key in targets}
    with ctx.store.reading() as uow:
        for each in uow.ops.deliveries():
            which = 0 if each.in_step else 2 if each.stuck else 1
            found.setdefault(each.target_key, [0, 0, 0])[which] += each.count
        strays = uow.strays.open_count()
        shown = {each.target_key: each for each in uow.statuses.sums()}
    unready = Counter(each.target_key for each in preparing.stands(ctx) if each.left)
    return tuple(
        TargetSum(
            key, in_step, waiting, needs_you, strays.get(key, 0), unready[key],
            shown[key].shown if key in shown else 0,
            shown[key].waiting if key in shown else 0,
        )
        for key, (in_step, waiting, needs_you) in sorted(found.items())
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meaning:
    """A badge in words: what it asks for, where it goes, and since when it does.

    `asks` are sentences; `competencies` those it comes to, each with its text.
    """

    key: str
    title: str
    description: str
    version: int
    since: datetime
    asks: tuple[str, ...]
    competencies: tuple[tuple[CompetencyRef, str], ...]
    yearly: bool
    targets: tuple[tuple[str, RoadWords], ...]


def meanings(ctx: Context, targets: Mapping[str, Target] | None = None) -> list[Meaning]:
    """Every badge in force, in words. With `targets`, what `via: auto` comes to is asked of them;
    one that does not answer leaves it open."""
    with ctx.store.reading() as uow:
        editions = {edition.id: edition for edition in uow.catalog.editions()}
        refs = {row_id: ref for ref, row_id in uow.catalog.competency_ids().items()}
        badges = uow.desk.badges()
    return [_meaning(badge, editions, refs, targets or {}) for badge in badges]


def _meaning(
    badge: BadgeVersion,
    editions: dict[str, Edition],
    refs: dict[int, CompetencyRef],
    targets: Mapping[str, Target],
) -> Meaning:
    told: dict[str, Any] = badge.definition
    required = [refs[row_id] for row_id in badge.required]
    order = {
        CompetencyRef(edition.id, c.code): place
        for edition in editions.values()
        for place, c in enumerate(edition.competencies)
    }
    required.sort(key=lambda ref: (ref.edition, order[ref]))
    return Meaning(
        key=badge.key,
        title=told["title"],
        description=told["description"],
        version=badge.version,
        since=badge.published_at,
        asks=tuple(_asks(told["criteria"], editions)),
        competencies=tuple(
            (ref, editions[ref.edition].competency(ref.code).display) for ref in required
        ),
        yearly=told["period"] == "year",
        targets=tuple(
            (each["target"], _road(each["settings"], targets.get(each["target"])))
            for each in told["targets"]
        ),
    )


def _road(settings: dict[str, str], target: Target | None) -> RoadWords:
    road = ""
    if settings.get("via") == AUTO and isinstance(target, ChoosesRoads):
        try:
            road = target.road(settings, "")
        except PeerError:
            road = ""
    return words_of(settings, road)


def _asks(criteria: dict[str, Any], editions: dict[str, Edition]) -> Iterable[str]:
    for edition, key in criteria["groups"]:
        group = next((g for g in editions[edition].groups if g.key == key), None)
        name = group.title if group else key
        yield f"everything that {editions[edition].title} asks of “{name}”"
    for edition, key in criteria["levels"]:
        try:
            title = editions[edition].level(key).title
        except NotFound:
            title = key
        yield f"every statement of {title} in {editions[edition].title}"
    if criteria["competencies"]:
        yield "the competencies that it names one by one"
