"""What a source no longer shows is said to everybody whom it concerns: since when, and why."""

from __future__ import annotations

from bridge.domain.permissions import Role
from bridge.domain.vanishing import Gone
from bridge.services import tokens
from tests.support import NOW, Cast, World, cast
from tests.web.api.client import Program
from tests.web.site import Browser, WebWorld

SENTENCE = "since 16 June 2026"


def gone(world: World, why: Gone) -> Cast:
    """The learner's record is no more there, for that reason, since the day after."""
    folk = cast(world)
    world.clock.advance(days=1)
    with world.store.begin() as uow:
        ids = [
            row_id for row_id, _ in uow.intake.present_keys(uow.ops.source("moodle", "m", "t").id)
        ]
        uow.intake.mark_gone(ids, world.clock.now(), why)
        told = uow.intake.happened(ids)[ids[0]]
        if why is Gone.ACCOUNT_DELETED:
            uow.intake.mark_accounts_deleted([told.account_id], world.clock.now())
        if why is Gone.COURSE_DELETED:
            uow.intake.mark_activities_gone([told.alias_id], world.clock.now())
    return folk


def team(pages: WebWorld) -> Browser:
    """A browser of the whole partnership's training team."""
    person = pages.world.person("team")
    pages.give(person, [Role.TRAINING_TEAM])
    return pages.browser(person)


def test_the_practitioner_reads_it_on_the_draft(pages: WebWorld) -> None:
    folk = gone(pages.world, Gone.LEFT)
    page = pages.browser(folk.learner).get(f"/evidence/{folk.evidence}").text
    assert f"No longer in moodle {SENTENCE}" in page
    assert "they have left the course there" in page
    assert "it does not count now" not in page


def test_whoever_verifies_reads_it_before_deciding(pages: WebWorld) -> None:
    folk = gone(pages.world, Gone.ACCOUNT_DELETED)
    pages.world.submit(folk.learner, folk.evidence, folk.manager)
    page = pages.browser(folk.manager).get(f"/verify/with/{folk.learner}").text
    assert f"No longer in moodle {SENTENCE}" in page
    assert "the account was deleted there" in page


def test_the_training_team_reads_it_of_accounts_and_activities(pages: WebWorld) -> None:
    folk = gone(pages.world, Gone.ACCOUNT_DELETED)
    page = team(pages).get(f"/training/people/{folk.learner}").text
    assert f"deleted there {SENTENCE}" in page


def test_the_training_team_reads_it_of_a_course(pages: WebWorld) -> None:
    gone(pages.world, Gone.COURSE_DELETED)
    page = team(pages).get("/training/activities/1").text
    assert f"no longer in moodle {SENTENCE}" in page
    assert "of which 1 no longer shown there" in page


def test_the_api_tells_it_to_whoever_sees_the_whole(pages: WebWorld) -> None:
    folk = gone(pages.world, Gone.RESTORED)
    secret = tokens.make_token(pages.world.as_(folk.learner), "program", read_only=True)
    told = Program(pages, secret).get(f"/evidence/{folk.evidence}")
    (one,) = told["no_longer_there"]
    assert (one["source"], one["because"]) == ("moodle", "restored")
    assert one["since"].startswith("2026-06-16")
    assert "backup" in one["words"]
    assert pages.world.clock.now() > NOW
