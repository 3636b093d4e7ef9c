"""The names that sources have for activities, and the activities behind them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, insert, select, update

from bridge.domain.continuity import another_activity
from bridge.domain.model import Alias, SourceRow
from bridge.domain.records import ActivityFacts
from bridge.storage import tables as t
from bridge.storage.booking import CANONICAL
from bridge.storage.bulk import among, chunks
from bridge.storage.ops import TRUSTED
from bridge.storage.vanished import VanishedQueries

_NAMES = ("title", "idnumber", "shortname", "category", "iri", "module", "course_idnumber",
          "course_shortname")  # fmt: skip


def _filled(told: ActivityFacts, known: ActivityFacts) -> ActivityFacts:
    names = {name: getattr(told, name) or getattr(known, name) for name in _NAMES}
    return replace(told, **names)


class AliasQueries(VanishedQueries):
    """The part of the intake repository about activities, and what is gone."""

    def aliases(
        self,
        source: SourceRow,
        wanted: Mapping[str, ActivityFacts],
        now: datetime,
        *,
        coarser: bool = False,
    ) -> dict[str, Alias]:
        """The canonical activities behind a source's names; new and renamed ones are kept up.

        `coarser`: they came by a way that may not be shown every name, so that one which is not
        told (an ID number, for want of a capability) stays as it was known.

        A name that stands for another activity now (`bridge.domain.continuity`) makes a new one,
        and what came before stays with the old.
        """
        a = t.activity_aliases
        found: dict[str, Alias] = {}
        again: list[int] = []
        for part in chunks(list(wanted)):
            rows = self._db.execute(
                select(a, CANONICAL.label("canonical"))
                .join(t.activities, t.activities.c.id == a.c.activity_id)
                .where(a.c.source_id == source.id, a.c.value.in_(part))
            )
            for row in rows:
                facts = ActivityFacts(
                    row.kind, row.value, row.title, row.idnumber, row.shortname, row.category,
                    row.iri, row.module, row.course_idnumber, row.course_shortname,
                )  # fmt: skip
                if row.gone_because:
                    again.append(row.id)
                found[row.value] = Alias(
                    row.id, row.canonical, source.key, source.kind, facts, source.trusted
                )
        if again:
            self._db.execute(
                update(a).where(a.c.id.in_(again)).values(gone_at=None, gone_because="")
            )
        for value, facts in wanted.items():
            known = found.get(value)
            if known is not None and another_activity(known.facts, facts):
                self.retire_alias(known.id, now)
                known = None
            if known is not None and coarser:
                facts = _filled(facts, known.facts)
            if known is None:
                found[value] = self._add_alias(source, facts)
            elif known.facts != facts and known.facts != (facts := facts.after(known.facts)):
                self._db.execute(
                    update(a)
                    .where(a.c.id == known.id)
                    .values({name: getattr(facts, name) for name in _NAMES})
                )
                self._rename_activity(known, facts)
                found[value] = Alias(
                    known.id, known.activity_id, source.key, source.kind, facts, source.trusted
                )
                self.mark_activities([known.id])
        return found

    def _rename_activity(self, known: Alias, facts: ActivityFacts) -> None:
        """An activity that is called as its source called it is called as it calls it now."""
        own = select(t.activity_aliases.c.activity_id).where(t.activity_aliases.c.id == known.id)
        if facts.title:
            self._db.execute(
                update(t.activities)
                .where(t.activities.c.id.in_(own), t.activities.c.title == known.facts.title)
                .values(title=facts.title)
            )

    def known_activities(self, source_id: int, values: Sequence[str]) -> set[str]:
        """Those of these names that the source has used before."""
        a = t.activity_aliases.c
        query = select(a.value).where(a.source_id == source_id, among(self._db, a.value, values))
        return set(self._db.scalars(query))

    def _add_alias(self, source: SourceRow, facts: ActivityFacts) -> Alias:
        title = facts.title or facts.shortname or facts.idnumber or facts.iri or facts.value
        activity_id = self._db.scalar(
            insert(t.activities).values(title=title).returning(t.activities.c.id)
        )
        alias_id = self._db.scalar(
            insert(t.activity_aliases)
            .values(
                activity_id=activity_id,
                source_id=source.id,
                kind=facts.kind,
                value=facts.value,
                **{name: getattr(facts, name) for name in _NAMES},
            )
            .returning(t.activity_aliases.c.id)
        )
        assert alias_id is not None and activity_id is not None  # noqa: S101, PT018
        return Alias(alias_id, activity_id, source.key, source.kind, facts, source.trusted)

    def all_aliases(self) -> list[Alias]:
        """Every source's name for every activity."""
        a = t.activity_aliases
        query = (
            select(a, CANONICAL.label("canonical"), t.sources.c.key,
                   t.sources.c.kind.label("source_kind"), t.sources.c.trust)
            .join(t.activities, t.activities.c.id == a.c.activity_id)
            .join(t.sources, t.sources.c.id == a.c.source_id)
        )  # fmt: skip
        return [
            Alias(
                row.id,
                row.canonical,
                row.key,
                row.source_kind,
                ActivityFacts(row.kind, row.value, row.title, row.idnumber, row.shortname,
                              row.category, row.iri, row.module, row.course_idnumber,
                              row.course_shortname),
                row.trust == TRUSTED,
            )
            for row in self._db.execute(query.order_by(a.c.id))
        ]  # fmt: skip

    def mark_activities(self, alias_ids: Collection[int]) -> int:
        """Decide again on the records of these activities; how many there are."""
        total = 0
        for part in chunks(sorted(alias_ids)):
            done = self._db.execute(
                update(t.learning_records)
                .where(t.learning_records.c.alias_id.in_(part))
                .values(pending=True)
            )
            total += done.rowcount
        return total

    def unmapped(self) -> list[tuple[Alias, int, int]]:
        """Activities that no rule names: the records and the accounts that wait on them."""
        records = func.count()
        people = func.count(t.learning_records.c.account_id.distinct())
        rows = self._db.execute(
            select(t.learning_records.c.alias_id, records, people)
            .where(t.learning_records.c.disposition == "unmapped")
            .group_by(t.learning_records.c.alias_id)
            .order_by(people.desc(), t.learning_records.c.alias_id)
        ).all()
        by_id = {alias.id: alias for alias in self.all_aliases()} if rows else {}
        return [(by_id[alias_id], count, waiting) for alias_id, count, waiting in rows]
