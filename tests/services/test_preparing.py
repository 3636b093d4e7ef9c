"""Next year's badges made ready in time: what is made, what is left by hand, when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bridge.demo.moodle import seed
from bridge.services import preparing
from bridge.services.preparing import PrepareReport
from tests.services.lms import AUTO, COHORT, PLUGIN, Lms, open_lms
from tests.support import World

MAKES = {"moodle/cohort:manage", "moodle/competency:competencymanage"}
COMPETENCY = {
    "via": "competency", "framework": "LONDON", "competency": "LONDON-L1-{year}",
    "badge": "London Level 1 {year}",
}  # fmt: skip


@pytest.fixture
def lms(world: World) -> Iterator[Lms]:
    """A Moodle as it comes, whose badges and cohorts of 2027 nobody has made yet."""
    with open_lms(world, plugin=False) as lms:
        site = lms.moodle.site
        for badge in [b for b in site.badges.values() if "2027" in b.name]:
            del site.badges[badge.id]
        for cohort in [c for c in site.cohorts.values() if "2027" in c.idnumber]:
            del site.cohorts[cohort.id]
        for one in [c for c in site.competencies.values() if "2027" in c.idnumber]:
            del site.competencies[one.id]
        report = next(r for r in site.reports.values() if r.name == "Bridge issued badges")
        report.columns.append("badge:status")
        site.user(seed.SERVICE_USER).capabilities |= MAKES
        site.services["competency_bridge"].functions |= {
            "core_cohort_create_cohorts", "core_competency_create_competency",
        }  # fmt: skip
        yield lms


def prepare(lms: Lms) -> PrepareReport:
    return preparing.prepare(lms.world.ctx, lms.target)


def november(lms: Lms) -> None:
    lms.world.clock.moment = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)


def test_nothing_of_next_year_is_touched_before_its_time(lms: Lms) -> None:
    lms.define(COHORT)
    report = prepare(lms)
    assert [(p.period, p.left) for p in report.stands] == [("2026", ())]
    lms.world.clock.moment = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
    assert [p.period for p in prepare(lms).stands] == ["2026"]
    lms.world.clock.moment = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    assert [p.period for p in prepare(lms).stands] == ["2027", "2026"]


def test_the_cohort_is_made_and_the_badge_is_left_with_its_page(lms: Lms) -> None:
    lms.define(COHORT)
    november(lms)
    report = prepare(lms)
    assert report.made == ["the cohort LLR-CORE-2027"]
    assert any(c.idnumber == "LLR-CORE-2027" for c in lms.moodle.site.cohorts.values())
    (mine,) = report.needs_you
    (step,) = mine.left
    assert step.page == f"{lms.moodle.base_url}/badges/index.php?type=1"
    for words in ("Copy the badge “LLR Core 2026”", "LLR Core 2027", "LLR-CORE-2027", "Enable"):
        assert words in step.words
    # Again: nothing is made twice.
    again = prepare(lms)
    assert again.made == []
    assert again.needs_you[0].made == ("the cohort LLR-CORE-2027",)


def test_it_is_noticed_when_the_administrator_has_done_it(lms: Lms) -> None:
    lms.define(COHORT)
    november(lms)
    prepare(lms)
    site = lms.moodle.site
    cohort = next(c for c in site.cohorts.values() if c.idnumber == "LLR-CORE-2027")
    badge = site.add_badge("LLR Core 2027", cohorts=(cohort,))
    badge.active = False
    (mine,) = prepare(lms).needs_you
    (step,) = mine.left
    assert "Enable access" in step.words
    assert step.page.endswith(f"/badges/overview.php?id={badge.id}")
    badge.active = True
    report = prepare(lms)
    assert report.needs_you == []
    assert all(p.ready_at is not None for p in report.stands)


def test_a_competency_is_made_in_its_framework(lms: Lms) -> None:
    lms.define(COMPETENCY)
    november(lms)
    assert prepare(lms).made == ["the competency LONDON-L1-2027"]
    assert any(c.idnumber == "LONDON-L1-2027" for c in lms.moodle.site.competencies.values())


@pytest.mark.parametrize(
    ("settings", "page"),
    [
        (COHORT, "/cohort/edit.php?contextid=1"),
        (COMPETENCY, "/admin/tool/lp/competencies.php?competencyframeworkid=1&pagecontextid=1"),
        ({**COMPETENCY, "framework": "NONE"}, "/admin/tool/lp/competencyframeworks.php"),
    ],
)
def test_what_the_service_user_may_not_make_is_left_too(
    lms: Lms, settings: dict[str, str], page: str
) -> None:
    lms.moodle.site.user(seed.SERVICE_USER).capabilities -= MAKES
    lms.define(settings)
    november(lms)
    report = prepare(lms)
    assert report.made == []
    mine = next(p for p in report.needs_you if p.period == "2027")
    assert len(mine.left) == 2
    assert page in mine.left[0].page


def test_without_the_report_the_first_award_shows_that_it_is_there(lms: Lms) -> None:
    lms.moodle.site.reports.clear()
    lms.define(COHORT)
    (mine,) = prepare(lms).needs_you
    assert (mine.period, mine.seen) == ("2026", None)
    assert "first award shows it" in mine.left[0].words
    lms.earns(lms.learner(30))
    lms.deliver()
    assert set(lms.holds(30)) == {"LLR Core 2026"}
    assert preparing.stands(lms.world.ctx) == []


def test_what_goes_by_the_plugin_needs_nothing(lms: Lms) -> None:
    lms.define(PLUGIN)
    november(lms)
    assert prepare(lms).stands == []
    lms.install()
    lms.define(AUTO)
    assert prepare(lms).stands == []


def test_before_a_delivery_only_what_is_not_ready_is_looked_at_and_not_each_time(lms: Lms) -> None:
    lms.define(COHORT)
    november(lms)
    prepare(lms)
    lms.moodle.forget()
    preparing.prepare(lms.world.ctx, lms.target, all_again=False)
    assert lms.moodle.calls() == 0
    lms.world.clock.advance(hours=7)
    preparing.prepare(lms.world.ctx, lms.target, all_again=False)
    assert lms.moodle.calls() > 0
