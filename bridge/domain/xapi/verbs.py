"""What verbs say of learning: which tell that something was done, and which take it back."""

from __future__ import annotations

from bridge.domain.records import Status

_ADL = "http://adlnet.gov/expapi/verbs/"
_CMI5 = "https://w3id.org/xapi/adl/verbs/"
_TLA = "https://w3id.org/xapi/tla/verbs/"
VOIDED = f"{_ADL}voided"
#: cmi5: an LMS says that what was asked for is met; maybe because nothing was asked for.
SATISFIED = f"{_CMI5}satisfied"
#: What Moodle's logstore says when a completion is taken back.
UNCOMPLETED = frozenset(
    {
        "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/uncompleted",
        "http://xapi.edlm/profiles/edlm-lms/concepts/verbs/uncompleted",
    }
)

STATUS_OF: dict[str, Status] = {
    f"{_ADL}completed": Status.COMPLETED,
    "http://activitystrea.ms/schema/1.0/complete": Status.COMPLETED,
    "http://activitystrea.ms/complete": Status.COMPLETED,
    f"{_TLA}completed": Status.COMPLETED,
    f"{_ADL}passed": Status.PASSED,
    f"{_ADL}mastered": Status.PASSED,
    f"{_TLA}mastered": Status.PASSED,
    f"{_TLA}achieved": Status.COMPLETED,
    f"{_ADL}failed": Status.FAILED,
    # Taking part, and no more.
    f"{_ADL}attended": Status.ATTENDED,
    f"{_TLA}attended": Status.ATTENDED,
    f"{_ADL}registered": Status.BOOKED,
    f"{_TLA}registered": Status.BOOKED,
}
#: What is known to tell of no learning done, and why; all other verbs are "nothing-done".
REASON_OF: dict[str, str] = {
    f"{_CMI5}waived": "waived",
    f"{_CMI5}abandoned": "nothing-done",
    f"{_TLA}forfeited": "nothing-done",
}
COMPETENCY_TYPES = frozenset(
    {
        "https://w3id.org/xapi/tla/activity-types/competency",
        "https://w3id.org/xapi/learnercompetency/activity-types/competency",
    }
)
#: A whole LMS: to be registered there is to have an account.
SITE_TYPES = frozenset({"http://id.tincanapi.com/activitytype/lms"})
ATTEMPT_TYPE = "http://adlnet.gov/expapi/activities/attempt"
COURSE_TYPES = frozenset(
    {
        "http://adlnet.gov/expapi/activities/course",
        "https://w3id.org/xapi/cmi5/activitytype/course",
        "http://id.tincanapi.com/activitytype/lms/course",
    }
)
#: cmi5: the object's id is the LMS's own, and the publisher's stands in the grouping.
CMI5 = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
MOVE_ON = "https://w3id.org/xapi/cmi5/context/extensions/moveon"
_ANALYTICS = "https://w3id.org/learning-analytics/learning-management-system"
EXTERNAL_ID, SHORT_ID = f"{_ANALYTICS}/external-id", f"{_ANALYTICS}/short-id"
