"""The two stock roads to an issued badge: membership of a cohort, and a competency's rating.

Each is a way to meet the criterion of a badge that an administrator made in Moodle. Neither can
take an issued badge away again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.cohortlist import SEARCH_COHORTS as SEARCH_COHORTS
from bridge.connectors.moodle.cohortlist import SYSTEM, list_cohorts
from bridge.connectors.moodle.issued import Holdings, held_by
from bridge.domain.errors import BadAnswer, NeedsAdministrator, PeerError, TryLater
from bridge.domain.ports import Delivered, DeliveryStatus, Placement

ADD_MEMBERS = "core_cohort_add_cohort_members"
DELETE_MEMBERS = "core_cohort_delete_cohort_members"
LIST_FRAMEWORKS = "core_competency_list_competency_frameworks"
LIST_COMPETENCIES = "core_competency_list_competencies"
GRADE = "core_competency_grade_competency"
RATING = "tool_lp_data_for_user_competency_summary"
COHORTS_PAGE = "/cohort/index.php"
FRAMEWORKS_PAGE = "/admin/tool/lp/competencyframeworks.php?pagecontextid=1"
# Moodle wants a column to sort by: an empty one is a database error.
FIRST_ONES = {"sort": "id", "order": "ASC", "skip": 0, "limit": 0}
ALL_FRAMEWORKS = {
    "sort": "shortname",
    "order": "ASC",
    "skip": 0,
    "limit": 0,
    "context": SYSTEM,
    "includes": "children",
    "onlyvisible": False,
}
_ADD_AT_ONCE = 200
_PROFICIENT, _NOT_PROFICIENT = 2, 1
_UNKNOWN_USER = re.compile(r"user id=(\d+) not exists")
_ALREADY_IN = re.compile(r"cohort\(id=\d+ id=(\d+)\)")
GONE = frozenset({"userdeleted", "invaliduser"})


class NeedsYou(Exception):
    """One placement cannot be done by the bridge; the text says what a person has to do."""


def setting(placement: Placement, name: str) -> str:
    """A setting of the badge's entry for this target. Raises NeedsYou where it is missing."""
    value = placement.settings.get(name, "").strip()
    if not value:
        raise NeedsYou(
            f"The badge's entry for this Moodle names no {name!r}; add it in mappings/badges.yaml."
        )
    return value


def user_of(placement: Placement) -> int:
    """The Moodle user id. Raises NeedsYou for an account that is none."""
    if not placement.account.isdecimal():
        raise NeedsYou(f"{placement.account!r} is not a user id of this Moodle.")
    return int(placement.account)


@dataclass(slots=True)
class _Told:
    """What Moodle warned of when asked to add members; whoever it did not mention was added."""

    unknown: set[int] = field(default_factory=set)
    already: set[int] = field(default_factory=set)
    strange: list[str] = field(default_factory=list)

    def take(self, code: str, message: str) -> None:
        """One warning: 1 a bad request, 2 nobody such, 3 a member already."""
        unknown, already = _UNKNOWN_USER.search(message), _ALREADY_IN.search(message)
        if code == "2" and unknown:
            self.unknown.add(int(unknown[1]))
        elif code == "3" and already:
            self.already.add(int(already[1]))
        else:
            self.strange.append(message)

    def outcome(self, placement: Placement, idnumber: str) -> Delivered:
        """How it went for one of those asked for."""
        if user_of(placement) in self.unknown:
            return Delivered(placement.key, DeliveryStatus.NEEDS_YOU, gone_account(placement))
        if self.strange:
            # Which member a warning of another kind is about, Moodle does not reliably say.
            said = f"Cohort {idnumber}: {'; '.join(self.strange)}"
            return Delivered(placement.key, DeliveryStatus.LATER, said)
        return Delivered(placement.key, DeliveryStatus.DONE, f"In cohort {idnumber}.")


def gone_account(placement: Placement) -> str:
    """What is said of an account that was deleted."""
    return (
        f"Moodle has no user {placement.account} (any more): the account was deleted. Link the "
        "person's present account, or dismiss the award."
    )


class CohortRoad:
    """Badges whose criterion is membership of a cohort; the cohort is found by its ID number."""

    def __init__(self, client: MoodleClient) -> None:
        self._client = client

    def cohort(self, idnumber: str) -> int:
        """The id of the cohort. Raises NeedsYou when the service user sees none such."""
        listed = list_cohorts(self._client, idnumber)
        found = [int(one["id"]) for one in listed if one["idnumber"] == idnumber]
        if len(found) != 1:
            page = self._client.settings.page(COHORTS_PAGE)
            raise NeedsYou(
                f"There is no cohort with the ID number {idnumber!r} that the service user can "
                f"see. Create it at {page} (in the system context), or give the service user's "
                "role moodle/cohort:view; then make it the criterion of the badge."
            )
        return found[0]

    def award(self, placements: Sequence[Placement]) -> list[Delivered]:
        """Add everybody to the cohorts, in few calls. Who is in already stays in."""
        by_cohort: dict[str, list[Placement]] = {}
        results: list[Delivered] = []
        for placement in placements:
            try:
                user_of(placement)
                by_cohort.setdefault(setting(placement, "cohort"), []).append(placement)
            except NeedsYou as need:
                results.append(Delivered(placement.key, DeliveryStatus.NEEDS_YOU, str(need)))
        for idnumber, members in by_cohort.items():
            try:
                cohort = self.cohort(idnumber)
            except NeedsYou as need:
                results += [
                    Delivered(one.key, DeliveryStatus.NEEDS_YOU, str(need)) for one in members
                ]
                continue
            for start in range(0, len(members), _ADD_AT_ONCE):
                results += self._add(cohort, idnumber, members[start : start + _ADD_AT_ONCE])
        return results

    def _add(self, cohort: int, idnumber: str, members: Sequence[Placement]) -> list[Delivered]:
        told = self._add_users(cohort, [user_of(one) for one in members])
        stuck = self._without_badge([one for one in members if user_of(one) in told.already])
        if stuck:
            # Joining is what awards. Who is in and holds nothing (the badge was taken away by
            # hand, or enabled later) has to leave and join again.
            self._delete_users(cohort, stuck)
            self._add_users(cohort, stuck)
        return [told.outcome(one, idnumber) for one in members]

    def _without_badge(self, members: Sequence[Placement]) -> list[int]:
        """Those who certainly do not hold the badge they are in the cohort for."""
        held = held_by(self._client, [user_of(one) for one in members])
        absent = []
        for one in members:
            badges, badge = held[user_of(one)], one.settings.get("badge", "")
            if (
                badge
                and not isinstance(badges, PeerError)
                and not any(each.is_badge(badge) for each in badges)
            ):
                absent.append(user_of(one))
        return absent

    def _add_users(self, cohort: int, users: Sequence[int]) -> _Told:
        answer = self._client.call(
            ADD_MEMBERS,
            {
                "members": [
                    {
                        "cohorttype": {"type": "id", "value": cohort},
                        "usertype": {"type": "id", "value": user},
                    }
                    for user in users
                ]
            },
        )
        told = _Told()
        try:
            for warning in answer["warnings"]:
                told.take(str(warning["warningcode"]), str(warning["message"]))
        except (KeyError, TypeError):
            raise self._client.unreadable(ADD_MEMBERS) from None
        return told

    def _delete_users(self, cohort: int, users: Sequence[int]) -> None:
        members = [{"cohortid": cohort, "userid": user} for user in users]
        self._client.call(DELETE_MEMBERS, {"members": members})

    def stop(self, placement: Placement) -> str:
        """Take the account out of the cohort, so that nothing awards again; says so."""
        idnumber = setting(placement, "cohort")
        try:
            cohort = self.cohort(idnumber)
        except NeedsYou:
            return f"No cohort {idnumber} is to be seen, so it awards nothing."
        try:
            self._delete_users(cohort, [user_of(placement)])
        except BadAnswer as error:
            if error.detail not in GONE:
                raise
        return f"Taken out of cohort {idnumber}, so that nothing awards it again."


class CompetencyRoad:
    """Badges whose criterion is a competency rated proficient."""

    def __init__(self, client: MoodleClient) -> None:
        self._client = client

    def award(self, placements: Sequence[Placement], held: Holdings) -> list[Delivered]:
        """Rate the competency, once for each who does not hold the badge yet.

        Each rating leaves a line of evidence in Moodle, so it is not repeated needlessly; and
        Moodle rates deleted accounts without complaint, so these are told apart first.
        """
        found: dict[tuple[str, str], tuple[int, int] | NeedsYou] = {}
        return [self._award(placement, held, found) for placement in placements]

    def _award(
        self,
        placement: Placement,
        held: Holdings,
        found: dict[tuple[str, str], tuple[int, int] | NeedsYou],
    ) -> Delivered:
        try:
            badges = held.get(user_of(placement), ())
            if isinstance(badges, PeerError):
                if badges.detail in GONE:
                    raise NeedsYou(gone_account(placement))
                raise badges
            badge = setting(placement, "badge")
            if any(one.is_badge(badge) for one in badges):
                return Delivered(placement.key, DeliveryStatus.DONE, "Held already.")
            names = setting(placement, "framework"), setting(placement, "competency")
            if names not in found:
                found[names] = self._look_up(*names)
            place = found[names]
            if isinstance(place, NeedsYou):
                raise place
            competency, proficient = place
            grade = int(placement.settings.get("grade") or proficient)
            self._rate(user_of(placement), competency, grade, _note(placement))
        except NeedsYou as need:
            return Delivered(placement.key, DeliveryStatus.NEEDS_YOU, str(need))
        except (BadAnswer, NeedsAdministrator) as error:
            return Delivered(placement.key, DeliveryStatus.NEEDS_YOU, str(error))
        except TryLater as error:
            return Delivered(placement.key, DeliveryStatus.LATER, str(error))
        return Delivered(placement.key, DeliveryStatus.DONE, f"Rated {names[1]}.")

    def _rate(self, user: int, competency: int, grade: int, note: str) -> None:
        self._client.call(
            GRADE,
            {"userid": user, "competencyid": competency, "grade": grade, "note": note},
            once=True,
        )

    def _look_up(self, framework: str, competency: str) -> tuple[int, int] | NeedsYou:
        try:
            return self.competency(framework, competency)
        except NeedsYou as need:
            return need

    def competency(self, framework: str, competency: str) -> tuple[int, int]:
        """The competency's id and its proficient rating. Raises NeedsYou when not to be seen."""
        frameworks = self._client.call(LIST_FRAMEWORKS, ALL_FRAMEWORKS)
        chosen = self._by_idnumber(LIST_FRAMEWORKS, frameworks, framework, "competency framework")
        filters = [
            {"column": "competencyframeworkid", "value": chosen["id"]},
            {"column": "idnumber", "value": competency},
        ]
        competencies = self._client.call(
            LIST_COMPETENCIES,
            {"filters": filters, **FIRST_ONES},
        )
        one = self._by_idnumber(LIST_COMPETENCIES, competencies, competency, "competency")
        scale = one.get("scaleconfiguration") or chosen.get("scaleconfiguration") or ""
        return int(one["id"]), _proficient(scale)

    def framework(self, idnumber: str) -> int | None:
        """The id of the framework; None where the service user sees none such."""
        frameworks = self._client.call(LIST_FRAMEWORKS, ALL_FRAMEWORKS)
        try:
            kind = "competency framework"
            return int(self._by_idnumber(LIST_FRAMEWORKS, frameworks, idnumber, kind)["id"])
        except NeedsYou:
            return None

    def _by_idnumber(
        self, function: str, listed: Any, idnumber: str, kind: str
    ) -> Mapping[str, Any]:
        if not isinstance(listed, list):
            raise self._client.unreadable(function)
        for one in listed:
            if isinstance(one, dict) and one.get("idnumber") == idnumber and "id" in one:
                return one
        raise NeedsYou(
            f"There is no {kind} with the ID number {idnumber!r} that the service user can see. "
            f"Create it at {self._client.settings.page(FRAMEWORKS_PAGE)}, or give the service "
            "user's role moodle/competency:competencyview."
        )

    def stop(self, placement: Placement) -> str:
        """Rate the competency not proficient, so that nothing awards again; says so."""
        framework, name = setting(placement, "framework"), setting(placement, "competency")
        user = user_of(placement)
        try:
            competency, _ = self.competency(framework, name)
        except NeedsYou:
            return f"No competency {name} is to be seen, so it awards nothing."
        if self._is_proficient(user, competency):
            self._rate(user, competency, _NOT_PROFICIENT, f"Withdrawn. {_note(placement)}")
        return f"Competency {name} is rated not proficient, so that nothing awards it again."

    def _is_proficient(self, user: int, competency: int) -> bool:
        """As Moodle tells; True where it does not, for then a rating more does no harm."""
        try:
            answer = self._client.call(RATING, {"userid": user, "competencyid": competency})
            return bool(answer["usercompetency"]["proficiency"])
        except (PeerError, KeyError, TypeError):
            return True


def _proficient(scaleconfiguration: str) -> int:
    """The first proficient value of a scale, which Moodle keeps as JSON in a text."""
    try:
        values = json.loads(scaleconfiguration)
        return next(int(one["id"]) for one in values if one.get("proficient"))
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
        return _PROFICIENT


def _note(placement: Placement) -> str:
    """What Moodle shows beside the rating, with the way back to the bridge where it is known."""
    note = placement.settings.get("note") or "Verified by a second person in Competency Bridge."
    link = placement.settings.get("link", "")
    return f"{note} {link} (award {placement.key})" if link else f"{note} (award {placement.key})"
