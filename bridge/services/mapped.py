"""The published mappings in force, compiled, with the database's ids for what they name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from bridge.domain.counting import CountsWhen
from bridge.domain.frameworks import Intervals
from bridge.domain.mapping import CompetencyRef, Rule, rule_from_content
from bridge.domain.mapping_index import ActivityDecision, MappingIndex, Verdict
from bridge.domain.model import Alias
from bridge.domain.repositories import UnitOfWork


@dataclass(slots=True)
class Mapped:
    """Decides once per activity, and remembers what each verdict suggests, by id."""

    index: MappingIndex
    rule_ids: dict[str, int]
    competency_ids: dict[CompetencyRef, int]
    intervals: dict[str, Intervals]
    _decisions: dict[int, tuple[Alias, ActivityDecision]] = field(default_factory=dict)
    _recordable: dict[int, int] = field(default_factory=dict)
    _suggested: dict[int, tuple[Verdict, dict[int, int]]] = field(default_factory=dict)
    _published: dict[int, CountsWhen] = field(default_factory=dict)

    def decision(self, alias: Alias) -> ActivityDecision:
        """The rules for this activity; worked out again only when its names have changed."""
        known = self._decisions.get(alias.id)
        if known is not None and known[0] is alias:
            return known[1]
        if known is not None and known[0] == alias:
            decision = known[1]
        else:
            decision = self.index.decide(alias.source_key, alias.source_kind, alias.facts)
        self._decisions[alias.id] = (alias, decision)
        return decision

    def rule_id(self, rule: Rule | None) -> int | None:
        """The id of the published rule."""
        return None if rule is None else self.rule_ids.get(rule.name)

    def suggested(self, verdict: Verdict) -> dict[int, int]:
        """Competency id to rule id. Verdicts are shared, so this is worked out once each."""
        known = self._suggested.get(id(verdict))
        if known is None:
            # Keeping the verdict keeps its id from being used again.
            known = self._suggested[id(verdict)] = (
                verdict,
                {
                    self.competency_ids[s.ref]: self.rule_ids[s.rule.name]
                    for s in verdict.suggestions
                    if s.ref in self.competency_ids
                },
            )
        return known[1]

    def counts_when(self, uow: UnitOfWork, rule_ids: Collection[int]) -> dict[int, CountsWhen]:
        """What published rules ask of a record, whether they are still in force or not."""
        unread = set(rule_ids) - self._published.keys()
        if unread:
            self._published |= {
                rule_id: rule_from_content(content).counts_when
                for rule_id, content in uow.catalog.rule_contents(unread).items()
            }
        return {each: self._published[each] for each in rule_ids if each in self._published}

    def recordable_months(self, verdict: Verdict) -> int:
        """How far back evidence may lie (R1): what the most generous of its frameworks says."""
        known = self._recordable.get(id(verdict))
        if known is None:
            self.suggested(verdict)
            known = self._recordable[id(verdict)] = max(
                self.intervals.get(s.ref.edition, Intervals()).recordable_months
                for s in verdict.suggestions
            )
        return known


def load_mapped(uow: UnitOfWork) -> Mapped:
    """Compile the mapping versions that are in force. Broken files never get this far."""
    published = uow.catalog.rules_in_force()
    rules = [rule_from_content(content) for _, content in published]
    return Mapped(
        index=MappingIndex(rules),
        rule_ids={r.name: rule_id for r, (rule_id, _) in zip(rules, published, strict=True)},
        competency_ids=uow.catalog.competency_ids(),
        intervals={e.id: e.intervals for e in uow.catalog.editions()},
    )
