"""What happens in another process while a pull goes on: settling, and a new mapping."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bridge.domain.identity import IdentityRule, Match
from bridge.domain.model import Bookmark
from bridge.services.pull import pull, settle_pending
from bridge.storage.engine import open_engine
from bridge.storage.ops import SqlOps
from tests.jobs.site import eventually
from tests.support import NOW, Completion, FrozenClock, World, rule


@pytest.fixture
def two(postgres_url: str) -> Iterator[World]:
    """A world whose person has an account that turned out to be theirs, not yet settled."""
    engine = open_engine(postgres_url)
    world = World(engine, FrozenClock(NOW))
    person = world.person("u1")
    world.pull(Completion("other-account", when=NOW - timedelta(days=12)))
    with world.store.begin() as uow:
        ((_, account),) = uow.intake.unlinked()
        proof = Match(person, IdentityRule.BY_HAND, "said")
        uow.people.link_accounts({account.id: proof}, NOW, "somebody")
        uow.intake.mark_accounts([account.id])
    yield world
    engine.dispose()


def waits_for_a_lock(world: World) -> bool:
    """Whether some connection to this database waits for another's lock."""
    return bool(
        world.scalar(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


def test_a_page_and_the_settling_of_what_is_pending_join_in_one_draft(two: World) -> None:
    """The pull holds its transaction open on the same activity while the settling comes by."""
    two.source.holds = [Completion("u1", when=NOW - timedelta(days=11))]
    in_hand, go_on = threading.Event(), threading.Event()
    keep = SqlOps.set_bookmark

    def hold(ops: SqlOps, source_id: int, bookmark: Bookmark) -> None:
        in_hand.set()
        go_on.wait(30)
        keep(ops, source_id, bookmark)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(SqlOps, "set_bookmark", hold)
        pulling = pool.submit(pull, two.ctx, two.trusted)
        in_hand.wait(30)
        settling = pool.submit(settle_pending, two.ctx)
        eventually(lambda: settling.done() or waits_for_a_lock(two), "the settling to come by")
        go_on.set()
        pulling.result(30)
        settling.result(30)
    assert two.scalar("SELECT count(*) FROM learning_records WHERE disposition = 'evidence'") == 2
    assert two.scalar("SELECT count(*) FROM evidence") == 1
    assert two.scalar("SELECT count(*) FROM evidence_records") == 2


def test_a_mapping_published_during_a_pull_decides_on_the_pages_that_follow(
    world: World,
) -> None:
    world.person("u1")
    world.source.page_size = 1

    def publish_between(number: int) -> None:
        if number == 1:
            world.publish([rule("r1", "C1", 4)])

    world.source.before_page = publish_between
    world.pull(Completion(), Completion(when=NOW - timedelta(days=60)))
    suggested = world.rows(
        "SELECT DISTINCT c.code FROM claims JOIN competencies c ON c.id = claims.competency_id"
        " WHERE claims.state = 'suggested'"
    )
    assert suggested == [("4",)]
