"""Badges at their edges: what Moodle refuses, loses or cannot do reaches a person in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.demo.moodle import Fault, StandInMoodle
from bridge.domain.errors import BadAnswer, NeedsAdministrator, TryLater
from bridge.domain.ports import DeliveryStatus, Holding, Placement
from tests.connectors.moodle.conftest import Peer, Script

DONE, LATER, NEEDS_YOU = DeliveryStatus.DONE, DeliveryStatus.LATER, DeliveryStatus.NEEDS_YOU
ADD, DELETE = "core_cohort_add_cohort_members", "core_cohort_delete_cohort_members"
GRADE = "core_competency_grade_competency"
RATING = "tool_lp_data_for_user_competency_summary"
USER_BADGES = "core_badges_get_user_badges"
RETRIEVE = "core_reportbuilder_retrieve_report"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def placements(road: dict[str, str], users: range) -> list[Placement]:
    return [Placement(1000 + user, str(user), road) for user in users]


def holders(moodle: StandInMoodle, badge: str) -> list[int]:
    (number,) = (one.id for one in moodle.site.badges.values() if one.name == badge)
    return sorted(one.userid for one in moodle.site.issued if one.badgeid == number)


def test_a_whole_cohort_joins_in_one_call_and_is_seen_in_one(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    wanted = placements(stand_in.cohort, range(30, 130))
    target = stand_in.target()
    told = target.award(wanted)
    assert {one.status for one in told} == {DONE}
    assert [one.key for one in told] == [one.key for one in wanted]
    assert moodle.calls(ADD) == 1
    moodle.forget()
    assert {one.holding for one in target.observe(wanted)} == {Holding.HELD}
    assert moodle.calls() == 1


def test_one_unknown_person_does_not_keep_the_others_out(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.site.delete_user(31)
    told = stand_in.target().award(placements(stand_in.cohort, range(30, 33)))
    assert [one.status for one in told] == [DONE, NEEDS_YOU, DONE]
    assert "deleted" in told[1].message
    assert holders(moodle, "LLR Core 2026") == [30, 32]


@pytest.mark.parametrize(
    ("changes", "account", "words"),
    [
        ({"via": "carrier pigeon"}, "30", "carrier pigeon"),
        ({"cohort": ""}, "30", "'cohort'"),
        ({}, "amara@example.org", "is not a user id"),
    ],
)
def test_an_entry_or_account_that_cannot_work_needs_a_person(
    stand_in: Peer, changes: dict[str, str], account: str, words: str
) -> None:
    wrong = Placement(1, account, stand_in.cohort | changes)
    right = Placement(2, "30", stand_in.cohort)
    target = stand_in.target()
    first, second = target.award([wrong, right])
    assert (first.key, first.status, second.status) == (1, NEEDS_YOU, DONE)
    assert words in first.message
    (withdrawn,) = target.withdraw([wrong])
    assert withdrawn.status is NEEDS_YOU


def test_a_badge_taken_away_by_hand_comes_back_when_it_is_still_wanted(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    target, wanted = stand_in.target(), placements(stand_in.cohort, range(30, 31))
    target.award(wanted)
    moodle.site.issued.clear()
    assert target.observe(wanted)[0].holding is Holding.ABSENT
    assert target.award(wanted)[0].status is DONE
    assert holders(moodle, "LLR Core 2026") == [30]


def test_an_answer_that_got_lost_doubles_nothing(stand_in: Peer, moodle: StandInMoodle) -> None:
    for road, function in ((stand_in.cohort, ADD), (stand_in.competency, GRADE)):
        target, wanted = stand_in.target(), placements(road, range(30, 31))
        moodle.faults.add(Fault.LOST_REPLY, function=function, times=1)
        first = target.award(wanted)
        assert target.award(wanted)[0].status is DONE
        assert first[0].status in (DONE, LATER)
    assert moodle.calls(GRADE) == 1
    assert len(moodle.site.issued) == 2


def test_a_missing_capability_is_named_for_each_road(stand_in: Peer, moodle: StandInMoodle) -> None:
    target, service_user = stand_in.target(), moodle.site.user("svc-bridge")
    service_user.capabilities -= {"moodle/cohort:assign", "moodle/competency:competencygrade"}
    with pytest.raises(NeedsAdministrator, match="moodle/cohort:assign"):
        target.award(placements(stand_in.cohort, range(30, 31)))
    (told,) = target.award(placements(stand_in.competency, range(30, 31)))
    assert told.status is NEEDS_YOU
    assert "moodle/competency:competencygrade" in told.message


def test_a_rating_carries_a_note_that_leads_back(stand_in: Peer, moodle: StandInMoodle) -> None:
    stand_in.target().award(placements(stand_in.competency, range(30, 31)))
    (standing,) = moodle.site.user_competencies.values()
    (rating,) = standing.ratings
    assert rating.grade == 2
    assert rating.note is not None
    assert "https://bridge.example/evidence/7" in rating.note
    assert "second person" in rating.note


def test_a_deleted_account_is_never_rated(stand_in: Peer, moodle: StandInMoodle) -> None:
    moodle.site.delete_user(30)
    (told,) = stand_in.target().award(placements(stand_in.competency, range(30, 31)))
    assert told.status is NEEDS_YOU
    assert "deleted" in told.message
    assert moodle.calls(GRADE) == 0


def test_withdrawing_what_was_never_issued_is_simply_done(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    for road in (stand_in.cohort, stand_in.competency):
        (told,) = stand_in.target().withdraw(placements(road, range(30, 31)))
        assert told.status is DONE


def test_withdrawing_from_a_deleted_account_is_done(stand_in: Peer, moodle: StandInMoodle) -> None:
    target, wanted = stand_in.target(), placements(stand_in.cohort, range(30, 31))
    target.award(wanted)
    moodle.site.delete_user(30)
    (told,) = target.withdraw(wanted)
    assert told.status is DONE


def test_after_withdrawing_nothing_awards_again(stand_in: Peer, moodle: StandInMoodle) -> None:
    for road in (stand_in.cohort, stand_in.competency):
        target, wanted = stand_in.target(), placements(road, range(30, 31))
        target.award(wanted)
        (told,) = target.withdraw(wanted)
        assert "Manual issue by role" in told.message
        ratings = moodle.calls(GRADE)
        target.withdraw(wanted)
        assert moodle.calls(GRADE) == ratings
    assert not any(cohort.members for cohort in moodle.site.cohorts.values())
    assert not any(one.proficient for one in moodle.site.user_competencies.values())


def test_without_the_summary_a_withdrawal_still_lowers_the_rating(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.site.services["competency_bridge"].functions.remove(RATING)
    target, wanted = stand_in.target(), placements(stand_in.competency, range(30, 31))
    target.award(wanted)
    target.withdraw(wanted)
    assert not any(one.proficient for one in moodle.site.user_competencies.values())


# Reading back


def test_an_expired_badge_is_still_held_and_marked(stand_in: Peer, moodle: StandInMoodle) -> None:
    target, wanted = stand_in.target(badges_report=None), placements(stand_in.cohort, range(30, 31))
    target.award(wanted)
    assert target.observe(wanted)[0].extra["expired"] == "no"
    (issued,) = moodle.site.issued
    issued.dateexpire = int((NOW - timedelta(days=1)).timestamp())
    (seen,) = target.observe(wanted)
    assert seen.holding is Holding.HELD
    assert seen.extra["expired"] == "yes"


def test_a_badge_may_be_named_by_its_id_by_either_way_of_looking(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    (number,) = (one.id for one in moodle.site.badges.values() if one.name == "LLR Core 2026")
    wanted = placements(stand_in.cohort | {"badge": str(number)}, range(30, 31))
    stand_in.target().award(wanted)
    for report in (None, 2, "Bridge issued badges"):
        (seen,) = stand_in.target(badges_report=report).observe(wanted)
        assert seen.holding is Holding.HELD


def test_an_empty_or_filtered_report_proves_no_absence(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    target, wanted = stand_in.target(), placements(stand_in.cohort, range(30, 31))
    target.award(wanted)
    moodle.faults.add(Fault.EMPTY_ANSWER, function=RETRIEVE)
    assert target.observe(wanted)[0].holding is Holding.HELD
    moodle.faults.clear()
    moodle.site.reports[2].conditions["badge_issued:issued_operator"] = 2
    assert target.observe(wanted)[0].holding is Holding.HELD
    moodle.site.reports[2].conditions.clear()
    moodle.site.reports[2].columns.remove("user:fullnamewithlink")
    assert target.observe(wanted)[0].holding is Holding.HELD
    assert moodle.calls(USER_BADGES) == 3


def test_a_badges_report_that_nobody_made_is_done_without(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    target = stand_in.target(badges_report="No such report")
    wanted = placements(stand_in.cohort, range(30, 31))
    target.award(wanted)
    assert target.observe(wanted)[0].holding is Holding.HELD
    moodle.site.reports[2].audience.clear()
    with pytest.raises(NeedsAdministrator, match="tab Audience"):
        stand_in.target(badges_report=2).observe(wanted)


def test_a_badges_report_of_many_pages_is_read_to_its_end(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    wanted = placements(stand_in.cohort, range(30, 60))
    stand_in.target().award(wanted)
    target = stand_in.target(page_size=7)
    assert {one.holding for one in target.observe(wanted)} == {Holding.HELD}
    assert moodle.calls(USER_BADGES) == 0


def test_a_short_badges_report_is_not_believed(script: Script, stand_in: Peer, page: Any) -> None:
    told = page([], 5, ["Full name with link", "Name"])
    told["details"]["conditiondata"] = None
    script.says(RETRIEVE, told)
    target = stand_in.target(url=script.settings().url, badges_report=2)
    with pytest.raises(BadAnswer, match="says it has 5 rows and gave 0"):
        target.observe(placements(stand_in.cohort, range(30, 31)))


def test_what_cannot_be_told_is_left_out(stand_in: Peer, moodle: StandInMoodle) -> None:
    target = stand_in.target(badges_report=None)
    moodle.site.delete_user(30)
    unnamed = Placement(3, "31", {"via": "cohort", "cohort": "LLR-CORE-2026"})
    stranger = Placement(4, "amara@example.org", stand_in.cohort)
    wanted = [*placements(stand_in.cohort, range(30, 32)), unnamed, stranger]
    assert [one.key for one in target.observe(wanted)] == [1031]
    assert target.observe([unnamed]) == []


def test_trouble_while_looking_says_nothing_about_anybody(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    target = stand_in.target(badges_report=None)
    wanted = placements(stand_in.cohort, range(30, 33))
    moodle.faults.add(Fault.MAINTENANCE)
    with pytest.raises(TryLater):
        target.observe(wanted)
    moodle.faults.clear()
    moodle.site.user("svc-bridge").capabilities.discard("moodle/badges:viewotherbadges")
    with pytest.raises(NeedsAdministrator, match="moodle/badges:viewotherbadges"):
        target.observe(wanted)
