"""Statements become drafts, are taken back in any order, and are whose their identifiers say."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from bridge.domain.counting import CountsWhen
from bridge.domain.errors import BadAnswer, NotAllowed, NotFound
from bridge.domain.mapping import Matcher
from bridge.domain.records import AccountFacts, Disposition, Status
from bridge.domain.xapi.reading import ReadingRules
from bridge.services import activities, explain, explain_statement, ledger, people
from tests.services.booked import drafts
from tests.services.told import COURSE, COURSE_RULE, LMS, UNCOMPLETED, Lrs, said, voiding
from tests.support import NOW, Completion, World


def _counts(world: World) -> dict[str, int]:
    world.check_what_is_kept_up()
    (line,) = [each for each in ledger.ledger(world.ctx) if each.source == "lrs"]
    assert line.adds_up
    return {str(d): n for d, n in line.counts.items() if n}


# --- what becomes of them --------------------------------------------------------------------
def test_every_statement_has_one_disposition_and_they_add_up(world: World) -> None:
    lrs = Lrs(world)
    world.person("u1")
    report = lrs.pull(
        [
            said(),
            said("nobody@example.org"),
            said(about="https://elsewhere.example/1"),
            said(verb="http://activitystrea.ms/schema/1.0/start"),
            said("u3@example.org", "failed"),
            {**said(), "actor": {}},
        ],
        [said(object={"objectType": "Agent", "mbox": "mailto:a@b.org"})],
    )
    assert report.tally.drafts == 1
    assert _counts(world) == {
        "evidence": 1, "unmatched": 1, "unmapped": 1, "not counting": 3, "quarantined": 1,
    }  # fmt: skip
    told = {why for _, _, why, _ in ledger.reasons(world.ctx)}
    assert "It does not say that anything was done." in told
    assert "It is about a person, not about learning." in told


def test_the_same_page_again_writes_nothing(world: World) -> None:
    lrs = Lrs(world)
    world.person("u1")
    page = [said(), said(verb="answered"), said("u2@example.org", UNCOMPLETED)]
    lrs.pull(page)
    before = world.dump(without=("pull_runs", "bookmarks", "leases"))
    assert lrs.pull(page, page).tally.wrote_nothing
    assert world.dump(without=("pull_runs", "bookmarks", "leases")) == before


def test_a_group_gives_each_of_its_members_a_draft(world: World) -> None:
    lrs = Lrs(world)
    one, two = world.person("u1"), world.person("u2")
    members = [{"mbox": f"mailto:u{n}@example.org"} for n in (2, 1)]
    told = said({"objectType": "Group", "name": "Team", "member": members})
    lrs.pull(told)
    assert len(drafts(world, one)) == len(drafts(world, two)) == 1
    # Told again with its members in another order, it is the same.
    told["actor"]["member"].reverse()
    lrs.pull(told)
    assert _counts(world) == {"evidence": 2}
    lrs.pull(voiding(told))
    assert drafts(world, one) == drafts(world, two) == []


def test_attending_counts_only_where_a_rule_names_it(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    lrs.pull(said(verb="attended", result={"duration": "PT5H30M"}))
    assert drafts(world, learner) == []
    asked = CountsWhen(frozenset({Status.ATTENDED}), min_minutes=300)
    world.publish([replace(COURSE_RULE, counts_when=asked)], "told")
    assert len(drafts(world, learner)) == 1


# --- voiding ------------------------------------------------------------------------------------
@pytest.mark.parametrize("order", ["after", "before", "together", "together, first"])
def test_a_voided_statement_drafts_nothing_in_whichever_order_it_comes(
    world: World, order: str
) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    told = said()
    void = voiding(told)
    pages = {
        "after": [[told], [void]],
        "before": [[void], [told]],
        "together": [[told, void]],
        "together, first": [[void, told]],
    }[order]
    lrs.pull(*pages)
    assert drafts(world, learner) == []
    assert lrs.reasons() == ["voided"]
    assert _counts(world) == {"not counting": 2}
    if order != "after":
        assert world.scalar("SELECT COUNT(*) FROM evidence") == 0
    # Told again under a new id, it counts: that is how a voiding is undone.
    lrs.pull({**told, "id": said()["id"]})
    assert len(drafts(world, learner)) == 1


def test_what_a_person_worked_on_is_put_in_doubt_and_not_taken(world: World) -> None:
    lrs = Lrs(world)
    manager = world.person("manager")
    learner = world.person("u1", manager=manager)
    told = said()
    lrs.pull(told)
    (item,) = drafts(world, learner)
    world.submit(learner, item.evidence.id, manager)
    world.verify(manager, item.evidence.id, 1)
    lrs.pull(voiding(told))
    assert world.states(item.evidence.id) == {"1": "verified", "2": "submitted"}
    contested = "SELECT COUNT(*) FROM claims WHERE contested_at IS NOT NULL"
    assert world.scalar(contested) > 0
    (record,) = world.rows("SELECT id FROM learning_records")
    words = "\n".join(explain.record(world.ctx, record[0], {"lrs": lrs.identity}).lines)
    assert "A later statement took this back." in words


def test_a_voiding_is_never_voided(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    told = said()
    void = voiding(told)
    lrs.pull([told, void], [voiding(void)])
    assert drafts(world, learner) == []


# --- what a later result takes back --------------------------------------------------------------
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_completion_that_is_taken_back_counts_no_more_whatever_the_order(
    world: World, order: tuple[int, ...]
) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    story = [said(day=-30), said(verb=UNCOMPLETED, day=-20), said(verb="completed", day=-2)]
    lrs.pull(*([story[n]] for n in order))
    (item,) = drafts(world, learner)
    assert item.evidence.occurred_at == NOW - timedelta(days=2)
    assert sorted(lrs.reasons()) == ["counts", "voided"]
    assert _counts(world) == {"evidence": 1, "not counting": 2}


def test_a_failure_takes_back_a_pass_of_the_same_activity_and_account_alone(world: World) -> None:
    lrs = Lrs(world)
    learner, other = world.person("u1"), world.person("u2")
    lrs.pull(
        [said(verb="passed", day=-30), said("u2@example.org", "passed", day=-30)],
        [said(verb="failed", day=-25), said(verb="failed", day=-25, about=f"{COURSE}0")],
    )
    assert drafts(world, learner) == []
    assert len(drafts(world, other)) == 1


@pytest.mark.parametrize("order", list(permutations(range(2))))
@pytest.mark.parametrize(("verb", "stands"), [(UNCOMPLETED, True), ("failed", False)])
def test_of_one_moment_a_failure_takes_back_and_an_uncompleted_does_not(
    world: World, verb: str, stands: bool, order: tuple[int, ...]
) -> None:
    # When a page is looked at, Moodle says "uncompleted" and, in the same second, "completed".
    lrs = Lrs(world)
    learner = world.person("u1")
    story = [said(verb=verb), said(verb="completed")]
    lrs.pull(*([story[n]] for n in order))
    assert bool(drafts(world, learner)) is stands


def test_what_lies_long_before_is_not_taken_back(world: World) -> None:
    # Moodle resets a course each year so that it can be done again; last year's stays true.
    lrs = Lrs(world)
    learner = world.person("u1")
    lrs.pull([said(day=-200), said(verb=UNCOMPLETED, day=-10)])
    assert len(drafts(world, learner)) == 1
    lrs.source.rules = ReadingRules(takes_back_days=365)
    lrs.pull(said(verb=UNCOMPLETED, day=-9))
    assert drafts(world, learner) == []


def test_an_uncompleted_that_is_voided_gives_back_what_it_took(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    back = said(verb=UNCOMPLETED, day=-5)
    lrs.pull([said(day=-10)], [back])
    assert drafts(world, learner) == []
    lrs.pull(voiding(back))
    assert len(drafts(world, learner)) == 1
    # And the other way round: its voiding came first.
    again = said(verb=UNCOMPLETED, day=-4)
    lrs.pull([voiding(again)], [again])
    assert len(drafts(world, learner)) == 1


# --- who is meant --------------------------------------------------------------------------------
def _sha1(address: str) -> str:
    return hashlib.sha1(f"mailto:{address}".encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    "actor",
    [
        {"mbox": "mailto:U1@Example.org"},
        {"mbox_sha1sum": _sha1("u1@example.org").upper()},
        {"account": {"homePage": "https://HR.example.org/", "name": " s-77 "}},
        {"account": {"homePage": "https://sso.example.org", "name": "u1@example.org"}},
        {"account": {"homePage": LMS, "name": "42"}},
        {"account": {"homePage": f"{LMS}/", "name": "Ana.C"}},
    ],
)
def test_each_identifier_finds_whose_it_is(world: World, actor: dict[str, object]) -> None:
    lrs = Lrs(world)
    learner = world.person("u1", staff_number="s-77")
    lrs.source.rules = ReadingRules(
        homes={"https://hr.example.org": "staff-number", "https://sso.example.org": "email"}
    )
    _account_of(world, learner, "42", "ana.c")
    lrs.pull(said(actor))
    assert len(drafts(world, learner)) == 1


@pytest.mark.parametrize(
    "actor",
    [
        {"openid": "https://ana.example.org/"},
        {"account": {"homePage": "https://other.example.org", "name": "42"}},
        {"account": {"homePage": LMS, "name": "43"}},
        {"mbox_sha1sum": _sha1("u2@example.org")},
        {"name": "u1", "mbox": "mailto:somebody.else@example.org"},
    ],
)
def test_nobody_is_guessed(world: World, actor: dict[str, object]) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    _account_of(world, learner, "42", "ana.c")
    lrs.pull(said(actor))
    assert _counts(world) == {"unmatched": 1}


def test_an_id_that_is_also_somebody_elses_user_name_is_nobodys(world: World) -> None:
    lrs = Lrs(world)
    _account_of(world, world.person("u1"), "42", "ana.c")
    _account_of(world, world.person("u2"), "7", "42")
    lrs.pull(said({"account": {"homePage": LMS, "name": "42"}}))
    assert _counts(world) == {"unmatched": 1}


def test_without_the_rule_an_account_of_an_lms_is_nobodys(world: World) -> None:
    lrs = Lrs(world, identity=())
    _account_of(world, world.person("u1"), "42", "ana.c")
    lrs.pull(said({"account": {"homePage": LMS, "name": "42"}}))
    assert _counts(world) == {"unmatched": 1}


def test_an_account_of_an_lms_is_found_once_the_lms_knows_whose_it_is(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    lrs.pull(said({"account": {"homePage": LMS, "name": "42"}}))
    assert _counts(world) == {"unmatched": 1}
    _account_of(world, learner, "42", "ana.c")
    lrs.pull()
    assert len(drafts(world, learner)) == 1
    with world.store.reading() as uow:
        assert uow.intake.unmatched() == []


def _account_of(world: World, person: int, number: str, username: str) -> None:
    """An account of the Moodle, joined to somebody by hand."""
    with world.store.begin() as uow:
        source = uow.ops.source("moodle", "moodle", "trusted")
        (account,) = uow.intake.add_accounts(
            source.id, [AccountFacts("moodle-user", number, username=username)], NOW
        )
    people.link(world.ctx, account.id, person, "They said so.")


# --- one activity --------------------------------------------------------------------------------
def test_one_course_completed_in_moodle_and_told_by_statement_is_one_draft(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    world.pull(Completion(course="7", when=NOW - timedelta(days=9)))
    _is_course(world, "id-7", "7")
    world.publish(
        [replace(COURSE_RULE, matchers=(Matcher(activity=COURSE), Matcher(idnumber="7")))], "told"
    )
    lrs.pull(said(day=-10))
    (item,) = drafts(world, learner)
    with world.store.reading() as uow:
        behind = uow.intake.records_of_evidence([item.evidence.id])
    assert {r.source_key for r in behind} == {"moodle", "lrs"}
    # Whoever knows better parts them, and no pull joins them again.
    (joined,) = activities.activities(world.ctx, joined=True).items
    (join,) = activities.activity(world.ctx, joined.id).joins
    assert COURSE in join.reason
    activities.part(world.ctx, join.id)
    lrs.pull()
    assert len(drafts(world, learner)) == 2


def _is_course(world: World, value: str, number: str) -> None:
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE activity_aliases SET value = '{number}', kind = 'moodle-course'"
            f" WHERE value = '{value}'"
        )


@pytest.mark.parametrize("pages", [1, 2])
def test_what_is_left_out_this_time_was_said_before(world: World, pages: int) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    world.publish([replace(COURSE_RULE, matchers=(Matcher(idnumber="C1"),))], "told")
    external = "https://w3id.org/learning-analytics/learning-management-system/external-id"
    full = said(about="https://x.example/1")
    full["object"]["definition"]["extensions"] = {external: "C1"}
    bare = said(about="https://x.example/1", day=-200)
    del bare["object"]["definition"]
    for page in ([full, bare],) if pages == 1 else ([full], [bare]):
        lrs.pull(page)
    assert [i.evidence.title for i in drafts(world, learner)] == ["Course 7", "Course 7"]


# --- whom to trust -------------------------------------------------------------------------------
def test_what_learners_can_write_drafts_only_where_a_rule_says_so(world: World) -> None:
    lrs = Lrs(world, trust="untrusted")
    learner = world.person("u1")
    lrs.pull(said())
    assert drafts(world, learner) == []
    assert lrs.reasons() == ["untrusted"]
    world.publish([replace(COURSE_RULE, untrusted=True)], "told")
    assert len(drafts(world, learner)) == 1
    world.publish([COURSE_RULE], "told")
    assert drafts(world, learner) == []
    lrs.trust = "trusted"
    lrs.pull()
    assert len(drafts(world, learner)) == 1


# --- quarantine ----------------------------------------------------------------------------------
def test_what_was_held_back_is_read_again(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    told = said()
    lrs.pull({**told, "timestamp": "yesterday"}, voiding(said(verb="passed")))
    assert _counts(world)["quarantined"] == 1
    lrs.pull(told)
    assert len(drafts(world, learner)) == 1
    assert Disposition.QUARANTINED.value not in _counts(world)


def test_what_was_held_back_is_taken_back_all_the_same(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    told = said()
    lrs.pull({**told, "timestamp": "yesterday"}, voiding(told))
    lrs.pull(told)
    assert drafts(world, learner) == []
    assert lrs.reasons() == ["voided"]


def test_a_pull_that_breaks_off_keeps_its_pages_and_not_its_place(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    place = "SELECT position FROM bookmarks"
    lrs.source.breaks_after = 1
    with pytest.raises(BadAnswer):
        lrs.pull([said()], [said("u2@example.org")])
    assert len(drafts(world, learner)) == 1
    assert world.rows(place) == []
    lrs.source.breaks_after = None
    lrs.pull(*lrs.source.pages)
    assert len(world.rows(place)) == 1


def test_a_verb_that_is_known_since_is_found_in_what_was_pulled_before(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    told = said(verb="urn:finished")
    lrs.pull(told)
    assert drafts(world, learner) == []
    lrs.source.rules = ReadingRules(verbs={"urn:finished": Status.COMPLETED})
    lrs.pull(told)
    assert len(drafts(world, learner)) == 1
    assert _counts(world) == {"evidence": 1}
    assert world.scalar("SELECT COUNT(*) FROM received_versions") == 0
    assert lrs.pull(told).tally.wrote_nothing


def test_a_statement_without_id_that_an_lrs_doubled_is_one_draft(world: World) -> None:
    lrs = Lrs(world)
    learner = world.person("u1")
    told = said()
    # Moodle's logstore sends no ids; when it sends again, an LRS gives each a new one.
    lrs.pull([told, {**told, "id": said()["id"]}])
    assert len(drafts(world, learner)) == 1
    assert _counts(world) == {"evidence": 2}
    lrs.pull(voiding(told))
    assert len(drafts(world, learner)) == 1


def test_why_a_statement_became_what_it_is_is_told(world: World) -> None:
    lrs = Lrs(world)
    world.person("u1")
    authority = {"account": {"homePage": "https://lrs.example.org", "name": "moodle"}}
    told, odd = said(authority=authority), {**said(), "timestamp": "yesterday"}
    void = voiding(told)
    lrs.pull([told, odd, void])

    def words(statement: dict[str, object]) -> str:
        key = str(statement["id"]).upper()
        found = explain_statement.statement(world.ctx, key, {"lrs": lrs.identity})
        return str(found.as_json())

    assert "On the authority of account:https://lrs.example.org|moodle." in words(told)
    assert f"Taken back by the statement {void['id']}." in words(told)
    assert "Received from lrs" in words(told)
    assert "In quarantine: It is no valid statement: /timestamp" in words(odd)
    assert "It takes another statement back." in words(void)
    with pytest.raises(NotFound):
        words(said())
    with pytest.raises(NotAllowed):
        explain_statement.statement(world.as_(world.person("u9")), str(told["id"]), {})
