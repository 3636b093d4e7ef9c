"""What a Moodle said of its people and was once overheard: each by what led to it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bridge.demo.moodle import seed
from bridge.domain.errors import LostLease
from bridge.services import ledger
from bridge.services.talking import conversation
from tests.services.lives import C1, PER_USER, PLUGIN, REPORT, moodle_beside
from tests.support import World


def test_a_report_tells_of_people_also_where_the_plugin_told_more_of_what_they_did(
    world: World,
) -> None:
    with moodle_beside(world, PLUGIN) as moodle:
        moodle.road = REPORT
        moodle.site.suspend(11)
        moodle.site.change_user(12, email="new@example.org")
        moodle.sweep()
        rows = world.rows("SELECT value, email, suspended FROM accounts ORDER BY value")
        assert [(v, e, bool(s)) for v, e, s in rows][1:3] == [
            ("11", "u11@example.org", True), ("12", "new@example.org", False),
        ]  # fmt: skip
        assert set(world.rows("SELECT DISTINCT precision FROM learning_records")) == {("second",)}
        assert all(line.adds_up for line in ledger.ledger(world.ctx))


def test_a_way_that_is_not_shown_id_numbers_takes_none_away(world: World) -> None:
    """The mapping goes by them: drafts would be withdrawn for want of a capability."""
    with moodle_beside(world, PLUGIN) as moodle:
        moodle.road = PER_USER
        moodle.site.user(seed.SERVICE_USER).capabilities.discard("moodle/course:update")
        moodle.done(14, C1, days=1)
        moodle.sweep()
        assert moodle.claims(10) == moodle.claims(14) == {("suggested", False)}


def test_a_record_that_is_back_of_a_deleted_account_brings_the_account_not_back(
    world: World,
) -> None:
    with moodle_beside(world, PLUGIN) as moodle:
        moodle.site.delete_user(10)
        moodle.sweep()
        saved = moodle.site.backup()
        moodle.site.uncomplete(10, C1)
        moodle.sweep()
        moodle.site.restore(saved)
        assert moodle.sweep().tally.returned == 1
        assert world.rows("SELECT gone_because FROM accounts WHERE value = '10'") == [
            ("account deleted",)
        ]


@dataclass
class Somebody:
    """Speaks with the same Moodle, for something else."""

    conversation: str


def test_waiting_for_another_conversation_is_no_failure_in_the_history(world: World) -> None:
    with moodle_beside(world, REPORT) as moodle:
        before = world.rows("SELECT id, outcome FROM pull_runs")
        other = Somebody(moodle.trusted.connector.conversation)  # type: ignore[attr-defined]
        with conversation(world.ctx, other, "moodle"):
            for _ in range(3):
                with pytest.raises(LostLease):
                    moodle.pull()
        assert world.rows("SELECT id, outcome FROM pull_runs") == before
        assert moodle.pull().complete
