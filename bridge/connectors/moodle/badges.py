"""The Moodle target: brings learners' badges into step by the stock roads, and reads them back.

Stock Moodle has no function that awards or revokes a badge. An administrator makes the badge with
a criterion (a cohort, or a competency); the bridge meets the criterion. Nothing it can do takes an
issued badge away, and it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.doctor import target_findings
from bridge.connectors.moodle.issued import Holdings, Issued, all_issued, held_by
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

BADGES_PAGE = "/badges/index.php?type=1"


class MoodleTarget:
    """Badges in one Moodle. Placements carry `via` ("cohort" or "competency") and `badge`, and
    `cohort`, or `framework` and `competency` (ID numbers); `grade`, `note` and `link` if wished.
    """

    def __init__(self, settings: MoodleSettings, clock: Clock) -> None:
        self.settings = settings
        self.client = MoodleClient(settings)
        self._clock = clock
        self._cohorts = CohortRoad(self.client)
        self._competencies = CompetencyRoad(self.client)

    @property
    def key(self) -> str:
        """The configured name of the target."""
        return self.settings.key

    @property
    def conversation(self) -> str:
        """Only one conversation at a time is held with this Moodle."""
        return self.settings.conversation

    def award(self, wanted: Sequence[Placement]) -> list[Delivered]:
        """Ask Moodle to hold these; whoever holds the badge already is left as they are."""
        cohort = [one for one in wanted if one.settings.get("via") == "cohort"]
        competency = [one for one in wanted if one.settings.get("via") == "competency"]
        results = [
            Delivered(one.key, DeliveryStatus.NEEDS_YOU, _unknown_road(one))
            for one in wanted
            if one.settings.get("via") not in ("cohort", "competency")
        ]
        if cohort:
            results += self._cohorts.award(cohort)
        if competency:
            users = [int(one.account) for one in competency if one.account.isdecimal()]
            results += self._competencies.award(competency, held_by(self.client, users))
        order = {one.key: place for place, one in enumerate(wanted)}
        return sorted(results, key=lambda one: order[one.key])

    def withdraw(self, unwanted: Sequence[Placement]) -> list[Delivered]:
        """Undo what earns the badge; where it was issued, name the page that takes it away."""
        users = [int(one.account) for one in unwanted if one.account.isdecimal()]
        held = held_by(self.client, users)
        return [self._withdraw(one, held) for one in unwanted]

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

    def observe(self, placements: Sequence[Placement]) -> list[Observed]:
        """What Moodle holds: from the badges report in one call if there is one, else per user.

        An expired badge is still held: Moodle keeps it, and will not issue it again. Placements
        of deleted accounts, and those that name no badge, are left out.
        """
        known = [one for one in placements if one.account.isdecimal() and one.settings.get("badge")]
        if not known:
            return []
        held = self._all_issued() or held_by(self.client, [int(one.account) for one in known])
        now = self._clock.now()
        observed = []
        for one in known:
            badges = held.get(int(one.account), ())
            if isinstance(badges, PeerError):
                if badges.detail in GONE:
                    continue
                raise badges
            observed.append(self._observed(one, badges, now))
        return observed

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
        extra = {}
        if issued.expires_at is not None:
            extra["expires_at"] = issued.expires_at.isoformat()
            extra["expired"] = "yes" if issued.expires_at <= now else "no"
        if issued.hash:
            ref, url = issued.hash, self.settings.page(f"/badges/badge.php?hash={issued.hash}")
        else:
            ref = f"badge {issued.badge or issued.name} of user {placement.account}"
            url = self.profile_url(placement.account)
        return Observed(placement.key, Holding.HELD, ref, url, issued.issued_at, extra)

    def profile_url(self, account: str) -> str:
        """The learner's profile, where Moodle shows the badges."""
        return self.settings.page(f"/user/profile.php?id={account}")

    def doctor(self) -> list[Finding]:
        """Whether the stock roads are open, as far as reading alone can tell."""
        return target_findings(self.client)


def _unknown_road(placement: Placement) -> str:
    via = placement.settings.get("via", "")
    return (
        f"The badge's entry for this Moodle says via {via!r}; stock Moodle knows 'cohort' and "
        "'competency'. Correct it in mappings/badges.yaml."
    )
