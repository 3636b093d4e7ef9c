"""Custom reports: core_reportbuilder_list_reports, retrieve_report, set_filters, filters_reset.

A report lists enrolments (Course participants) or issued badges (Badges). Values are strings by
position; whoever retrieves must read `headers`. Filters are kept per user and report.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.demo.moodle.call import Call, Function, format_string
from bridge.demo.moodle.errors import invalid_record, report_denied
from bridge.demo.moodle.faults import Fault
from bridge.demo.moodle.params import INT, RAW, default
from bridge.demo.moodle.state import ADMIN
from bridge.demo.moodle.tables import (
    Badge,
    Completion,
    Course,
    Enrolment,
    IssuedBadge,
    Report,
    User,
)
from bridge.demo.moodle.words import word

PARTICIPANTS = "core_course\\reportbuilder\\datasource\\participants"
BADGES = "core_badges\\reportbuilder\\datasource\\badges"
_SOURCE_NAMES = {PARTICIPANTS: "Course participants", BADGES: "Badges"}

_UNIT_SECONDS = {0: 3600, 1: 86400, 2: 7 * 86400}
_NOT_EMPTY, _EMPTY, _RANGE, _LAST = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Row:
    """What one line of a report is made of; None where the outer join found nothing."""

    user: User | None = None
    course: Course | None = None
    enrolment: Enrolment | None = None
    completion: Completion | None = None
    badge: Badge | None = None
    issued: IssuedBadge | None = None

    def moment(self, identifier: str) -> int | None:
        """The Unix time behind a date filter's identifier."""
        if identifier == "completion:timecompleted":
            return self.completion.timecompleted if self.completion else None
        if identifier == "badge_issued:issued":
            return self.issued.dateissued if self.issued else None
        return None


def _link(call: Call, path: str, text: str) -> str:
    return f'<a href="{call.base_url}{path}">{format_string(text)}</a>'


def _yes_no(call: Call, value: bool) -> str:
    return word("Yes" if value else "No", call.lang)


def _user(read: Callable[[Call, User], str]) -> Callable[[Call, Row], str]:
    return lambda call, row: read(call, row.user) if row.user else ""


def _course(read: Callable[[Call, Course], str]) -> Callable[[Call, Row], str]:
    return lambda call, row: read(call, row.course) if row.course else ""


def _available(badge: Badge) -> str:
    return "Available (criteria locked)" if badge.active else "Not available"


def _badge(read: Callable[[Call, Badge], str]) -> Callable[[Call, Row], str]:
    return lambda call, row: read(call, row.badge) if row.badge else ""


def _issued(read: Callable[[Call, IssuedBadge], str]) -> Callable[[Call, Row], str]:
    return lambda call, row: read(call, row.issued) if row.issued else ""


def _completion(read: Callable[[Call, Completion], str]) -> Callable[[Call, Row], str]:
    return lambda call, row: read(call, row.completion) if row.completion else ""


def _status(call: Call, row: Row) -> str:
    if row.enrolment is None:
        return ""
    return word(row.enrolment.status, call.lang)


COLUMNS: dict[str, tuple[str, Callable[[Call, Row], str]]] = {
    "user:idnumber": ("ID number", _user(lambda _, user: user.idnumber)),
    "user:email": ("Email address", _user(lambda _, user: user.email)),
    "user:username": ("Username", _user(lambda _, user: user.username)),
    "user:fullname": ("Full name", _user(lambda _, user: user.fullname)),
    "user:fullnamewithlink": (
        "Full name with link",
        _user(lambda call, user: _link(call, f"/user/profile.php?id={user.id}", user.fullname)),
    ),
    "user:suspended": ("Suspended", _user(lambda call, user: _yes_no(call, user.suspended))),
    "course:idnumber": ("Course ID number", _course(lambda _, course: course.idnumber)),
    "course:shortname": (
        "Course short name",
        _course(lambda _, course: format_string(course.shortname)),
    ),
    "course:fullname": (
        "Course full name",
        _course(lambda _, course: format_string(course.fullname)),
    ),
    "course:coursefullnamewithlink": (
        "Course full name with link",
        _course(lambda call, one: _link(call, f"/course/view.php?id={one.id}", one.fullname)),
    ),
    "course_category:name": (
        "Category name",
        _course(lambda call, one: format_string(call.site.categories[one.category].name)),
    ),
    "completion:completed": (
        "Completed",
        lambda call, row: _yes_no(call, bool(row.moment("completion:timecompleted"))),
    ),
    "completion:timecompleted": (
        "Time completed",
        _completion(lambda call, completion: call.date(completion.timecompleted)),
    ),
    "completion:grade": (
        "Grade",
        _completion(lambda _, one: "" if one.grade is None else f"{one.grade:.2f}"),
    ),
    "enrolment:status": ("Status", _status),
    "badge:name": ("Name", _badge(lambda _, badge: format_string(badge.name))),
    "badge:namewithlink": (
        "Name with link",
        _badge(lambda call, badge: _link(call, f"/badges/overview.php?id={badge.id}", badge.name)),
    ),
    "badge:status": ("Status", _badge(lambda _, badge: _available(badge))),
    "badge_issued:issued": ("Date issued", _issued(lambda call, one: call.date(one.dateissued))),
    "badge_issued:expire": ("Expiry date", _issued(lambda call, one: call.date(one.dateexpire))),
    "badge_issued:visible": ("Visible", _issued(lambda call, one: _yes_no(call, one.visible))),
}


def _issued_rows(call: Call) -> Iterator[Row]:
    """Every issued badge, deleted holders included; a badge nobody holds has a row of its own."""
    for badge in call.site.badges.values():
        issued = [one for one in call.site.issued if one.badgeid == badge.id]
        for one in issued:
            yield Row(user=call.site.users[one.userid], badge=badge, issued=one)
        if not issued:
            yield Row(badge=badge)


def _participant_rows(call: Call) -> Iterator[Row]:
    """Every enrolment: who was unenrolled or deleted is not there, whatever they completed."""
    site = call.site
    doubled = 2 if Fault.DUPLICATE_ROWS in call.faults else 1
    for enrolment in site.enrolments:
        row = Row(
            user=site.users[enrolment.userid],
            course=site.courses[enrolment.courseid],
            enrolment=enrolment,
            completion=site.completions.get((enrolment.userid, enrolment.courseid)),
        )
        for _ in range(doubled):
            yield row


def _order(row: Row) -> tuple[int, str, str, str]:
    """By date, then name: the sorted columns of both reports."""
    moment = row.moment("completion:timecompleted") or row.moment("badge_issued:issued") or 0
    return (
        moment,
        row.badge.name if row.badge else "",
        row.user.username if row.user else "",
        row.course.shortname if row.course else "",
    )


def _matches(row: Row, values: Mapping[str, object], identifiers: set[str], now: int) -> bool:
    """Whether a row passes the date filters named; values of any other filter are ignored."""
    return all(
        _in_period(
            row.moment(one),
            operator=_int(values.get(f"{one}_operator")),
            start=_int(values.get(f"{one}_from")),
            end=_int(values.get(f"{one}_to")),
            last=_int(values.get(f"{one}_value", 1))
            * _UNIT_SECONDS.get(_int(values.get(f"{one}_unit", 1)), 86400),
            now=now,
        )
        for one in identifiers
    )


def _in_period(
    moment: int | None, *, operator: int, start: int, end: int, last: int, now: int
) -> bool:
    """Moodle's date filter. Both ends of a range are in it, but an end without a start is not."""
    if operator == _NOT_EMPTY:
        return bool(moment)
    if operator == _EMPTY:
        return not moment
    if operator == _RANGE and (start > 0 or end > 0):
        last_second = end if start > 0 else end - 1
        return moment is not None and start <= moment and (end <= 0 or moment <= last_second)
    if operator == _LAST:
        return moment is not None and now - last <= moment <= now
    return True


def _int(value: object) -> int:
    """A filter's value as PHP casts it: what is no number is zero."""
    try:
        return int(str(value))
    except ValueError:
        return 0


def _selected(call: Call, report: Report) -> list[Row]:
    if call.empty_handed():
        return []
    filters = call.site.user_filters.get((call.user.id, report.id), {})
    dates = {"completion:timecompleted", "badge_issued:issued"}
    only_completed = report.conditions.get("completion:completed_operator") == 1
    now = call.site.now
    rows = _issued_rows(call) if report.source == BADGES else _participant_rows(call)
    return [
        row
        for row in sorted(rows, key=_order)
        if (not only_completed or row.moment("completion:timecompleted"))
        and _matches(row, report.conditions, dates, now)
        and _matches(row, filters, report.filters & dates, now)
    ]


def _details(call: Call, report: Report) -> dict[str, Any]:
    return {
        "name": report.name,
        "source": report.source,
        "type": 0,
        "uniquerows": False,
        "conditiondata": json.dumps(report.conditions, separators=(",", ":"))
        if report.conditions
        else None,
        "settingsdata": None,
        "contextid": 1,
        "component": "",
        "area": "",
        "itemid": 0,
        "usercreated": ADMIN,
        "id": report.id,
        "timecreated": report.timecreated,
        "timemodified": report.timecreated,
        "usermodified": ADMIN,
        "sourcename": _SOURCE_NAMES[report.source],
        "modifiedby": call.user_summary(ADMIN),
    }


def _viewable(call: Call, reportid: int) -> Report:
    report = call.site.reports.get(reportid)
    if report is None or Fault.REPORTS_MISSING in call.faults:
        raise invalid_record("reportbuilder_report")
    if not call.can("moodle/reportbuilder:view") or not _shown_to(call, report):
        raise report_denied()
    return report


def _shown_to(call: Call, report: Report) -> bool:
    return call.user.id in report.audience or call.can("moodle/reportbuilder:editall")


def _list_reports(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    if not call.can("moodle/reportbuilder:view"):
        raise report_denied()
    reports = sorted(call.site.reports.values(), key=lambda one: (one.name, one.id))
    seen = [one for one in reports if _shown_to(call, one)]
    if Fault.REPORTS_MISSING in call.faults or call.empty_handed():
        seen = []
    return {
        "reports": [_details(call, one) for one in page_of(seen, params)],
        "warnings": [],
    }


def _retrieve(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    report = _viewable(call, params["reportid"])
    columns = [one for one in report.columns if one != call.faults.get(Fault.MISSING_COLUMN)]
    if Fault.REARRANGED_COLUMNS in call.faults:
        columns.reverse()
    selected = _selected(call, report)
    readers = [COLUMNS[one][1] for one in columns]
    return {
        "details": _details(call, report),
        "data": {
            "headers": [word(COLUMNS[one][0], call.lang) for one in columns],
            "rows": [
                {"columns": [read(call, row) for read in readers]}
                for row in page_of(selected, params)
            ],
            "totalrowcount": len(selected),
        },
        "warnings": [],
    }


def page_of(rows: list[Any], params: Mapping[str, Any]) -> list[Any]:
    """One page, counted from 0. No `perpage` means everything, and past the end is nothing."""
    if params["perpage"] <= 0:
        return rows
    start = max(params["page"], 0) * params["perpage"]
    return rows[start : start + params["perpage"]]


def _set_filters(call: Call, params: dict[str, Any]) -> bool:
    """Always true: what is no JSON object leaves no filter, and unknown filters do nothing."""
    report = _viewable(call, params["reportid"])
    try:
        values = json.loads(params["values"])
    except ValueError:
        values = None
    kept = values if isinstance(values, dict) else {}
    call.site.user_filters[call.user.id, report.id] = kept
    return True


def _reset_filters(call: Call, params: dict[str, Any]) -> bool:
    report = _viewable(call, params["reportid"])
    call.site.user_filters.pop((call.user.id, report.id), None)
    return True


_PAGED = {"page": default("int", 0), "perpage": default("int", 10)}
_FILTERED = {"reportid": INT, "parameters": default("raw", "")}

FUNCTIONS = (
    Function("core_reportbuilder_list_reports", _PAGED, _list_reports),
    Function("core_reportbuilder_retrieve_report", {"reportid": INT, **_PAGED}, _retrieve),
    Function("core_reportbuilder_set_filters", {**_FILTERED, "values": RAW}, _set_filters),
    Function("core_reportbuilder_filters_reset", _FILTERED, _reset_filters),
)
