"""Makes statements for tests: a whole valid one, with parts put in by JSON pointers."""

from __future__ import annotations

import copy
from typing import Any

import orjson

Json = dict[str, Any]

AGENT = {"mbox": "mailto:ana@example.org"}
ACTIVITY = {"objectType": "Activity", "id": "http://lms.example.org/course/view.php?id=7"}
REF = {"objectType": "StatementRef", "id": "8f87ccde-bb56-4c2e-ab83-44982ef22df0"}
GONE = object()

WHOLE: Json = {
    "id": "0190f3a2-7c1e-7d00-9b1e-000000000001",
    "actor": {"objectType": "Agent", "name": "Ana Costa", **AGENT},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
    "object": {
        **ACTIVITY,
        "definition": {
            "name": {"en": "Safer recruitment"},
            "description": {"en-GB": "A course"},
            "type": "http://adlnet.gov/expapi/activities/course",
            "moreInfo": "http://lms.example.org/about/7",
            "extensions": {"http://example.org/x": {"any": [1, None]}},
        },
    },
    "result": {
        "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
        "success": True,
        "completion": True,
        "response": "yes",
        "duration": "PT1H30M",
        "extensions": {"http://example.org/y": None},
    },
    "context": {
        "registration": "994C38E9-96E6-51BA-8E16-A072B7F9C800",
        "instructor": {"mbox": "mailto:tom@example.org"},
        "team": {"objectType": "Group", "member": [AGENT]},
        "contextActivities": {"parent": [ACTIVITY], "grouping": ACTIVITY},
        "revision": "3",
        "platform": "Moodle",
        "language": "en-GB",
        "statement": REF,
        "extensions": {"http://example.org/z": ""},
    },
    "timestamp": "2026-11-02T09:30:00.123Z",
    "stored": "2026-11-02T09:31:00Z",
    "authority": {"account": {"homePage": "http://lrs.example.org", "name": "moodle"}},
    "version": "1.0.3",
    "attachments": [
        {
            "usageType": "http://id.tincanapi.com/attachment/certificate-of-completion",
            "display": {"en": "Certificate"},
            "contentType": "application/pdf",
            "length": 27,
            "sha2": "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a",
            "fileUrl": "http://lms.example.org/c.pdf",
        }
    ],
}


def put(pointer: str, value: Any, into: Json | None = None) -> Json:
    """A copy of a statement with a value at a JSON pointer; `GONE` takes out what is there."""
    made = copy.deepcopy(WHOLE if into is None else into)
    *way, last = pointer.split("/")[1:]
    place: Any = made
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    if value is GONE:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last.replace("~1", "/")] = value
    return made


def as_bytes(value: Any) -> bytes:
    """JSON."""
    return orjson.dumps(value)
