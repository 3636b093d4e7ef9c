"""A Moodle's competency frameworks and its courses' links to them, read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.connectors.moodle.cells import text_of
from bridge.connectors.moodle.client import BATCH_SIZE, MoodleClient
from bridge.connectors.moodle.peruser import COURSES
from bridge.connectors.moodle.roads import (
    ALL_FRAMEWORKS,
    FIRST_ONES,
    LIST_COMPETENCIES,
    LIST_FRAMEWORKS,
)
from bridge.domain.errors import NeedsAdministrator, PeerError
from bridge.domain.lms_frameworks import (
    CourseLink,
    LmsCompetency,
    LmsFramework,
    RuleOutcome,
    Wanted,
    WantedFramework,
)

COURSE_LINKS = "core_competency_list_course_competencies"
CREATE_FRAMEWORK = "core_competency_create_competency_framework"
UPDATE_FRAMEWORK = "core_competency_update_competency_framework"
CREATE = "core_competency_create_competency"
UPDATE = "core_competency_update_competency"
MOVE = "core_competency_set_parent_competency"
SCALE_VALUES = "core_competency_get_scale_values"
LINK = "core_competency_add_competency_to_course"
SET_OUTCOME = "core_competency_set_course_competency_ruleoutcome"
#: What `bridge moodle frameworks` calls, beside the lists.
WRITING = (CREATE_FRAMEWORK, UPDATE_FRAMEWORK, CREATE, UPDATE, MOVE, SCALE_VALUES)
LINKING = (COURSE_LINKS, LINK, SET_OUTCOME)
SCALES_PAGE = "/grade/edit/scale/index.php"

_HTML = 1
_SYSTEM_CONTEXT = 1
_FIRST_SCALES = range(1, 31)
_TWO_VALUES = 2


class MoodleCompetencies:
    """Implements `bridge.domain.lms_frameworks.CompetencyPeer` for one token.

    `scale` is the number of the scale that a new framework uses; without it, one is looked for.
    """

    def __init__(self, client: MoodleClient, scale: int | None = None) -> None:
        self._client = client
        self._scale = scale

    def frameworks(self) -> list[LmsFramework]:
        """All frameworks of the system context and below."""
        return [_framework(one) for one in self._list(LIST_FRAMEWORKS, ALL_FRAMEWORKS)]

    def competencies(self, framework_id: int) -> list[LmsCompetency]:
        """All competencies of one framework."""
        filters = [{"column": "competencyframeworkid", "value": framework_id}]
        listed = self._list(LIST_COMPETENCIES, {"filters": filters, **FIRST_ONES})
        return [_competency(one) for one in listed]

    def courses(self) -> Mapping[str, tuple[str, str, str, str]] | None:
        """Every course by id: ID number, short name, title, category; None where not allowed."""
        try:
            answer = self._client.call(COURSES)
        except NeedsAdministrator:
            return None
        try:
            return {
                str(one["id"]): (
                    text_of(one.get("idnumber", "")) or "",
                    text_of(one["shortname"]) or "",
                    text_of(one["fullname"]) or "",
                    text_of(one.get("categoryname", "")) or "",
                )
                for one in answer["courses"]
                if one["id"] != 1
            }
        except (KeyError, TypeError):
            raise self._client.unreadable(COURSES) from None

    def course_links(self, courses: Sequence[str]) -> Mapping[str, Sequence[CourseLink]]:
        """The links of each course that could be read; a course that refuses is left out.

        Raises NeedsAdministrator where no course could be read at all: that is a capability, or
        the function, and no fact about the courses.
        """
        asked = [one for one in courses if one.isdecimal()]
        names = self._framework_names() if asked else {}
        found: dict[str, list[CourseLink]] = {}
        refused: PeerError | None = None
        for start in range(0, len(asked), BATCH_SIZE):
            some = asked[start : start + BATCH_SIZE]
            answers = self._client.call_many([(COURSE_LINKS, {"id": int(one)}) for one in some])
            for course, answer in zip(some, answers, strict=True):
                if isinstance(answer, PeerError):
                    refused = answer
                else:
                    found[course] = [self._link(course, one, names) for one in answer]
            if refused is not None and not found:
                # The first hundred all refused: the others will too, and each would be a call.
                raise refused
        return found

    def _link(self, course: str, one: Any, names: Mapping[int, str]) -> CourseLink:
        try:
            competency, link = one["competency"], one["coursecompetency"]
            return CourseLink(
                course=course,
                link_id=int(link["id"]),
                competency_id=int(competency["id"]),
                framework=names.get(int(competency["competencyframeworkid"]), ""),
                idnumber=str(competency["idnumber"]),
                name=text_of(competency["shortname"]) or "",
                outcome=int(link["ruleoutcome"]),
            )
        except (KeyError, TypeError, ValueError):
            raise self._client.unreadable(COURSE_LINKS) from None

    def _framework_names(self) -> dict[int, str]:
        return {one.id: one.idnumber for one in self.frameworks()}

    def create_framework(self, wanted: WantedFramework) -> LmsFramework:
        """Make it in the system context, on a scale of "not yet" and "yes"."""
        scale, values = self._scale_of_two()
        fields = {
            "scaleid": scale,
            "scaleconfiguration": scale_configuration(scale, values),
            **_framework_fields(wanted),
        }
        made = self._client.call(CREATE_FRAMEWORK, {"competencyframework": fields}, once=True)
        return _framework(self._one(CREATE_FRAMEWORK, made))

    def rename_framework(self, framework: LmsFramework, wanted: WantedFramework) -> None:
        """Give it the name and description that it should have; its scale stays."""
        fields = {
            "id": framework.id,
            "scaleid": framework.scale_id,
            "scaleconfiguration": framework.scale_configuration,
            **_framework_fields(wanted),
            "visible": framework.visible,
        }
        self._client.call(UPDATE_FRAMEWORK, {"competencyframework": fields})

    def create_competency(self, framework_id: int, wanted: Wanted, parent_id: int) -> int:
        """Make it; its id."""
        fields = {**_competency_fields(framework_id, wanted), "parentid": parent_id}
        made = self._client.call(CREATE, {"competency": fields}, once=True)
        return _competency(self._one(CREATE, made)).id

    def restore_competency(
        self, framework_id: int, competency: LmsCompetency, wanted: Wanted, parent_id: int
    ) -> None:
        """Give it the words, the place and the rule (none) that it should have."""
        fields = {
            "id": competency.id,
            **_competency_fields(framework_id, wanted),
            "parentid": competency.parent,
            "ruleoutcome": 0,
        }
        self._client.call(UPDATE, {"competency": fields})
        if competency.parent != parent_id:
            self._client.call(MOVE, {"competencyid": competency.id, "parentid": parent_id})

    def link(self, course: str, competency_id: int) -> None:
        """Link a course. Moodle's own outcome for a new link is to add evidence, no more."""
        self._client.call(LINK, {"courseid": int(course), "competencyid": competency_id})

    def set_outcome(self, link_id: int, outcome: RuleOutcome) -> None:
        """What completing the course does. Raises ValueError for "complete"."""
        if outcome is RuleOutcome.COMPLETE:
            raise ValueError("a course never completes a competency by itself")
        self._client.call(SET_OUTCOME, {"coursecompetencyid": link_id, "ruleoutcome": int(outcome)})

    def _scale_of_two(self) -> tuple[int, list[int]]:
        """A scale and its values. Raises NeedsAdministrator where none has two values."""
        numbers = [self._scale] if self._scale else list(_FIRST_SCALES)
        answers = self._client.call_many([(SCALE_VALUES, {"scaleid": one}) for one in numbers])
        refused = [one for one in answers if isinstance(one, NeedsAdministrator)]
        if len(refused) == len(answers):
            raise refused[0]
        for number, answer in zip(numbers, answers, strict=True):
            if isinstance(answer, list) and len(answer) == _TWO_VALUES:
                return number, [int(one["id"]) for one in answer]
        page = self._client.settings.page(SCALES_PAGE)
        raise NeedsAdministrator(
            f"{self._client.settings.key}: no scale of two values was found, such as 'Not yet "
            f"competent, Competent'. Make one at {page}, and name its number with --scale.",
            peer=self._client.settings.key,
            detail="scale",
        )

    def _list(self, function: str, params: Mapping[str, Any]) -> list[Any]:
        listed = self._client.call(function, params)
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise self._client.unreadable(function)
        return listed

    def _one(self, function: str, answer: Any) -> Mapping[str, Any]:
        if not isinstance(answer, dict) or "id" not in answer:
            raise self._client.unreadable(function)
        return answer


def scale_configuration(scale: int, values: Sequence[int]) -> str:
    """Moodle's JSON text for a scale of two values: the second alone is proficient.

    The default is the first. Moodle rates by the default where a rule "completes" a competency,
    so even a rule that somebody sets by hand makes nobody competent.
    """
    first, second = values
    return json.dumps(
        [
            {"scaleid": str(scale)},
            {"id": first, "scaledefault": 1, "proficient": 0},
            {"id": second, "scaledefault": 0, "proficient": 1},
        ]
    )


def _framework_fields(wanted: WantedFramework) -> dict[str, Any]:
    return {
        "shortname": wanted.name,
        "idnumber": wanted.idnumber,
        "description": wanted.description,
        "descriptionformat": _HTML,
        "visible": True,
        "contextid": _SYSTEM_CONTEXT,
        "taxonomies": wanted.taxonomies,
    }


def _competency_fields(framework_id: int, wanted: Wanted) -> dict[str, Any]:
    return {
        "shortname": wanted.name,
        "idnumber": wanted.idnumber,
        "description": wanted.description,
        "descriptionformat": _HTML,
        "competencyframeworkid": framework_id,
    }


def _framework(one: Mapping[str, Any]) -> LmsFramework:
    return LmsFramework(
        id=int(one["id"]),
        idnumber=str(one.get("idnumber", "")),
        name=str(one.get("shortname", "")),
        description=str(one.get("description") or ""),
        scale_id=int(one.get("scaleid") or 0),
        scale_configuration=str(one.get("scaleconfiguration") or ""),
        visible=bool(one.get("visible", True)),
    )


def _competency(one: Mapping[str, Any]) -> LmsCompetency:
    return LmsCompetency(
        id=int(one["id"]),
        idnumber=str(one.get("idnumber", "")),
        name=str(one.get("shortname", "")),
        description=str(one.get("description") or ""),
        parent=int(one.get("parentid") or 0),
        rule_outcome=int(one.get("ruleoutcome") or 0),
    )
