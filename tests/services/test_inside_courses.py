"""Quizzes and other activities inside courses become drafts of their own, or none, as mapped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bridge.demo.moodle import Site, StandInMoodle
from bridge.domain.mapping import CountsWhen, Matcher, Rule
from bridge.services import ledger
from bridge.services import pull as pulling
from bridge.services.pull import PullReport, Trusted
from tests.connectors.moodle.smallsite import COURSES, PAGE, QUIZ, small_site, source_of
from tests.support import MAPPING, NOW, RULES, World, ref, rule


@dataclass
class Inside:
    """A learner, and a Moodle with a course in which there is a quiz."""

    world: World
    moodle: StandInMoodle
    learner: int

    @property
    def site(self) -> Site:
        return self.moodle.site

    def pull(self, *, full: bool = True, **settings: object) -> PullReport:
        source = source_of(self.moodle, self.world.clock, activities=("quiz",), **settings)
        trusted = Trusted(source, "moodle", identity=RULES)
        return pulling.pull(self.world.ctx, trusted, full=full, believe=True)

    def drafts(self) -> dict[str, set[str]]:
        """Titles of drafts with what is suggested for each."""
        return {
            item.evidence.title: {c.ref.code for c in item.claims if c.suggested}
            for item in self.world.items_of(self.learner)
            if any(c.suggested for c in item.claims)
        }

    def took(self, grade: float, days: float = 2) -> None:
        """An attempt at the quiz, which asks for 0.8 to pass, by somebody in the course."""
        self.site.enrol(11, COURSES[0])
        self.site.complete_activity(
            11, QUIZ, self.world.clock.now() - timedelta(days=days),
            state=2 if grade >= 0.8 else 3, grade=grade,
        )  # fmt: skip


@pytest.fixture
def inside(world: World) -> Iterator[Inside]:
    learner = world.person("u11", email="u11@example.org")
    with StandInMoodle(small_site(world.clock.now)) as running:
        yield Inside(world, running, learner)


def quiz_rule(*codes: int, **more: object) -> Rule:
    return Rule(
        mapping="training",
        key="quiz",
        title="The quiz",
        matchers=(Matcher(idnumber="C1", module="Final*"),),
        suggests=tuple(ref(code) for code in codes),
        learning_activity="e-learning",
        **more,  # type: ignore[arg-type]
    )


def test_a_quiz_that_no_rule_names_is_a_part_of_its_course(inside: Inside) -> None:
    inside.site.complete(11, COURSES[0], NOW - timedelta(days=2))
    inside.took(0.9)
    inside.site.complete_activity(11, PAGE, NOW - timedelta(days=2))
    inside.pull()
    assert inside.drafts() == {"Course 1": {"1", "2"}}
    (line,) = ledger.ledger(inside.world.ctx)
    assert line.adds_up
    assert dict(line.counts) == {
        "quarantined": 0, "unmapped": 0, "not counting": 1, "unmatched": 0, "evidence": 1
    }  # fmt: skip
    # A rule that is published later takes it up.
    inside.world.publish([*MAPPING, quiz_rule(3)])
    assert inside.drafts() == {"Course 1": {"1", "2"}, "Course 1: Final quiz": {"3"}}


def test_mapped_apart_a_course_and_its_quiz_stay_apart(inside: Inside) -> None:
    inside.world.publish([*MAPPING, quiz_rule(3)])
    inside.site.complete(11, COURSES[0], NOW - timedelta(days=2))
    inside.took(0.9)
    inside.pull()
    assert inside.drafts() == {"Course 1": {"1", "2"}, "Course 1: Final quiz": {"3"}}


def test_mapped_to_one_activity_they_are_one_draft(inside: Inside) -> None:
    both = Rule(
        mapping="training",
        key="r1",
        title="Course 1",
        matchers=(Matcher(idnumber="C1"), Matcher(idnumber="C1", module="*")),
        suggests=(ref(1), ref(2)),
        learning_activity="taught-course",
        one_activity=True,
    )
    inside.world.publish([both])
    inside.site.complete(11, COURSES[0], NOW - timedelta(days=2))
    inside.took(0.9, days=3)
    inside.pull()
    (item,) = inside.world.items_of(inside.learner)
    assert {c.ref.code for c in item.claims} == {"1", "2"}
    assert inside.world.scalar("SELECT count(*) FROM evidence_records") == 2


def test_a_score_reaches_min_score_and_a_better_attempt_updates_it(inside: Inside) -> None:
    inside.world.publish([quiz_rule(3, counts_when=CountsWhen(min_score=0.85))])
    inside.took(0.82)
    inside.pull()
    assert inside.drafts() == {}
    inside.world.clock.advance(hours=1)
    # Passed before and passed again: Moodle keeps the date, and changes the grade.
    inside.took(0.95, days=0)
    inside.pull(full=False)
    assert inside.drafts() == {"Course 1: Final quiz": {"3"}}
    assert inside.world.scalar("SELECT count(*) FROM received") == 1


def test_passed_and_failed_are_as_moodle_tells_them(inside: Inside) -> None:
    inside.world.publish([quiz_rule(3)])
    inside.took(0.5, days=3)
    inside.pull()
    assert inside.drafts() == {}
    assert inside.world.rows("SELECT status, score FROM learning_records") == [("failed", 0.5)]
    inside.took(0.9)
    inside.pull()
    assert inside.drafts() == {"Course 1: Final quiz": {"3"}}
    inside.took(0.4, days=1)
    inside.pull()
    assert inside.drafts() == {}
    kept = "SELECT l.status FROM learning_records l JOIN received r ON r.id = l.received_id"
    assert inside.world.rows(f"{kept} WHERE r.gone_at IS NULL") == [("failed",)]


def test_a_course_and_an_activity_of_one_number_are_two_things(inside: Inside) -> None:
    """Moodle counts courses and activities apart, so the numbers meet."""
    module = inside.site.modules.pop(QUIZ)
    module.cmid = COURSES[0]
    inside.site.add_module(module)
    inside.site.complete(11, COURSES[0], NOW - timedelta(days=2))
    inside.site.complete_activity(11, COURSES[0], NOW - timedelta(days=2), state=2, grade=0.9)
    inside.pull()
    assert inside.drafts() == {"Course 1": {"1", "2"}}
    assert inside.world.scalar("SELECT count(*) FROM activity_aliases") == 2


def test_activities_stay_as_they_are_where_they_are_not_read_any_more(inside: Inside) -> None:
    inside.world.publish([quiz_rule(3), rule("r1", "C1", 1, 2)])
    inside.took(0.9)
    inside.site.complete(11, COURSES[0], NOW - timedelta(days=2))
    inside.pull()
    source = source_of(inside.moodle, inside.world.clock, activities=())
    trusted = Trusted(source, "moodle", identity=RULES)
    report = pulling.pull(inside.world.ctx, trusted, full=True, believe=True)
    assert report.tally.vanished == 0
    assert set(inside.drafts()) == {"Course 1", "Course 1: Final quiz"}


def test_on_a_stock_moodle_the_gradebook_tells_the_scores(inside: Inside) -> None:
    inside.site.plugin = None
    inside.world.publish([*MAPPING, quiz_rule(3, counts_when=CountsWhen(min_score=0.85))])
    inside.site.complete(11, COURSES[0], NOW - timedelta(days=2))
    inside.took(0.9)
    inside.pull()
    assert inside.drafts() == {"Course 1": {"1", "2"}, "Course 1: Final quiz": {"3"}}
    assert inside.world.rows("SELECT email FROM accounts") == [("u11@example.org",)]
    assert inside.pull().tally.wrote_nothing
    inside.took(0.5, days=1)
    inside.pull()
    assert inside.drafts() == {"Course 1": {"1", "2"}}
    statuses = "SELECT l.status FROM learning_records l JOIN received r ON r.id = l.received_id"
    assert inside.world.rows(f"{statuses} WHERE r.gone_at IS NULL ORDER BY 1") == [
        ("completed",), ("failed",)
    ]  # fmt: skip


def test_a_gradebook_that_is_closed_proves_nothing(inside: Inside) -> None:
    inside.site.plugin = None
    inside.world.publish([*MAPPING, quiz_rule(3)])
    inside.site.complete(11, COURSES[0], NOW - timedelta(days=2))
    inside.took(0.9)
    inside.pull()
    for capability in ("moodle/grade:viewall", ""):
        inside.site.user("svc-bridge").capabilities.discard(capability)
        inside.site.services["competency_bridge"].functions.discard(
            "" if capability else "gradereport_user_get_grade_items"
        )
        assert inside.pull().tally.vanished == 0
        assert "Course 1: Final quiz" in inside.drafts()


def test_moving_from_the_gradebook_to_the_plugin_keeps_the_draft(inside: Inside) -> None:
    plugin, inside.site.plugin = inside.site.plugin, None
    inside.world.publish([*MAPPING, quiz_rule(3)])
    inside.site.complete(11, COURSES[0], NOW - timedelta(days=2))
    inside.took(0.9)
    inside.pull()
    before = inside.drafts()
    inside.site.plugin = plugin
    inside.pull()
    assert inside.drafts() == before
    assert inside.world.scalar("SELECT count(*) FROM evidence") == 2
    kept = "SELECT count(*) FROM received WHERE gone_at IS NULL"
    assert inside.world.scalar(kept) == 2
