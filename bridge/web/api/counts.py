"""The partnership's counts: by competency, organisation and group; no names, no small numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from bridge.domain.counts import EVERYONE, Count
from bridge.domain.mapping import CompetencyRef
from bridge.domain.permissions import Permission
from bridge.services import counts
from bridge.web.access import ctx
from bridge.web.api.operations import Query, operation
from bridge.web.api.shapes import Key, Named, Told


class StandingsTold(Told):
    """How people fall into parts; null where a number is too small to be published."""

    people: int | None
    current: int | None
    due: int | None
    waiting: int | None
    draft: int | None
    missing: int | None


class CountTold(Told):
    """A line. An organisation that follows `other_framework` instead has no standings."""

    key: str
    title: str
    competency: Named | None
    standings: StandingsTold | None
    other_framework: str | None

    @staticmethod
    def of(count: Count) -> CountTold:
        """As an answer has it."""
        return CountTold(
            key=count.key,
            title=count.title,
            competency=Named.of(count.ref) if count.ref else None,
            standings=StandingsTold(**count.standings._asdict()) if count.standings else None,
            other_framework=count.other_framework,
        )


class Choice(Told):
    """Something to narrow the counts by."""

    key: str
    title: str


class CountsTold(Told):
    """Published counts, and when they were made; `total` is of all organisations together."""

    lines: list[CountTold]
    total: CountTold | None
    groups: list[Choice]
    organisations: list[Choice]
    kinds: list[Choice]
    counted_at: datetime | None
    stale: bool

    @staticmethod
    def of(found: counts.Counts) -> CountsTold:
        """As an answer has it."""
        return CountsTold(
            lines=[CountTold.of(line) for line in found.lines],
            total=CountTold.of(found.total) if found.total else None,
            groups=[Choice(key=c.key, title=c.title) for c in found.groups],
            organisations=[Choice(key=c.key, title=c.title) for c in found.agencies],
            kinds=[Choice(key=c.key, title=c.title) for c in found.kinds],
            counted_at=found.counted_at,
            stale=found.stale,
        )


class OfGroup(Query):
    """Of which group, and of which organisation or kind of organisation (all, where none is named).

    A kind is named as `kinds` has it.
    """

    group: Key = EVERYONE
    organisation: Key | None = None
    kind: Annotated[str, Field(max_length=80)] | None = None


class OfCompetency(Query):
    """Of which competency of which edition."""

    edition: Key
    code: Key

    @property
    def ref(self) -> CompetencyRef:
        """As the services name it."""
        return CompetencyRef(self.edition, self.code)


class OfCompetencyAndGroup(OfCompetency):
    """And of which group."""

    group: Key = EVERYONE


class OfCompetencyAt(OfCompetency):
    """And in which organisation."""

    organisation: Key | None = None


@operation("GET", "/counts/competencies", Permission.COUNTS, CountsTold, tag="counts",
           query=OfGroup)  # fmt: skip
def counts_by_competency(query: OfGroup) -> CountsTold:
    """How the people of a group stand with each competency that it is asked for."""
    return CountsTold.of(counts.by_competency(ctx(), query.group, query.organisation, query.kind))


@operation("GET", "/counts/kinds", Permission.COUNTS, CountsTold, tag="counts",
           query=OfCompetencyAndGroup)  # fmt: skip
def counts_by_kind(query: OfCompetencyAndGroup) -> CountsTold:
    """How the people of a group stand with one competency, kind of organisation by kind."""
    return CountsTold.of(counts.by_kind(ctx(), query.ref, query.group))


@operation("GET", "/counts/organisations", Permission.COUNTS, CountsTold, tag="counts",
           query=OfCompetencyAndGroup)  # fmt: skip
def counts_by_organisation(query: OfCompetencyAndGroup) -> CountsTold:
    """How the people of a group stand with one competency, organisation by organisation."""
    return CountsTold.of(counts.by_organisation(ctx(), query.ref, query.group))


@operation("GET", "/counts/groups", Permission.COUNTS, CountsTold, tag="counts",
           query=OfCompetencyAt)  # fmt: skip
def counts_by_group(query: OfCompetencyAt) -> CountsTold:
    """How the people of each group stand with one competency."""
    return CountsTold.of(counts.by_group(ctx(), query.ref, query.organisation))
