"""What an administrator lets a service make: core_competency_create_competency."""

from __future__ import annotations

from typing import Any

from bridge.demo.moodle.call import Call, Function
from bridge.demo.moodle.errors import invalid_persistent, invalid_record
from bridge.demo.moodle.params import INT, RAW, default


def _create_competency(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    asked = params["competency"]
    framework = call.site.frameworks.get(asked["competencyframeworkid"])
    if framework is None:
        raise invalid_record("competency_framework")
    call.require("moodle/competency:competencymanage")
    taken = {
        one.idnumber for one in call.site.competencies.values() if one.frameworkid == framework.id
    }
    if asked["idnumber"] in taken:
        raise invalid_persistent("idnumber: A competency with that ID number already exists.")
    made = call.site.add_competency(framework, asked["shortname"], asked["idnumber"])
    return {"id": made.id, "shortname": made.shortname, "idnumber": made.idnumber,
            "competencyframeworkid": framework.id}  # fmt: skip


FUNCTIONS = (
    Function(
        "core_competency_create_competency",
        {
            "competency": {
                "shortname": RAW,
                "idnumber": default("raw", ""),
                "description": default("raw", ""),
                "descriptionformat": default("int", 1),
                "competencyframeworkid": INT,
                "parentid": default("int", 0),
            }
        },
        _create_competency,
    ),
)
