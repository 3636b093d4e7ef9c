"""Statements as Moodle's logstore_xapi sends them, as many as asked for, each one different."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

SITE = "https://lms.example.org"
_INFO = "http://lrs.learninglocker.net/define/extensions/info"
_ANALYTICS = "https://w3id.org/learning-analytics/learning-management-system"
_TYPES = "http://adlnet.gov/expapi/activities"
START = datetime(2026, 9, 1, 8, tzinfo=UTC)


def completion(number: int, learners: int = 500, courses: int = 40) -> dict[str, Any]:
    """One learner's completion of one module, of about 1.6 kB; without an id, as they come."""
    course, learner = number % courses, number % learners
    module = number % (courses * 6)
    at = START + timedelta(seconds=97 * number)
    return {
        "actor": {
            "name": f"Learner {learner}",
            "account": {"homePage": SITE, "name": str(1000 + learner)},
        },
        "verb": {
            "id": "http://adlnet.gov/expapi/verbs/completed",
            "display": {"en": "Completed"},
        },
        "object": _activity(
            f"{SITE}/mod/quiz/view.php?id={module}",
            f"{_TYPES}/assessment",
            f"Safer recruitment, test {module}",
            f"QUIZ-{module}",
        ),
        "result": {
            "score": {"raw": number % 101, "min": 0, "max": 100, "scaled": number % 101 / 50 - 1},
            "completion": True,
            "success": number % 10 != 0,
        },
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "context": {
            "platform": "Moodle",
            "registration": f"994c38e9-96e6-51ba-8e16-{learner:012x}",
            "language": "en",
            "extensions": {
                _INFO: {
                    "http://moodle.org": "4.4dev (Build: 20231124)",
                    "https://github.com/xAPI-vle/moodle-logstore_xapi": "5.0.1",
                    "event_name": "\\core\\event\\course_module_completion_updated",
                    "event_function": "\\src\\transformer\\events\\core\\course_module_completion",
                }
            },
            "contextActivities": {
                "parent": [
                    _activity(
                        f"{SITE}/course/view.php?id={course}",
                        "https://w3id.org/xapi/cmi5/activitytype/course",
                        f"Safer recruitment {course}",
                        f"LSCP-{course}",
                    )
                ],
                "category": [
                    _activity(SITE, "http://id.tincanapi.com/activitytype/lms", "Lab", None)
                ],
            },
        },
    }


def _activity(iri: str, kind: str, name: str, external: str | None) -> dict[str, Any]:
    definition: dict[str, Any] = {"type": kind, "name": {"en": name}}
    if external is not None:
        definition["extensions"] = {f"{_ANALYTICS}/external-id": external}
    return {"objectType": "Activity", "id": iri, "definition": definition}


def as_php(statement: dict[str, Any]) -> bytes:
    """JSON as PHP's json_encode writes it."""
    return json.dumps(statement, separators=(",", ":")).replace("/", "\\/").encode()
