"""What happens to people and courses in a Moodle, and what becomes of it here, by every road."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pytest

from bridge.demo.moodle.tables import Course, User
from bridge.services import accounts, explain, ledger
from tests.services.lives import C1, CE, PER_USER, PLUGIN, REPORT, ROADS, Moodle, moodle_beside
from tests.support import RULES, World

KEPT = ({("suggested", False)}, {("verified", False)}, {("submitted", False)})
UNDONE = ({("withdrawn", False)}, {("verified", True)}, {("submitted", False)})


@pytest.fixture(params=ROADS)
def moodle(world: World, request: pytest.FixtureRequest) -> Iterator[Moodle]:
    with moodle_beside(world, request.param) as running:
        yield running
        (line,) = ledger.ledger(world.ctx)
        assert line.adds_up


@dataclass(frozen=True)
class Case:
    """What is done to u10, u11 and u12 in course C1, and what becomes of their three drafts.

    `why` is None where nothing is gone; `by` are the roads that it holds for.
    """

    name: str
    act: Callable[[Moodle, int], object]
    why: str | None
    undone: bool = False
    by: tuple[str, ...] = ROADS
    once: bool = False

    def __str__(self) -> str:
        return self.name


CASES = (
    Case("course reset", lambda m, n: m.site.reset_course(C1), "reversed", undone=True, once=True),
    Case(
        "unlock and delete",
        lambda m, n: m.site.unlock_and_delete(C1), "reversed", undone=True, once=True,
    ),
    Case("completion deleted", lambda m, n: m.site.uncomplete(n, C1), "reversed", undone=True),
    Case("unenrolled", lambda m, n: m.site.unenrol(n, C1), "left", by=(REPORT, PER_USER)),
    Case("unenrolled", lambda m, n: m.site.unenrol(n, C1), None, by=(PLUGIN,)),
    Case("enrolment suspended", lambda m, n: m.site.suspend_enrolment(n, C1), None,
         by=(REPORT, PLUGIN)),
    Case("enrolment suspended", lambda m, n: m.site.suspend_enrolment(n, C1), "left",
         by=(PER_USER,)),
    Case("account suspended", lambda m, n: m.site.suspend(n), None),
    Case("account deleted", lambda m, n: m.site.delete_user(n), "account deleted",
         by=(REPORT, PER_USER)),
    Case("account deleted", lambda m, n: m.site.delete_user(n), None, by=(PLUGIN,)),
    Case("course deleted", lambda m, n: m.site.delete_course(C1), "course deleted", once=True),
    Case("email changed", lambda m, n: m.site.change_user(n, email=f"n{n}@example.net"), None),
    Case("idnumber changed", lambda m, n: m.site.change_user(n, idnumber=f"T{n}"), None),
    Case("course renamed",
         lambda m, n: m.site.change_course(C1, fullname="Anew", shortname="new"), None, once=True),
)  # fmt: skip


def by_road(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Each case by each road that it holds for."""
    pairs = [pytest.param(road, case, id=f"{road}-{case}") for case in cases for road in case.by]
    return pytest.mark.parametrize(("moodle", "case"), pairs, indirect=["moodle"])


@by_road(CASES)
def test_each_act_ends_in_a_defined_state_and_keeps_human_work(moodle: Moodle, case: Case) -> None:
    for number in (10,) if case.once else (10, 11, 12):
        case.act(moodle, number)
    moodle.sweep()
    expected = UNDONE if case.undone else KEPT
    assert tuple(moodle.claims(n) for n in (10, 11, 12)) == expected
    why = {moodle.gone().get((str(n), str(C1))) for n in (10, 11, 12)}
    assert why == {case.why}
    # Another sweep changes nothing, and what nobody touched there is untouched here.
    before = moodle.world.dump(("pull_runs", "bookmarks", "leases"))
    moodle.sweep()
    assert moodle.world.dump(("pull_runs", "bookmarks", "leases")) == before
    assert moodle.claims(13, "Course CE") == {("suggested", False)}


@by_road(case for case in CASES if case.why and "deleted" not in case.why)
def test_what_comes_back_stands_as_before(moodle: Moodle, case: Case) -> None:
    saved = moodle.site.backup()
    for number in (10,) if case.once else (10, 11, 12):
        case.act(moodle, number)
    moodle.sweep()
    moodle.site.restore(saved)
    report = moodle.sweep()
    assert report.tally.returned >= 3
    assert tuple(moodle.claims(n) for n in (10, 11, 12)) == KEPT
    assert moodle.gone() == {}


@pytest.mark.parametrize(
    ("function", "why"),
    [
        # Each of them takes one way of finding out away.
        ({"core_completion_get_course_completion_status"}, {"account deleted"}),
        ({"core_completion_get_course_completion_status", "core_badges_get_user_badges",
          "core_enrol_get_users_courses"}, {"unshown"}),
    ],
)  # fmt: skip
def test_where_it_cannot_be_found_out_nothing_is_withdrawn(
    world: World, function: set[str], why: set[str]
) -> None:
    with moodle_beside(world, REPORT) as moodle:
        service = moodle.site.services["competency_bridge"]
        service.functions -= function
        moodle.site.delete_user(10)
        moodle.site.delete_user(11)
        moodle.sweep()
        assert set(moodle.gone().values()) == why
        assert (moodle.claims(10), moodle.claims(11)) == KEPT[:2]
        # Once Moodle may be asked, the next sweep says which it was.
        service.functions |= function
        moodle.sweep()
        assert set(moodle.gone().values()) == {"account deleted"}
        assert (moodle.claims(10), moodle.claims(11)) == KEPT[:2]


def test_enrolments_tell_a_reset_from_leaving_where_nothing_else_may_be_asked(
    world: World,
) -> None:
    with moodle_beside(world, REPORT) as moodle:
        moodle.site.services["competency_bridge"].functions -= {
            "core_completion_get_course_completion_status"
        }
        moodle.site.unenrol(10, C1)
        moodle.site.uncomplete(12, C1)
        moodle.sweep()
        assert moodle.gone() == {("10", str(C1)): "left", ("12", str(C1)): "reversed"}
        assert moodle.claims(10) == KEPT[0]


def test_few_calls_are_made_however_many_are_gone(world: World) -> None:
    with moodle_beside(world, REPORT) as moodle:
        for number in range(100, 160):
            moodle.done(moodle.user(number, known=False))
        moodle.pull(full=True)
        for number in range(100, 160):
            moodle.site.unenrol(number, C1)
        moodle.server.forget()
        moodle.sweep(believe=True)
        asked = moodle.server.calls("tool_mobile_call_external_functions")
        # Moodle stops a batch at each refusal, so each costs a call; and nobody is asked twice.
        assert asked <= 61
        assert set(moodle.gone().values()) == {"left"}


def test_taking_a_course_again_is_no_reversal_of_the_first_time(moodle: Moodle) -> None:
    for number in (10, 11, 12):
        moodle.site.uncomplete(number, C1)
        moodle.done(number, days=-1)
    moodle.sweep()
    assert tuple(moodle.claims(n) for n in (11, 12)) == tuple(
        k | {("suggested", False)} for k in KEPT[1:]
    )
    assert len(moodle.items(10)) == 2
    assert set(moodle.gone().values()) == {"taken again"}


def test_a_moodle_put_back_from_a_backup_reverses_nothing(moodle: Moodle) -> None:
    saved = moodle.site.backup()
    for number in (15, 16, 17):
        moodle.done(moodle.user(number), C1 if number < 17 else CE, days=1)
    moodle.sweep()
    assert moodle.claims(15) == {("suggested", False)}
    moodle.site.restore(saved)
    moodle.sweep()
    gone = moodle.gone()
    assert {key for key, _ in gone} == {"15", "16", "17"}
    # Accounts made since then are no more there; by their completions alone, it was a backup.
    assert set(gone.values()) <= {"account deleted", "restored"}
    assert moodle.claims(15) == {("suggested", False)}
    # Those that others did before the backup stand.
    assert moodle.claims(10) == KEPT[0]


def test_completions_that_a_backup_takes_away_from_people_who_stay_are_kept(
    moodle: Moodle,
) -> None:
    for number in (15, 16):
        moodle.site.enrol(moodle.user(number), C1)
        moodle.site.enrol(number, CE)
    moodle.sweep()
    saved = moodle.site.backup()
    for number, course in ((15, C1), (16, C1), (16, CE)):
        moodle.done(number, course, days=2)
    moodle.sweep()
    moodle.site.restore(saved)
    moodle.done(14, days=-2.5)
    moodle.sweep()
    assert set(moodle.gone().values()) == {"restored"}
    assert moodle.claims(15) == moodle.claims(16, "Course CE") == {("suggested", False)}


def test_a_number_that_is_given_anew_hands_nobody_anothers_log(moodle: Moodle) -> None:
    """The account of u15 is lost with a backup; whoever is added next gets its number."""
    saved = moodle.site.backup()
    moodle.done(moodle.user(15), days=1)
    moodle.sweep()
    moodle.site.restore(saved)
    newcomer = moodle.world.person("newcomer", staff_number="n1", manager=moodle.manager)
    moodle.site.add_user(User(15, "new", "Somebody", "Else", "newcomer@example.org", "N1"))
    moodle.done(15, CE, days=-1)
    moodle.sweep()
    mine = [i.evidence.title for i in moodle.world.items_of(moodle.people[15])]
    theirs = [i.evidence.title for i in moodle.world.items_of(newcomer)]
    assert (mine, theirs) == (["Course C1"], ["Course CE"])
    assert moodle.gone() == {("15", str(C1)): "given anew"}
    assert moodle.claims(15) == {("suggested", False)}
    (doubt,) = accounts.doubts(moodle.world.ctx).items
    assert (doubt.code, doubt.person) == ("another-holder", moodle.people[15])


def test_an_account_that_is_handed_to_somebody_else_keeps_what_was_before(moodle: Moodle) -> None:
    """The same completions, under other particulars: an administrator reused the account."""
    moodle.site.change_user(
        10, username="heir", firstname="Heir", lastname="Apparent", email="heir@example.org",
        idnumber="H1",
    )  # fmt: skip
    heir = moodle.world.person("heir", staff_number="h1", manager=moodle.manager)
    moodle.done(10, CE, days=-1)
    moodle.sweep()
    assert moodle.claims(10) == KEPT[0]
    assert [i.evidence.title for i in moodle.world.items_of(heir)] == ["Course CE"]
    moodle.sweep()
    assert [i.evidence.title for i in moodle.world.items_of(heir)] == ["Course CE"]


def test_an_account_of_nobody_that_is_handed_on_gives_its_past_to_nobody(moodle: Moodle) -> None:
    moodle.done(moodle.user(20, known=False))
    moodle.sweep()
    moodle.site.change_user(
        20, username="heir", firstname="Heir", lastname="Apparent", email="heir@example.org",
        idnumber="H1",
    )  # fmt: skip
    heir = moodle.world.person("heir", staff_number="h1", manager=moodle.manager)
    moodle.done(20, CE, days=-1)
    moodle.sweep()
    assert [i.evidence.title for i in moodle.world.items_of(heir)] == ["Course CE"]


def test_new_particulars_that_are_known_of_somebody_else_are_flagged_and_change_nothing(
    moodle: Moodle,
) -> None:
    """One thing stayed (the address), so that it is the same account; a person decides."""
    other = moodle.world.person("other", staff_number="o1", manager=moodle.manager)
    moodle.site.change_user(10, idnumber="O1")
    moodle.sweep()
    assert moodle.claims(10) == KEPT[0]
    assert moodle.world.items_of(other) == []
    (doubt,) = accounts.doubts(moodle.world.ctx).items
    assert (doubt.code, doubt.person) == ("points-elsewhere", moodle.people[10])


def test_a_deleted_account_keeps_its_particulars_and_is_matched_by_no_rule(
    moodle: Moodle,
) -> None:
    moodle.done(moodle.user(20, known=False))
    moodle.sweep()
    moodle.site.delete_user(20)
    moodle.sweep()
    row = moodle.world.rows(
        "SELECT staff_number, gone_because, gone_at IS NOT NULL FROM accounts WHERE value = '20'"
    )
    assert [(a, b, bool(c)) for a, b, c in row] == [("S20", "account deleted", True)]
    with moodle.world.store.reading() as uow:
        assert "20" not in {account.facts.value for _, account in uow.intake.unlinked()}


def test_a_suspended_account_says_since_when(moodle: Moodle) -> None:
    moodle.site.suspend(10)
    moodle.sweep()
    if moodle.road == PER_USER:
        # Its enrolled users come without that word.
        return
    since = moodle.world.scalar("SELECT suspended_at FROM accounts WHERE value = '10'")
    assert since is not None
    moodle.site.suspend(10, suspended=False)
    moodle.sweep()
    assert moodle.world.scalar("SELECT suspended_at FROM accounts WHERE value = '10'") is None


def test_users_that_are_merged_in_moodle_double_nothing(moodle: Moodle) -> None:
    moodle.user(30)
    moodle.site.merge_users(10, 30)
    moodle.sweep()
    assert moodle.claims(10) == KEPT[0]
    assert moodle.claims(30) == {("suggested", False)}
    assert moodle.gone() == {("10", str(C1)): "left"}


def test_another_idnumber_of_a_course_decides_its_mapping_again(moodle: Moodle) -> None:
    """Drafts that nobody touched follow it; others stay, no longer suggested (R5)."""
    moodle.site.change_course(C1, idnumber="CE")
    moodle.sweep()
    followed = moodle.world.items_of(moodle.people[10])
    assert {c.ref.code for i in followed for c in i.claims if c.suggested} == {"1"}
    assert moodle.claims(11) >= {("verified", False)}
    assert moodle.claims(12) >= {("submitted", False)}
    verified = moodle.world.items_of(moodle.people[11])
    one = [c for i in verified for c in i.claims if c.ref.code == "2"]
    assert [(c.state.value, c.suggested) for c in one] == [("verified", False)]


def test_a_course_number_that_is_given_anew_is_another_activity(moodle: Moodle) -> None:
    saved = moodle.site.backup()
    moodle.site.add_course(Course(9, "lost", "Fire drill", 1, "C1"))
    moodle.done(13, 9, days=1)
    moodle.sweep()
    moodle.site.restore(saved)
    moodle.site.add_course(Course(9, "other", "Safer recruitment", 1, "CE"))
    moodle.done(14, 9, days=-1)
    moodle.sweep()
    names = moodle.world.rows(
        "SELECT value, idnumber, gone_because FROM activity_aliases WHERE value LIKE '9%'"
        " ORDER BY id"
    )
    assert names == [("9~1", "C1", "given anew"), ("9", "CE", "")]
    assert moodle.claims(14, "Safer recruitment") == {("suggested", False)}
    assert moodle.claims(13, "Fire drill") == {("suggested", False)}


def test_explain_says_since_when_and_why(world: World) -> None:
    with moodle_beside(world, REPORT) as moodle:
        moodle.site.unenrol(10, C1)
        moodle.sweep()
        evidence_id = moodle.item(10).evidence.id
        told = explain.evidence(world.ctx, evidence_id, {"moodle": RULES}).as_json()
        assert "No longer in moodle since 16 June 2026: they have left the course" in str(told)


def test_by_the_plugin_a_deleted_account_says_so_while_its_records_stand(world: World) -> None:
    with moodle_beside(world, PLUGIN) as moodle:
        moodle.site.delete_user(10)
        moodle.sweep()
        rows = world.rows("SELECT staff_number, gone_because FROM accounts WHERE value = '10'")
        assert rows == [("S10", "account deleted")]
        assert moodle.gone() == {}
        assert moodle.claims(10) == KEPT[0]


def test_by_the_plugin_a_course_taken_again_is_known_at_once(world: World) -> None:
    with moodle_beside(world, PLUGIN) as moodle:
        moodle.site.uncomplete(10, C1)
        moodle.done(10, days=-0.5)
        world.clock.advance(days=1)
        moodle.pull()
        assert set(moodle.gone().values()) == {"taken again"}
        assert len(moodle.items(10)) == 2


def test_a_sudden_emptiness_is_still_not_believed_and_asks_nothing(world: World) -> None:
    with moodle_beside(world, REPORT) as moodle:
        for number in range(100, 120):
            moodle.done(moodle.user(number, known=False))
        moodle.pull(full=True)
        for number in (10, 11, 12, 13, *range(100, 120)):
            moodle.site.unenrol(number, C1)
        moodle.server.forget()
        report = moodle.sweep()
        assert "suddenly missing" in report.note
        assert moodle.gone() == {}
        assert moodle.server.calls("core_completion_get_course_completion_status") == 0
