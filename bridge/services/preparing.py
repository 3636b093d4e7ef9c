"""Next year's badges made ready in time, where a target needs one a year."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from bridge.domain.badges import YEAR, award_settings, period_of
from bridge.domain.model import BadgeInForce
from bridge.domain.ports import BadgeFace, Placement, Target
from bridge.domain.target_records import Preparation
from bridge.domain.targets import ChoosesRoads, Prepares
from bridge.domain.times import london_date
from bridge.services.context import Context, audit
from bridge.services.placing import AUTO
from bridge.services.retrying import NEEDS_YOU_AGAIN
from bridge.services.strays import whole_only


@dataclass(slots=True)
class PrepareReport:
    """What preparing has led to: what was made just now, and how each badge stands."""

    target: str
    made: list[str] = field(default_factory=list)
    stands: list[Preparation] = field(default_factory=list)
    error: str = ""

    @property
    def needs_you(self) -> list[Preparation]:
        """Those with something left by hand."""
        return [each for each in self.stands if each.left]


def periods(today: date, days: int) -> tuple[str, ...]:
    """This year, and the next once it is so many days off or fewer."""
    soon = period_of(today + timedelta(days=days))
    return tuple(dict.fromkeys((period_of(today), soon)))


def prepare(ctx: Context, target: Target, *, all_again: bool = True) -> PrepareReport:
    """Make ready what can be made for this year and, in time, the next; see what is left.

    With `all_again` false only what was not found ready, and not looked at for some hours, is
    looked at: little, before each delivery. Raises PeerError.
    """
    report = PrepareReport(target.key)
    if isinstance(target, Prepares):
        wanted = _wanted(ctx, target, all_again)
        found = {one.key: one for one in target.prepare([w for w, _ in wanted])} if wanted else {}
        now = ctx.clock.now()
        with ctx.store.begin() as uow:
            for told, title in wanted:
                one = found.get(told.key)
                if one is None or told.badge is None:
                    continue
                uow.preparations.put(
                    target.key, (told.badge.key, told.period), title, told.settings, one, now
                )
                report.made += one.made
            if report.made:
                audit(ctx, uow, "prepare-badges", f"target:{target.key}",
                      {"made": len(report.made)})  # fmt: skip
    with ctx.store.reading() as uow:
        report.stands = uow.preparations.all(target.key)
    return report


def prepare_by_hand(ctx: Context, target: Target) -> PrepareReport:
    """The same because an administrator asked. Raises NotAllowed, PeerError."""
    whole_only(ctx)
    with ctx.store.begin() as uow:
        audit(ctx, uow, "prepare", f"target:{target.key}", {})
    return prepare(ctx, target)


def _wanted(ctx: Context, target: Target, all_again: bool) -> list[tuple[Placement, str]]:
    """What to make ready, with its name for people: of badges that are one a year there."""
    now = ctx.clock.now()
    today = london_date(now)
    with ctx.store.reading() as uow:
        badges = uow.catalog.badges_in_force()
        lately = {
            (p.badge_key, p.period, tuple(sorted(p.settings.items())))
            for p in uow.preparations.all(target.key)
            if p.ready_at is not None or now - p.looked_at < NEEDS_YOU_AGAIN
        }
        held = uow.preparations.seen_held(target.key)
    found: list[tuple[Placement, str]] = []
    for badge in badges:
        for period in periods(today, ctx.policy.prepare_days):
            told = _placement(target, badge, period, len(found))
            if told is None:
                continue
            known = (badge.key, period, tuple(sorted(told.settings.items()))) in lately
            if (known and not all_again) or (badge.key, period) in held:
                # Somebody holds it, so it is there.
                continue
            found.append((told, told.settings.get("badge", badge.title)))
    return found


def _placement(target: Target, badge: BadgeInForce, period: str, key: int) -> Placement | None:
    raw = dict(badge.targets).get(target.key)
    if raw is None or not any(YEAR in value for value in raw.values()):
        return None
    settings = award_settings(badge.key, raw, period)
    if settings["via"] == AUTO:
        road = target.road(settings, "") if isinstance(target, ChoosesRoads) else ""
        settings["via"] = road
    face = BadgeFace(badge.key, badge.title, badge.description)
    return Placement(key, "", settings, face, period)


def stands(ctx: Context) -> list[Preparation]:
    """How the badges of this year and the next stand on every target. Raises NotAllowed."""
    whole_only(ctx)
    with ctx.store.reading() as uow:
        held = {key: uow.preparations.seen_held(key) for key in {
            p.target_key for p in uow.preparations.all()}}  # fmt: skip
        return [
            each
            for each in uow.preparations.all()
            if (each.badge_key, each.period) not in held[each.target_key]
        ]
