"""The Moodle target: brings learners' badges into step by whichever road is open, and reads back.

Stock Moodle has no function that awards or revokes a badge. An administrator makes the badge with
a criterion (a cohort, or a competency); the bridge meets the criterion. Nothing it can do takes an
issued badge away, and it says so. With the bridge's own plugin all of that is possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bridge.connectors.moodle import profiles
from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.doctor import target_findings
from bridge.connectors.moodle.issued import Holdings, Issued, all_issued, held_by
from bridge.connectors.moodle.pluginroad import (
    PluginBadge,
    PluginRoad,
    PluginStatus,
    epoch_of,
    plugin_status,
)
from bridge.connectors.moodle.preparing import BADGES_PAGE, Preparing
from bridge.connectors.moodle.refusals import ROLES_PAGE
from bridge.connectors.moodle.reports import NO_SUCH_REPORT
from bridge.connectors.moodle.roads import (
    GONE,
    CohortRoad,
    CompetencyRoad,
    NeedsYou,
    setting,
    user_of,
)
from bridge.connectors.moodle.settings import MoodleSettings
from bridge.domain.errors import NeedsAdministrator, PeerError
from bridge.domain.ports import (
    Clock,
    Delivered,
    DeliveryStatus,
    Finding,
    Holding,
    Observed,
    Placement,
)
from bridge.domain.targets import Prepared, Seen, ShownStatus

PLUGIN, AUTO = "plugin", "auto"
_STOCK = ("cohort", "competency")
#: So long the plugin's answer about itself is believed: through one delivery, not through a day.
_BELIEVED = timedelta(seconds=60)


class MoodleTarget:
    """Badges in one Moodle. Placements carry `via`: "plugin" with `key`; "cohort" with `badge` and
    `cohort`; or "competency" with `badge`, `framework` and `competency` (ID numbers), and `grade`,
    `note` and `link` if wished. `picture` gives a badge's image by its name.
    """

    def __init__(
        self,
        settings: MoodleSettings,
        clock: Clock,
        picture: Callable[[str], bytes | None] = lambda name: None,
    ) -> None:
        self.settings = settings
        self.client = MoodleClient(settings)
        self._clock = clock
        self._cohorts = CohortRoad(self.client)
        self._competencies = CompetencyRoad(self.client)
        self._plugin = PluginRoad(self.client, picture)
        self._preparing = Preparing(self.client, self._cohorts, self._competencies)
        self._told: tuple[datetime, PluginStatus | None] | None = None
        self._shown: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The configured name of the target."""
        return self.settings.key

    @property
    def conversation(self) -> str:
        """Only one conversation at a time is held with this Moodle."""
        return self.settings.conversation

    # --- which road -------------------------------------------------------------------------
    def plugin(self) -> PluginStatus | None:
        """What the plugin says of itself; None where this Moodle has none for the bridge."""
        now = self._clock.now()
        if self._told is None or now - self._told[0] >= _BELIEVED:
            self._told = now, plugin_status(self.client)
        return self._told[1]

    def _plugin_open(self) -> bool:
        told = self.plugin()
        return told is not None and told.can_award

    def _plugin_away(self, placement: Placement) -> Delivered:
        """That is for an administrator, and concerns what goes by the plugin alone."""
        page = self.settings.page(ROLES_PAGE if self.plugin() else "/admin/plugins.php")
        lacking = f"lets the service user award (local/competencybridge:managebadges, at {page})"
        if self.plugin() is None:
            lacking = f"is installed, with its functions in the service (see {page})"
        words = f"It goes by the plugin Competency Bridge, and waits until that {lacking}."
        return Delivered(placement.key, DeliveryStatus.NEEDS_YOU, words)

    def road(self, settings: Mapping[str, str], present: str) -> str:
        """By which road a badge goes. `via: auto` is the plugin where that may award, and else the
        stock road that the settings name; what came by the plugin does not leave it by itself."""
        via = settings.get("via", "")
        if via != AUTO:
            return via
        if present == PLUGIN:
            return PLUGIN
        told = self.plugin()
        if told is not None and told.can_award:
            return PLUGIN
        for stock in _STOCK:
            if settings.get(stock):
                return stock
        # Nothing else is named, so there is only the plugin to wait for.
        return PLUGIN

    def place(self, placement: Placement) -> str:
        """Which badge there it is: the plugin's own key, or the name that Moodle shows."""
        if placement.settings.get("via") == PLUGIN:
            return f"plugin {placement.settings.get('key', '')}"
        return f"badge {placement.settings.get('badge', '').strip().casefold()}"

    # --- awarding and taking away -------------------------------------------------------------
    def award(self, wanted: Sequence[Placement]) -> list[Delivered]:
        """Ask Moodle to hold these; whoever holds the badge already is left as they are."""
        by_road: dict[str, list[Placement]] = {}
        for one in wanted:
            by_road.setdefault(one.settings.get("via", ""), []).append(one)
        results = []
        for via, part in by_road.items():
            if via == "cohort":
                results += self._cohorts.award(part)
            elif via == "competency":
                users = [int(one.account) for one in part if one.account.isdecimal()]
                results += self._competencies.award(part, held_by(self.client, users))
            elif via == PLUGIN and self._plugin_open():
                results += self._plugin.award(part)
            elif via == PLUGIN:
                results += [self._plugin_away(one) for one in part]
            else:
                results += [
                    Delivered(one.key, DeliveryStatus.NEEDS_YOU, _unknown_road(one)) for one in part
                ]
        order = {one.key: place for place, one in enumerate(wanted)}
        return sorted(results, key=lambda one: order[one.key])

    def withdraw(self, unwanted: Sequence[Placement]) -> list[Delivered]:
        """Take these away by the plugin. By a stock road, undo what earns the badge; where it was
        issued, name the page that takes it away."""
        by_plugin = [one for one in unwanted if one.settings.get("via") == PLUGIN]
        others = [one for one in unwanted if one.settings.get("via") != PLUGIN]
        results = []
        if by_plugin and not self._plugin_open():
            results += [self._plugin_away(one) for one in by_plugin]
        elif by_plugin:
            results += self._plugin.revoke(by_plugin, "The award was withdrawn in the bridge.")
        if others:
            users = [int(one.account) for one in others if one.account.isdecimal()]
            held = held_by(self.client, users)
            results += [self._withdraw(one, held) for one in others]
        order = {one.key: place for place, one in enumerate(unwanted)}
        return sorted(results, key=lambda one: order[one.key])

    def _withdraw(self, placement: Placement, held: Holdings) -> Delivered:
        try:
            badges = held.get(user_of(placement), ())
            if isinstance(badges, PeerError):
                if badges.detail in GONE:
                    return Delivered(
                        placement.key, DeliveryStatus.DONE, "The account was deleted in Moodle."
                    )
                raise badges
            via, badge = setting(placement, "via"), setting(placement, "badge")
            if via == "cohort":
                stopped = self._cohorts.stop(placement)
            elif via == "competency":
                stopped = self._competencies.stop(placement)
            else:
                raise NeedsYou(_unknown_road(placement))
        except NeedsYou as need:
            return Delivered(placement.key, DeliveryStatus.NEEDS_YOU, str(need))
        issued = next((one for one in badges if one.is_badge(badge)), None)
        if issued is None:
            return Delivered(placement.key, DeliveryStatus.DONE, stopped)
        return Delivered(
            placement.key, DeliveryStatus.NEEDS_YOU, f"{stopped} {self._cannot_revoke(issued)}"
        )

    def _cannot_revoke(self, issued: Issued) -> str:
        """Seen in Moodle's own code: only what a person awarded by hand can be revoked by hand."""
        number = f"?id={issued.badge}" if issued.badge else ""
        holders = self.settings.page(f"/badges/recipients.php{number}" if number else BADGES_PAGE)
        by_hand = self.settings.page(f"/badges/award.php{number}")
        return (
            f"The badge {issued.name!r} was issued, and stock Moodle has no way for another system "
            f"to take it back. Its holders are at {holders}. An administrator can take it from "
            "one person only if 'Manual issue by role' is among its criteria: award it by hand "
            f"at {by_hand}, then revoke it there. Mind that stock Moodle never issues a badge "
            "again once it has expired, so a renewal needs a badge of its own per period."
        )

    # --- reading back -------------------------------------------------------------------------
    def observe(self, placements: Sequence[Placement]) -> list[Observed]:
        """What Moodle holds: by the plugin in few calls; by the stock roads from the badges report
        in one call if there is one, else per user.

        By a stock road an expired badge is still held: Moodle keeps it, and will not issue it
        again. By the plugin a badge with another end than it should have is outdated. Placements
        of deleted accounts, and those that name no badge, are left out; and so are those of the
        plugin while it is away, because that hinders no other road.
        """
        known = [one for one in placements if one.account.isdecimal()]
        by_plugin = [
            one for one in known
            if one.settings.get("via") == PLUGIN and one.settings.get("key")
        ]  # fmt: skip
        others = [
            one for one in known
            if one.settings.get("via") != PLUGIN and one.settings.get("badge")
        ]  # fmt: skip
        seen_by_plugin = by_plugin and self._plugin_open()
        observed = self._observe_plugin(by_plugin) if seen_by_plugin else []
        if not others:
            return observed
        held = self._all_issued() or held_by(self.client, [int(one.account) for one in others])
        now = self._clock.now()
        for one in others:
            badges = held.get(int(one.account), ())
            if isinstance(badges, PeerError):
                if badges.detail in GONE:
                    continue
                raise badges
            observed.append(self._observed(one, badges, now))
        return observed

    def _observe_plugin(self, placements: Sequence[Placement]) -> list[Observed]:
        keys = {one.settings["key"] for one in placements}
        users = sorted({int(one.account) for one in placements})
        held: dict[tuple[str, int], PluginBadge] = {}
        for start in range(0, len(users), 500):
            for badge in self._plugin.held(keys, users[start : start + 500]):
                held[badge.key, badge.user] = badge
        now = self._clock.now()
        observed = []
        for one in placements:
            issued = held.get((one.settings["key"], int(one.account)))
            if issued is None:
                observed.append(
                    Observed(one.key, Holding.ABSENT, url=self.profile_url(one.account))
                )
                continue
            ends = int(issued.expires_at.timestamp()) if issued.expires_at else 0
            right = one.expires_on is None or ends == epoch_of(one)
            observed.append(
                Observed(
                    one.key,
                    Holding.HELD if right else Holding.OUTDATED,
                    issued.hash,
                    self.badge_url(issued.hash),
                    issued.issued_at,
                    _ends(issued.expires_at, now),
                )
            )
        return observed

    def badge_url(self, unique: str) -> str:
        """The page of one issued badge."""
        return self.settings.page(f"/badges/badge.php?hash={unique}")

    def _all_issued(self) -> Holdings | None:
        """From the badges report; None where there is none, or none that proves an absence."""
        if self.settings.badges_report is None:
            return None
        try:
            return all_issued(self.client, self.settings.badges_report)
        except NeedsAdministrator as error:
            if error.detail != NO_SUCH_REPORT:
                raise
            return None

    def _observed(self, placement: Placement, badges: Sequence[Issued], now: datetime) -> Observed:
        badge = placement.settings["badge"]
        issued = next((one for one in badges if one.is_badge(badge)), None)
        if issued is None:
            return Observed(placement.key, Holding.ABSENT, url=self.profile_url(placement.account))
        extra = _ends(issued.expires_at, now)
        if issued.hash:
            ref, url = issued.hash, self.badge_url(issued.hash)
        else:
            ref = f"badge {issued.badge or issued.name} of user {placement.account}"
            url = self.profile_url(placement.account)
        return Observed(placement.key, Holding.HELD, ref, url, issued.issued_at, extra)

    # --- everything there is -------------------------------------------------------------------
    def everything(self, known: Sequence[Placement]) -> Sequence[Seen] | None:
        """Every badge of ours on every account: by the plugin, which tells who awarded it, and of
        the stock roads' badges by the badges report. None where neither can be asked."""
        seen: list[Seen] = []
        by_plugin = any(one.settings.get("via") == PLUGIN for one in known) and self._plugin_open()
        if by_plugin:
            faces = {one.settings.get("key", ""): one for one in known}
            seen += [self._seen_by_plugin(badge, faces) for badge in self._plugin.held()]
        stock = {
            one.settings["badge"].strip().casefold(): one
            for one in known
            if one.settings.get("via") in _STOCK and one.settings.get("badge")
        }
        issued = self._all_issued() if stock else None
        for user, badges in (issued or {}).items():
            if isinstance(badges, PeerError):
                continue
            for badge in badges:
                one = stock.get(badge.name.strip().casefold())
                if one is not None:
                    seen.append(self._seen_by_report(user, badge, one))
        shown = {PLUGIN: by_plugin, "badge": issued is not None}
        self._shown = frozenset(kind for kind, asked in shown.items() if asked)
        return seen if self._shown else None

    def shows(self, place: str) -> bool:
        """Whether the last `everything` would have shown a badge of that place."""
        return place.partition(" ")[0] in self._shown

    def _seen_by_plugin(self, badge: PluginBadge, faces: Mapping[str, Placement]) -> Seen:
        one = faces.get(badge.key)
        face = one.badge if one else None
        name = one.settings.get("name") if one else ""
        return Seen(
            f"plugin {badge.key}",
            str(badge.user),
            face.key if face else "",
            name or (face.title if face else badge.key),
            badge.hash,
            self.badge_url(badge.hash),
            badge.issued_at,
            badge.expires_at,
            not badge.ours,
            {"via": PLUGIN, "key": badge.key},
        )

    def _seen_by_report(self, user: int, badge: Issued, one: Placement) -> Seen:
        return Seen(
            self.place(one),
            str(user),
            one.badge.key if one.badge else "",
            badge.name,
            f"badge {badge.badge or badge.name} of user {user}",
            self.profile_url(str(user)),
            badge.issued_at,
            badge.expires_at,
            None,
            dict(one.settings),
        )

    def take_away(self, seen: Seen) -> Delivered:
        """Take one away by the plugin; by a stock road as `withdraw` does, and say the rest."""
        placement = Placement(0, seen.account, seen.settings)
        (done,) = self.withdraw([placement])
        return done

    # --- made ready ahead -----------------------------------------------------------------------
    def prepare(self, wanted: Sequence[Placement]) -> list[Prepared]:
        """Make what next year's badges need by the stock roads; the plugin makes its own."""
        return self._preparing.prepare([one for one in wanted if one.settings.get("via") in _STOCK])

    # --- profiles -------------------------------------------------------------------------------
    @property
    def status_wanted(self) -> bool:
        """Whether profiles are to show how people stand."""
        return self.settings.profile_status

    def can_show_status(self) -> bool:
        """Whether the plugin is there and lets the bridge."""
        told = self.plugin()
        return told is not None and told.can_set_status

    def show_status(self, wanted: Sequence[ShownStatus]) -> dict[str, bool]:
        """Show these; by account whether Moodle has it."""
        return profiles.show(self.client, wanted)

    def profile_url(self, account: str) -> str:
        """The learner's profile, where Moodle shows the badges."""
        return self.settings.page(f"/user/profile.php?id={account}")

    def doctor(self) -> list[Finding]:
        """Which roads are open, as far as reading alone can tell."""
        return target_findings(self.client)


def _ends(expires_at: datetime | None, now: datetime) -> dict[str, str]:
    """When a badge ends, and whether it has, for whoever looks."""
    if expires_at is None:
        return {}
    expired = "yes" if expires_at <= now else "no"
    return {"expires_at": expires_at.isoformat(), "expired": expired}


def _unknown_road(placement: Placement) -> str:
    via = placement.settings.get("via", "")
    return (
        f"The badge's entry for this Moodle says via {via!r}; there are 'plugin', 'cohort', "
        "'competency' and 'auto'. Correct it in mappings/badges.yaml."
    )
