"""The partnership's counts: made ahead from where people stand, published without small numbers.

For each organisation: of everybody the core, of each target group what it adds, and of each London
level its statements. A person with posts in two organisations counts in both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain

from bridge.domain.counts import EVERYONE, LEVEL, Agency, Count, Counted
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Post
from bridge.domain.repositories import UnitOfWork
from bridge.domain.suppression import hidden_of_group
from bridge.domain.times import london_date
from bridge.services.context import Context
from bridge.services.progress import Asked, Stand, lines_of

AT_ONCE = 1000
_LEASE = "recount"
_LEASE_SECONDS = 900
#: Which number of a count somebody adds to; who is excused from a competency counts nowhere.
_PART = {
    Stand.CURRENT: "current",
    Stand.REVIEW_DUE: "due",
    Stand.REFRESH_OVERDUE: "due",
    Stand.CONTESTED: "due",
    Stand.WAITING: "waiting",
    Stand.RETURNED: "draft",
    Stand.DRAFT: "draft",
    Stand.MISSING: "missing",
}
_Key = tuple[str, int]


# --- making them --------------------------------------------------------------------------------
def recount(ctx: Context, *, everybody: bool = False) -> int:
    """Count again the organisations whose people changed, or all; how many those were.

    All, once a night: what is current lapses by itself. It does nothing while another process is
    at it. People are marked in the transaction of what changed, and unmarked before they are
    counted, so that whatever happens meanwhile is counted the next time.
    """
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        lease = uow.ops.take_lease(_LEASE, ctx.store.holder, now, _LEASE_SECONDS)
        if lease is None:
            return 0
        uow.counts.note_changes(everybody)
    today = london_date(now)
    with ctx.store.reading() as uow:
        due = uow.counts.due()
        asked = Asked(uow.catalog.editions(), uow.catalog.competency_ids())
        ids = uow.catalog.competency_ids()
        before = uow.counts.rolled_up() if due else []
        kinds = {agency.id: agency.kind for agency in uow.counts.agencies()}
    fresh: list[Counted] = []
    for organisation in due:
        with ctx.store.reading() as uow:
            fresh += _count(uow, organisation, asked, ids, today)
    rows, hidden = _protected(before, fresh, set(due), kinds)
    with ctx.store.begin() as uow:
        uow.ops.keep_lease(lease, now, 0)
        if due:
            uow.counts.store(due, rows, hidden, now)
        uow.ops.release_lease(lease)
    return len(due)


def _count(
    uow: UnitOfWork,
    organisation: int,
    asked: Asked,
    ids: Mapping[CompetencyRef, int],
    today: date,
) -> list[Counted]:
    """The counts of one organisation, nothing hidden yet."""
    numbers: dict[_Key, Counter[str]] = defaultdict(Counter)
    people = uow.counts.people_at(organisation, today)
    for start in range(0, len(people), AT_ONCE):
        part = people[start : start + AT_ONCE]
        posts = {
            person: [p for p in held if p.holds_on(today)]
            for person, held in uow.people.posts_of(part).items()
        }
        for person, lines in lines_of(uow, asked, posts, today).items():
            here = [p for p in posts[person] if p.organisation_id == organisation and not p.exempt]
            stands = {ids[line.ref]: _PART.get(line.stand) for line in lines}
            for group, competency in _counted_in(asked.editions, ids, here):
                where = stands.get(competency)
                if where is not None:
                    numbers[group, competency][where] += 1
    return [
        Counted(organisation, group, competency, found.total(), found["current"], found["due"],
                found["waiting"], found["draft"], 0)
        for (group, competency), found in numbers.items()
    ]  # fmt: skip


def _counted_in(
    editions: Sequence[Edition], ids: Mapping[CompetencyRef, int], posts: Sequence[Post]
) -> set[_Key]:
    """In which counts somebody with these posts in one organisation appears."""
    if not posts:
        return set()
    groups = {group for post in posts for group in post.target_groups}
    levels = {(post.london_level or "").rpartition(":")[2] for post in posts} - {""}
    owner = {post.organisation_key for post in posts}
    found: set[_Key] = set()
    for edition in editions:
        if edition.organisation and edition.organisation not in owner:
            continue
        for group in edition.groups:
            if group.everyone or group.key in groups:
                key = EVERYONE if group.everyone else group.key
                found |= {(key, ids[CompetencyRef(edition.id, code)]) for code in group.codes}
        for level in edition.levels if edition.framework == "london" else ():
            if level.key in levels:
                key = f"{LEVEL}{level.key}"
                found |= {(key, ids[CompetencyRef(edition.id, code)]) for code in level.codes}
    return found


def _protected(
    before: Iterable[Counted], fresh: Sequence[Counted], due: set[int], kinds: Mapping[int, str]
) -> tuple[list[Counted], list[Counted]]:
    """The fresh counts, and all of kinds and totals, with what is to be hidden of them; and of the
    other counts those of which something else is to be hidden than before.

    `kinds` says of which kind each organisation is.
    """
    groups: dict[str, dict[int, dict[str, dict[int, Counted]]]] = {}
    known = [row for row in before if row.organisation not in due]
    for row in sorted([*known, *fresh], key=lambda r: (kinds.get(r.organisation or 0, ""), r)):
        tables = groups.setdefault(row.group, {})
        kind = kinds.get(row.organisation or 0, "")
        here = tables.setdefault(row.competency_id, {}).setdefault(kind, {})
        here[row.organisation or 0] = row
    rows: list[Counted] = []
    changed: list[Counted] = []
    for group in groups.values():
        numbers = [
            {kind: {o: row.numbers for o, row in held.items()} for kind, held in table.items()}
            for table in group.values()
        ]
        for table, (members, of_kinds) in zip(
            group.values(), hidden_of_group(numbers), strict=True
        ):
            own = [list(held.values()) for held in table.values()]
            for row, columns in zip(chain(*own), chain(*members), strict=True):
                mask = _mask(columns)
                if row.organisation in due:
                    rows.append(row._replace(hidden=mask))
                elif row.hidden != mask:
                    changed.append(row._replace(hidden=mask))
            if len(table) > 1:
                rows += [
                    _sum(held, mask, kind)
                    for held, mask, kind in zip(own, of_kinds, table, strict=False)
                ]
            rows.append(_sum(list(chain(*own)), of_kinds[-1], None))
    return rows, changed


def _sum(table: Sequence[Counted], hidden: Iterable[int], kind: str | None) -> Counted:
    """These organisations' counts together, of which these numbers are hidden."""
    return Counted(
        None,
        table[0].group,
        table[0].competency_id,
        people=sum(row.people for row in table),
        current=sum(row.current for row in table),
        due=sum(row.due for row in table),
        waiting=sum(row.waiting for row in table),
        draft=sum(row.draft for row in table),
        hidden=_mask(hidden),
        kind=kind,
    )


def _mask(columns: Iterable[int]) -> int:
    return sum(1 << column for column in columns)


# --- publishing them ------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Choice:
    """Something to narrow the counts by: its key, and its name."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Published counts. `total` is that of all organisations, where the lines are theirs.

    `counted_at` None: nothing has been counted yet. `stale` says that it was more than a day ago.
    """

    lines: tuple[Count, ...]
    total: Count | None
    groups: tuple[Choice, ...]
    agencies: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    counted_at: datetime | None
    stale: bool


def by_competency(
    ctx: Context,
    group: str = EVERYONE,
    organisation: str | None = None,
    kind: str | None = None,
) -> Counts:
    """How the people of a group stand with each competency that it is asked for; in one
    organisation (its key), in those of one kind, or in all. Raises NotFound."""
    with ctx.store.reading() as uow:
        look = _Look(ctx, uow)
        if kind is not None and organisation is None:
            found = uow.counts.read(kind=look.kind(kind), group=group)
            return look.counts([look.of_competency(row) for row in found])
        place = look.agency(organisation)
        if place is not None and place.other_framework:
            lines = [Count(place.key, place.name, None, place.other_framework)]
        else:
            found = uow.counts.read(organisation=place.id if place else None, group=group)
            lines = [look.of_competency(row) for row in found]
        return look.counts(lines)


def by_organisation(ctx: Context, competency: CompetencyRef, group: str = EVERYONE) -> Counts:
    """How the people of a group stand with one competency, organisation by organisation, with all
    of them together. Exempt organisations show what they follow instead (R11). Raises NotFound."""
    with ctx.store.reading() as uow:
        return _by_organisation(_Look(ctx, uow), uow, competency, group)


def _by_organisation(look: _Look, uow: UnitOfWork, competency: CompetencyRef, group: str) -> Counts:
    key = look.competency_id(competency)
    found = {
        row.organisation: row.published
        for row in uow.counts.read(each=True, group=group, competency=key)
    }
    lines = [
        Count(a.key, a.name, found.get(a.id), a.other_framework)
        for a in look.agencies
        if a.other_framework or a.id in found
    ]
    total = None
    if look.sees_all and None in found:
        total = Count("", "All organisations", found[None])
    return look.counts(lines, total)


def by_kind(ctx: Context, competency: CompetencyRef, group: str = EVERYONE) -> Counts:
    """How the people of a group stand with one competency, kind of organisation by kind, with all
    of them together: for whoever sees the whole partnership. Raises NotFound."""
    with ctx.store.reading() as uow:
        return _by_kind(_Look(ctx, uow), uow, competency, group)


def _by_kind(look: _Look, uow: UnitOfWork, competency: CompetencyRef, group: str) -> Counts:
    key = look.competency_id(competency)
    if not look.sees_all:
        return look.counts([])
    found = uow.counts.read(each_kind=True, group=group, competency=key)
    lines = [Count(r.kind or "", kind_title(r.kind or ""), r.published) for r in found]
    whole = uow.counts.read(group=group, competency=key)
    total = Count("", "All organisations", whole[0].published) if whole else None
    return look.counts(lines, total)


def kind_title(kind: str) -> str:
    """How a kind of organisation is called."""
    return f"{kind[:1].upper()}{kind[1:]}" or "Organisations of no named kind"


def by_group(ctx: Context, competency: CompetencyRef, organisation: str | None = None) -> Counts:
    """How the people of each group that is asked for a competency stand with it; in one
    organisation (its key), or in all. Raises NotFound."""
    with ctx.store.reading() as uow:
        return _by_group(_Look(ctx, uow), uow, competency, organisation)


def _by_group(
    look: _Look, uow: UnitOfWork, competency: CompetencyRef, organisation: str | None
) -> Counts:
    place = look.agency(organisation)
    key = look.competency_id(competency)
    found = uow.counts.read(organisation=place.id if place else None, competency=key)
    lines = [Count(r.group, look.group_title(r.group), r.published) for r in found]
    if place is not None and place.other_framework:
        lines = [Count(place.key, place.name, None, place.other_framework)]
    return look.counts(lines)


@dataclass(frozen=True, slots=True)
class OneCompetency:
    """One competency with what it says: by kind of organisation, by organisation and by group."""

    ref: CompetencyRef
    text: str
    by_kind: Counts
    by_organisation: Counts
    by_group: Counts


def of_competency(
    ctx: Context, competency: CompetencyRef, group: str = EVERYONE, organisation: str | None = None
) -> OneCompetency:
    """All of the above in one look. Raises NotFound."""
    with ctx.store.reading() as uow:
        look = _Look(ctx, uow)
        by_agency = _by_organisation(look, uow, competency, group)
        return OneCompetency(
            competency,
            look.text_of(competency),
            _by_kind(look, uow, competency, group),
            by_agency,
            _by_group(look, uow, competency, organisation),
        )


class _Look:
    """One look at the counts: what the reader may see, and the names of things."""

    def __init__(self, ctx: Context, uow: UnitOfWork) -> None:
        narrowed = ctx.actor.scope.organisations
        self.sees_all = narrowed is None
        self.agencies = [a for a in uow.counts.agencies() if narrowed is None or a.id in narrowed]
        self._groups, kinds, self._counted_at = uow.counts.summary()
        self.kinds = kinds if self.sees_all else []
        self._now = ctx.clock.now()
        self._editions = uow.catalog.editions()
        self._ids = uow.catalog.competency_ids()
        self._refs = {row_id: ref for ref, row_id in self._ids.items()}
        self._texts = {
            CompetencyRef(e.id, c.code): c.display for e in self._editions for c in e.competencies
        }

    def agency(self, key: str | None) -> Agency | None:
        """The organisation with this key; None for all of them together. Raises NotFound."""
        if key is None and self.sees_all:
            return None
        for agency in self.agencies:
            if agency.key == key or key is None:
                return agency
        raise NotFound(f"There is no organisation '{key}' for you to see.")

    def kind(self, kind: str) -> str:
        """The kind of organisation with this key. Raises NotFound."""
        if not self.sees_all or kind not in self.kinds:
            raise NotFound(f"There is no kind of organisation '{kind}' for you to see.")
        return kind

    def competency_id(self, ref: CompetencyRef) -> int:
        """The key of a competency. Raises NotFound."""
        if ref not in self._ids:
            raise NotFound(f"There is no competency {ref}.")
        return self._ids[ref]

    def text_of(self, ref: CompetencyRef) -> str:
        """What a competency says."""
        return self._texts[ref]

    def of_competency(self, row: Counted) -> Count:
        """A line of one competency."""
        ref = self._refs[row.competency_id]
        return Count(str(ref), self._texts[ref], row.published, ref=ref)

    def group_title(self, group: str) -> str:
        """How a group is called."""
        if group == EVERYONE:
            return "Everyone"
        for edition in self._editions:
            for each in edition.groups:
                if each.key == group:
                    return each.title
            for level in edition.levels:
                if f"{LEVEL}{level.key}" == group:
                    return level.title
        return group

    def counts(self, lines: Sequence[Count], total: Count | None = None) -> Counts:
        """The lines with what to choose from."""
        at = self._counted_at
        return Counts(
            lines=tuple(lines),
            total=total,
            groups=tuple(Choice(g, self.group_title(g)) for g in self._groups),
            agencies=tuple(Choice(a.key, a.name) for a in self.agencies),
            kinds=tuple(Choice(kind, kind_title(kind)) for kind in self.kinds),
            counted_at=at,
            stale=at is not None and self._now - at > timedelta(days=1, hours=12),
        )
