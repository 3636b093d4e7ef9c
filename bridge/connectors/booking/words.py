"""Reads the words that booking systems and LMSs use for who came, and what was completed.

A word that two systems use in opposite senses ("A", "C", "P" alone) is no word here: a profile
says what it means, or somebody is asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from bridge.domain.records import AttendanceState, Status

#: What profiles may write for a state; "unknown": booked, and nobody marked who came.
STATE_NAMES: Mapping[str, AttendanceState | None] = {
    **{state.name.casefold(): state for state in AttendanceState},
    "unknown": None,
}
#: What profiles of LMS exports may write; "not done" is no record yet.
OUTCOME_NAMES: Mapping[str, Status | None] = {
    "completed": Status.COMPLETED,
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "not done": None,
}

_WORDS: Mapping[AttendanceState | None, str] = {
    AttendanceState.FULLY_ATTENDED: """
        attended | fully attended | attended fully | attended in full | full attendance
        | present | attended full | attended all | all sessions attended | attended all sessions
        | here | was present | came | yes attended | attended yes | attendance confirmed
        | confirmed attended | attended and completed | completed | complete | checked in
        | checked-in | scanned | in attendance | participated | attendee attended | full
        | passed | finished | arrived | attended late | late | present late | attended virtually
        | attended online | joined""",
    AttendanceState.PARTIALLY_ATTENDED: """
        partially attended | partial | part | partly attended | part attended | attended in part
        | attended partially | partial attendance | part attendance | left early | attended part
        | attended - left early | incomplete attendance | half day | part day | am only
        | pm only | attended morning only | attended afternoon only | morning only
        | afternoon only | left at lunch | some sessions | some sessions attended""",
    AttendanceState.NO_SHOW: """
        no show | no-show | noshow | did not attend | dna | absent | not attended
        | non attendance | non-attendance | failed to attend | fta | not present | was absent
        | missed | non attender | did not arrive | did not show | absent without notice
        | absent - no notice | unattended | absence | no attendance | d.n.a | didn't attend
        | did not join | absent unauthorised""",
    AttendanceState.BOOKED: """
        booked | registered | confirmed | enrolled | reserved | place confirmed
        | booking confirmed | attending | accepted | paid | valid | active | going | signed up
        | place booked | new | completed order | ordered | allocated""",
    AttendanceState.WAITLISTED: """
        waitlisted | wait list | waitlist | waiting list | on waiting list | waiting
        | wait-listed | reserve list | reserve | standby | on the waiting list | on waitlist""",
    AttendanceState.USER_CANCELLED: """
        cancelled | canceled | user cancelled | cancelled by user | cancelled by delegate
        | cancelled by attendee | withdrawn | withdrew | booking cancelled | late cancellation
        | cancelled late | cancelled - late | cancelled in time | apologies | sent apologies
        | apologies received | apology | apologies sent | cancelled by learner | refunded
        | deleted | cancelled (late) | cancelled with notice | cancelled by customer
        | transferred | cancelled by manager | cancellation | removed | dropped out | unenrolled""",
    AttendanceState.SESSION_CANCELLED: """
        session cancelled | event cancelled | course cancelled | cancelled by organiser
        | cancelled by organizer | class cancelled | cancelled by provider | postponed
        | event postponed | cancelled by us | cancelled by trainer | cancelled by lscp""",
    AttendanceState.DECLINED: """
        declined | rejected | refused | not approved | turned down | unsuccessful
        | place declined | manager declined | request declined""",
    AttendanceState.REQUESTED: """
        requested | pending | pending approval | awaiting approval | applied | provisional
        | awaiting manager approval | awaiting payment | request pending | unconfirmed
        | submitted | provisionally booked | interested | not yet approved""",
    AttendanceState.APPROVED: "approved | manager approved | request approved",
    None: """
        unknown | not set | not recorded | not marked | unmarked | not known | tbc | n/a | na
        | none | null | not yet recorded | to be confirmed | awaiting register | no register
        | pending register | not yet marked | not stated | not taken | register not taken
        | not checked in | attendance not recorded | attendance not set | ?""",
}  # fmt: skip

_OUTCOMES: Mapping[Status | None, str] = {
    Status.COMPLETED: """
        completed | complete | finished | done | completed successfully | yes | y | true | 1
        | achieved | 100% complete | completed online | up to date | compliant | current | valid
        | completed late | completed (late) | course completed | complete via rpl | certified
        | in date | expiring soon | expired | satisfied | waived""",
    Status.PASSED: """
        passed | pass | complete - passed | completed - passed | completed - pass
        | complete (pass) | complete - pass | passed assessment | complete (passed) | successful
        | completed (passed) | competent | merit | distinction | completed with pass""",
    Status.FAILED: """
        failed | fail | completed - failed | complete - failed | completed - fail | unsuccessful
        | complete (failed) | complete - fail | not passed | did not pass | failed assessment
        | completed (failed) | not yet competent | referred""",
    None: """
        not started | in progress | incomplete | not completed | not complete | not attempted
        | started | enrolled | registered | assigned | not yet started | no | n | false | 0
        | overdue | not yet complete | in-progress | inprogress | pending | unstarted | not done
        | active | not yet completed | due | required | outstanding | not compliant
        | non compliant | pending review | approved | browsed | launched | attempted | withdrawn
        | not enrolled | exempt | booked""",
}  # fmt: skip

# An X alone ticks in one register and strikes out in another.
_YES = frozenset(
    ("yes", "y", "true", "t", "1", "✓", "✔", "☑", "√", "✅", "ticked", "checked", "on")
)
_NO = frozenset(("no", "n", "false", "f", "0", "✗", "✘", "☒", "❌", "☐", "unticked", "off"))
_UNMARKED = frozenset(("", "-", "--", "–", "—", ".", "n/a", "na", "null", "none", "(none)", "nil"))

_ABBREVIATED = str.maketrans({"’": "'", "‘": "'", "–": "-", "—": "-", "_": " ", "\u00a0": " "})


def folded(text: str) -> str:
    """`text` as two people would agree on it: without case, accents of the keyboard, or padding."""
    plain = unicodedata.normalize("NFKC", text).translate(_ABBREVIATED).casefold()
    return " ".join(plain.split()).strip(" .:;!*") if len(plain) > 1 else plain.strip()


def _spelled(text: str) -> str:
    """The same word however it is hyphenated or bracketed."""
    return " ".join(re.sub(r"[-/().,']+", " ", text).split())


Meaning = TypeVar("Meaning")


def _table(words: Mapping[Meaning, str]) -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for meaning, text in words.items():
        for word in text.split("|"):
            found[folded(word)] = found[_spelled(folded(word))] = meaning
    return found


_STATE_OF = _table(_WORDS)
_OUTCOME_OF = _table(_OUTCOMES)


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of one source mean.

    `states` and `outcomes` are what its profile says, by word as written there; they go before
    what is known here.
    """

    states: Mapping[str, AttendanceState | None] = field(default_factory=dict)
    outcomes: Mapping[str, Status | None] = field(default_factory=dict)

    def state(self, word: str) -> AttendanceState | None:
        """Where a booking stands; None where nobody marked it. Raises KeyError for no known one."""
        key = folded(word)
        if key in self.states:
            return self.states[key]
        return state_of(word)

    def outcome(self, word: str) -> Status | None:
        """What an LMS says was done; None for not done. Raises KeyError for no known word."""
        key = folded(word)
        if key in self.outcomes:
            return self.outcomes[key]
        return outcome_of(word)


@lru_cache(maxsize=4096)
def state_of(word: str) -> AttendanceState | None:
    """The state that a booking system's word stands for; None where it says "not marked".

    Raises KeyError for a word that is not known, or that means opposite things elsewhere.
    """
    return _look_up(_STATE_OF, word)


@lru_cache(maxsize=4096)
def outcome_of(word: str) -> Status | None:
    """What an LMS's word says was done; None where nothing is done yet. Raises KeyError."""
    return _look_up(_OUTCOME_OF, word)


def _look_up(meanings: Mapping[str, Meaning], word: str) -> Meaning | None:
    key = folded(word)
    if key in _UNMARKED:
        return None
    for form in (key, _spelled(key)):
        if form in meanings:
            return meanings[form]
    # "Did not attend (DNA)" says one thing twice; "Attended (part)" does not.
    outside, bracket, inside = key.partition("(")
    if bracket:
        said = {meanings.get(_spelled(part), word) for part in (outside, inside.strip(") "))}
        if len(said) == 1 and word not in said:
            return meanings[_spelled(outside)]
    raise KeyError(word)


@lru_cache(maxsize=1024)
def yes_or_no(text: str) -> bool | None:
    """A tick, a Y, a TRUE; None where there is no mark. Raises KeyError for anything else."""
    key = folded(text)
    if key in _UNMARKED:
        return None
    if key in _YES:
        return True
    if key in _NO:
        return False
    raise KeyError(text)
