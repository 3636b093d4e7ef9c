"""Set-up of the two custom reports: what is missing in each, added by web service where allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.connectors.moodle.cells import text_of
from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.refusals import REPORTS_PAGE
from bridge.connectors.moodle.reports import LIST, RETRIEVE
from bridge.domain.errors import PeerError
from bridge.domain.setup import Step, StepState

ADD_COLUMN = "core_reportbuilder_columns_add"
ADD_FILTER = "core_reportbuilder_filters_add"
ADD_CONDITION = "core_reportbuilder_conditions_add"
SORTS = "core_reportbuilder_columns_sort_get"
SORT = "core_reportbuilder_columns_sort_toggle"
#: What a token needs to fill in a report that was made by hand.
EDITING = (ADD_COLUMN, ADD_FILTER, ADD_CONDITION, SORTS, SORT)
AUDIENCE = "Manually added users"


@dataclass(frozen=True, slots=True)
class ReportShape:
    """A report as the bridge reads it: columns as (identifier, heading, group on the page)."""

    key: str
    default_name: str
    source: str
    columns: tuple[tuple[str, str, str], ...]
    filters: tuple[tuple[str, str], ...] = ()
    condition: tuple[str, str] | None = None
    sorted_by: tuple[str, ...] = ()


COMPLETIONS = ReportShape(
    "report",
    "Bridge completions",
    "Course participants",
    (
        # Columns are sorted by in the order in which they stand.
        ("completion:timecompleted", "Time completed", "Completion"),
        ("user:idnumber", "ID number", "User"),
        ("user:email", "Email address", "User"),
        ("user:username", "Username", "User"),
        ("user:fullnamewithlink", "Full name with link", "User"),
        ("user:suspended", "Suspended", "User"),
        ("course:idnumber", "Course ID number", "Course"),
        ("course:shortname", "Course short name", "Course"),
        ("course:coursefullnamewithlink", "Course full name with link", "Course"),
        ("course_category:name", "Category name", "Course category"),
        ("completion:grade", "Grade", "Completion"),
        ("enrolment:status", "Status", "Enrolment"),
    ),
    (("completion:timecompleted", "Completion: Time completed"),),
    ("completion:completed", "Completion: Completed"),
    ("Time completed", "Username", "Course short name"),
)
BADGES = ReportShape(
    "badges report",
    "Bridge issued badges",
    "Badges",
    (
        ("badge:name", "Name", "Badge"),
        ("badge:namewithlink", "Name with link", "Badge"),
        ("user:idnumber", "ID number", "Recipient"),
        ("user:email", "Email address", "Recipient"),
        ("user:username", "Username", "Recipient"),
        ("user:fullnamewithlink", "Full name with link", "Recipient"),
        ("badge_issued:issued", "Date issued", "Badge issued"),
        ("badge_issued:expire", "Expiry date", "Badge issued"),
    ),
)


@dataclass(slots=True)
class SeenReport:
    """A report as a token sees it; `headings` None where it cannot be looked into."""

    id: int
    headings: list[str] | None
    conditions: str
    rows: int


def look_at(client: MoodleClient, name: int | str) -> SeenReport | None:
    """The report with that id or name, or None where this token sees none. Raises PeerError."""
    listed = client.call(LIST, {"perpage": 1000})
    try:
        reports = [(int(one["id"]), text_of(str(one["name"]))) for one in listed["reports"]]
    except (KeyError, TypeError, ValueError):
        raise client.unreadable(LIST) from None
    wanted = str(name).strip().casefold()
    found = [number for number, title in reports if wanted in (str(number), title.casefold())]
    if not found:
        return None
    try:
        told = client.call(RETRIEVE, {"reportid": found[0], "page": 0, "perpage": 1})
        headings = [text_of(str(one)) for one in told["data"]["headers"]]
        rows = int(told["data"]["totalrowcount"])
        conditions = str(told["details"].get("conditiondata") or "")
    except PeerError:
        # A report without any column cannot be retrieved, and one may be in no audience of it.
        return SeenReport(found[0], None, "", 0)
    except (KeyError, TypeError, ValueError):
        raise client.unreadable(RETRIEVE) from None
    return SeenReport(found[0], headings, conditions, rows)


def missing_columns(shape: ReportShape, seen: SeenReport | None) -> list[tuple[str, str, str]]:
    """What the report does not show yet, in order; headings are those of Moodle in English."""
    there = {one.casefold() for one in (seen.headings if seen and seen.headings else ())}
    return [column for column in shape.columns if column[1].casefold() not in there]


class ReportSetup:
    """One report's step. `admin` may edit it; `service` is the service user's own view."""

    def __init__(
        self,
        shape: ReportShape,
        name: int | str,
        *,
        admin: MoodleClient | None,
        service: MoodleClient | None,
        page: Callable[[str], str],
    ) -> None:
        self._shape, self._name = shape, name
        self._admin, self._service = admin, service
        self._page = page

    def step(self, username: str) -> Step:
        """How it stands, after adding what may be added. Raises PeerError."""
        shape = self._shape
        looking = self._admin or self._service
        title = f"The report '{self._name}'"
        if looking is None:
            return Step(shape.key, title, StepState.UNSEEN, _BLIND, self._page(REPORTS_PAGE),
                        self._by_hand(list(shape.columns), username, new=True))  # fmt: skip
        seen = look_at(looking, self._name)
        if seen is None and self._admin is None:
            says = "The service user sees no such report: it is not made, or not for its audience."
            return Step(shape.key, title, StepState.OPEN, says, self._page(REPORTS_PAGE),
                        self._by_hand(list(shape.columns), username, new=True))  # fmt: skip
        if seen is None:
            return Step(
                shape.key, title, StepState.OPEN,
                "No web service can make a report. Make it empty; run this again, and its columns "
                "are filled in.", self._page(REPORTS_PAGE), self._new(),
            )  # fmt: skip
        added = self._fill(seen) if self._admin is not None else 0
        if added and self._admin is not None:
            seen = look_at(self._admin, self._name) or seen
        return self._judge(seen, title, username, added)

    def _judge(self, seen: SeenReport, title: str, username: str, added: int) -> Step:
        shape, edit = self._shape, self._page(f"/reportbuilder/edit.php?id={seen.id}")
        missing = missing_columns(shape, seen)
        values = [(f"Column, under {group}", heading) for _, heading, group in missing]
        if missing:
            # What the service user cannot see of filters and sorting is due with the columns.
            values += self._rest()
        elif shape.condition and shape.condition[0] not in seen.conditions:
            values.append(
                (f"Panel Conditions on the right, {shape.condition[1]}", "Yes, then Apply")
            )
        own = look_at(self._service, self._name) if self._service is not None else None
        if own is None or own.headings is None:
            values.append((f"Tab Audience, {AUDIENCE}", username))
        if not values:
            says = f"Report {seen.id} is complete, and the service user reads it."
            return Step(shape.key, title, StepState.MADE if added else StepState.DONE, says, edit)
        says = f"Report {seen.id} is there. " + (f"{added} parts were added. " if added else "")
        if self._service is None:
            says += "Whether the service user may read it is seen once there is its token."
            only_audience = len(values) == 1
            state = StepState.UNSEEN if only_audience else StepState.OPEN
        else:
            state = StepState.OPEN
        return Step(shape.key, title, state, says.strip(), edit, tuple(values))

    def _fill(self, seen: SeenReport) -> int:
        """Add what is missing; how many parts. Needs a token that may edit the report."""
        admin, added = self._admin, 0
        if admin is None:
            return 0
        for identifier, _, _ in missing_columns(self._shape, seen):
            admin.call(ADD_COLUMN, {"reportid": seen.id, "uniqueidentifier": identifier})
            added += 1
        if not added:
            return 0
        for identifier, _ in self._shape.filters:
            added += _once(admin, ADD_FILTER, seen.id, identifier)
        if self._shape.condition is not None:
            added += _once(admin, ADD_CONDITION, seen.id, self._shape.condition[0])
        return added + self._sort(admin, seen.id)

    def _sort(self, admin: MoodleClient, report: int) -> int:
        answer = admin.call(SORTS, {"reportid": report})
        changed = 0
        for title in self._shape.sorted_by:
            for column in answer.get("sortablecolumns", ()):
                if column.get("title") == title and not column.get("sortenabled"):
                    asked = {"reportid": report, "columnid": column["id"], "enabled": True}
                    admin.call(SORT, asked)
                    changed += 1
        return changed

    def _condition(self) -> tuple[str, str]:
        name = self._shape.condition[1] if self._shape.condition else ""
        return f"Panel Conditions on the right, {name}", "Yes, then Apply"

    def _new(self) -> tuple[tuple[str, str], ...]:
        return (
            ("New report, Name", str(self._name)),
            ("Report source", self._shape.source),
            ("Include default setup", "no"),
        )

    def _rest(self) -> list[tuple[str, str]]:
        shape = self._shape
        rest = [("Panel Filters on the right", name) for _, name in shape.filters]
        if shape.condition:
            rest.append(self._condition())
        if shape.sorted_by:
            rest.append(("Panel Sorting on the right, in this order", ", ".join(shape.sorted_by)))
        return rest

    def _by_hand(
        self, columns: Sequence[tuple[str, str, str]], username: str, *, new: bool
    ) -> tuple[tuple[str, str], ...]:
        lines = [(f"Column, under {group}", heading) for _, heading, group in columns]
        audience = (f"Tab Audience, {AUDIENCE}", username)
        return (*(self._new() if new else ()), *lines, *self._rest(), audience)


_BLIND = "Without a token nobody can tell whether it is there."


def _once(admin: MoodleClient, function: str, report: int, identifier: str) -> int:
    """Add a filter or condition; one that is there already is refused, and that is well."""
    try:
        admin.call(function, {"reportid": report, "uniqueidentifier": identifier})
    except PeerError:
        return 0
    return 1
