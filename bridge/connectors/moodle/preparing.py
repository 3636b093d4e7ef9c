"""A year's badge made ready by the stock roads: what criteria need is made, the rest is told.

Stock Moodle has no web service that makes a badge. The cohort or competency that its criterion
names can be made; the badge itself takes an administrator, and a copy of last year's three clicks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.issued import BadgeShown, badges_shown
from bridge.connectors.moodle.reports import NO_SUCH_REPORT
from bridge.connectors.moodle.roads import (
    FRAMEWORKS_PAGE,
    CohortRoad,
    CompetencyRoad,
    NeedsYou,
    setting,
)
from bridge.domain.errors import BadAnswer, NeedsAdministrator
from bridge.domain.ports import Placement
from bridge.domain.targets import ByHand, Prepared

CREATE_COHORTS = "core_cohort_create_cohorts"
CREATE_COMPETENCY = "core_competency_create_competency"
BADGES_PAGE = "/badges/index.php?type=1"
NEW_BADGE_PAGE = "/badges/newbadge.php?type=1"


class Preparing:
    """Makes ready what badges by cohort and by competency need in one Moodle."""

    def __init__(
        self, client: MoodleClient, cohorts: CohortRoad, competencies: CompetencyRoad
    ) -> None:
        self._client = client
        self._cohorts = cohorts
        self._competencies = competencies

    def prepare(self, wanted: Sequence[Placement]) -> list[Prepared]:
        """Make each one's cohort or competency, and tell what is left. Raises TryLater, BadAnswer;
        what the service user may not do is left to an administrator."""
        shown = self._shown() if wanted else None
        return [self._prepare(one, shown) for one in wanted]

    def _shown(self) -> Mapping[str, BadgeShown] | None:
        """The badges there are, by name in small letters; None where no report tells."""
        report = self._client.settings.badges_report
        if report is None:
            return None
        try:
            return badges_shown(self._client, report)
        except NeedsAdministrator as error:
            if error.detail not in (NO_SUCH_REPORT, "accessexception", "errorreportview"):
                raise
            return None

    def _prepare(self, one: Placement, shown: Mapping[str, BadgeShown] | None) -> Prepared:
        left: list[ByHand] = []
        made: list[str] = []
        try:
            if one.settings.get("via") == "cohort":
                criterion = self._cohort(one, made, left)
            else:
                criterion = self._competency(one, made, left)
            badge = setting(one, "badge")
        except NeedsYou as need:
            return Prepared(one.key, None, left=(ByHand(str(need), ""),))
        there = None if shown is None else shown.get(badge.strip().casefold())
        seen = None if shown is None else there is not None
        if there is not None:
            if there.available is False:
                page = f"/badges/overview.php?id={there.id}" if there.id else BADGES_PAGE
                left.append(
                    self._by_hand(
                        f"Badge “{badge}”: see that its criterion is {criterion}, then press "
                        "“Enable access”.",
                        page,
                    )
                )
        else:
            left.append(self._badge(one, badge, criterion, shown))
        return Prepared(one.key, seen, tuple(made), tuple(left))

    def _badge(
        self,
        one: Placement,
        badge: str,
        criterion: str,
        shown: Mapping[str, BadgeShown] | None,
    ) -> ByHand:
        """Copy last year's where it is to be seen, or make it."""
        before = _last_year(badge, one.period)
        unsure = "" if shown is not None else (
            " (Whether it is there already cannot be seen without the badges report; the first "
            "award shows it.)"
        )  # fmt: skip
        if before and shown is not None and before.casefold() in shown:
            words = (
                f"Copy the badge “{before}” (the copy sign in its row), name the copy “{badge}”; "
                f"under Criteria delete the old criterion and add {criterion}; press “Enable "
                "access”."
            )
            return self._by_hand(words, BADGES_PAGE)
        about = f" with the description “{one.badge.description}”" if one.badge else ""
        words = (
            f"Make a badge “{badge}”{about}; under Criteria add {criterion}; press “Enable "
            f"access”.{unsure}"
        )
        return self._by_hand(words, NEW_BADGE_PAGE)

    def _by_hand(self, words: str, page: str) -> ByHand:
        return ByHand(words, self._client.settings.page(page))

    def _try(self, what: Callable[[], object], left: list[ByHand], by_hand: ByHand) -> bool:
        """Whether it could be made; otherwise an administrator has to, and why is told."""
        try:
            what()
        except NeedsAdministrator:
            left.append(by_hand)
            return False
        except BadAnswer as error:
            left.append(ByHand(f"{by_hand.words} (Moodle said: {error.detail or error})",
                               by_hand.page))  # fmt: skip
            return False
        return True

    def _cohort(self, one: Placement, made: list[str], left: list[ByHand]) -> str:
        """The criterion in words; the cohort is made where it is not to be seen."""
        idnumber = setting(one, "cohort")
        name = f"{setting(one, 'badge')} holders"
        try:
            self._cohorts.cohort(idnumber)
        except NeedsYou:
            new = {
                "categorytype": {"type": "system", "value": ""},
                "name": name,
                "idnumber": idnumber,
                "description": "Kept by Competency Bridge: who is in it is awarded the badge.",
            }
            by_hand = self._by_hand(
                f"Make a cohort “{name}” with the ID number {idnumber}, in the context System.",
                "/cohort/edit.php?contextid=1",
            )
            if self._try(
                lambda: self._client.call(CREATE_COHORTS, {"cohorts": [new]}), left, by_hand
            ):
                made.append(f"the cohort {idnumber}")
        return f"“Cohort membership”: {name} ({idnumber})"

    def _competency(self, one: Placement, made: list[str], left: list[ByHand]) -> str:
        """The criterion in words; the competency is made where its framework is to be seen."""
        framework, idnumber = setting(one, "framework"), setting(one, "competency")
        name = setting(one, "badge")
        try:
            self._competencies.competency(framework, idnumber)
        except NeedsYou:
            number = self._competencies.framework(framework)
            by_hand = self._by_hand(
                f"Add a competency “{name}” with the ID number {idnumber} to the framework "
                f"{framework}.",
                f"/admin/tool/lp/competencies.php?competencyframeworkid={number}&pagecontextid=1"
                if number
                else FRAMEWORKS_PAGE,
            )
            if number is None:
                left.append(by_hand)
            else:
                new = {
                    "shortname": name,
                    "idnumber": idnumber,
                    "descriptionformat": 1,
                    "competencyframeworkid": number,
                    "parentid": 0,
                }
                if self._try(
                    lambda: self._client.call(CREATE_COMPETENCY, {"competency": new}), left,
                    by_hand,
                ):  # fmt: skip
                    made.append(f"the competency {idnumber}")
        return f"“Competencies”: {name} ({idnumber})"


def _last_year(badge: str, period: str) -> str:
    """What last year's badge is called, where the year is part of the name."""
    if not period.isdecimal() or period not in badge:
        return ""
    return badge.replace(period, str(int(period) - 1))
