"""Publishing frameworks, mappings and badges, and what publishing would do before it does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.domain.badges import BadgeDefinition, badge_content, required_refs
from bridge.domain.errors import Refused
from bridge.domain.frameworks import Edition, edition_hash
from bridge.domain.mapping import Rule, rule_content, rule_from_content
from bridge.domain.mapping_index import MappingIndex
from bridge.domain.model import Alias, TargetState
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context, audit, training_team_only
from bridge.services.drafting import RECONSIDER_AT_ONCE, SETTLING, Changes, reconsider
from bridge.services.mapped import load_mapped
from bridge.services.rule_joins import settle_rule_joins


@dataclass(frozen=True, slots=True)
class MappingSource:
    """A mapping file that passed its checks: name, bytes, and its rules in file order."""

    name: str
    source: bytes
    content_hash: str
    rules: tuple[Rule, ...]


@dataclass(slots=True)
class Impact:
    """What publishing adds and withdraws. Human work is counted to show that none is touched.

    `examples` are some of the activities that other rules match now, or the same in other words.
    """

    published: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    badges: list[str] = field(default_factory=list)
    records: int = 0
    added: int = 0
    withdrawn: int = 0
    no_longer_suggested: int = 0
    people: int = 0
    human_before: int = 0
    human_after: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether the files say what is in force already."""
        return not (self.published or self.retired or self.badges)


@dataclass(frozen=True, slots=True)
class SiteSources:
    """Everything of a site that is put in force together, from files that passed their checks."""

    editions: tuple[Edition, ...]
    mappings: tuple[MappingSource, ...]
    badges: tuple[BadgeDefinition, ...]


def publish_site(ctx: Context, site: SiteSources, comment: str) -> Impact:
    """Put frameworks, mappings and badges in force, all of them or, when one is refused, none.

    Only untouched suggestions come and go (R5). A mapping whose file is gone is retired. Raises
    Refused for a published edition that was changed, or a badge that names no competency.
    """
    training_team_only(ctx)
    with ctx.store.begin() as uow:
        return _publish_site(ctx, uow, site, comment)


def impact(ctx: Context, site: SiteSources) -> Impact:
    """What `publish_site` would do: done, counted, and rolled back, so the two never differ."""
    with ctx.store.begin() as uow:
        found = _publish_site(ctx, uow, site, "a look")
        uow.roll_back()
        return found


def _publish_site(ctx: Context, uow: UnitOfWork, site: SiteSources, comment: str) -> Impact:
    _publish_frameworks(ctx, uow, site.editions)
    found = _publish(ctx, uow, site.mappings, comment, True)
    found.badges = _publish_badges(ctx, uow, site.badges)
    return found


def publish(
    ctx: Context, files: Sequence[MappingSource], comment: str, *, retire_absent: bool = True
) -> Impact:
    """Put these mapping files in force, and settle what they change, all in one transaction."""
    with ctx.store.begin() as uow:
        return _publish(ctx, uow, files, comment, retire_absent)


def _publish(
    ctx: Context,
    uow: UnitOfWork,
    files: Sequence[MappingSource],
    comment: str,
    retire_absent: bool,
) -> Impact:
    now = ctx.clock.now()
    found = Impact()
    uow.ops.lock("mappings")
    uow.ops.lock(SETTLING)
    before = MappingIndex(
        [rule_from_content(content) for _, content in uow.catalog.rules_in_force()]
    )
    hashes = uow.catalog.mapping_hashes()
    for file in files:
        if hashes.get(file.name) == file.content_hash:
            continue
        rules = [(r.key, rule_content(r), r.content_hash) for r in file.rules]
        version = uow.catalog.add_mapping(
            file.name, file.source, file.content_hash, rules, ctx.actor.label, comment, now
        )
        found.published.append(f"{file.name} version {version}")
    if retire_absent:
        for name in sorted(hashes.keys() - {f.name for f in files}):
            uow.catalog.retire_mapping(name, now)
            found.retired.append(name)
    if found.nothing:
        return found
    mapped = load_mapped(uow)
    counts = uow.evidence.state_counts()
    aliases = uow.intake.all_aliases()
    settle_rule_joins(uow, mapped, aliases, now)
    affected = [a for a in aliases if _differs(a, before, mapped.index)]
    found.examples = [f"{a.facts.title or a.facts.value} ({a.source_key})" for a in affected[:10]]
    found.records = uow.intake.mark_activities([a.id for a in affected])
    changes = Changes()
    while reconsider(uow, mapped, now, ctx.policy, RECONSIDER_AT_ONCE, changes):
        pass
    after = uow.evidence.state_counts()
    found.added = changes.added + changes.restored
    found.withdrawn = changes.withdrawn
    found.no_longer_suggested = changes.no_longer_suggested
    found.people = len(changes.people)
    found.human_before, found.human_after = _human(counts), _human(after)
    audit(ctx, uow, "publish-mappings", "mappings",
          {"published": found.published, "retired": found.retired})  # fmt: skip
    return found


def _human(counts: Mapping[str, int]) -> int:
    return sum(n for state, n in counts.items() if state not in ("suggested", "withdrawn"))


def _differs(alias: Alias, before: MappingIndex, after: MappingIndex) -> bool:
    """Whether other rules, or the same with other words, match this activity now."""

    def rules(index: MappingIndex) -> list[tuple[str, str]]:
        decision = index.decide(alias.source_key, alias.source_kind, alias.facts)
        whole = [decision.part_of] if decision.part_of is not None else []
        rules = [*(match.rule for match in decision.matches), *whole]
        return [(rule.name, rule.content_hash) for rule in rules]

    return rules(before) != rules(after)


def publish_frameworks(ctx: Context, editions: Sequence[Edition]) -> list[str]:
    """Publish new editions; those that are published already must say what they said.

    Returns the keys of the new ones. Raises Refused for a published edition that was changed.
    """
    with ctx.store.begin() as uow:
        return _publish_frameworks(ctx, uow, editions)


def _publish_frameworks(ctx: Context, uow: UnitOfWork, editions: Sequence[Edition]) -> list[str]:
    now = ctx.clock.now()
    new: list[str] = []
    uow.ops.lock("frameworks")
    for edition in editions:
        digest = edition_hash(edition)
        before = uow.catalog.edition_hash(edition.id)
        if before is None:
            uow.catalog.add_edition(edition, digest, now)
            new.append(edition.id)
        elif before != digest:
            raise Refused(
                f"The edition '{edition.id}' is published and people's claims refer to it, so its "
                "file must not change. Give the new text a new edition id."
            )
    if new:
        audit(ctx, uow, "publish-frameworks", "frameworks", {"editions": new})
    return new


def publish_badges(ctx: Context, badges: Sequence[BadgeDefinition]) -> list[str]:
    """Put badge definitions in force; those whose definition is gone earn no new awards.

    Raises Refused for a badge that names no competency.
    """
    with ctx.store.begin() as uow:
        return _publish_badges(ctx, uow, badges)


def _publish_badges(ctx: Context, uow: UnitOfWork, badges: Sequence[BadgeDefinition]) -> list[str]:
    now = ctx.clock.now()
    changed: list[str] = []
    uow.ops.lock("badges")
    editions = uow.catalog.editions()
    ids = uow.catalog.competency_ids()
    hashes = uow.catalog.badge_hashes()
    for badge in badges:
        required = [ids[ref] for ref in required_refs(badge.criteria, editions)]
        if not required:
            raise Refused(f"The badge '{badge.key}' names no competency, so nobody earns it.")
        if hashes.get(badge.key) == badge.content_hash:
            continue
        content = badge_content(badge)
        uow.catalog.add_badge(
            badge.key, badge.content_hash, content, required, ctx.actor.label, now
        )
        changed.append(badge.key)
    for key in sorted(hashes.keys() - {b.key for b in badges}):
        uow.catalog.retire_badge(key, now)
        changed.append(key)
    if changed:
        uow.awards.mark_everyone()
        audit(ctx, uow, "publish-badges", "badges", {"badges": changed})
    return changed


def rules_in_force(ctx: Context) -> list[dict[str, Any]]:
    """The content of every rule in force, in file order."""
    with ctx.store.reading() as uow:
        return [content for _, content in uow.catalog.rules_in_force()]


def editions(ctx: Context) -> list[Edition]:
    """The published editions."""
    with ctx.store.reading() as uow:
        return uow.catalog.editions()


def badge_states(ctx: Context) -> list[TargetState]:
    """Desired against observed, for the actor's eyes."""
    with ctx.store.reading() as uow:
        return uow.awards.states(ctx.actor.scope)
