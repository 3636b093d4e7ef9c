"""Custom reports as an administrator edits them: columns, filters, conditions, sorting.

Making a report, the values of its conditions and its audience are pages of Moodle's alone.
"""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.errors import MoodleError, invalid_parameter, invalid_record
from bridge.demo.moodle.params import INT, RAW, default
from bridge.demo.moodle.reports import COLUMNS
from bridge.demo.moodle.tables import Report


def _editable(call: Call, reportid: int) -> Report:
    report = call.site.reports.get(reportid)
    if report is None:
        raise invalid_record("reportbuilder_report")
    if not call.can("moodle/reportbuilder:editall"):
        raise MoodleError(
            "core_reportbuilder\\report_access_exception",
            "errorreportedit",
            "You cannot edit this report",
        )
    return report


def _add_column(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    report = _editable(call, params["reportid"])
    if params["uniqueidentifier"] not in COLUMNS:
        raise invalid_parameter()
    report.columns.append(params["uniqueidentifier"])
    return _sorting(report)


def _add_filter(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    report = _editable(call, params["reportid"])
    if params["uniqueidentifier"] in report.filters:
        raise invalid_parameter()
    report.filters.add(params["uniqueidentifier"])
    return {"hasactivefilters": True, "activefilters": []}


def _add_condition(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """It is there, and asks nothing before somebody gives it a value on the page."""
    report = _editable(call, params["reportid"])
    name = f"{params['uniqueidentifier']}_operator"
    if name in report.conditions:
        raise invalid_parameter()
    return {"hasactiveconditions": True, "activeconditionsform": ""}


def _sorting(report: Report) -> dict[str, Any]:
    return {
        "hassortablecolumns": bool(report.columns),
        "sortablecolumns": [
            {
                "id": number,
                "title": COLUMNS[name][0],
                "heading": COLUMNS[name][0],
                "sortdirection": 4,
                "sortenabled": name in report.sorted_by,
                "sortorder": number,
            }
            for number, name in enumerate(report.columns, 1)
        ],
    }


def _sorts(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    return _sorting(_editable(call, params["reportid"]))


def _sort(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    report = _editable(call, params["reportid"])
    if not 1 <= params["columnid"] <= len(report.columns):
        raise invalid_record("reportbuilder_column")
    name = report.columns[params["columnid"] - 1]
    if params["enabled"] and name not in report.sorted_by:
        report.sorted_by.append(name)
    return _sorting(report)


_ONE = {"reportid": INT, "uniqueidentifier": RAW}

FUNCTIONS = (
    Function("core_reportbuilder_columns_add", _ONE, _add_column),
    Function("core_reportbuilder_filters_add", _ONE, _add_filter),
    Function("core_reportbuilder_conditions_add", _ONE, _add_condition),
    Function("core_reportbuilder_columns_sort_get", {"reportid": INT}, _sorts),
    Function(
        "core_reportbuilder_columns_sort_toggle",
        {
            "reportid": INT,
            "columnid": INT,
            "enabled": default("bool", True),
            "direction": default("int", 4),
        },
        _sort,
    ),
)
